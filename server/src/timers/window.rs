//! The timers held in memory: a bounded window over the durable index.

use std::collections::{BTreeSet, HashMap};

use hitl_core::Timestamp;

use crate::store::Entry;

/// Most timers held. Beyond it the farthest are let go; a later scan finds them again.
const TIMERS_MAX: usize = 200_000;

/// Timers by the instant at which they fire.
#[derive(Debug, Default)]
pub(super) struct Window {
    queue: BTreeSet<(Timestamp, Entry)>,
    /// When each known timer fires; `None` while it is firing, so that a scan does not fire it twice.
    known: HashMap<Entry, Option<Timestamp>>,
}

impl Window {
    /// Adds `timer`, to fire at `at`, unless it is known; says whether it is now the nearest.
    pub(super) fn insert(&mut self, at: Timestamp, timer: Entry) -> bool {
        if self.known.contains_key(&timer) {
            return false;
        }
        self.known.insert(timer.clone(), Some(at));
        self.queue.insert((at, timer));
        if self.queue.len() > TIMERS_MAX
            && let Some((_, farthest)) = self.queue.pop_last()
        {
            self.known.remove(&farthest);
        }
        self.nearest() == Some(at)
    }

    /// The instant at which the next timer fires.
    pub(super) fn nearest(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes out what fires at or before `now`; each is known as firing from now on.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Entry> {
        let mut due = Vec::new();
        while self.nearest().is_some_and(|at| at <= now)
            && let Some((_, timer)) = self.queue.pop_first()
        {
            self.known.insert(timer.clone(), None);
            due.push(timer);
        }
        due
    }

    /// Makes `timer` known as firing; `false` if it is known already.
    pub(super) fn claim(&mut self, timer: &Entry) -> bool {
        let unknown = !self.known.contains_key(timer);
        if unknown {
            self.known.insert(timer.clone(), None);
        }
        unknown
    }

    /// Puts a timer that was firing back, to fire at `at`.
    pub(super) fn postpone(&mut self, timer: Entry, at: Timestamp) {
        self.settled(&timer);
        self.insert(at, timer);
    }

    /// Lets go of a timer that has fired.
    pub(super) fn settled(&mut self, timer: &Entry) {
        self.known.remove(timer);
    }

    /// Lets go of a timer that need not fire any more, unless it is firing.
    pub(super) fn remove(&mut self, timer: &Entry) {
        if let Some(Some(at)) = self.known.get(timer).copied() {
            self.queue.remove(&(at, timer.clone()));
            self.known.remove(timer);
        }
    }
}

#[cfg(test)]
mod tests {
    use hitl_core::{EventId, EventKey, Namespace};

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms).unwrap()
    }

    fn timer(ms: i64, id: u8) -> Entry {
        let key = EventKey { namespace: Namespace::default(), id: EventId::from_bytes([id; 16]) };
        Entry { time: at(ms), key }
    }

    fn insert(window: &mut Window, timer: Entry) -> bool {
        window.insert(timer.time, timer)
    }

    #[test]
    fn what_is_due_comes_out_in_order_and_once() {
        let mut window = Window::default();
        assert!(insert(&mut window, timer(20, 1)));
        assert!(insert(&mut window, timer(10, 2)));
        assert!(!insert(&mut window, timer(30, 3)));
        assert_eq!(window.take_due(at(9)), []);
        assert_eq!(window.take_due(at(20)), [timer(10, 2), timer(20, 1)]);
        assert_eq!(window.take_due(at(20)), []);
        assert_eq!(window.nearest(), Some(at(30)));
    }

    #[test]
    fn a_timer_that_is_firing_is_not_taken_in_again() {
        let mut window = Window::default();
        insert(&mut window, timer(10, 1));
        window.take_due(at(10));
        assert!(!insert(&mut window, timer(10, 1)));
        assert!(!window.claim(&timer(10, 1)));
        assert_eq!(window.take_due(at(10)), []);
        window.settled(&timer(10, 1));
        assert!(window.claim(&timer(10, 1)));
    }

    #[test]
    fn a_failed_timer_fires_again_later() {
        let mut window = Window::default();
        insert(&mut window, timer(10, 1));
        window.take_due(at(10));
        window.postpone(timer(10, 1), at(50));
        assert_eq!(window.take_due(at(49)), []);
        assert_eq!(window.take_due(at(50)), [timer(10, 1)]);
    }

    #[test]
    fn memory_is_bounded_and_the_nearest_are_kept() {
        let mut window = Window::default();
        for ms in (0..=TIMERS_MAX as i64).rev() {
            insert(&mut window, timer(ms, 1));
        }
        assert_eq!(window.queue.len(), TIMERS_MAX);
        assert_eq!(window.known.len(), TIMERS_MAX);
        assert_eq!(window.nearest(), Some(at(0)));
    }
}
