//! The timers held in memory: a bounded window over the durable index.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use hitl_core::Timestamp;

use crate::Entry;
use crate::clock::Moment;

/// Most timers held, of each kind. Beyond it the farthest are let go; a later scan finds them again.
const TIMERS_MAX: usize = 200_000;

/// Timers by the instant at which they fire.
#[derive(Debug, Default)]
pub(super) struct Window {
    queue: BTreeSet<(Timestamp, Entry)>,
    /// Timers that failed to fire, by the moment at which they come back: a pause, so no instant of the wall clock.
    failed: BTreeSet<(Moment, Entry)>,
    known: BTreeMap<Entry, Known>,
}

/// What is known of a timer.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// It was set by this process, and fires at this instant.
    Set(Timestamp),
    /// It was found in the store, and fires at this instant.
    Found(Timestamp),
    /// It is firing, or has failed to, so that a scan does not fire it twice.
    Firing,
}

impl Window {
    /// Adds `timer`, which was set by this process, to fire at `at`, unless it is firing; says whether it is now the
    /// nearest.
    pub(super) fn insert(&mut self, at: Timestamp, timer: Entry) -> bool {
        match self.known.get(&timer) {
            Some(Known::Set(_) | Known::Firing) => return false,
            Some(Known::Found(_)) => self.remove(&timer),
            None => {}
        }
        self.add(at, timer, Known::Set(at))
    }

    /// Adds `timer`, which was found in the store, to fire at `at`, unless it is known.
    pub(super) fn insert_found(&mut self, at: Timestamp, timer: Entry) {
        if !self.known.contains_key(&timer) {
            self.add(at, timer, Known::Found(at));
        }
    }

    fn add(&mut self, at: Timestamp, timer: Entry, known: Known) -> bool {
        self.known.insert(timer.clone(), known);
        self.queue.insert((at, timer));
        if self.queue.len() > TIMERS_MAX
            && let Some((_, farthest)) = self.queue.pop_last()
        {
            self.known.remove(&farthest);
        }
        self.nearest() == Some(at)
    }

    /// Lets go of timers due `within` that were found once and are not among the `listed` any more: somebody has seen
    /// to them.
    pub(super) fn forget_absent(&mut self, within: Range<Timestamp>, listed: &[Entry]) {
        let known = self.known.iter().filter(|(timer, known)| {
            matches!(known, Known::Found(_)) && within.contains(&timer.time)
        });
        let gone = known.filter(|(timer, _)| listed.binary_search(timer).is_err());
        for timer in gone.map(|(timer, _)| timer.clone()).collect::<Vec<_>>() {
            self.remove(&timer);
        }
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
            self.known.insert(timer.clone(), Known::Firing);
            due.push(timer);
        }
        due
    }

    /// Makes `timer` known as firing; `false` if it is known already.
    pub(super) fn claim(&mut self, timer: &Entry) -> bool {
        let unknown = !self.known.contains_key(timer);
        if unknown {
            self.known.insert(timer.clone(), Known::Firing);
        }
        unknown
    }

    /// Keeps a timer that failed to fire until `again`.
    pub(super) fn postpone(&mut self, timer: Entry, again: Moment) {
        self.failed.insert((again, timer));
        if self.failed.len() > TIMERS_MAX
            && let Some((_, farthest)) = self.failed.pop_last()
        {
            self.known.remove(&farthest);
        }
    }

    /// The moment at which the next timer that failed to fire comes back.
    pub(super) fn nearest_failed(&self) -> Option<Moment> {
        self.failed.first().map(|(again, _)| *again)
    }

    /// Puts back what failed to fire and was to come back at or before `moment`.
    pub(super) fn resume(&mut self, moment: Moment) {
        while self.nearest_failed().is_some_and(|again| again <= moment)
            && let Some((_, timer)) = self.failed.pop_first()
        {
            self.settled(&timer);
            self.insert(timer.time, timer);
        }
    }

    /// Lets go of a timer that has fired.
    pub(super) fn settled(&mut self, timer: &Entry) {
        self.known.remove(timer);
    }

    /// Lets go of a timer that need not fire any more, unless it is firing.
    pub(super) fn remove(&mut self, timer: &Entry) {
        if let Some(Known::Set(at) | Known::Found(at)) = self.known.get(timer).copied() {
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
    fn a_timer_that_somebody_else_has_settled_is_let_go_unless_it_was_set_here() {
        let mut window = Window::default();
        window.insert_found(at(12), timer(10, 1));
        window.insert_found(at(23), timer(21, 2));
        insert(&mut window, timer(11, 3));
        window.insert_found(at(14), timer(12, 4));
        window.forget_absent(at(0)..at(20), &[timer(12, 4)]);
        assert_eq!(window.take_due(at(30)), [timer(11, 3), timer(12, 4), timer(21, 2)]);
    }

    #[test]
    fn a_timer_that_is_set_here_after_all_fires_on_time() {
        let mut window = Window::default();
        window.insert_found(at(12), timer(10, 1));
        assert!(insert(&mut window, timer(10, 1)));
        assert_eq!(window.take_due(at(10)), [timer(10, 1)]);
        assert_eq!(window.nearest(), None);
    }

    #[test]
    fn a_failed_timer_fires_again_later() {
        let mut window = Window::default();
        insert(&mut window, timer(10, 1));
        window.take_due(at(10));
        window.postpone(timer(10, 1), Moment::from_ms(50));
        window.resume(Moment::from_ms(49));
        assert!(!window.claim(&timer(10, 1)), "nothing else may fire it meanwhile");
        assert_eq!(window.take_due(at(10)), []);
        window.resume(Moment::from_ms(50));
        assert_eq!(window.nearest_failed(), None);
        assert_eq!(window.take_due(at(10)), [timer(10, 1)]);
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
