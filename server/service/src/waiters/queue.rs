//! Which events are to be read, and when.

use std::collections::{BTreeMap, BTreeSet};

use hitl_core::EventKey;

use hitl_store::clock::Monotonic;

/// Pause before an event is read again; each later one is twice as long.
const PAUSE_MS_MIN: i64 = 50;
/// Longest such pause.
const PAUSE_MS_MAX: i64 = 2_000;
/// For how long the record of an announced end is looked for. By then the server that announced it has crashed, or has
/// announced it again.
const PATIENCE_MS: i64 = 60_000;

/// Events by the moment of their next read. Only events that somebody waits for are in it, so it has at most as many as
/// there are waits.
#[derive(Debug, Default)]
pub(super) struct Queue {
    looks: BTreeMap<EventKey, Look>,
    /// Events whose end is announced, by the moment of their next read.
    announced: BTreeSet<(Monotonic, EventKey)>,
    /// Events whose announcement may have been missed. They come second, since they may be all that are waited for.
    missed: BTreeSet<(Monotonic, EventKey)>,
}

/// How an event is read.
#[derive(Debug)]
struct Look {
    /// Nothing while it is being read.
    next: Option<Monotonic>,
    pause_ms: i64,
    /// Until when it is read again if it is pending; nothing if it was not announced, so that one read is enough.
    until: Option<Monotonic>,
}

/// What a read showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Ended,
    Pending,
    /// It failed.
    Nothing,
}

impl Queue {
    /// Reads the event at `key` from `now` on until its announced end is recorded.
    pub(super) fn announce(&mut self, key: EventKey, now: Monotonic) {
        let announced = Look::at(now, Some(now.plus_ms(PATIENCE_MS)));
        match self.looks.get_mut(&key) {
            None => self.put(key, announced),
            Some(Look { until: Some(_), .. }) => {}
            // It is being read, and that read may have begun before the announcement.
            Some(look @ Look { next: None, .. }) => look.until = announced.until,
            Some(Look { next: Some(next), .. }) => {
                self.missed.remove(&(*next, key.clone()));
                self.put(key, announced);
            }
        }
    }

    /// Reads the event at `key` once, unless it is in the queue already.
    pub(super) fn check(&mut self, key: EventKey, now: Monotonic) {
        if !self.looks.contains_key(&key) {
            self.put(key, Look::at(now, None));
        }
    }

    /// Forgets the event at `key`, which was taken out.
    pub(super) fn forget(&mut self, key: &EventKey) {
        self.looks.remove(key);
    }

    fn put(&mut self, key: EventKey, look: Look) {
        if let Some(next) = look.next {
            let queue = if look.until.is_some() { &mut self.announced } else { &mut self.missed };
            queue.insert((next, key.clone()));
        }
        self.looks.insert(key, look);
    }

    /// Takes out what is to be read next, if it is to be read by `now`.
    pub(super) fn take(&mut self, now: Monotonic) -> Option<EventKey> {
        let queues = [&mut self.announced, &mut self.missed];
        let is_due = |queue: &&mut BTreeSet<(Monotonic, EventKey)>| {
            queue.first().is_some_and(|(next, _)| *next <= now)
        };
        let (_, key) = queues.into_iter().find(is_due)?.pop_first()?;
        if let Some(look) = self.looks.get_mut(&key) {
            look.next = None;
        }
        Some(key)
    }

    /// The moment of the next read.
    pub(super) fn nearest(&self) -> Option<Monotonic> {
        let firsts = [&self.announced, &self.missed].map(BTreeSet::first);
        firsts.into_iter().flatten().map(|(next, _)| *next).min()
    }

