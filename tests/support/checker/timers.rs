//! Never early, never lost, and not late.

use std::collections::HashMap;

use hitl_proto::v1::EventState;

use super::{Bounds, Rule, Story, Verdict};
use crate::history::{Autopsy, Digest, Record};

/// What ended at the deadline ended then and with the default it was given; what ended otherwise did so before.
pub(super) fn check(story: &Story<'_>, bounds: &Bounds, verdict: &mut Verdict) {
    let Some(asked) = story.asked else { return };
    for (record, end) in story.ends() {
        if end.is(EventState::TimedOut) {
            let returned_ms = record.returned.wall_ms + bounds.skew_ms;
            let holds = is_timeout(story, end) && returned_ms >= asked.deadline_ms;
            verdict.expect(holds, Rule::EarlyTimer, story.id, || early(record, asked.deadline_ms));
        } else {
            // Two servers took these two times.
            let after_create = end.time_ms + 2 * bounds.skew_ms >= asked.create_ms;
            let holds = end.time_ms < asked.deadline_ms && after_create;
            verdict.expect(holds, Rule::EarlyTimer, story.id, || {
                format!("not between create and deadline: {end:?} of {asked:?}")
            });
        }
    }
}

fn is_timeout(story: &Story<'_>, end: &Digest) -> bool {
    story.asked.is_some_and(|asked| {
        end.time_ms == asked.deadline_ms
            && end.value == asked.draft.default
            && end.answer_id.is_empty()
    })
}

fn early(record: &Record, deadline_ms: i64) -> String {
    format!("timed out with its deadline at {deadline_ms}: {record:?}")
}

/// What the store holds after a kill: an event that was due while the server was up has ended, though nobody may have
/// looked at it, and one that was acknowledged is there.
pub(super) fn check_stores(
    stories: &[Story<'_>],
    autopsies: &[Autopsy],
    bounds: &Bounds,
    verdict: &mut Verdict,
) {
    let by_id: HashMap<_, _> = stories.iter().map(|story| (story.id, story)).collect();
    for autopsy in autopsies {
        let killed = autopsy.life.killed;
        for (id, story) in &by_id {
            let acknowledged = story.known.is_some_and(|known| known.mono_us < killed.mono_us);
            let held = autopsy.asked.contains(*id);
            verdict.expect(held || !acknowledged, Rule::CreateLost, id, || {
                "acknowledged, and not in the store after the kill".to_owned()
            });
            let ended = story.ended.is_some_and(|ended| ended.mono_us < killed.mono_us);
            let has_end = autopsy.ended.contains(*id);
            verdict.expect(has_end || !ended, Rule::WinnerRecorded, id, || {
                "seen to end, and without a response in the store after the kill".to_owned()
            });
            let Some(asked) = story.asked.filter(|_| acknowledged) else {
                continue;
            };
            let due_ms = asked.deadline_ms.max(autopsy.life.ready.wall_ms);
            let overdue = due_ms + bounds.late_ms < killed.wall_ms;
            verdict.expect(has_end || !overdue, Rule::LateTimer, id, || {
                let up_ms = killed.wall_ms - due_ms;
                format!("due for {up_ms} ms while the server was up, and not ended: {asked:?}")
            });
        }
    }
}
