//! The same API for programs without an async runtime: each call blocks its thread.
//!
//! ```no_run
//! # fn example() -> hitl::Result<()> {
//! let client = hitl::blocking::Client::from_env()?;
//! let event = client.event::<i64>("proceed", "What should I add to x?").create()?;
//! println!("answer at {}", event.form_url());
//! let x = 1 + event.wait()?;
//! # Ok(())
//! # }
//! ```

use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use hitl_proto::v1;
use hitl_proto::v1::answer_event_request::Answer;
use hitl_receipt::{KeySet, Receipt};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::attach;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::event::{self, Details};
use crate::link::Link;
use crate::valid::{Asking, Judged};
use crate::value::DataType;

/// An event whose answer is a `T`, and that is waited for by blocking.
pub type Event<T> = crate::Event<T, Client>;

/// An event that is about to be created by blocking.
pub type EventBuilder<T> = crate::EventBuilder<T, Client>;

/// Like [`crate::ask`].
///
/// # Errors
/// Those of [`crate::EventBuilder::create`] and [`crate::Event::wait`].
pub fn ask<T: DataType>(name: &str, prompt: &str) -> Result<T> {
    Client::from_env()?.event::<T>(name, prompt).create()?.wait()
}

/// Like [`crate::Client`], whose methods say what each of these does.
#[derive(Clone, Debug)]
pub struct Client {
    client: crate::Client,
}

impl Client {
    /// Like [`crate::Client::from_env`].
    ///
    /// # Errors
    /// Those of [`crate::Client::from_env`].
    pub fn from_env() -> Result<Self> {
        Self::new(Config::default())
    }

    /// Like [`crate::Client::new`].
    ///
    /// # Errors
    /// Those of [`crate::Client::new`].
    pub fn new(config: Config) -> Result<Self> {
        crate::Client::new(config).map(|client| Self { client })
    }

    /// Like [`crate::Client::with_call_timeout`].
    #[must_use]
    pub fn with_call_timeout(&self, limit: Duration) -> Self {
        Self { client: self.client.with_call_timeout(limit) }
    }

    /// Like [`crate::Client::with_retry_for`].
    #[must_use]
    pub fn with_retry_for(&self, limit: Duration) -> Self {
        Self { client: self.client.with_retry_for(limit) }
    }

    /// Like [`crate::Client::event`].
    pub fn event<T: DataType>(
        &self,
        name: impl Into<String>,
        prompt: impl Into<String>,
    ) -> EventBuilder<T> {
        EventBuilder::new(self.clone(), name.into(), prompt.into())
    }

    /// Like [`crate::Client::create`].
    ///
    /// # Errors
    /// Those of [`crate::Client::create`].
    pub fn create(&self, request: v1::CreateEventRequest) -> Result<v1::CreateEventResponse> {
        block_on(self.client.create(request))?
    }

    /// Like [`crate::Client::create_many`].
    pub fn create_many(
        &self,
        requests: Vec<v1::CreateEventRequest>,
    ) -> Vec<Result<v1::CreateEventResponse>> {
        let count = requests.len();
        let results = block_on(self.client.create_many(requests));
        results.unwrap_or_else(|error| vec![Err(error); count])
    }

    /// Like [`crate::Client::answer_many`].
    pub fn answer_many(&self, requests: Vec<v1::AnswerEventRequest>) -> Vec<Result<v1::Response>> {
        let count = requests.len();
        let results = block_on(self.client.answer_many(requests));
        results.unwrap_or_else(|error| vec![Err(error); count])
    }

    /// Like [`crate::Client::attach`].
    ///
    /// # Errors
    /// Those of [`crate::Client::attach`].
    pub fn attach<T: DataType>(&self, event_id: &str) -> Result<Event<T>> {
        attach::attached(self.clone(), self.get(event_id)?)
    }

    /// Like [`crate::Client::get`].
    ///
    /// # Errors
    /// Those of [`crate::Client::get`].
    pub fn get(&self, event_id: &str) -> Result<v1::Event> {
        block_on(self.client.get(event_id))?
    }

    /// Like [`crate::Client::list`].
    ///
    /// # Errors
    /// Those of [`crate::Client::list`].
    pub fn list(&self, request: v1::ListEventsRequest) -> Result<v1::ListEventsResponse> {
        block_on(self.client.list(request))?
    }

    /// Like [`crate::Client::wait_event`].
    ///
    /// # Errors
    /// Those of [`crate::Client::wait_event`].
    pub fn wait_event(&self, event_id: &str) -> Result<v1::Event> {
        block_on(self.client.wait_event(event_id))?
    }

    /// Like [`crate::Client::answer`].
    ///
    /// # Errors
    /// Those of [`crate::Client::answer`].
    pub fn answer(&self, event_id: &str, answer: Answer, responder: &str) -> Result<v1::Event> {
        block_on(self.client.answer(event_id, answer, responder))?
    }

    /// Like [`crate::Client::answer_with_comment`].
    ///
    /// # Errors
    /// Those of [`crate::Client::answer`].
    pub fn answer_with_comment(
        &self,
        event_id: &str,
        answer: Answer,
        responder: &str,
        comment: &str,
    ) -> Result<v1::Event> {
        block_on(self.client.answer_with_comment(event_id, answer, responder, comment))?
    }

    /// Like [`crate::Client::decline`].
    ///
    /// # Errors
    /// Those of [`crate::Client::decline`].
    pub fn decline(&self, event_id: &str, reason: &str, responder: &str) -> Result<v1::Event> {
        block_on(self.client.decline(event_id, reason, responder))?
    }

    /// Like [`crate::Client::cancel`].
    ///
    /// # Errors
    /// Those of [`crate::Client::cancel`].
    pub fn cancel(&self, event_id: &str, reason: &str) -> Result<v1::Event> {
        block_on(self.client.cancel(event_id, reason))?
    }

