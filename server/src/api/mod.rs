//! The API without its transports: messages in, messages out.
//!
//! gRPC and JSON over HTTP both call this, so that a rule or a default can't differ between the doors. Each method is:
//! convert, call the service, convert.

pub(crate) mod admin;
mod alarms;
pub(crate) mod audit;
mod batch;
mod channels;
pub(crate) mod deciding;
mod deliveries;
pub(crate) mod evidence;
pub(crate) mod from_proto;
mod links;
pub(crate) mod plain;
mod problem;
mod review;
mod to_proto;
mod waits;

use std::net::IpAddr;
use std::time::Duration;

use hitl_core::{
    Action, Channel, Command, Event, EventKey, Identity, Namespace, Principal, Responder, Timestamp,
};
use hitl_proto::v1;
use hitl_proto::v1::watch_events_response::Update;

pub use deciding::{News, Sent};
pub use problem::{Problem, grpc_code};
pub use waits::Waits;

use crate::admission::{Admission, Turn};
use crate::auth::Links;
use crate::channels::Channels;
use hitl_service::error::Error;
use hitl_service::quotas::Payer;
use hitl_service::{Change, Owner, Page, Service, Session, Standing, Wait, Watch, Watched};

/// Who calls, as far as the transport knows.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What the caller may do.
    pub principal: Principal,
    /// The door.
    pub channel: Channel,
    /// The network address; empty if unknown.
    pub address: String,
}

/// A wait that has begun.
#[derive(Debug)]
pub struct Waiting {
    /// The event as it stands.
    pub first: v1::Event,
    /// What ends with the event.
    pub wait: Wait,
    /// Who waits.
    pub caller: Caller,
    /// Time between heartbeats that the caller asked for.
    pub interval: Duration,
    /// Whether the caller wants to hear what is voted, said and done.
    pub updates: bool,
}

/// The API over one service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Api {
    service: Service,
    links: Links,
    admission: Admission,
    channels: Option<Channels>,
}

/// `event` as others are told of it: without its evidence, and without links.
pub(crate) fn summary_for_others(event: &Event) -> v1::Event {
    to_proto::summary(event, None)
}

impl Api {
    /// The API over `service`, with links made by `links`, for as many calls as `admission` lets in.
    pub fn new(service: Service, links: Links, admission: Admission) -> Self {
        Self { service, links, admission, channels: None }
    }

    /// The channels by which people are told, if there are any on this server.
    pub(crate) fn told_by(&self) -> Option<&Channels> {
        self.channels.as_ref()
    }

    /// The same, which manages these channels.
    #[must_use]
    pub fn with_channels(self, channels: Channels) -> Self {
        Self { channels: Some(channels), ..self }
    }

