//! What this process remembers of events.
//!
//! A read that began before an event was removed must not bring it back afterwards. So whoever reads notes first how
//! many events were removed, and what it found is remembered only if none was removed meanwhile.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hitl_core::{Event, EventKey};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::read_at::ReadAt;

/// Most bytes of events kept in memory.
const BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Events that the memory is laid out for at first.
const EVENTS: usize = 4 * 1024;
/// Removals are counted apart for so many shares of the events, so that few reads are in vain while many are removed.
const SHARES: usize = 256;

/// What is remembered of an event.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    pub(crate) event: Event,
    /// Whether it is known to stand where it is looked for: in `created/` and with its timer while it is pending,
    /// and once it has ended with an announcement that was fresh when the end was recorded, or came later.
    pub(crate) is_indexed: bool,
    /// When its request was read.
    pub(crate) read_at: ReadAt,
}

/// How many events of a share were removed before a read began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Removals(u64);

/// See the module.
#[derive(Debug)]
pub(crate) struct Memory {
    cache: Cache<EventKey, Remembered, EventWeight>,
    removals: Box<[Mutex<u64>]>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            cache: Cache::with_weighter(EVENTS, BYTES_MAX, EventWeight),
            removals: (0..SHARES).map(|_| Mutex::default()).collect(),
        }
    }
}

impl Memory {
    /// What is known of the event at `key`.
    pub(crate) fn get(&self, key: &EventKey) -> Option<Remembered> {
        self.cache.get(key)
    }

    /// For whoever is about to read the event at `key`.
    pub(crate) fn removals(&self, key: &EventKey) -> Removals {
        Removals(*self.share(key))
    }

    /// Remembers what was read after `removals` were counted.
    pub(crate) fn insert(&self, known: Remembered, removals: Removals) {
        let key = known.event.request.key();
        let now = self.share(&key);
        if *now == removals.0 {
            self.cache.insert(key, known);
        }
    }

    /// Remembers this of `event`, of which the request was not read anew, if it is remembered at all.
    pub(crate) fn update(&self, event: &Event, is_indexed: bool) {
        let key = event.request.key();
        let _share = self.share(&key);
        if let Some(Remembered { read_at, .. }) = self.cache.get(&key) {
            self.cache.insert(key, Remembered { event: event.clone(), is_indexed, read_at });
        }
    }

    /// Forgets the event at `key`, which is removed or absent.
    pub(crate) fn remove(&self, key: &EventKey) {
        let mut removals = self.share(key);
        *removals += 1;
        self.cache.remove(key);
    }

    fn share(&self, key: &EventKey) -> MutexGuard<'_, u64> {
        // The hash has no random key: which events share a count decides what is read anew, and the simulation must do
        // the same in each run of a seed. A caller who picks ids that share a count only makes reads of those slower.
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let share = usize::try_from(hasher.finish() % SHARES as u64).expect("it is small");
        self.removals[share].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Debug)]
struct EventWeight;

impl Weighter<EventKey, Remembered> for EventWeight {
    fn weight(&self, _: &EventKey, known: &Remembered) -> u64 {
        known.event.weight_bytes() as u64
    }
}