    /// Like [`crate::Client::create_link`].
    ///
    /// # Errors
    /// Those of [`crate::Client::create_link`].
    pub fn create_link(
        &self,
        event_id: &str,
        responder: &str,
        ttl: Option<Duration>,
    ) -> Result<Link> {
        block_on(self.client.create_link(event_id, responder, ttl))?
    }

    /// Like [`crate::Client::revoke_links`].
    ///
    /// # Errors
    /// Those of [`crate::Client::revoke_links`].
    pub fn revoke_links(&self, event_id: &str, responder: Option<&str>) -> Result<()> {
        block_on(self.client.revoke_links(event_id, responder))?
    }

    /// Like [`crate::Client::receipt`].
    ///
    /// # Errors
    /// Those of [`crate::Client::receipt`].
    pub fn receipt(&self, event_id: &str) -> Result<Receipt> {
        block_on(self.client.receipt(event_id))?
    }

    /// Like [`crate::Client::receipt_keys`].
    ///
    /// # Errors
    /// Those of [`crate::Client::receipt_keys`].
    pub fn receipt_keys(&self) -> Result<KeySet> {
        block_on(self.client.receipt_keys())?
    }
}

impl<T: DataType> EventBuilder<T> {
    /// Creates the event. It and its timer are durable when this returns.
    ///
    /// # Errors
    /// Those of [`crate::Client::create`].
    pub fn create(self) -> Result<Event<T>> {
        let (client, request) = self.into_request()?;
        let reply = client.create(request)?;
        Event::new(client, reply)
    }

    /// Like the async `ask_valid`: asks until the answer is valid.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] if there was no valid answer in so many attempts, and those of `create` and of
    /// `wait`.
    pub fn ask_valid(self, check: impl Fn(&T) -> Result<(), String>) -> Result<T> {
        let mut asking = Asking::new(self.attempts)?;
        let (client, question) = self.into_request()?;
        let mut request = question.clone();
        loop {
            let event = Event::<T>::new(client.clone(), client.create(request)?)?;
            event.announce(&client.client);
            match asking.judge(client.wait_event(event.id())?, &check)? {
                Judged::Valid(value) => return Ok(value),
                Judged::Again(again) => request = again.of(&question),
            }
        }
    }
}

impl<T: DataType> Event<T> {
    /// The server's address.
    pub fn endpoint(&self) -> String {
        self.client.client.endpoint()
    }

    /// Like the async `wait`: blocks until the event ends.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Declined`], [`crate::ErrorKind::Cancelled`] and
    /// [`crate::ErrorKind::TimedOut`] if the event ended without a value.
    pub fn wait(&self) -> Result<T> {
        self.announce(&self.client.client);
        event::outcome(self.client.wait_event(self.id())?)
    }

    /// Like `wait`, with what else was said.
    ///
    /// # Errors
    /// Those of `wait`.
    pub fn wait_details(&self) -> Result<Details<T>> {
        self.announce(&self.client.client);
        event::details(self.client.wait_event(self.id())?)
    }

    /// Like `wait`, but at most for `limit`. None if the event has not ended by then: it stays, and
    /// can be waited for again.
    ///
    /// # Errors
    /// Those of `wait`.
    pub fn wait_for(&self, limit: Duration) -> Result<Option<T>> {
        if limit.is_zero() {
            return self.poll();
        }
        self.announce(&self.client.client);
        let wait = self.client.client.wait_event(self.id());
        let ended = block_on(async { tokio::time::timeout(limit, wait).await })?;
        ended.ok().map(|event| event::outcome(event?)).transpose()
    }

    /// Like the async `poll`: looks whether the event has ended.
    ///
    /// # Errors
    /// Those of `wait`.
    pub fn poll(&self) -> Result<Option<T>> {
        event::outcome_if_ended(self.client.get(self.id())?)
    }

    /// Like the async `link_for`: makes a link by which the person called `responder` answers.
    ///
    /// # Errors
    /// Those of [`crate::Client::create_link`].
    pub fn link_for(&self, responder: &str) -> Result<Link> {
        let link = self.client.create_link(self.id(), responder, None)?;
        self.note_told();
        Ok(link)
    }

    /// Like the async `cancel`: withdraws the question.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] if the event ended otherwise, and those of reaching the server.
    pub fn cancel(&self, reason: &str) -> Result<()> {
        self.client.cancel(self.id(), reason).map(drop)
    }
}

/// Runs `future` on a runtime of our own, whose one thread keeps the connections of all clients.
fn block_on<R>(future: impl Future<Output = R>) -> Result<R> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if Handle::try_current().is_ok() {
        let help = "this thread runs async code, which must not block: use `hitl::Client` there";
        return Err(Error::config(help.to_owned()));
    }
    let runtime = match RUNTIME.get() {
        Some(runtime) => runtime,
        None => {
            let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
            let runtime = runtime.map_err(|error| {
                Error::internal(format!("no thread for the connection: {error}"))
            })?;
            RUNTIME.get_or_init(|| runtime)
        }
    };
    Ok(runtime.block_on(future))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn blocking_where_async_code_runs_is_an_error_not_a_panic() {
        let client = Client::new(Config::default().endpoint("http://127.0.0.1:1")).unwrap();
        let error = client.get("id").unwrap_err();
        assert!(error.message().contains("hitl::Client"), "{error}");
    }

    #[test]
    fn a_server_that_is_not_there_is_unavailable() {
        let config = Config::default().endpoint("http://127.0.0.1:1").retry_for(Duration::ZERO);
        let error = Client::new(config).unwrap().get("id").unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Unavailable);
        assert!(error.message().contains("HITL_ENDPOINT"), "{error}");
    }
}
