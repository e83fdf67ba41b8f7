//! Keeps the engine from compacting into a full disk.
//!
//! A compaction writes new tables before it removes the old ones, and one that finds no room leaves the engine unable
//! to write, until the next start begins the same compaction. It can be put off for as long as need be, so it waits
//! for room instead. The engine has no switch for that, but it shows each entry to a filter, which may take its time.
//! The merges of [`reclaim`](crate::reclaim) end with the store, since nothing is lost if one of them is not finished.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use fjall::compaction::filter::{
    CompactionFilter, CompactionFilterResult, Context, Factory, ItemAccessor, Verdict,
};

use crate::reserve::{Floor, Reserve};

/// How much is written between two looks at the disk.
const STRIDE_BYTES: u64 = 1 << 20;
/// Room for several strides, and what ends a table.
const MARGIN_BYTES: u64 = 4 * STRIDE_BYTES;
/// How often the disk is looked at while it is full.
const POLL: Duration = Duration::from_millis(500);

/// What stands between compactions and the disk.
pub(crate) struct Gate {
    reserve: Arc<Reserve>,
    /// What other writes need.
    floor: Mutex<Floor>,
    closed: AtomicBool,
    /// The thread whose merges end with the store.
    reclaimer: OnceLock<ThreadId>,
    wake: (Mutex<()>, Condvar),
}

impl Gate {
    pub(crate) fn new(reserve: Arc<Reserve>) -> Arc<Self> {
        Arc::new(Self {
            reserve,
            floor: Mutex::default(),
            closed: AtomicBool::new(false),
            reclaimer: OnceLock::new(),
            wake: (Mutex::new(()), Condvar::new()),
        })
    }

    pub(crate) fn set_floor(&self, floor: Floor) {
        *self.floor.lock().unwrap_or_else(PoisonError::into_inner) = floor;
    }

    /// Ends compactions that wait; they fail, which matters to nobody any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        let _held = self.wake.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.wake.1.notify_all();
    }

    /// Makes the merges of this thread end when the store closes.
    pub(crate) fn end_mine_with_store(&self) {
        let _ = self.reclaimer.set(thread::current().id());
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Waits for so long, or until the store closes. Says whether it is still open.
    pub(crate) fn rest(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut held = self.wake.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !self.is_closed() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            let waited = self.wake.1.wait_timeout(held, left);
            held = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    /// Returns once there is room; `false` if there is none and the store closes.
    fn pass(&self) -> bool {
        let mut said = false;
        let mut held = self.wake.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !self.has_room() {
            if self.is_closed() {
                return false;
            }
            if !said {
                said = true;
                tracing::warn!("a compaction waits for room on the disk");
            }
            let waited = self.wake.1.wait_timeout(held, POLL);
            held = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn has_room(&self) -> bool {
        let floor = *self.floor.lock().unwrap_or_else(PoisonError::into_inner);
        self.reserve.room(0, floor).new_work > MARGIN_BYTES
    }
}

/// Gives each compaction its filter.
pub(crate) struct Filters(pub(crate) Arc<Gate>);

// Whoever panics while a compaction waits leaves nothing half done here.
impl std::panic::RefUnwindSafe for Filters {}

impl Factory for Filters {
    fn name(&self) -> &str {
        "room"
    }

    fn make_filter(&self, _context: &Context) -> Box<dyn CompactionFilter> {
        let ends_with_store = self.0.reclaimer.get() == Some(&thread::current().id());
        // The first entry looks at once.
        Box::new(Filter { gate: Arc::clone(&self.0), ends_with_store, written: STRIDE_BYTES })
    }
}

struct Filter {
    gate: Arc<Gate>,
    ends_with_store: bool,
    written: u64,
}

impl CompactionFilter for Filter {
    /// Keeps every entry.
    fn filter_item(&mut self, item: ItemAccessor<'_>, _: &Context) -> CompactionFilterResult {
        if self.written >= STRIDE_BYTES {
            self.written = 0;
            if !self.gate.pass() || (self.ends_with_store && self.gate.is_closed()) {
                return Err(std::io::Error::from(std::io::ErrorKind::StorageFull).into());
            }
        }
        self.written += (item.key().len() + item.value()?.len()) as u64;
        Ok(Verdict::Keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(reserve_bytes: u64) -> Arc<Gate> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reserve");
        // The directory outlives the test.
        Gate::new(Arc::new(Reserve::new(&dir.keep(), path, Some(reserve_bytes))))
    }

    #[test]
    fn a_compaction_waits_while_the_disk_is_full_and_ends_with_the_store() {
        assert!(gate(0).pass(), "there is room");
        let full = gate(u64::MAX);
        let waiting = thread::spawn({
            let full = Arc::clone(&full);
            move || full.pass()
        });
        full.close();
        assert!(!waiting.join().unwrap());
    }

    #[test]
    fn a_compaction_goes_on_when_there_is_room_again() {
        let gate = gate(0);
        gate.set_floor(Floor { kept_bytes: u64::MAX, free_bytes: 0 });
        let waiting = thread::spawn({
            let gate = Arc::clone(&gate);
            move || gate.pass()
        });
        gate.set_floor(Floor::default());
        assert!(waiting.join().unwrap());
    }
}
