//! The client: one connection, shared by everything that is asked over it.

mod calls;

use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hitl_proto::v1;
use hitl_proto::v1::answer_event_request::Answer;
use hitl_proto::v1::event_service_client::EventServiceClient;
use tonic::transport::Channel;

use crate::config::{Config, Settings};
use crate::create::EventBuilder;
use crate::credential::Authorized;
use crate::error::{Error, Result};
use crate::key::{self, PROCESS, Ticket};
use crate::limits::Limits;
use crate::run::Counted;
use crate::told::Telling;
use crate::value::DataType;
use crate::waits::{self, Waits};

/// Enough for a page of large events; a limit only against a server gone wrong.
const MAX_MESSAGE_BYTES: usize = 256 << 20;

pub(crate) type Stub = EventServiceClient<Authorized>;

/// Creates events, waits for them, and answers them.
///
/// Clones share one connection, which is made when first needed and made again when lost. Calls are
/// repeated for a while when the server cannot be reached ([`Config::retry_for`]). A client belongs
/// to the tokio runtime on which it made its first call.
///
/// The methods that take an event id are for untyped use: they return the event as the API has it.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    limits: Limits,
}

#[derive(Debug)]
struct Shared {
    settings: Settings,
    /// The connection to each server.
    channels: Vec<OnceLock<Channel>>,
    /// The server that served last, or is tried now.
    place: AtomicUsize,
    reached: AtomicBool,
    waits: Arc<Waits>,
    telling: Telling,
}

impl Client {
    /// A client with everything taken from the environment.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] if a variable cannot be understood.
    pub fn from_env() -> Result<Self> {
        Self::new(Config::default())
    }

    /// A client as configured. Does not connect yet.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] if a setting or variable cannot be understood.
    pub fn new(config: Config) -> Result<Self> {
        let settings = config.resolve(|name| std::env::var(name).ok())?;
        Ok(Self::with(settings, OnceLock::new()))
    }

    pub(crate) fn with(settings: Settings, channel: OnceLock<Channel>) -> Self {
        let reached = AtomicBool::new(false);
        let waits = Arc::default();
        let telling = Telling::new(settings.announce);
        let mut channels = vec![channel];
        channels.resize_with(settings.server.count(), OnceLock::new);
        let (place, limits) = (AtomicUsize::new(0), settings.limits);
        let shared = Shared { settings, channels, place, reached, waits, telling };
        Self { shared: Arc::new(shared), limits }
    }

    /// The server's address, such as `http://127.0.0.1:4485`: of several the one that served last, or is
    /// tried now. That of a local server is known from the first call on, before which this is empty, and
    /// changes if it has to be started again on another port.
    pub fn endpoint(&self) -> String {
        self.shared.settings.server.endpoint(self.place())
    }

