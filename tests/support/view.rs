//! From the messages of the API to what the checker compares.

use hitl_proto::v1::{self, EventState, value::Kind};

use crate::history::{Asked, Digest, Draft, View};

impl From<&v1::Event> for View {
    fn from(event: &v1::Event) -> Self {
        let create_ms = event.create_time.as_ref().map_or(0, millis);
        let deadline_ms = event.deadline.as_ref().map_or(0, millis);
        let default = event.on_timeout.as_ref().and_then(|on_timeout| match &on_timeout.action {
            Some(v1::on_timeout::Action::DefaultValue(value)) => number(value),
            _ => None,
        });
        let draft = Draft {
            name: event.name.clone(),
            key: event.idempotency_key.clone(),
            ttl_ms: deadline_ms - create_ms,
            default,
        };
        let asked = Asked { draft, prompt: event.prompt.clone(), create_ms, deadline_ms };
        let state = event.state;
        // A state without its record, or a record without its state, is an end of its own kind that matches no other.
        let end = match &event.response {
            Some(response) if response.state == state => Some(Digest::from(response)),
            None if state == EventState::Pending as i32 => None,
            Some(_) | None => Some(Digest {
                answer_id: "state and response differ".to_owned(),
                ..Digest::of(state)
            }),
        };
        Self { id: event.id.clone(), asked, end }
    }
}

impl Digest {
    fn of(state: i32) -> Self {
        let state = EventState::try_from(state).unwrap_or_default();
        Self {
            state: state.as_str_name().to_owned(),
            value: None,
            reason: String::new(),
            time_ms: 0,
            answer_id: String::new(),
        }
    }

    /// Whether this is the end of that kind.
    pub fn is(&self, state: EventState) -> bool {
        self.state == state.as_str_name()
    }
}

impl From<&v1::Response> for Digest {
    fn from(response: &v1::Response) -> Self {
        Self {
            value: response.value.as_ref().and_then(number),
            reason: response.reason.clone(),
            time_ms: response.time.as_ref().map_or(0, millis),
            answer_id: response.answer_id.clone(),
            ..Self::of(response.state)
        }
    }
}

fn number(value: &v1::Value) -> Option<i64> {
    match value.kind {
        Some(Kind::Int(number)) => Some(number),
        _ => None,
    }
}

/// Milliseconds of UTC.
pub fn millis(time: &prost_types::Timestamp) -> i64 {
    time.seconds * 1_000 + i64::from(time.nanos) / 1_000_000
}
