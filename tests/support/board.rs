//! The events that all clients know of, so that they meet at the same ones.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::RngExt;
use rand::rngs::StdRng;

/// How many of the newest events count as new: few, so that clients race.
const NEW: usize = 12;

/// What may be done to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Everybody answers, declines, cancels, reads and waits.
    Contested,
    /// Everybody waits, and only the deadline ends it.
    Watched,
    /// Nobody touches it, so that nothing but its own timer can end it.
    Untouched,
}

/// An event that a client may pick.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its id.
    pub id: String,
    /// What may be done to it.
    pub fate: Fate,
    /// When it times out.
    pub deadline_ms: i64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Board {
    events: Mutex<Vec<Known>>,
    next: AtomicU64,
}

impl Board {
    /// A number that was not given before.
    pub fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Lets every client know of `event`.
    pub fn add(&self, event: Known) {
        self.events().push(event);
    }

    /// One of the newest events that may be touched, preferably one that may be answered.
    pub fn recent(&self, rng: &mut StdRng, fate: Fate) -> Option<Known> {
        let events = self.events();
        let fits: Vec<_> =
            events.iter().rev().filter(|event| event.fate == fate).take(NEW).collect();
        pick(rng, &fits).copied().cloned()
    }

    /// Any event that may be touched, most of which have ended.
    pub fn any(&self, rng: &mut StdRng) -> Option<Known> {
        let events = self.events();
        let event = pick(rng, &events)?.clone();
        (event.fate != Fate::Untouched).then_some(event)
    }

    /// All events.
    pub fn ids(&self) -> Vec<String> {
        self.events().iter().map(|event| event.id.clone()).collect()
    }

    fn events(&self) -> MutexGuard<'_, Vec<Known>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pick<'a, T>(rng: &mut StdRng, from: &'a [T]) -> Option<&'a T> {
    if from.is_empty() { None } else { from.get(rng.random_range(0..from.len())) }
}
