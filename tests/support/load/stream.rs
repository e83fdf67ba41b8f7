//! The streams on which waits are held at servers.

use std::sync::Arc;

use hitl_proto::v1::event_service_client::EventServiceClient;
use hitl_proto::v1::wait_event_response::Update;
use hitl_proto::v1::{WaitEventRequest, WaitEventResponse};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use super::call::{CALL_LIMIT, call, classify};
use super::shared::SharedStream;
use crate::history::{Op, Outcome, View};

/// A wait that has begun.
#[derive(Debug)]
pub enum Stream {
    /// It has a stream of its own.
    Alone(Box<Streaming<WaitEventResponse>>),
    /// It is one of those on the client's stream of many.
    WithOthers(oneshot::Receiver<Outcome>),
}

impl Stream {
    /// Begins a wait for `event` on a stream of its own.
    pub(super) async fn alone(
        client: EventServiceClient<Channel>,
        event: &str,
    ) -> (Outcome, Option<Self>) {
        match timeout(CALL_LIMIT, attach(client, event)).await {
            Ok(Ok((view, stream))) => {
                let goes_on = view.end.is_none();
                (Outcome::Seen(view), goes_on.then(|| Self::Alone(Box::new(stream))))
            }
            Ok(Err(status)) => (classify(&status), None),
            Err(_) => (Outcome::Unknown(format!("no message in {CALL_LIMIT:?}")), None),
        }
    }

    /// Begins a wait for `event` on a stream with others. It does not say how the event stands, so that is asked once
    /// the wait was added.
    pub(super) async fn with_others(
        many: &Arc<SharedStream>,
        client: EventServiceClient<Channel>,
        event: &str,
    ) -> (Outcome, Option<Self>) {
        let told = many.wait(client.clone(), event);
        let outcome = call(client, Some(event), &Op::Get).await;
        let goes_on = matches!(&outcome, Outcome::Seen(view) if view.end.is_none());
        (outcome, goes_on.then_some(Self::WithOthers(told)))
    }

    /// What it comes to.
    pub(super) async fn told(self) -> Outcome {
        match self {
            Self::Alone(stream) => last(*stream).await,
            Self::WithOthers(told) => {
                let broken = |_| Outcome::Unknown("the stream is gone".to_owned());
                told.await.unwrap_or_else(broken)
            }
        }
    }
}

async fn attach(
    mut client: EventServiceClient<Channel>,
    event: &str,
) -> Result<(View, Streaming<WaitEventResponse>), Status> {
    let request = WaitEventRequest { event_id: event.to_owned(), ..Default::default() };
    let mut stream = client.wait_event(request).await?.into_inner();
    match stream.message().await?.and_then(|message| message.update) {
        Some(Update::Event(event)) => Ok((View::from(&event), stream)),
        _ => Err(Status::data_loss("the first message is no event")),
    }
}

/// Reads a stream to its end, which must be an ended event.
async fn last(mut stream: Streaming<WaitEventResponse>) -> Outcome {
    let mut told = None;
    loop {
        let message = match stream.message().await {
            Ok(Some(message)) => message.update,
            // Once told, the waiter does not care how the stream goes.
            Ok(None) => {
                return told.unwrap_or_else(|| Outcome::Fault("a stream ended early".to_owned()));
            }
            Err(status) => return told.unwrap_or_else(|| classify(&status)),
        };
        match message {
            Some(Update::Event(event)) if told.is_some() => {
                return Outcome::Fault(format!("a message after the end: {event:?}"));
            }
            Some(Update::Event(event)) => {
                let view = View::from(&event);
                if view.end.is_some() {
                    told = Some(Outcome::Seen(view));
                }
            }
            Some(Update::Heartbeat(_) | Update::Comment(_)) => {}
            None => return Outcome::Fault("a message without an update".to_owned()),
        }
    }
}