    /// The same client, of which a call may take so long, as [`Config::call_timeout`] says. Both share the
    /// connection.
    ///
    /// ```no_run
    /// # async fn example(client: hitl::Client, id: &str) -> hitl::Result<()> {
    /// let event = client.with_call_timeout(std::time::Duration::from_secs(2)).get(id).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_call_timeout(&self, limit: Duration) -> Self {
        let limits = Limits { call_timeout: Some(limit), ..self.limits };
        Self { limits, ..self.clone() }
    }

    /// The same client, of which a call is repeated for so long, as [`Config::retry_for`] says; waits and
    /// watches go on as before. Both share the connection.
    #[must_use]
    pub fn with_retry_for(&self, limit: Duration) -> Self {
        let limits = Limits { retry_for: limit, is_patient: true, ..self.limits };
        Self { limits, ..self.clone() }
    }

    /// The namespace of every call that names no other.
    pub fn namespace(&self) -> &str {
        &self.shared.settings.namespace
    }

    /// Starts to describe an event whose answer is a `T`. Nothing is asked before
    /// [`EventBuilder::create`].
    ///
    /// `name` is what lists and logs call it, `prompt` is the question.
    pub fn event<T: DataType>(
        &self,
        name: impl Into<String>,
        prompt: impl Into<String>,
    ) -> EventBuilder<T> {
        EventBuilder::new(self.clone(), name.into(), prompt.into())
    }

    /// Creates an event from a request of the API. An empty namespace is the client's; an empty
    /// idempotency key is derived from the run if there is one, else random, so that repeating
    /// the call on a lost connection creates nothing twice.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] names the fields to correct; [`crate::ErrorKind::Conflict`] if
    /// the idempotency key belongs to a different request; and those of reaching the server.
    pub async fn create(&self, request: v1::CreateEventRequest) -> Result<v1::CreateEventResponse> {
        self.create_in(None, request).await
    }

    /// Creates an event of `run`, else of the current one, else of the client's.
    pub(crate) async fn create_in(
        &self,
        run: Option<&Counted>,
        mut request: v1::CreateEventRequest,
    ) -> Result<v1::CreateEventResponse> {
        let ticket = self.name(run, &mut request);
        let reply = self
            .call(request, |mut stub, request| async move { stub.create_event(request).await })
            .await?;
        if let Some(ticket) = ticket {
            ticket.keep();
        }
        Ok(reply)
    }

    /// Returns an event as it stands.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`], and those of reaching the server.
    pub async fn get(&self, event_id: &str) -> Result<v1::Event> {
        let request = v1::GetEventRequest {
            namespace: self.namespace().to_owned(),
            event_id: event_id.to_owned(),
        };
        let reply = self
            .call(request, |mut stub, request| async move { stub.get_event(request).await })
            .await?;
        present(reply.event)
    }

    /// Lists one page of events: first the pending ones, nearest deadline first, then the ended ones,
    /// latest first. Call again with `page_token` from `next_page_token` until that is empty. An
    /// empty namespace is the client's.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`], and those of reaching the server.
    pub async fn list(&self, mut request: v1::ListEventsRequest) -> Result<v1::ListEventsResponse> {
        self.fill(&mut request.namespace);
        self.call(request, |mut stub, request| async move { stub.list_events(request).await }).await
    }

    /// Waits until an event ends, through lost connections and server restarts, and returns it with
    /// its response, however it ended. All waits of a client share one stream, so that a hundred thousand
    /// of them burden neither side.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`], and those of reaching the server for the first time.
    pub async fn wait_event(&self, event_id: &str) -> Result<v1::Event> {
        waits::wait(self, event_id).await
    }

    /// Answers an event with a typed value, JSON or text. `responder` is the name of the person who
    /// answers, empty if unknown.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] if the answer does not fit (the event stays as it was),
    /// [`crate::ErrorKind::Conflict`] if the event has ended, [`crate::ErrorKind::NotFound`], and those
    /// of reaching the server.
    pub async fn answer(
        &self,
        event_id: &str,
        answer: Answer,
        responder: &str,
    ) -> Result<v1::Event> {
        self.answer_with_comment(event_id, answer, responder, "").await
    }

    /// The same with what the person says beside the value, which the program gets with it: at most 4,096 characters.
    ///
    /// # Errors
    /// Those of [`Client::answer`].
    pub async fn answer_with_comment(
        &self,
        event_id: &str,
        answer: Answer,
        responder: &str,
        comment: &str,
    ) -> Result<v1::Event> {
        let request = v1::AnswerEventRequest {
            namespace: self.namespace().to_owned(),
            event_id: event_id.to_owned(),
            answer_id: key::once(),
            responder: responder.to_owned(),
            answer: Some(answer),
            comment: comment.to_owned(),
        };
        let reply = self
            .call(request, |mut stub, request| async move { stub.answer_event(request).await })
            .await?;
        present(reply.event)
    }

    /// Declines an event: a person refuses to give a value. `reason` and `responder` may be empty.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] if the event has ended, [`crate::ErrorKind::NotFound`], and those
    /// of reaching the server.
    pub async fn decline(
        &self,
        event_id: &str,
        reason: &str,
        responder: &str,
    ) -> Result<v1::Event> {
        let request = v1::DeclineEventRequest {
            namespace: self.namespace().to_owned(),
            event_id: event_id.to_owned(),
            reason: reason.to_owned(),
            answer_id: key::once(),
            responder: responder.to_owned(),
        };
        let reply = self
            .call(request, |mut stub, request| async move { stub.decline_event(request).await })
            .await?;
        present(reply.event)
    }

    /// Cancels an event: whoever asked withdraws it. One that is cancelled already is returned as it
    /// is. `reason` may be empty.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] if the event ended otherwise, [`crate::ErrorKind::NotFound`], and
    /// those of reaching the server.
    pub async fn cancel(&self, event_id: &str, reason: &str) -> Result<v1::Event> {
        let request = v1::CancelEventRequest {
            namespace: self.namespace().to_owned(),
            event_id: event_id.to_owned(),
            reason: reason.to_owned(),
        };
        let reply = self
            .call(request, |mut stub, request| async move { stub.cancel_event(request).await })
            .await?;
        present(reply.event)
    }

    /// Tells those again who were asked about an event, by the channels that tell of it. `note` may be empty. At most
    /// once in ten minutes for each event.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] if the event has ended, [`crate::ErrorKind::NotFound`], that it was done a short
    /// time ago, and those of reaching the server.
    pub async fn remind(&self, event_id: &str, note: &str) -> Result<v1::Event> {
        let request = v1::RemindEventRequest {
            namespace: self.namespace().to_owned(),
            event_id: event_id.to_owned(),
            note: note.to_owned(),
        };
        let reply = self
            .call(request, |mut stub, request| async move { stub.remind_event(request).await })
            .await?;
        present(reply.event)
    }

    /// Tells people where to answer.
    pub(crate) fn tell(&self, event: &v1::Event) {
        self.shared.telling.tell(event);
    }

    pub(crate) fn waits(&self) -> &Arc<Waits> {
        &self.shared.waits
    }

    /// Gives the request its namespace, and the key that makes it safe to repeat.
    pub(crate) fn name(
        &self,
        run: Option<&Counted>,
        request: &mut v1::CreateEventRequest,
    ) -> Option<Ticket> {
        self.fill(&mut request.namespace);
        if !request.idempotency_key.is_empty() {
            return None;
        }
        let (namespace, name) = (&request.namespace, &request.name);
        let run = run.cloned().or_else(Counted::current);
        let of_client = || {
            let run_id = self.shared.settings.run_id.as_deref();
            run_id.map(|run_id| PROCESS.ticket(namespace, run_id, name))
        };
        let ticket = run.map(|run| run.ticket(namespace, name)).or_else(of_client);
        request.idempotency_key = ticket.as_ref().map_or_else(key::once, Ticket::key);
        ticket
    }

    pub(crate) fn fill(&self, namespace: &mut String) {
        if namespace.is_empty() {
            self.namespace().clone_into(namespace);
        }
    }
}

pub(crate) fn present(event: Option<v1::Event>) -> Result<v1::Event> {
    event.ok_or_else(|| Error::internal("the server's reply has no event".to_owned()))
}
