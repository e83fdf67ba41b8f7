//! The API without its transports: messages in, messages out.
//!
//! gRPC and JSON over HTTP both call this, so that a rule or a default can't differ between the doors. Each method is:
//! convert, call the service, convert.

mod from_proto;
mod problem;
mod to_proto;

use std::sync::Arc;
use std::time::Duration;

use hitl_core::{Channel, Command, Event, EventKey, Identity, Responder, Timestamp};
use hitl_proto::v1;
use tokio::sync::{Semaphore, SemaphorePermit};

pub use problem::{Problem, grpc_code};

use crate::auth::Links;
use crate::error::Error;
use crate::random;
use crate::service::{Service, Wait};

/// Who calls, as far as the transport knows.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The door.
    pub channel: Channel,
    /// The network address; empty if unknown.
    pub address: String,
}

/// The API over one service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Api {
    service: Service,
    links: Links,
    /// One permit for each call under way, waits not counted.
    calls: Arc<Semaphore>,
}

impl Api {
    /// The API over `service`, with links made by `links`, and at most `calls_max` calls under way at a time.
    pub fn new(service: Service, links: Links, calls_max: usize) -> Self {
        Self { service, links, calls: Arc::new(Semaphore::new(calls_max)) }
    }

    /// What this server does, in numbers, in the text format of OpenMetrics.
    ///
    /// # Errors
    /// As [`Service::metrics`].
    pub fn metrics(&self) -> Result<String, Error> {
        self.service.metrics()
    }

    /// `EventService.CreateEvent`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn create_event(
        &self,
        request: v1::CreateEventRequest,
    ) -> Result<v1::CreateEventResponse, Error> {
        let _call = self.admit()?;
        let namespace = from_proto::namespace(&request.namespace)?;
        let spec = from_proto::spec(request)?;
        let created = self.service.create(namespace, spec).await?;
        Ok(v1::CreateEventResponse {
            event: Some(self.to_proto(&created.event)),
            existed: created.existed,
        })
    }

    /// `EventService.GetEvent`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn get_event(
        &self,
        request: v1::GetEventRequest,
    ) -> Result<v1::GetEventResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        Ok(v1::GetEventResponse { event: Some(self.to_proto(&self.event(&key).await?)) })
    }

    /// `EventService.GetEvent` that holds its answer until the event ends or `wait` passes.
    ///
    /// # Errors
    /// Those of `GetEvent` and of `WaitEvent`.
    pub async fn poll_event(
        &self,
        request: v1::GetEventRequest,
        wait: Duration,
    ) -> Result<v1::GetEventResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        Ok(v1::GetEventResponse { event: Some(self.to_proto(&self.poll(&key, wait).await?)) })
    }

    /// `EventService.ListEvents`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn list_events(
        &self,
        request: v1::ListEventsRequest,
    ) -> Result<v1::ListEventsResponse, Error> {
        let _call = self.admit()?;
        let page = self.service.list(&from_proto::list_query(request)?).await?;
        let events = page.events.iter().map(|event| self.to_proto(event)).collect();
        Ok(v1::ListEventsResponse { events, next_page_token: page.next_page_token })
    }

    /// `EventService.WaitEvent`: the wait, and the time between heartbeats that it asked for.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn wait_event(
        &self,
        request: &v1::WaitEventRequest,
    ) -> Result<(Wait, Duration), Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let interval = from_proto::heartbeat_interval(request.heartbeat_interval)?;
        Ok((self.service.wait(&key).await?, interval))
    }

    /// `EventService.AnswerEvent`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn answer_event(
        &self,
        request: v1::AnswerEventRequest,
        caller: Caller,
    ) -> Result<v1::AnswerEventResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let answer = from_proto::answer(request.answer)?;
        let identity = caller.identity(request.responder, request.answer_id);
        let event = self.end(&key, Command::Answer { answer, identity }).await?;
        Ok(v1::AnswerEventResponse { event: Some(self.to_proto(&event)) })
    }

    /// `EventService.DeclineEvent`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn decline_event(
        &self,
        request: v1::DeclineEventRequest,
        caller: Caller,
    ) -> Result<v1::DeclineEventResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let identity = caller.identity(request.responder, request.answer_id);
        let event = self.end(&key, Command::Decline { reason: request.reason, identity }).await?;
        Ok(v1::DeclineEventResponse { event: Some(self.to_proto(&event)) })
    }

    /// `EventService.CancelEvent`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn cancel_event(
        &self,
        request: v1::CancelEventRequest,
        caller: Caller,
    ) -> Result<v1::CancelEventResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let responder = caller.identity(String::new(), String::new()).responder;
        let event = self.end(&key, Command::Cancel { reason: request.reason, responder }).await?;
        Ok(v1::CancelEventResponse { event: Some(self.to_proto(&event)) })
    }

    /// The event at `key` as it stands.
    ///
    /// # Errors
    /// Those of `GetEvent`.
    pub async fn event(&self, key: &EventKey) -> Result<Event, Error> {
        let _call = self.admit()?;
        self.service.get(key).await
    }

    /// The event at `key` once it has ended, or as it stands when `wait` has passed or the server goes.
    ///
    /// # Errors
    /// Those of `WaitEvent`.
    pub async fn poll(&self, key: &EventKey, wait: Duration) -> Result<Event, Error> {
        self.service.wait(key).await?.ended_within(wait).await
    }

    /// Lets `command` act on the event at `key`.
    ///
    /// # Errors
    /// Those of `AnswerEvent`.
    pub async fn end(&self, key: &EventKey, command: Command) -> Result<Event, Error> {
        let _call = self.admit()?;
        self.service.end(key, command).await
    }

    /// Whether calls can be served.
    ///
    /// # Errors
    /// Why not.
    pub async fn ready(&self) -> Result<(), Error> {
        self.service.ready().await
    }

    /// The links of this deployment.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.service.clock().now()
    }

    /// The present instant as the API shows it.
    pub fn proto_now(&self) -> prost_types::Timestamp {
        to_proto::timestamp(self.now())
    }

    /// 32 hexadecimal digits that nobody can predict.
    pub fn random_id(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(random::bytes(self.service.random())))
    }

    /// `event` as the API shows it.
    pub fn to_proto(&self, event: &Event) -> v1::Event {
        to_proto::event(event, &self.links)
    }

    fn admit(&self) -> Result<SemaphorePermit<'_>, Error> {
        self.calls.try_acquire().map_err(|_| Error::Overloaded)
    }
}

impl Caller {
    /// Who acts: this caller, by the name and under the id that it gives; empty means none.
    pub fn identity(self, name: String, answer_id: String) -> Identity {
        let responder = Responder { name, channel: self.channel, address: self.address };
        Identity { responder, answer_id: Some(answer_id).filter(|id| !id.is_empty()) }
    }
}