    /// Takes note of what a read that ended `now` has `seen`.
    pub(super) fn done(&mut self, key: EventKey, seen: Seen, now: Monotonic) {
        // Everything may have been forgotten meanwhile, and begun anew.
        let Some(&Look { next: None, pause_ms, until }) = self.looks.get(&key) else {
            return;
        };
        let until = match seen {
            Seen::Pending if until > Some(now) => until,
            Seen::Pending | Seen::Ended => {
                self.looks.remove(&key);
                return;
            }
            // Nothing is known of it, so it has all the time that there is for a record.
            Seen::Nothing => until.map(|_| now.plus_ms(PATIENCE_MS)),
        };
        let next = Some(now.plus_ms(pause_ms));
        self.put(key, Look { next, pause_ms: (2 * pause_ms).min(PAUSE_MS_MAX), until });
    }
}

impl Look {
    fn at(next: Monotonic, until: Option<Monotonic>) -> Self {
        Self { next: Some(next), pause_ms: PAUSE_MS_MIN, until }
    }
}

#[cfg(test)]
mod tests {
    use hitl_core::{EventId, Namespace};

    use super::*;

    fn at(ms: i64) -> Monotonic {
        Monotonic::from_ms(ms)
    }

    fn key(id: u8) -> EventKey {
        EventKey { namespace: Namespace::default(), id: EventId::from_bytes([id; 16]) }
    }

    /// At which moments the only event of `queue` is read if every read shows what is `seen`.
    fn reads(queue: &mut Queue, seen: Seen, reads_max: usize) -> Vec<i64> {
        let mut reads = Vec::new();
        while let Some(next) = queue.nearest()
            && reads.len() < reads_max
        {
            reads.push(next.ms_since(at(0)));
            let key = queue.take(next).unwrap();
            assert_eq!(queue.take(next), None);
            queue.done(key, seen, next);
        }
        reads
    }

    #[test]
    fn an_announced_end_is_looked_for_until_it_is_recorded_or_for_a_minute() {
        let mut queue = Queue::default();
        queue.announce(key(1), at(0));
        queue.announce(key(1), at(0));
        assert_eq!(reads(&mut queue, Seen::Pending, 5), [0, 50, 150, 350, 750]);
        assert_eq!(reads(&mut queue, Seen::Pending, 100).last(), Some(&61_150));
        queue.announce(key(1), at(0));
        assert_eq!(reads(&mut queue, Seen::Ended, 100), [0]);
        assert!(queue.looks.is_empty());
    }

    #[test]
    fn what_may_have_been_missed_is_read_once() {
        let mut queue = Queue::default();
        queue.check(key(1), at(0));
        assert_eq!(reads(&mut queue, Seen::Pending, 100), [0]);
        assert!(queue.looks.is_empty());
    }

    #[test]
    fn what_could_not_be_read_is_read_again_for_as_long_as_it_takes() {
        for is_announced in [true, false] {
            let mut queue = Queue::default();
            let add = if is_announced { Queue::announce } else { Queue::check };
            add(&mut queue, key(1), at(0));
            assert_eq!(reads(&mut queue, Seen::Nothing, 1_000).len(), 1_000);
            let more = reads(&mut queue, Seen::Pending, 1_000).len();
            assert_eq!(more > 1, is_announced, "{more} reads");
        }
    }

    #[test]
    fn what_is_announced_comes_before_what_may_have_been_missed() {
        let mut queue = Queue::default();
        for id in [1, 2, 3] {
            queue.check(key(id), at(0));
        }
        assert_eq!(queue.take(at(1)), Some(key(1)));
        queue.announce(key(3), at(1));
        queue.announce(key(1), at(1));
        assert_eq!(queue.take(at(1)), Some(key(3)));
        assert_eq!(queue.take(at(1)), Some(key(2)));
        assert_eq!(queue.take(at(1)), None);
        // It was announced while it was read, so that it may have been read too early.
        queue.done(key(1), Seen::Pending, at(2));
        assert_eq!(queue.nearest(), Some(at(52)));
    }

    #[test]
    fn a_read_that_outlives_what_it_was_for_changes_nothing() {
        let mut queue = Queue::default();
        queue.announce(key(1), at(0));
        queue.take(at(0)).unwrap();
        queue = Queue::default();
        queue.announce(key(1), at(5));
        queue.done(key(1), Seen::Pending, at(6));
        assert_eq!(queue.nearest(), Some(at(5)));
    }
}
