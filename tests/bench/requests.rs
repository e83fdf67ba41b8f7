//! What every client here asks of every server: one kind of event, made, waited on and answered.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hitl_proto::v1::event_service_client::EventServiceClient;
use hitl_proto::v1::wait_event_response::Update;
use hitl_proto::v1::{self, answer_event_request, create_event_request, input, value};
use tonic::transport::Channel;

pub(crate) type Client = EventServiceClient<Channel>;

/// Of the size of a usual question: its stored request is about 500 bytes.
pub(crate) fn question() -> v1::CreateEventRequest {
    v1::CreateEventRequest {
        name: "approve-deploy".to_owned(),
        prompt:
            "Deploy build 4711 of the shop to production? All checks have passed, two warnings \
                 are about the size of images; the last deploy was rolled back."
                .to_owned(),
        input: Some(v1::Input { kind: Some(input::Kind::Bool(v1::BoolInput::default())) }),
        labels: [("team".to_owned(), "shop".to_owned())].into(),
        expiration: Some(create_event_request::Expiration::Ttl(prost_types::Duration {
            seconds: 24 * 3_600,
            nanos: 0,
        })),
        ..v1::CreateEventRequest::default()
    }
}

/// Creates the event and returns its id.
pub(crate) async fn create(client: &mut Client, request: v1::CreateEventRequest) -> Result<String> {
    let created = client.create_event(request).await?.into_inner();
    Ok(created.event.context("a created event")?.id)
}

pub(crate) async fn answer(client: &mut Client, event_id: String) -> Result<()> {
    let value = v1::Value { kind: Some(value::Kind::Bool(true)) };
    let answer = v1::AnswerEventRequest {
        event_id,
        answer: Some(answer_event_request::Answer::Value(value)),
        responder: "ann".to_owned(),
        ..v1::AnswerEventRequest::default()
    };
    client.answer_event(answer).await?;
    Ok(())
}

/// A wait that has received its first message.
pub(crate) struct Waiter(tonic::Streaming<v1::WaitEventResponse>);

impl Waiter {
    /// Opens the wait, and returns it with the state that its first message told.
    pub(crate) async fn attach(
        client: &mut Client,
        event_id: String,
        heartbeat: Option<Duration>,
    ) -> Result<(Self, v1::EventState)> {
        let heartbeat_interval = heartbeat.map(prost_types::Duration::try_from).transpose()?;
        let request = v1::WaitEventRequest {
            event_id,
            heartbeat_interval,
            ..v1::WaitEventRequest::default()
        };
        let mut waiter = Self(client.wait_event(request).await?.into_inner());
        let state = waiter.next().await?.context("a stream starts with a message")?;
        Ok((waiter, state))
    }

    /// The state that the next message tells, or `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Result<Option<v1::EventState>> {
        while let Some(message) = self.0.message().await? {
            if let Some(Update::Event(event)) = message.update {
                return Ok(Some(event.state()));
            }
        }
        Ok(None)
    }

    /// Waits for the answer, and returns when the stream has brought it.
    pub(crate) async fn delivered(&mut self) -> Result<()> {
        let state = self.next().await?;
        ensure!(state == Some(v1::EventState::Answered), "expected the answer, got {state:?}");
        Ok(())
    }

    pub(crate) async fn ended(&mut self) -> Result<()> {
        let state = self.next().await?;
        ensure!(state.is_none(), "expected the end of the stream, got {state:?}");
        Ok(())
    }
}
