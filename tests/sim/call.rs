//! One call of one client to one replica, over a network that loses calls and replies.

use std::time::Duration;

use hitl_core::{
    Answer, Channel, Command, EventKey, Expiration, Identity, Input, IntInput, Namespace,
    OnTimeout, PromptFormat, Responder, Risk, Spec, Value,
};
use hitl_service::{Error, Session};
use rand::RngExt;
use rand::rngs::StdRng;
use support::history::{Draft, Op, Outcome, PROMPT, View};
use tokio::time::{sleep, timeout};

use crate::fault_store::millis;
use crate::replica::Process;
use crate::view::{state_name, view};

/// A call that takes longer is given up.
pub(crate) const CALL_LIMIT: Duration = Duration::from_secs(10);

/// What the network and the client do to one call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// Nothing.
    Clear,
    /// It never arrives.
    Lost,
    /// The reply is lost, though the server does its work to the end.
    ReplyLost,
    /// The client hangs up after so long.
    HangsUp(Duration),
}

impl Way {
    /// Draws one; nothing happens to a call of a process that is calm.
    pub(crate) fn draw(rng: &mut StdRng, process: &Process) -> Self {
        let (chance, ms) = (rng.random_range(0..100), rng.random_range(1..1_000));
        match chance {
            _ if process.link.is_calm() => Self::Clear,
            0..2 => Self::Lost,
            2..4 => Self::ReplyLost,
            4..7 => Self::HangsUp(millis(ms)),
            _ => Self::Clear,
        }
    }
}

/// Makes the call `op` to `process`, of `event` unless it creates one.
pub(crate) async fn call(
    process: &Process,
    way: Way,
    event: Option<&EventKey>,
    op: &Op,
) -> Outcome {
    let calm = process.link.is_calm();
    let (service, link) = (process.service.clone(), process.link.clone());
    let (event, op) = (event.cloned(), op.clone());
    let work = async move {
        link.runs().await;
        let result = send(&service, event, op).await;
        link.runs().await;
        result
    };
    let reply = async {
        match way {
            Way::Clear => timeout(CALL_LIMIT, work).await.ok(),
            Way::HangsUp(after) => timeout(after, work).await.ok(),
            Way::Lost => {
                sleep(millis(50)).await;
                None
            }
            Way::ReplyLost => {
                tokio::spawn(work);
                sleep(millis(50)).await;
                None
            }
        }
    };
    tokio::select! {
        biased;
        () = process.link.killed() => Outcome::Unknown("the replica was killed".to_owned()),
        reply = reply => match reply {
            Some(Ok(view)) => Outcome::Seen(view),
            Some(Err(error)) => classify(&error, calm && process.link.is_calm()),
            None => Outcome::Unknown("no reply".to_owned()),
        }
    }
}

async fn send(service: &Session, event: Option<EventKey>, op: Op) -> Result<View, Error> {
    let event = match (op, event) {
        (Op::Create(draft), _) => service.create(Namespace::default(), spec(draft)).await?.event,
        (_, None) => return Err(Error::Internal("a call of no event".to_owned())),
        (op, Some(event)) => match command(op) {
            Some(command) => service.end(&event, command).await?,
            None => service.get(&event).await?,
        },
    };
    Ok(view(&event))
}

fn command(op: Op) -> Option<Command> {
    let responder = Responder::claimed("client".to_owned(), Channel::Grpc, String::new());
    let identity = |answer_id| Identity {
        responder: responder.clone(),
        answer_id: Some(answer_id).filter(|id: &String| !id.is_empty()),
    };
    match op {
        Op::Answer { answer_id, value } => Some(Command::Answer {
            answer: Answer::Value(Value::Int(value)),
            comment: String::new(),
            identity: identity(answer_id),
        }),
        Op::Decline { answer_id, reason } => {
            Some(Command::Decline { reason, identity: identity(answer_id) })
        }
        Op::Cancel { reason } => Some(Command::Cancel { reason, responder }),
        _ => None,
    }
}

fn spec(draft: Draft) -> Spec {
    Spec {
        name: draft.name,
        title: String::new(),
        prompt: PROMPT.to_owned(),
        prompt_format: PromptFormat::Text,
        evidence: Vec::new(),
        risk: Risk::Low,
        require_confirmation: false,
        input: Input::Int(IntInput { min: None, max: None }),
        scope: String::new(),
        labels: [].into(),
        expiration: Expiration::TtlMs(draft.ttl_ms),
        on_timeout: draft
            .default
            .map_or(OnTimeout::Fail, |value| OnTimeout::Default(Value::Int(value))),
        idempotency_key: Some(draft.key).filter(|key| !key.is_empty()),
        allow_self_answer: false,
        assignees: Vec::new(),
        quorum: None,
        created_by: None,
        on_end: None,
        alarms: hitl_core::Alarms::default(),
    }
}

/// What an error tells the caller. Once nothing goes wrong any more, nothing excuses the server.
pub(crate) fn classify(error: &Error, calm: bool) -> Outcome {
    match error {
        Error::AlreadyFinal { state, time, .. } => {
            Outcome::AlreadyFinal { state: state_name(*state), time_ms: time.ms() }
        }
        Error::NotFound(_) | Error::Removed(_) => Outcome::NotFound,
        Error::TooManyWaiters | Error::Overloaded => Outcome::Busy,
        Error::StoreUnavailable(_) | Error::RecordUnreadable { .. } if !calm => {
            Outcome::Unknown(error.to_string())
        }
        error => Outcome::Fault(error.to_string()),
    }
}