    /// `EventService.CreateEvent`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn create_event(
        &self,
        request: v1::CreateEventRequest,
        caller: &Caller,
    ) -> Result<v1::CreateEventResponse, Error> {
        let _call = self.admission.call(caller.payer())?;
        self.create(request, caller).await
    }

    async fn create(
        &self,
        request: v1::CreateEventRequest,
        caller: &Caller,
    ) -> Result<v1::CreateEventResponse, Error> {
        let namespace = from_proto::namespace(&request.namespace)?;
        self.count_in(caller, &namespace)?;
        let spec = from_proto::spec(request)?;
        let created = self.session(caller).create(namespace, spec).await?;
        Ok(v1::CreateEventResponse {
            event: Some(self.to_proto(&created.event, caller)),
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
        caller: &Caller,
    ) -> Result<v1::GetEventResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let _call = self.call(caller, &key)?;
        let event = self.session(caller).get(&key).await?;
        self.admission.can_reply(&event)?;
        Ok(v1::GetEventResponse { event: Some(self.shown(&event, caller).await?) })
    }

    /// `EventService.GetEvent` that holds its answer until the event ends, `limit` has passed, or the server goes.
    ///
    /// # Errors
    /// Those of `GetEvent` and of `WaitEvent`.
    pub async fn poll_event(
        &self,
        request: v1::GetEventRequest,
        limit: Duration,
        caller: &Caller,
        owner: Owner,
    ) -> Result<v1::GetEventResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        self.count_in(caller, &key.namespace)?;
        let (event, wait) = self.session(caller).wait(&key, owner).await?;
        self.admission.can_reply(&event)?;
        drop(event);
        let standing = self.standing(caller);
        let event = tokio::select! {
            event = wait.ended_within(limit) => event?,
            () = standing.ended() => return Err(Error::Unauthenticated),
        };
        Ok(v1::GetEventResponse { event: Some(self.deliver(&event, caller).await) })
    }

    /// `EventService.GetReceipt`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn get_receipt(
        &self,
        request: v1::GetReceiptRequest,
        caller: &Caller,
    ) -> Result<v1::GetReceiptResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let _call = self.call(caller, &key)?;
        let session = self.session(caller);
        // It says as much as the event does.
        self.admission.can_reply(&session.get(&key).await?)?;
        let receipt = session.receipt(&key).await?;
        Ok(v1::GetReceiptResponse { receipt: Some(to_proto::receipt(receipt)) })
    }

    /// `EventService.ListReceiptKeys`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn list_receipt_keys(
        &self,
        _: v1::ListReceiptKeysRequest,
        caller: &Caller,
    ) -> Result<v1::ListReceiptKeysResponse, Error> {
        let _call = self.admission.call(caller.payer())?;
        let keys = self.session(caller).receipt_keys().await?;
        let keys = keys.iter().map(to_proto::receipt_key).collect();
        Ok(v1::ListReceiptKeysResponse { keys })
    }

    /// `EventService.ListEvents`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn list_events(
        &self,
        request: v1::ListEventsRequest,
        caller: &Caller,
    ) -> Result<v1::ListEventsResponse, Error> {
        let _turn = self.admission.page(caller.payer()).await?;
        let query = from_proto::list_query(request)?;
        let session = self.session(caller);
        let links = self.links.clone();
        let make = async move {
            // Before anything is read, so that a watch from it misses nothing.
            let is_first = query.page_token.is_empty();
            let resume_token = if is_first { session.resume_token() } else { String::new() };
            let page = session.list(&query).await?;
            let shown = |event: &Event| {
                let may_have_links = session.may_hand_out_links(&event.request.namespace);
                to_proto::summary(event, may_have_links.then_some(&links))
            };
            let events = page.events.iter().map(shown).collect();
            let Page { next_page_token, unreadable, .. } = page;
            Ok(v1::ListEventsResponse { events, next_page_token, unreadable, resume_token })
        };
        self.service.background().run(make).await?
    }

    /// `EventService.WaitEvent`: the event as it stands, and the wait for its end.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn wait_event(
        &self,
        request: &v1::WaitEventRequest,
        caller: &Caller,
        owner: Owner,
    ) -> Result<Waiting, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let interval = from_proto::heartbeat_interval(request.heartbeat_interval)?;
        self.count_in(caller, &key.namespace)?;
        let (event, wait) = self.session(caller).wait(&key, owner).await?;
        self.admission.can_reply(&event)?;
        let first = self.to_proto(&event, caller);
        let updates = request.updates;
        Ok(Waiting { first, wait, caller: caller.clone(), interval, updates })
    }

    /// The ended event, as the message that ends the stream of a wait, once there is room for it.
    pub async fn deliver(&self, event: &Event, caller: &Caller) -> v1::Event {
        self.admission.can_deliver(event).await;
        self.to_proto(event, caller)
    }

    /// The same without its evidence, for streams of many events.
    pub async fn deliver_summary(&self, event: &Event, caller: &Caller) -> v1::Event {
        self.admission.can_deliver(event).await;
        to_proto::summary(event, self.links_for(event, caller))
    }

    /// `EventService.WatchEvents`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub fn watch_events(
        &self,
        request: v1::WatchEventsRequest,
        caller: &Caller,
        owner: Owner,
    ) -> Result<Watch, Error> {
        let v1::WatchEventsRequest { namespace, state, name, scope, labels, .. } = request;
        let interval = request.bookmark_interval;
        let interval = from_proto::sign_of_life("bookmark_interval", interval)?;
        let filter = from_proto::filter(&namespace, state, name, scope, labels)?;
        self.session(caller).watch(filter, &request.resume_token, interval, owner)
    }

    /// What came of a watch, as a message of its stream, once there is room for it.
    pub async fn watched(&self, watched: Watched, caller: &Caller) -> v1::WatchEventsResponse {
        let update = match watched {
            Watched::Change(Change { kind, event }) => {
                let event = Some(self.deliver_summary(&event, caller).await);
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
        caller: &Caller,
    ) -> Result<v1::AnswerEventResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let answer = from_proto::answer(request.answer)?;
        let identity = caller.identity(request.responder, request.answer_id);
        let command = Command::Answer { answer, comment: request.comment, identity };
        let event = self.end(caller, &key, command).await?;
        Ok(v1::AnswerEventResponse { event: Some(self.shown(&event, caller).await?) })
    }

    /// `EventService.DeclineEvent`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn decline_event(
        &self,
        request: v1::DeclineEventRequest,
        caller: &Caller,
    ) -> Result<v1::DeclineEventResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let identity = caller.identity(request.responder, request.answer_id);
        let event =
            self.end(caller, &key, Command::Decline { reason: request.reason, identity }).await?;
        Ok(v1::DeclineEventResponse { event: Some(self.shown(&event, caller).await?) })
    }

    /// `EventService.CancelEvent`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn cancel_event(
        &self,
        request: v1::CancelEventRequest,
        caller: &Caller,
    ) -> Result<v1::CancelEventResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let responder = caller.identity(String::new(), String::new()).responder;
        let event =
            self.end(caller, &key, Command::Cancel { reason: request.reason, responder }).await?;
        Ok(v1::CancelEventResponse { event: Some(self.to_proto(&event, caller)) })
    }

    /// `EventService.RemindEvent`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn remind_event(
        &self,
        request: v1::RemindEventRequest,
        caller: &Caller,
    ) -> Result<v1::RemindEventResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let _call = self.call(caller, &key)?;
        let event = self.session(caller).remind(&key, request.note).await?;
        Ok(v1::RemindEventResponse { event: Some(self.to_proto(&event, caller)) })
    }

    async fn end(&self, caller: &Caller, key: &EventKey, command: Command) -> Result<Event, Error> {
        let _call = self.call(caller, key)?;
        self.session(caller).end(key, command).await
    }

    /// The right of `caller` to have a call about the event at `key` under way.
    fn call(&self, caller: &Caller, key: &EventKey) -> Result<Turn<'_>, Error> {
        self.count_in(caller, &key.namespace)?;
        self.admission.call(caller.payer())
    }

    /// Counts a call of `caller` in `namespace`, unless it may do nothing there, and so takes nothing from others.
    fn count_in(&self, caller: &Caller, namespace: &Namespace) -> Result<(), Error> {
        if self.admission.counts_in_namespaces() && caller.principal.visible().contains(namespace) {
            self.admission.count_in(namespace)?;
        }
        Ok(())
    }

    fn session(&self, caller: &Caller) -> Session {
        self.service.session(caller.principal.clone()).from_address(caller.ip())
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.service.clock().now()
    }

    /// The present instant as the API shows it.
    pub fn proto_now(&self) -> prost_types::Timestamp {
        to_proto::timestamp(self.now())
    }

    /// `event` as the API shows it to `caller`: with its links if that may hand them out.
    pub fn to_proto(&self, event: &Event, caller: &Caller) -> v1::Event {
        to_proto::event(event, self.links_for(event, caller))
    }

    fn links_for(&self, event: &Event, caller: &Caller) -> Option<&Links> {
        let namespace = &event.request.namespace;
        let may = caller.principal.authorize(Action::HandOutLinks(namespace)).is_ok();
        may.then_some(&self.links)
    }

    /// `event` as the API shows it to whoever has a link to it.
    pub fn to_proto_with_links(&self, event: &Event) -> v1::Event {
        to_proto::event(event, Some(&self.links))
    }

    /// Whether the credential of `caller`, who begins a stream, is still good.
    pub fn standing(&self, caller: &Caller) -> Standing {
        self.service.standing(&caller.principal)
    }
}

impl Caller {
    /// For whom what this caller takes is counted.
    pub(crate) fn payer(&self) -> Payer {
        Payer::new(&self.principal, self.ip())
    }

    /// The network address, if it is known.
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.parse().ok()
    }

    /// Who acts: this caller, by the name and under the id that it gives; empty means none.
    pub fn identity(&self, name: String, answer_id: String) -> Identity {
        let responder = Responder::claimed(name, self.channel, self.address.clone());
        Identity { responder, answer_id: Some(answer_id).filter(|id| !id.is_empty()) }
    }
}
