//! How a server learns of what the others create, update and end: from announcements in the store.
//!
//! A server that creates, updates or ends an event announces that in `created/`, `updated/` or `resolved/`, under the
//! instant at which it happens. Each server lists the announcements of the last 20 s once a second while anybody
//! follows them there: with one listing for each index, however many follow it, and two near the turn of a minute. If a
//! change is recorded more than 10 s after its announcement, it is announced again under a later instant, so that a
//! server that lists every second misses nothing.

use std::fmt;
use std::iter;
use std::sync::Arc;

use futures::future;
use hitl_core::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::error::Error;
use crate::events::EventStore;
use crate::index::{MINUTE_MS, minute_of};
use crate::keys::{Entry, Index};

/// Time between two listings.
const TICK_MS: i64 = 1_000;
/// How far back a listing reaches: an announcement may take its time to the store, and clocks differ.
pub const LOOK_BACK_MS: i64 = 20_000;
/// How old an announcement may be, by the time that what it announces is recorded, before it is made again.
const FRESH_MS: i64 = 10_000;
/// For how long `created/` is kept, so that whoever followed can resume: a day.
pub const RESUMABLE_MS: i64 = 24 * 3_600_000;
/// How long after it ended the previous minute is listed again, beside the present one: another server's clock may lag,
/// or its write arrive late.
const LOOKS_BACK_AT_MS: [i64; 7] = [0, 1_000, 2_000, 3_000, 5_000, 10_000, 19_000];
/// How long before it begins the next minute is listed too: another server's clock may be ahead.
const LOOK_AHEAD_MS: i64 = 2_000;
/// A shorter time without a listing, or a smaller step of the clock, needs no catching up: every listing reaches back
/// farther.
const GAP_MS: i64 = 5 * TICK_MS;
/// After a longer time without a listing the announcements are not caught up with: every follower is told that it may
/// have missed something.
const GAP_MS_MAX: i64 = 5 * MINUTE_MS;

// An announcement that is not made again is listed for at least this long after it was recorded.
const _: () = assert!(FRESH_MS + 5 * TICK_MS < LOOK_BACK_MS);
const _: () = assert!(GAP_MS + FRESH_MS < LOOK_BACK_MS);
const _: () = assert!(LOOKS_BACK_AT_MS[6] < LOOK_BACK_MS && LOOK_BACK_MS < MINUTE_MS);

/// Whether a change that was announced under `announced` and is recorded `now` has to be announced again: the other
/// servers may not list that instant any more.
pub(crate) fn is_old(announced: Timestamp, now: Timestamp) -> bool {
    now.ms_since(announced) > FRESH_MS
}

/// What is announced, in the order in which it happens to an event.
const ANNOUNCED: [Index; 3] = [Index::Created, Index::Updated, Index::Resolved];

/// Who is told of what is announced.
pub trait Follower: fmt::Debug + Send + Sync {
    /// Whether what `index` announces is listed for this follower now.
    fn follows(&self, index: Index) -> bool;

    /// `index` announces `entry`. This is called at each listing that has the entry, which is about twenty times, and
    /// may come before the change is recorded.
    fn announced(&self, index: Index, entry: &Entry);

    /// Every announcement up to `until`, less [`LOOK_BACK_MS`], was listed.
    fn covered(&self, until: Timestamp);

    /// Announcements may have come and gone unseen.
    fn missed(&self);
}

/// The announcements in one store. See the module.
#[derive(Debug)]
pub struct Announcements {
    store: Arc<EventStore>,
    clock: Arc<dyn Clock>,
    followers: Vec<Arc<dyn Follower>>,
    /// Somebody may follow from now on.
    arrived: Arc<Notify>,
}

/// How far the listings of one index have come.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// Since when somebody follows without a break.
    begun: Timestamp,
    /// When the listings last covered everything.
    covered: Option<Timestamp>,
}

/// From where on to list, and whether something may have been missed before.
struct Reach {
    from: Timestamp,
    is_lost: bool,
}

impl Announcements {
    /// The announcements in `store`, for `followers`. `arrived` is notified when one begins to follow.
    pub fn new(
        store: Arc<EventStore>,
        clock: Arc<dyn Clock>,
        followers: Vec<Arc<dyn Follower>>,
        arrived: Arc<Notify>,
    ) -> Self {
        Self { store, clock, followers, arrived }
    }

