//! Who waits for which event, in this process.
//!
//! A waiter subscribes first, then reads the store, and only then waits: whatever ends the event
//! after the read finds the subscription. What is passed on is the ended event itself, so that a
//! waiter never goes back to the store.

mod queue;
mod reads;
mod seats;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use hitl_core::{Event, EventKey};
use tokio::sync::Notify;

use crate::error::Error;

pub(crate) use reads::Reads;
pub use seats::Owner;
pub(crate) use seats::{Seat, Seats};

/// All waits of this process.
#[derive(Debug)]
pub(crate) struct Waiters {
    registry: Mutex<Registry>,
    /// Notified when somebody begins to wait.
    arrived: Arc<Notify>,
}

#[derive(Debug)]
struct Registry {
    slots: HashMap<EventKey, Place>,
    seats: Seats,
}

/// A slot, and how many hold it. Counted here, under the lock: whoever leaves last must know it.
#[derive(Debug, Default)]
struct Place {
    slot: Arc<Slot>,
    waits: usize,
}

/// What the waiters of one event look at.
#[derive(Debug, Default)]
struct Slot {
    ended: OnceLock<Event>,
    changed: Notify,
}

/// One waiter's place. Gives it up when dropped.
#[derive(Debug)]
pub(crate) struct Subscription {
    key: EventKey,
    slot: Arc<Slot>,
    seat: Seat,
    waiters: Arc<Waiters>,
}

impl Waiters {
    /// A registry of at most `waits_max` waits at a time, which notifies `arrived` of each.
    pub(crate) fn new(waits_max: usize, arrived: Arc<Notify>) -> Arc<Self> {
        let registry = Registry { slots: HashMap::new(), seats: Seats::new(waits_max) };
        Arc::new(Self { registry: Mutex::new(registry), arrived })
    }

    /// Takes a place among the waiters of the event at `key`, for a wait of `owner`.
    ///
    /// # Errors
    /// [`Error::TooManyWaiters`] if no other owner has so many that one of them can be ended for this.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        key: EventKey,
        owner: Owner,
    ) -> Result<Subscription, Error> {
        let mut registry = self.registry();
        let seat = registry.seats.take(owner).ok_or(Error::TooManyWaiters)?;
        let place = registry.slots.entry(key.clone()).or_default();
        place.waits += 1;
        let slot = place.slot.clone();
        drop(registry);
        self.arrived.notify_one();
        Ok(Subscription { key, slot, seat, waiters: self.clone() })
    }

    /// Tells everyone who waits for `event` that it has ended. To be called once that is durable.
    pub(crate) fn ended(&self, event: &Event) {
        let slot = self.registry().slots.get(&event.request.key()).map(|place| place.slot.clone());
        if let Some(slot) = slot {
            // Whoever comes second brings the same event, since it ends but once.
            let _ = slot.ended.set(event.clone());
            slot.changed.notify_waiters();
        }
    }

    /// Whether somebody waits for the event at `key` and has not been told yet.
    pub(crate) fn awaits(&self, key: &EventKey) -> bool {
        self.registry().slots.get(key).is_some_and(|place| place.slot.ended.get().is_none())
    }

    /// Every event that somebody waits for, in order.
    pub(crate) fn awaited(&self) -> Vec<EventKey> {
        let mut keys: Vec<_> = self.registry().slots.keys().cloned().collect();
        keys.sort_unstable();
        keys
    }

    /// How many waits there are.
    pub(crate) fn count(&self) -> usize {
        self.registry().seats.taken()
    }

    fn registry(&self) -> std::sync::MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
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
            () = self.seat.lost() => Err(Error::TooManyWaiters),
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
        let mut registry = self.waiters.registry();
        registry.seats.leave(&self.seat);
        if let Entry::Occupied(mut place) = registry.slots.entry(self.key.clone()) {
            place.get_mut().waits -= 1;
            if place.get().waits == 0 {
                place.remove();
            }
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
