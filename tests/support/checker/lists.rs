//! A whole list has each event once: the pending ones first, nearest deadline first, then the ended ones, latest first.

use std::collections::HashMap;

use super::{Rule, Story, Verdict};
use crate::history::{History, Listing, Op, Outcome, Record, View};

/// Each line of a list is a read, so that all rules of reads hold for it.
pub(super) fn as_records(history: &History) -> Vec<Record> {
    let lines = history.listings.iter().flat_map(|listing| {
        listing.events.iter().map(|view| Record {
            client: usize::MAX,
            event: Some(view.id.clone()),
            op: Op::List,
            invoked: listing.invoked,
            returned: listing.returned,
            outcome: Outcome::Seen(view.clone()),
        })
    });
    lines.collect()
}

pub(super) fn check(stories: &[Story<'_>], history: &History, verdict: &mut Verdict) {
    for listing in &history.listings {
        let mut times: HashMap<&str, u32> = HashMap::new();
        for view in &listing.events {
            *times.entry(&view.id).or_default() += 1;
        }
        for story in stories {
            let known = story.known.is_some_and(|known| known.mono_us < listing.invoked.mono_us);
            let times = times.get(story.id).copied().unwrap_or_default();
            verdict.expect(times == 1 || !known && times == 0, Rule::List, story.id, || {
                format!("listed {times} times: {:?}", story.asked)
            });
        }
        order(listing, verdict);
    }
}

fn order(listing: &Listing, verdict: &mut Verdict) {
    for pair in listing.events.windows(2) {
        if let [first, second] = pair {
            verdict.expect(rank(first) <= rank(second), Rule::List, &second.id, || {
                format!("listed after {first:?}: {second:?}")
            });
        }
    }
}

fn rank(view: &View) -> (bool, i64) {
    match &view.end {
        None => (false, view.asked.deadline_ms),
        Some(end) => (true, -end.time_ms),
    }
}
