//! Who watches which namespace in this process, and what they are told.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hitl_core::{Namespaces, Timestamp};
use hitl_store::announcements::{Follower, LOOK_BACK_MS};
use hitl_store::{Entry, Index};
use tokio::sync::{Notify, mpsc};

use crate::error::Error;
use crate::quotas::{Measure, Quotas};
use crate::waiters::{Holder, Owner, Seat, Seats};

/// Most watches at a time.
pub const WATCHES_MAX: usize = 1_000;
/// Most notices that wait for one watch. A watch that falls farther behind reads the store again from its position.
const NOTICES_MAX: usize = 4_096;
/// Most announcements that are remembered as passed on. When there are more, some are passed on twice.
const SEEN_MAX: usize = 200_000;

/// All watches of this process.
#[derive(Debug)]
pub(crate) struct Watches {
    hub: Mutex<Hub>,
    /// Notified when somebody begins to watch.
    arrived: Arc<Notify>,
}

#[derive(Debug)]
struct Hub {
    seats: Seats,
    next: u64,
    ears: BTreeMap<u64, Ear>,
    seen: HashSet<(Index, Entry)>,
}

#[derive(Debug)]
struct Ear {
    namespaces: Namespaces,
    notices: mpsc::Sender<Notice>,
    has_missed: Arc<AtomicBool>,
}

/// What a watch is told.
#[derive(Debug)]
pub(super) enum Notice {
    /// Something was announced.
    Announced(Index, Entry),
    /// Everything up to here was announced before.
    Covered(Timestamp),
}

/// A watch's place among the others. Gives it up when dropped.
#[derive(Debug)]
pub(super) struct WatchSeat {
    number: u64,
    seat: Seat,
    /// Notified when somebody else has the seat.
    lost: Arc<Notify>,
    watches: Arc<Watches>,
    notices: mpsc::Receiver<Notice>,
    has_missed: Arc<AtomicBool>,
}

impl Watches {
    /// No watches yet. Each that begins, within `quotas`, notifies `arrived`.
    pub(crate) fn new(quotas: Quotas, arrived: Arc<Notify>) -> Arc<Self> {
        let hub = Hub {
            seats: Seats::new(WATCHES_MAX, Measure::Watches, quotas),
            next: 0,
            ears: BTreeMap::new(),
            seen: HashSet::new(),
        };
        Arc::new(Self { hub: Mutex::new(hub), arrived })
    }

    /// Takes a place for a watch of `owner` over `namespaces`, which is told everything from now on. `has_missed` is
    /// true if the watch resumes, and so has to read from the store what came before.
    ///
    /// # Errors
    /// [`Error::OverQuota`], and [`Error::TooManyWaiters`] if all places are taken and no other owner has more than
    /// twice as many as this one.
    pub(super) fn take(
        self: &Arc<Self>,
        namespaces: Namespaces,
        owner: Owner,
        has_missed: bool,
    ) -> Result<WatchSeat, Error> {
        let mut hub = self.hub();
        let lost = Arc::<Notify>::default();
        let (seat, losers) = hub.seats.take(owner, None, Holder::Single(lost.clone()))?;
        losers.iter().for_each(Holder::tell);
        let number = hub.next;
        hub.next += 1;
        let (sender, notices) = mpsc::channel(NOTICES_MAX);
        let has_missed = Arc::new(AtomicBool::new(has_missed));
        let ear = Ear { namespaces, notices: sender, has_missed: has_missed.clone() };
        hub.ears.insert(number, ear);
        // The new watch has been told nothing yet; the others know what they were told.
        hub.seen.clear();
        drop(hub);
        self.arrived.notify_one();
        Ok(WatchSeat { number, seat, lost, watches: self.clone(), notices, has_missed })
    }

    /// How many watch.
    pub(crate) fn count(&self) -> usize {
        self.hub().ears.len()
    }

    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What changes anywhere is followed while anybody watches here, on a store of one process too: its entries are what
/// is known of a create or an end whose caller hung up.
impl Follower for Watches {
    fn follows(&self, index: Index) -> bool {
        matches!(index, Index::Created | Index::Updated | Index::Resolved) && self.count() > 0
    }

    fn announced(&self, index: Index, entry: &Entry) {
        let mut hub = self.hub();
        let is_watched = hub.ears.values().any(|ear| ear.namespaces.contains(&entry.key.namespace));
        if !is_watched || !hub.seen.insert((index, entry.clone())) {
            return;
        }
        if hub.seen.len() > SEEN_MAX {
            hub.seen.clear();
        }
        for ear in hub.ears.values().filter(|ear| ear.namespaces.contains(&entry.key.namespace)) {
            ear.tell(Notice::Announced(index, entry.clone()));
        }
    }

    fn covered(&self, until: Timestamp) {
        let mut hub = self.hub();
        let listed_from = until.plus_ms(-2 * LOOK_BACK_MS);
        hub.seen.retain(|(_, entry)| entry.time >= listed_from);
        for ear in hub.ears.values() {
            ear.tell(Notice::Covered(until));
        }
    }

    fn missed(&self) {
        for ear in self.hub().ears.values() {
            ear.has_missed.store(true, Ordering::Relaxed);
        }
    }
}

impl Ear {
    fn tell(&self, notice: Notice) {
        if self.notices.try_send(notice).is_err() {
            self.has_missed.store(true, Ordering::Relaxed);
        }
    }
}

impl WatchSeat {
    /// Whether something was not told since this was last asked, so that the store has to be read again.
    pub(super) fn take_missed(&self) -> bool {
        self.has_missed.swap(false, Ordering::Relaxed)
    }

    /// Completes with what is told next.
    ///
    /// # Errors
    /// [`Error::TooManyWaiters`] if somebody else has this place.
    pub(super) async fn hear(&mut self) -> Result<Notice, Error> {
        tokio::select! {
            biased;
            () = self.lost.notified() => Err(Error::TooManyWaiters),
            notice = self.notices.recv() => Ok(notice.expect("the sender lives as long as the place")),
        }
    }
}

impl Drop for WatchSeat {
    fn drop(&mut self) {
        let mut hub = self.watches.hub();
        hub.ears.remove(&self.number);
        hub.seats.leave(self.seat);
    }
}
