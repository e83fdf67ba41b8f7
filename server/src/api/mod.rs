//! The API without its transports: messages in, messages out.
//!
//! gRPC and JSON over HTTP both call this, so that a rule or a default can't differ between the doors. Each method is:
//! convert, call the service, convert.

mod batch;
mod from_proto;
mod problem;
mod to_proto;
mod waits;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use hitl_core::{Channel, Command, Event, EventKey, Identity, Responder, Timestamp};
use hitl_proto::v1;
use hitl_proto::v1::watch_events_response::Update;
use tokio::sync::{Semaphore, SemaphorePermit};

pub use problem::{Problem, grpc_code};
pub use waits::Waits;

use crate::auth::Links;
use crate::budget::Budget;
use hitl_service::error::Error;
use hitl_service::{Background, Change, Owner, Page, Service, Wait, Watch, Watched};
use hitl_store::random;

/// Who calls, as far as the transport knows.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The door.
    pub channel: Channel,
    /// The network address; empty if unknown.
    pub address: String,
}

/// What the making of a page of a list takes at most: the events read at a time, the page, and its message.
const PAGE_BYTES: usize = 16 * 1024 * 1024;
/// What a byte of an event comes to in a reply: its message, and that as it is sent, with room to grow.
const REPLY_FACTOR: usize = 3;
/// Pages of lists that are made at a time, for each processor: each may take it for a while.
const PAGES_PER_PROCESSOR: usize = 2;
/// How long a list waits for its turn.
const PAGE_PATIENCE: Duration = Duration::from_secs(1);

/// A wait that has begun.
#[derive(Debug)]
pub struct Waiting {
    /// The event as it stands.
    pub first: v1::Event,
    /// What ends with the event.
    pub wait: Wait,
    /// Time between heartbeats that the caller asked for.
    pub interval: Duration,
}

/// The API over one service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Api {
    service: Service,
    links: Links,
    /// One permit for each call under way, waits not counted.
    calls: Arc<Semaphore>,
    /// One permit for each page of a list that is being made.
    pages: Arc<Semaphore>,
    /// One permit for each entry of a batch that is worked on.
    entries: Arc<Semaphore>,
    /// What replies may take.
    budget: Budget,
}

impl Api {
    /// The API over `service`, with links made by `links`, at most `calls_max` calls under way at a time, and replies
    /// within `budget`.
    pub fn new(service: Service, links: Links, calls_max: usize, budget: Budget) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            service,
            links,
            calls: Arc::new(Semaphore::new(calls_max)),
            pages: Arc::new(Semaphore::new(processors * PAGES_PER_PROCESSOR)),
            entries: Arc::new(Semaphore::new(batch::ENTRIES_AT_A_TIME)),
            budget,
        }
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
        self.create(request).await
    }

    async fn create(
        &self,
        request: v1::CreateEventRequest,
    ) -> Result<v1::CreateEventResponse, Error> {
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
        owner: Owner,
    ) -> Result<v1::GetEventResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let event = self.poll(&key, wait, owner).await?;
        Ok(v1::GetEventResponse { event: Some(self.to_proto(&event)) })
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
        let turn = tokio::time::timeout(PAGE_PATIENCE, self.pages.acquire()).await;
        let _turn = turn.map_err(|_| Error::Overloaded)?;
        // Before anything is read, since what is read is there at once.
        let _page = self.budget.lease(None, PAGE_BYTES)?;
        let query = from_proto::list_query(request)?;
        let (service, links) = (self.service.clone(), self.links.clone());
        let make = async move {
            // Before anything is read, so that a watch from it misses nothing.
            let is_first = query.page_token.is_empty();
            let resume_token = if is_first { service.resume_token() } else { String::new() };
            let page = service.list(&query).await?;
            let events = page.events.iter().map(|event| to_proto::event(event, &links)).collect();
            let Page { next_page_token, unreadable, .. } = page;
            Ok(v1::ListEventsResponse { events, next_page_token, unreadable, resume_token })
        };
        self.background().run(make).await?
    }

    /// `EventService.WaitEvent`: the event as it stands, and the wait for its end.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn wait_event(
        &self,
        request: &v1::WaitEventRequest,
        owner: Owner,
    ) -> Result<Waiting, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let interval = from_proto::heartbeat_interval(request.heartbeat_interval)?;
        let (event, wait) = self.service.wait(&key, owner).await?;
        self.can_reply(&event)?;
        Ok(Waiting { first: self.to_proto(&event), wait, interval })
    }

    /// The ended event, as the message that ends the stream of a wait, once there is room for it.
    pub async fn deliver(&self, event: &Event) -> v1::Event {
        self.budget.can_deliver(event.weight_bytes() * REPLY_FACTOR).await;
        self.to_proto(event)
    }

    /// `EventService.WatchEvents`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub fn watch_events(
        &self,
        request: v1::WatchEventsRequest,
        owner: Owner,
    ) -> Result<Watch, Error> {
        let v1::WatchEventsRequest { namespace, state, name, scope, labels, .. } = request;
        let interval = request.bookmark_interval;
        let interval = from_proto::sign_of_life("bookmark_interval", interval)?;
        let filter = from_proto::filter(&namespace, state, name, scope, labels)?;
        self.service.watch(filter, &request.resume_token, interval, owner)
    }

    /// What came of a watch, as a message of its stream, once there is room for it.
    pub async fn watched(&self, watched: Watched) -> v1::WatchEventsResponse {
        let update = match watched {
            Watched::Change(Change { kind, event }) => {
                let event = Some(self.deliver(&event).await);
                Update::Change(v1::Change { kind: to_proto::change_kind(kind).into(), event })
            }
            Watched::Bookmark(resume_token) => {
                Update::Bookmark(v1::Bookmark { resume_token, time: Some(self.proto_now()) })
            }
        };
        v1::WatchEventsResponse { update: Some(update) }
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
        let event = self.service.get(key).await?;
        self.can_reply(&event)?;
        Ok(event)
    }

    /// The event at `key` once it has ended, or as it stands when `limit` has passed or the server goes.
    ///
    /// # Errors
    /// Those of `WaitEvent`.
    pub async fn poll(
        &self,
        key: &EventKey,
        limit: Duration,
        owner: Owner,
    ) -> Result<Event, Error> {
        let (event, wait) = self.service.wait(key, owner).await?;
        self.can_reply(&event)?;
        drop(event);
        let event = wait.ended_within(limit).await?;
        self.budget.can_deliver(event.weight_bytes() * REPLY_FACTOR).await;
        Ok(event)
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

    /// Where what takes long to make is made.
    pub fn background(&self) -> &Background {
        self.service.background()
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

    /// Whether there is room for a reply with `event`.
    fn can_reply(&self, event: &Event) -> Result<(), Error> {
        Ok(self.budget.can_afford(event.weight_bytes() * REPLY_FACTOR)?)
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
