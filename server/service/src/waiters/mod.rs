//! Who waits for which event, in this process.
//!
//! A waiter subscribes first, then reads the store, and only then waits: whatever ends the event
//! after the read finds the subscription. What is passed on is the ended event itself, so that a
//! waiter never goes back to the store.

mod group;
mod queue;
mod reads;
mod seats;

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use hitl_core::{Event, EventKey, Timestamp};
use hitl_store::Entry;
use tokio::sync::Notify;

use crate::error::Error;
use crate::quotas::{Measure, Quotas};

pub use group::FailedWait;
use group::GroupState;
pub(crate) use group::{First, Group, Unread};
pub(crate) use reads::Reads;
pub(crate) use seats::{Holder, Seat, Seats};
pub use seats::{Owner, SHARING};

/// Most updates that are remembered as told. When there are more, some are told twice.
const TOLD_MAX: usize = 20_000;

/// All waits of this process.
#[derive(Debug)]
pub(crate) struct Waiters {
    registry: Mutex<Registry>,
    /// Updates that were told and may be announced again.
    told: Mutex<HashSet<Entry>>,
    /// How many waits hear of updates.
    heeding: AtomicUsize,
    /// Notified when somebody begins to wait.
    arrived: Arc<Notify>,
}

#[derive(Debug)]
struct Registry {
    places: HashMap<Arc<EventKey>, EventWaiters>,
    groups: HashMap<u64, GroupState>,
    next_group: u64,
    seats: Seats,
}

/// Who waits for one event. They are counted here, under the lock, since the last one to leave removes the entry.
#[derive(Debug, Default)]
struct EventWaiters {
    /// What the waiters with a stream of their own look at.
    slot: Option<Arc<Slot>>,
    waits: usize,
    /// The groups with a wait for it.
    members: Vec<u64>,
}

/// What the waiters of one event look at.
#[derive(Debug, Default)]
struct Slot {
    ended: OnceLock<Event>,
    /// How often something was voted, said or done.
    updates: AtomicU64,
    changed: Notify,
}

/// One waiter's place. Gives it up when dropped.
#[derive(Debug)]
pub(crate) struct Subscription {
    key: EventKey,
    slot: Arc<Slot>,
    seat: Seat,
    /// Notified when somebody else has the seat.
    lost: Arc<Notify>,
    /// Whether it hears of updates, which are followed for those who do alone.
    heeds: AtomicBool,
    waiters: Arc<Waiters>,
}

impl Waiters {
    /// A registry of at most `waits_max` waits at a time, or [`SHARING`] times as many where they share streams, within
    /// `quotas`, which notifies `arrived` of each.
    pub(crate) fn new(waits_max: usize, quotas: Quotas, arrived: Arc<Notify>) -> Arc<Self> {
        let registry = Registry {
            places: HashMap::new(),
            groups: HashMap::new(),
            next_group: 0,
            seats: Seats::new(waits_max, Measure::Waits, quotas),
        };
        Arc::new(Self {
            registry: Mutex::new(registry),
            told: Mutex::default(),
            heeding: AtomicUsize::new(0),
            arrived,
        })
    }

    /// Takes a place among the waiters of the event at `key`, for a wait of `owner`.
    ///
    /// # Errors
    /// [`Error::OverQuota`], and [`Error::TooManyWaiters`] if all places are taken and no other owner has more than
    /// twice as many as this one.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        key: EventKey,
        owner: Owner,
    ) -> Result<Subscription, Error> {
        let lost = Arc::<Notify>::default();
        let mut registry = self.registry();
        let seat = registry.take_seat(owner, &key, Holder::Single(lost.clone()))?;
        let place = registry.place(&key);
        place.waits += 1;
        let slot = place.slot.get_or_insert_default().clone();
        drop(registry);
        self.arrived.notify_one();
        let heeds = AtomicBool::new(false);
        Ok(Subscription { key, slot, seat, lost, heeds, waiters: self.clone() })
    }

    /// Tells everyone who waits for `event` that it has ended. To be called once that is durable.
    pub(crate) fn ended(&self, event: &Event) {
        let key = event.request.key();
        let mut registry = self.registry();
        let Some(place) = registry.places.get_mut(&key) else { return };
        let slot = place.slot.clone();
        let members = std::mem::take(&mut place.members);
        if place.is_empty() {
            registry.places.remove(&key);
        }
        registry.end(&members, &key);
        drop(registry);
        if let Some(slot) = slot {
            // A second call brings the same event, since an event ends once.
            let _ = slot.ended.set(event.clone());
            slot.changed.notify_waiters();
        }
    }

    /// Tells those who wait for the event of `announced` on a stream of its own that something was voted, said or done
    /// about it. To be called once that is durable; of one announcement they are told once.
    pub(crate) fn updated(&self, announced: &Entry) {
        let Some(slot) = self.slot(&announced.key) else { return };
        let mut told = self.told();
        if told.len() >= TOLD_MAX {
            told.clear();
        }
        if told.insert(announced.clone()) {
            slot.update();
        }
    }

    /// Tells the same of whatever may have been missed about the event at `key`.
    pub(crate) fn may_be_updated(&self, key: &EventKey) {
        if let Some(slot) = self.slot(key) {
            slot.update();
        }
    }

    /// Forgets which announcements of before `listed_from` were told: they come no more.
    pub(crate) fn forget_told(&self, listed_from: Timestamp) {
        self.told().retain(|announced| announced.time >= listed_from);
    }

    fn slot(&self, key: &EventKey) -> Option<Arc<Slot>> {
        self.registry().places.get(key).and_then(|place| place.slot.clone())
    }

    fn told(&self) -> std::sync::MutexGuard<'_, HashSet<Entry>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody waits for the event at `key` and has not been told yet.
    pub(crate) fn awaits(&self, key: &EventKey) -> bool {
        self.registry().places.get(key).is_some_and(EventWaiters::awaits)
    }

    /// Every event that somebody waits for, in order.
    pub(crate) fn awaited(&self) -> Vec<EventKey> {
        let mut keys: Vec<_> = self.registry().places.keys().map(|key| (**key).clone()).collect();
        keys.sort_unstable();
        keys
    }

    /// How many waits hear of updates.
    pub(crate) fn heeding(&self) -> usize {
        self.heeding.load(Ordering::Relaxed)
    }

    /// How many waits there are.
    pub(crate) fn count(&self) -> usize {
        self.registry().seats.taken()
    }

    fn registry(&self) -> std::sync::MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn update(&self) {
        self.updates.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_waiters();
    }
}

