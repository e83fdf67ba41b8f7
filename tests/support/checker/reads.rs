//! Whoever reads finds what was acknowledged, as it was acknowledged.

use std::collections::BTreeMap;

use super::{Bounds, Rule, Story, Verdict, is_read};
use crate::history::{Draft, History, Life, Op, Outcome, Record, STORE_UNAVAILABLE};

pub(super) fn check(story: &Story<'_>, bounds: &Bounds, verdict: &mut Verdict) {
    for record in &story.records {
        match &record.outcome {
            Outcome::Seen(view) => {
                let asked = story.asked;
                verdict.expect(asked == Some(&view.asked), Rule::RequestChanged, story.id, || {
                    format!("asked first {asked:?}, then {:?}", view.asked)
                });
                if view.end.is_none() && is_read(&record.op) {
                    still_pending(story, record, bounds, verdict);
                }
            }
            Outcome::NotFound => not_found(story, record, verdict),
            _ => {}
        }
        if let (Op::Create(draft), Some(asked)) = (&record.op, story.asked) {
            verdict.expect(asked.is_as(draft), Rule::RequestChanged, story.id, || {
                format!("asked as {draft:?}, stored as {asked:?}")
            });
        }
    }
}

/// The record says pending: nobody may have been told before its call that the event has ended, and
/// its deadline must be to come.
fn still_pending(story: &Story<'_>, record: &Record, bounds: &Bounds, verdict: &mut Verdict) {
    let ended = story.ended.is_some_and(|ended| ended.mono_us < record.invoked.mono_us);
    verdict.expect(!ended, Rule::StaleRead, story.id, || {
        format!("{:?} saw it pending after it had been seen to end: {record:?}", record.op)
    });
    let deadline_ms = story.asked.map_or(i64::MAX, |asked| asked.deadline_ms);
    let due = deadline_ms < record.invoked.wall_ms.saturating_sub(bounds.skew_ms);
    verdict.expect(!due, Rule::StaleRead, story.id, || {
        format!("{:?} saw it pending after its deadline {deadline_ms}: {record:?}", record.op)
    });
}

fn not_found(story: &Story<'_>, record: &Record, verdict: &mut Verdict) {
    let known = story.known.is_some_and(|known| known.mono_us < record.invoked.mono_us);
    verdict.expect(!known, Rule::CreateLost, story.id, || {
        format!("{:?} did not find it after it had been seen: {record:?}", record.op)
    });
}

/// One name or key, one event. Each name is used for one create only, however often that is repeated.
pub(super) fn check_keys(history: &History, verdict: &mut Verdict) {
    let created = history.records.iter().filter_map(|record| match (&record.op, &record.outcome) {
        (Op::Create(_), Outcome::Seen(view)) => Some(view),
        _ => None,
    });
    let listed = history.listings.iter().flat_map(|listing| &listing.events);
    let mut ids: BTreeMap<&str, &str> = BTreeMap::new();
    for view in created.chain(listed) {
        let Draft { name, key, .. } = &view.asked.draft;
        let first = *ids.entry(name).or_insert(&view.id);
        verdict.expect(first == view.id, Rule::KeyTwice, &view.id, || {
            format!("the create {name} with key {key:?} made {first} as well")
        });
    }
}

pub(super) fn check_faults(history: &History, verdict: &mut Verdict) {
    for record in &history.records {
        let event = record.event.as_deref().unwrap_or("(none)");
        let fault = match &record.outcome {
            Outcome::Fault(_) => true,
            Outcome::Unknown(reason) if reason == STORE_UNAVAILABLE => {
                let during = |life: &Life| {
                    life.ready.mono_us <= record.invoked.mono_us
                        && record.returned.mono_us <= life.killed.mono_us
                };
                history.lives.iter().any(during)
            }
            _ => false,
        };
        verdict.expect(!fault, Rule::ServerFault, event, || {
            format!("{:?} got {:?}", record.op, record.outcome)
        });
    }
}
