//! The index: what is pending by deadline, and what ended last by its end, within a bound on memory.

use std::collections::BTreeMap;
use std::ops::Bound;

use hitl_core::{Event, Risk, State, Timestamp};
use hitl_store::Entry;

use super::Sort;
use super::doc::{Doc, Wanted};
use crate::list::Part;

/// Most bytes of the index. What ended longest ago makes room for what is pending.
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most events of the history in it.
const ENDED_MAX: usize = 100_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Index {
    pending: BTreeMap<Entry, Doc>,
    ended: BTreeMap<Entry, Doc>,
    bytes: usize,
    /// Since when all that has ended is in it.
    horizon: Option<Timestamp>,
}

/// Where a page of a search ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Smallest first.
    pub(super) rank: i64,
    pub(super) entry: Entry,
}

/// Some of what may match, in the order that was asked for.
#[derive(Debug)]
pub(super) struct Candidates {
    pub(super) places: Vec<Place>,
    /// How many more there are after the place that was given, those included.
    pub(super) total: usize,
}

impl Index {
    /// Takes `event` in as it stands. False if there is no room for what is pending.
    pub(super) fn put(&mut self, event: &Event) -> bool {
        let (entry, doc) = Doc::of(event);
        if event.state() != State::Pending {
            let due = Entry { time: event.request.deadline, key: entry.key.clone() };
            self.forget(Part::Pending, &due);
        }
        self.bytes += doc.bytes();
        let docs = match event.state() {
            State::Pending => &mut self.pending,
            _ => &mut self.ended,
        };
        self.bytes -= docs.insert(entry, doc).map_or(0, |doc| doc.bytes());
        self.make_room();
        self.bytes <= BYTES_MAX
    }

    /// Forgets what stands at `entry` of `part`.
    pub(super) fn forget(&mut self, part: Part, entry: &Entry) {
        let docs = match part {
            Part::Pending => &mut self.pending,
            Part::Ended => &mut self.ended,
        };
        self.bytes -= docs.remove(entry).map_or(0, |doc| doc.bytes());
    }

    fn make_room(&mut self) {
        while self.bytes > BYTES_MAX || self.ended.len() > ENDED_MAX {
            let Some((oldest, doc)) = self.ended.pop_first() else { return };
            self.bytes -= doc.bytes();
            self.horizon = self.horizon.max(Some(oldest.time.plus_ms(1)));
        }
    }

    /// Whether there is room for more of the history.
    pub(super) fn has_room(&self) -> bool {
        self.ended.len() < ENDED_MAX && self.bytes < BYTES_MAX / 8 * 7
    }

    /// Of what has ended only that from `time` on is in it, and what ends from now on.
    pub(super) fn begins_at(&mut self, time: Timestamp) {
        self.horizon = Some(time);
    }

    /// All that ended at or after `time` is in it too.
    pub(super) fn reaches_back_to(&mut self, time: Timestamp) {
        self.horizon = self.horizon.map(|horizon| horizon.min(time));
    }

    /// All that has ever ended is in it.
    pub(super) fn has_all(&mut self) {
        self.horizon = None;
    }

    /// Since when all that has ended is in it.
    pub(super) fn horizon(&self) -> Option<Timestamp> {
        self.horizon
    }

    /// The first `count` of what may be `wanted` of `part` after `after`, in the order of `sort`.
    pub(super) fn find(
        &self,
        part: Part,
        wanted: &Wanted,
        sort: Sort,
        after: Option<&Place>,
        count: usize,
    ) -> Candidates {
        match (part, sort) {
            (Part::Ended, _) => {
                let end = after.map_or(Bound::Unbounded, |after| Bound::Excluded(&after.entry));
                let range = self.ended.range((Bound::Unbounded, end)).rev();
                let horizon = self.horizon;
                in_order(
                    range.take_while(|(entry, _)| horizon.is_none_or(|at| entry.time >= at)),
                    wanted,
                    count,
                )
            }
            (Part::Pending, Sort::Deadline) => {
                let start = after.map_or(Bound::Unbounded, |after| Bound::Excluded(&after.entry));
                in_order(self.pending.range((start, Bound::Unbounded)), wanted, count)
            }
            (Part::Pending, sort) => {
                let matching =
                    self.pending.iter().filter(|(entry, doc)| doc.may_match(entry, wanted));
                let places = matching
                    .map(|(entry, doc)| Place { rank: rank(sort, doc), entry: entry.clone() });
                let mut places: Vec<_> =
                    places.filter(|place| after.is_none_or(|after| place > after)).collect();
                let total = places.len();
                if total > count {
                    places.select_nth_unstable(count);
                    places.truncate(count);
                }
                places.sort_unstable();
                Candidates { places, total }
            }
        }
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize, usize) {
        (self.pending.len(), self.ended.len(), self.bytes)
    }
}

fn in_order<'a>(
    docs: impl Iterator<Item = (&'a Entry, &'a Doc)>,
    wanted: &Wanted,
    count: usize,
) -> Candidates {
    let mut places = Vec::new();
    let mut total = 0;
    for (entry, _) in docs.filter(|(entry, doc)| doc.may_match(entry, wanted)) {
        total += 1;
        if places.len() < count {
            places.push(Place { rank: 0, entry: entry.clone() });
        }
    }
    Candidates { places, total }
}

/// By what `sort` puts first.
pub(super) fn rank(sort: Sort, doc: &Doc) -> i64 {
    match sort {
        Sort::Deadline => 0,
        Sort::Age => doc.create_time.ms(),
        Sort::Risk => match doc.risk {
            Risk::High => 0,
            Risk::Medium => 1,
            Risk::Low => 2,
        },
    }
}
