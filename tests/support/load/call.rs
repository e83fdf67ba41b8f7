//! One call to the server by gRPC, and what came back.

use std::time::Duration;

use hitl_proto::v1::event_service_client::EventServiceClient;
use hitl_proto::v1::{self, input, value};
use prost_types::Timestamp;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::history::{Draft, Op, Outcome, PROMPT, STORE_UNAVAILABLE, View};
use crate::view::millis;

/// A call that takes longer is given up, and its outcome is unknown. Far more than a call needs.
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(10);

/// Makes the call `op`, of `event` unless it creates one.
pub(super) async fn call(
    client: EventServiceClient<Channel>,
    event: Option<&str>,
    op: &Op,
) -> Outcome {
    match timeout(CALL_LIMIT, send(client, event.unwrap_or_default(), op)).await {
        Ok(Ok(Some(event))) => Outcome::Seen(View::from(&event)),
        Ok(Ok(None)) => Outcome::Fault("a reply without an event".to_owned()),
        Ok(Err(status)) => classify(&status),
        Err(_) => Outcome::Unknown(format!("no reply in {CALL_LIMIT:?}")),
    }
}

async fn send(
    mut client: EventServiceClient<Channel>,
    event_id: &str,
    op: &Op,
) -> Result<Option<v1::Event>, Status> {
    let event_id = event_id.to_owned();
    let event = match op.clone() {
        Op::Create(draft) => client.create_event(create(draft)).await?.into_inner().event,
        Op::Answer { answer_id, value } => {
            let request = v1::AnswerEventRequest {
                event_id,
                answer: Some(v1::answer_event_request::Answer::Value(int(value))),
                answer_id,
                ..Default::default()
            };
            client.answer_event(request).await?.into_inner().event
        }
        Op::Decline { answer_id, reason } => {
            let request =
                v1::DeclineEventRequest { event_id, reason, answer_id, ..Default::default() };
            client.decline_event(request).await?.into_inner().event
        }
        Op::Cancel { reason } => {
            let request = v1::CancelEventRequest { event_id, reason, ..Default::default() };
            client.cancel_event(request).await?.into_inner().event
        }
        Op::Get | Op::WaitFirst { .. } | Op::WaitEnd { .. } | Op::List | Op::Watch { .. } => {
            let request = v1::GetEventRequest { event_id, ..Default::default() };
            client.get_event(request).await?.into_inner().event
        }
    };
    Ok(event)
}

fn create(draft: Draft) -> v1::CreateEventRequest {
    let kind = input::Kind::Int(v1::IntInput::default());
    let ttl = prost_types::Duration {
        seconds: draft.ttl_ms / 1_000,
        nanos: i32::try_from(draft.ttl_ms % 1_000).unwrap_or_default() * 1_000_000,
    };
    let on_timeout = draft.default.map(|number| v1::OnTimeout {
        action: Some(v1::on_timeout::Action::DefaultValue(int(number))),
    });
    v1::CreateEventRequest {
        name: draft.name,
        prompt: PROMPT.to_owned(),
        input: Some(v1::Input { kind: Some(kind) }),
        expiration: Some(v1::create_event_request::Expiration::Ttl(ttl)),
        on_timeout,
        idempotency_key: draft.key,
        ..Default::default()
    }
}

fn int(number: i64) -> v1::Value {
    v1::Value { kind: Some(value::Kind::Int(number)) }
}

/// What an error tells the caller. Only the server itself can say that a call had no effect: whatever has no reason of
/// ours comes from a connection that broke.
pub(super) fn classify(status: &Status) -> Outcome {
    let details = status.get_details_error_info();
    let Some(info) = details.filter(|info| info.domain == hitl_proto::ERROR_DOMAIN) else {
        return match status.code() {
            Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled => broken(status),
            code => Outcome::Fault(format!("{code:?}: {}", status.message())),
        };
    };
    let of = |name: &str| info.metadata.get(name).cloned().unwrap_or_default();
    match info.reason.as_str() {
        "ERROR_REASON_EVENT_ALREADY_FINAL" => match of("time").parse::<Timestamp>() {
            Ok(time) => Outcome::AlreadyFinal { state: of("state"), time_ms: millis(&time) },
            Err(error) => {
                Outcome::Fault(format!("no time of the end in {:?}: {error}", info.metadata))
            }
        },
        "ERROR_REASON_EVENT_NOT_FOUND" => Outcome::NotFound,
        "ERROR_REASON_OVERLOADED" | "ERROR_REASON_TOO_MANY_WAITERS" => Outcome::Busy,
        // The checker knows when the store was in order.
        "ERROR_REASON_SHUTTING_DOWN" | STORE_UNAVAILABLE => Outcome::Unknown(info.reason),
        reason => Outcome::Fault(format!("{reason}: {}", status.message())),
    }
}

fn broken(status: &Status) -> Outcome {
    let mut cause: Option<&dyn std::error::Error> = Some(status);
    while let Some(error) = cause {
        let refused = error.downcast_ref::<std::io::Error>();
        if refused.is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused) {
            return Outcome::Unreached;
        }
        cause = error.source();
    }
    Outcome::Unknown(format!("{:?}: {}", status.code(), status.message()))
}
