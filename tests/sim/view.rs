//! From events as the service gives them to what the checker compares.

use hitl_core::{Event, OnTimeout, Outcome, State, Value};
use hitl_proto::v1::EventState;
use support::history::{Asked, Digest, Draft, View};

/// `event`, as somebody saw it.
pub(crate) fn view(event: &Event) -> View {
    let request = &event.request;
    let (create_ms, deadline_ms) = (request.create_time.ms(), request.deadline.ms());
    let draft = Draft {
        name: request.name.clone(),
        key: request.idempotency_key.clone().unwrap_or_default(),
        ttl_ms: deadline_ms - create_ms,
        default: match &request.on_timeout {
            OnTimeout::Fail => None,
            OnTimeout::Default(value) => number(value),
        },
    };
    let end = event.response.as_ref().map(|response| {
        let (value, reason) = match &response.outcome {
            Outcome::Answered { value } => (number(value), ""),
            Outcome::Declined { reason } | Outcome::Cancelled { reason } => (None, reason.as_str()),
            Outcome::TimedOut { default } => (default.as_ref().and_then(number), ""),
        };
        Digest {
            state: state_name(response.outcome.state()),
            value,
            reason: reason.to_owned(),
            time_ms: response.time.ms(),
            answer_id: response.answer_id.clone().unwrap_or_default(),
        }
    });
    let asked = Asked { draft, prompt: request.prompt.clone(), create_ms, deadline_ms };
    View { id: request.id.to_string(), asked, end }
}

/// The name that the API has for `state`.
pub(crate) fn state_name(state: State) -> String {
    let state = match state {
        State::Pending => EventState::Pending,
        State::Answered => EventState::Answered,
        State::Declined => EventState::Declined,
        State::Cancelled => EventState::Cancelled,
        State::TimedOut => EventState::TimedOut,
    };
    state.as_str_name().to_owned()
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}
