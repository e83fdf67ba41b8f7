//! One outcome, one winner, and everybody agrees who.

use hitl_proto::v1::EventState;

use super::{Rule, Story, Verdict};
use crate::history::{Digest, Op, Outcome, Record};

pub(super) fn check(story: &Story<'_>, verdict: &mut Verdict) {
    one_outcome(story, verdict);
    for record in &story.records {
        match &record.outcome {
            Outcome::Seen(view) => acknowledged(story, record, view.end.as_ref(), verdict),
            Outcome::AlreadyFinal { .. } => refused(story, record, verdict),
            _ => {}
        }
    }
}

fn one_outcome(story: &Story<'_>, verdict: &mut Verdict) {
    let Some((first, end)) = story.ends().next() else {
        return;
    };
    for (record, other) in story.ends() {
        verdict.expect(other == end, Rule::OneOutcome, story.id, || {
            format!("{:?} saw {end:?}, and {:?} saw {other:?}", first.op, record.op)
        });
    }
}

/// What an answer, decline or cancel was told about itself.
fn acknowledged(story: &Story<'_>, record: &Record, end: Option<&Digest>, verdict: &mut Verdict) {
    let Some(holds) = is_own(&record.op, end) else {
        return;
    };
    verdict.expect(holds, Rule::LoserAcknowledged, story.id, || {
        format!("{:?} was acknowledged with {end:?}", record.op)
    });
    // What it was told may be right and yet not be what is kept.
    for (later, kept) in story.ends() {
        if later.invoked.mono_us > record.returned.mono_us {
            let holds = is_own(&record.op, Some(kept)) == Some(true);
            verdict.expect(holds, Rule::WinnerRecorded, story.id, || {
                format!("{:?} was acknowledged, but later {:?} saw {kept:?}", record.op, later.op)
            });
        }
    }
}

/// A refusal names the end that is on record, which is not the caller's own.
fn refused(story: &Story<'_>, record: &Record, verdict: &mut Verdict) {
    let Outcome::AlreadyFinal { state, time_ms } = &record.outcome else {
        return;
    };
    if let Some((other, end)) = story.ends().next() {
        let holds = *state == end.state && *time_ms == end.time_ms;
        verdict.expect(holds, Rule::OneOutcome, story.id, || {
            format!(
                "{:?} was refused by {state} at {time_ms}, but {:?} saw {end:?}",
                record.op, other.op
            )
        });
        // To cancel what is cancelled always succeeds, and so does the identical answer.
        let own = is_own(&record.op, Some(end)) == Some(true);
        verdict.expect(!own, Rule::WinnerRecorded, story.id, || {
            format!("{:?} was refused, but is on record: {end:?}", record.op)
        });
    }
}

/// Whether `end` is what `op` asks for; `None` if `op` ends nothing.
fn is_own(op: &Op, end: Option<&Digest>) -> Option<bool> {
    let own = match op {
        Op::Answer { answer_id, value } => end.is_some_and(|end| {
            end.is(EventState::Answered) && end.answer_id == *answer_id && end.value == Some(*value)
        }),
        Op::Decline { answer_id, reason } => end.is_some_and(|end| {
            end.is(EventState::Declined) && end.answer_id == *answer_id && end.reason == *reason
        }),
        // Whoever cancels what is cancelled already is told so, whatever the first one's reason was.
        Op::Cancel { .. } => end.is_some_and(|end| end.is(EventState::Cancelled)),
        Op::Create(_)
        | Op::Get
        | Op::WaitFirst { .. }
        | Op::WaitEnd { .. }
        | Op::List
        | Op::Watch { .. } => return None,
    };
    Some(own)
}
