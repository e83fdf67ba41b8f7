//! Whoever watches, and resumes after every break, sees every change, and those of one event in order.

use std::collections::BTreeMap;

use crate::checker::{Rule, Story, Verdict};
use crate::history::{ChangeSeen, History, Op, Outcome};

/// What one watcher saw of one event, by the places in all that it saw.
#[derive(Clone, Copy, Default)]
struct Seen {
    created: Option<usize>,
    ended: Option<usize>,
}

pub(super) fn check(stories: &[Story<'_>], history: &History, verdict: &mut Verdict) {
    for (watcher, changes) in history.watched.iter().enumerate() {
        let seen = first_of_each(changes);
        for story in stories {
            let Seen { created, ended } = seen.get(story.id).copied().unwrap_or_default();
            let is_announced = was_acknowledged(story);
            if is_announced {
                verdict.expect(created.is_some(), Rule::ChangeMissed, story.id, || {
                    format!("watcher {watcher} never saw that it was created")
                });
            }
            if story.ended.is_some() {
                verdict.expect(ended.is_some(), Rule::ChangeMissed, story.id, || {
                    format!("watcher {watcher} never saw that it ended")
                });
            }
            let in_order = created.zip(ended).is_none_or(|(created, ended)| created < ended);
            let in_order = in_order || !is_announced;
            verdict.expect(in_order, Rule::ChangeOrder, story.id, || {
                format!("watcher {watcher} saw the end at {ended:?}, and the create at {created:?}")
            });
        }
    }
}

fn first_of_each(changes: &[ChangeSeen]) -> BTreeMap<&str, Seen> {
    let mut all: BTreeMap<&str, Seen> = BTreeMap::new();
    for (place, change) in changes.iter().enumerate() {
        let seen = all.entry(&change.event).or_default();
        let first = if change.is_end { &mut seen.ended } else { &mut seen.created };
        first.get_or_insert(place);
    }
    all
}

/// Whether some create was told that this event was there, and had not ended yet. One that was cut short may have left
/// its event unannounced; whoever repeats it announces it then, unless it has ended, of which everybody is told.
fn was_acknowledged(story: &Story<'_>) -> bool {
    story.records.iter().any(|record| match (&record.op, &record.outcome) {
        (Op::Create(_), Outcome::Seen(view)) => view.end.is_none(),
        _ => false,
    })
}