    /// Tells followers what is announced, until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            () = self.follow() => {}
        }
    }

    async fn follow(&self) {
        let mut progress: [Option<Progress>; ANNOUNCED.len()] = [None; ANNOUNCED.len()];
        loop {
            let next_tick = self.clock.monotonic().plus_ms(TICK_MS);
            let now = self.clock.now();
            for (index, progress) in ANNOUNCED.into_iter().zip(&mut progress) {
                *progress = self
                    .is_followed(index)
                    .then(|| progress.unwrap_or(Progress { begun: now, covered: None }));
            }
            if progress.iter().all(Option::is_none) {
                self.arrived.notified().await;
                continue;
            }
            if let Err(error) = self.tick(&mut progress, now).await {
                tracing::warn!(%error, "the announcements could not be read and will be again");
            }
            self.clock.pause_until(next_tick).await;
        }
    }

    fn is_followed(&self, index: Index) -> bool {
        self.followers.iter().any(|follower| follower.follows(index))
    }

    /// Lists all indexes at the same time. If one cannot be listed, what the others announce is told all the same, and
    /// none counts as covered.
    async fn tick(&self, progress: &mut [Option<Progress>], now: Timestamp) -> Result<(), Error> {
        let listings = ANNOUNCED
            .into_iter()
            .zip(&*progress)
            .map(|(index, progress)| self.list_all(index, progress.as_ref(), now));
        let mut is_lost = false;
        for listed in future::join_all(listings).await {
            is_lost |= listed?;
        }
        for progress in progress.iter_mut().flatten() {
            progress.covered = Some(now);
        }
        for follower in &self.followers {
            if is_lost {
                follower.missed();
            }
            follower.covered(now);
        }
        Ok(())
    }

    /// Lists what `index` announced since it was last listed. Says whether something may have been missed.
    async fn list_all(
        &self,
        index: Index,
        progress: Option<&Progress>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let Some(progress) = progress else { return Ok(false) };
        let Reach { from, is_lost } = reach(progress, now);
        // All at the same time, so that none waits for another.
        let listings = minutes(from, now.plus_ms(LOOK_AHEAD_MS)).map(|from| self.list(index, from));
        future::join_all(listings).await.into_iter().collect::<Result<(), Error>>()?;
        Ok(is_lost)
    }

    async fn list(&self, index: Index, from: Timestamp) -> Result<(), Error> {
        for entry in self.store.indexes().minute_from(index, from).await?.found {
            for follower in self.followers.iter().filter(|follower| follower.follows(index)) {
                follower.announced(index, &entry);
            }
        }
        Ok(())
    }
}

fn reach(progress: &Progress, now: Timestamp) -> Reach {
    // `begun` and not `now`, since the first listings may have failed for long.
    let covered = progress.covered.unwrap_or(progress.begun);
    let gap_ms = now.ms_since(covered);
    // A clock that has stepped back was ahead for an unknown time, and what was announced in that time was not listed.
    let is_lost = !(-GAP_MS..=GAP_MS_MAX).contains(&gap_ms);
    let is_gap = progress.covered.is_none() || !(0..=GAP_MS).contains(&gap_ms);
    let from = if is_gap {
        let since = if is_lost { now } else { covered.min(now) };
        since.plus_ms(-LOOK_BACK_MS)
    } else {
        place(covered, now)
    };
    Reach { from, is_lost }
}

/// From where on to list, when the last listings succeeded.
fn place(covered: Timestamp, now: Timestamp) -> Timestamp {
    let turn = minute_of(now);
    let mut looks_back = LOOKS_BACK_AT_MS.iter().map(|at_ms| turn.plus_ms(*at_ms));
    if looks_back.any(|at| covered < at && at <= now) {
        turn.plus_ms(-LOOK_BACK_MS)
    } else {
        turn.max(now.plus_ms(-LOOK_BACK_MS))
    }
}

/// The minutes from `from` to the one that holds `to`, as the instants from which on they are listed.
fn minutes(from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> {
    let next = |at: &Timestamp| Some(minute_of(*at).plus_ms(MINUTE_MS));
    iter::successors(Some(from), next).take_while(move |at| *at <= to)
}