impl Registry {
    /// Gives `holder`, which waits for `owner` and the event at `key`, a place. Holders that lose theirs for it are
    /// told.
    fn take_seat(&mut self, owner: Owner, key: &EventKey, holder: Holder) -> Result<Seat, Error> {
        let (seat, losers) = self.seats.take(owner, Some(key.namespace.clone()), holder)?;
        for loser in losers {
            loser.tell();
            if let Holder::Shared { group, key } = loser {
                self.lose(group, &key);
            }
        }
        Ok(seat)
    }

    fn place(&mut self, key: &EventKey) -> &mut EventWaiters {
        if !self.places.contains_key(key) {
            self.places.insert(Arc::new(key.clone()), EventWaiters::default());
        }
        self.places.get_mut(key).expect("it was put in if it was not there")
    }
}

impl EventWaiters {
    fn join(&mut self, group: u64) {
        if self.members.is_empty() {
            // Most events have one waiter, and a vector makes room for four.
            self.members.reserve_exact(1);
        }
        self.members.push(group);
    }

    fn awaits(&self) -> bool {
        let is_told = self.slot.as_ref().is_some_and(|slot| slot.ended.get().is_some());
        !self.members.is_empty() || self.waits > 0 && !is_told
    }

    fn is_empty(&self) -> bool {
        self.waits == 0 && self.members.is_empty()
    }
}

impl Subscription {
    /// Completes with the event once it has ended.
    ///
    /// # Errors
    /// [`Error::TooManyWaiters`] if this wait is ended for one of an owner who has fewer.
    pub(crate) async fn ended(&self) -> Result<Event, Error> {
        tokio::select! {
            biased;
            event = self.told() => Ok(event),
            () = self.lost.notified() => Err(Error::TooManyWaiters),
        }
    }

    /// How often something was voted, said or done.
    pub(crate) fn updates(&self) -> u64 {
        self.heed();
        self.slot.updates.load(Ordering::Relaxed)
    }

    /// The same once it is no longer `seen`.
    pub(crate) async fn updated(&self, seen: u64) -> u64 {
        loop {
            let mut changed = pin!(self.slot.changed.notified());
            changed.as_mut().enable();
            let updates = self.updates();
            if updates != seen {
                return updates;
            }
            changed.await;
        }
    }

    fn heed(&self) {
        if !self.heeds.swap(true, Ordering::Relaxed) {
            self.waiters.heeding.fetch_add(1, Ordering::Relaxed);
            self.waiters.arrived.notify_one();
        }
    }

    async fn told(&self) -> Event {
        loop {
            let mut changed = pin!(self.slot.changed.notified());
            // Listen first, so that an end between the look and the wait is not missed.
            changed.as_mut().enable();
            if let Some(event) = self.slot.ended.get() {
                return event.clone();
            }
            changed.await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if self.heeds.load(Ordering::Relaxed) {
            self.waiters.heeding.fetch_sub(1, Ordering::Relaxed);
        }
        let mut registry = self.waiters.registry();
        registry.seats.leave(self.seat);
        if let Some(place) = registry.places.get_mut(&self.key) {
            place.waits -= 1;
            if place.waits == 0 {
                // A waiter that comes later reads the event itself.
                place.slot = None;
            }
            if place.is_empty() {
                registry.places.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
