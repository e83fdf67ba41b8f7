//! How a command ends, as a number that scripts can branch on. The numbers never change.

use std::process::ExitCode;

use hitl::v1::value::Kind;
use hitl::v1::{EventState, ReviewDecision};

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Answered, or timed out with a default; or the command did what it was told.
    Done = 0,
    /// It could not be done; the message says why.
    Error = 1,
    /// The arguments make no sense.
    Usage = 2,
    /// A person declined, or did not approve the action that was to be reviewed.
    Declined = 3,
    /// Whoever asked withdrew the question.
    Cancelled = 4,
    /// Nobody answered in time, and there is no default.
    TimedOut = 5,
    /// Ctrl-C, as shells have it.
    Interrupted = 130,
}

impl Exit {
    /// What it means to whoever waited that an event ended so.
    pub(super) fn of(event: &hitl::v1::Event) -> Self {
        let has_value = event.response.as_ref().is_some_and(|response| response.value.is_some());
        match event.state() {
            EventState::Answered | EventState::TimedOut if has_value && refuses(event) => {
                Self::Declined
            }
            EventState::Answered => Self::Done,
            EventState::TimedOut if has_value => Self::Done,
            EventState::TimedOut => Self::TimedOut,
            EventState::Declined => Self::Declined,
            EventState::Cancelled => Self::Cancelled,
            EventState::Pending | EventState::Unspecified => Self::Error,
        }
    }
}

/// Whether the answer is a decision by which an action may not be taken: a script that goes on after an answer must not
/// take it then.
fn refuses(event: &hitl::v1::Event) -> bool {
    let value = event.response.as_ref().and_then(|response| response.value.as_ref());
    match value.and_then(|value| value.kind.as_ref()) {
        Some(Kind::Review(review)) => {
            !matches!(review.decision(), ReviewDecision::Approve | ReviewDecision::Edit)
        }
        _ => false,
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        (exit as u8).into()
    }
}

/// Arguments that make no sense together: wrong usage, where other errors are errors.
#[derive(Debug, thiserror::Error)]
#[error("{0}. See `hitl {1} --help`")]
pub(super) struct Usage(pub(super) String, pub(super) &'static str);

#[cfg(test)]
mod tests {
    use super::*;
    use hitl::v1::{Event, Response, ReviewValue, Value};

    #[test]
    fn each_end_has_its_number() {
        let ended = |state: EventState, value: Option<Value>| Event {
            state: state.into(),
            response: Some(Response { value, ..Default::default() }),
            ..Default::default()
        };
        let decided = |decision: ReviewDecision| {
            let review = ReviewValue { decision: decision.into(), ..Default::default() };
            ended(EventState::Answered, Some(Value { kind: Some(Kind::Review(review)) }))
        };
        let value = Some(Value::default());
        for (event, code) in [
            (ended(EventState::Answered, value.clone()), 0),
            (ended(EventState::TimedOut, value), 0),
            (decided(ReviewDecision::Approve), 0),
            (decided(ReviewDecision::Edit), 0),
            (decided(ReviewDecision::Reject), 3),
            (decided(ReviewDecision::Respond), 3),
            (decided(ReviewDecision::Unspecified), 3),
            (ended(EventState::Declined, None), 3),
            (ended(EventState::Cancelled, None), 4),
            (ended(EventState::TimedOut, None), 5),
        ] {
            assert_eq!(Exit::of(&event) as u8, code);
        }
    }
}
