//! An event that was created, and its typed outcome.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use hitl_proto::v1;
use tokio::time::timeout;

use crate::client::{Client, present};
use crate::error::{Error, ErrorKind, Result};
use crate::link::Link;
use crate::value::DataType;
use crate::waits;

/// An event whose answer is a `T`.
#[derive(Clone, Debug)]
pub struct Event<T, C = Client> {
    pub(crate) client: C,
    record: v1::Event,
    existed: bool,
    /// Whether people are told where to answer, as far as is known.
    is_told: Arc<AtomicBool>,
    answer: PhantomData<fn() -> T>,
}

impl<T: DataType, C> Event<T, C> {
    pub(crate) fn new(client: C, reply: v1::CreateEventResponse) -> Result<Self> {
        let record = present(reply.event)?;
        Ok(Self {
            client,
            record,
            existed: reply.existed,
            is_told: Arc::default(),
            answer: PhantomData,
        })
    }

    /// The event's id: 32 lower-case hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.record.id
    }

    /// The same as [`Event::id`].
    pub fn request_id(&self) -> &str {
        self.id()
    }

    /// What lists and logs call it.
    pub fn name(&self) -> &str {
        &self.record.name
    }

    /// The page where a person answers. A secret: whoever has it can answer this one event. Who looks at
    /// it tells people of it, so a wait does not.
    pub fn form_url(&self) -> &str {
        self.note_told();
        &self.record.form_url
    }

    /// Where a program answers with plain JSON. A secret like [`Event::form_url`].
    pub fn api_url(&self) -> &str {
        self.note_told();
        &self.record.api_url
    }

    /// The instant at which it times out, by the server's clock.
    pub fn deadline(&self) -> SystemTime {
        let deadline = self.record.deadline.unwrap_or_default();
        deadline.try_into().unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Which event it is, as JSON and without secrets: another process attaches to it by the `id`.
    pub fn to_json(&self) -> String {
        let v1::Event { id, namespace, name, deadline, .. } = &self.record;
        let deadline = deadline.map(|deadline| deadline.to_string());
        let existed = self.existed;
        let which = serde_json::json!({
            "id": id, "namespace": namespace, "name": name, "deadline": deadline, "existed": existed,
        });
        which.to_string()
    }

    /// Whether it had been created before, by an earlier start of this run or with the same
    /// idempotency key. It may have ended since: then [`Event::wait`] returns at once.
    pub fn existed(&self) -> bool {
        self.existed
    }

    /// The event as the API has it, as it stood when it was created.
    pub fn record(&self) -> &v1::Event {
        &self.record
    }

    /// Notes that the program tells people where to answer.
    pub(crate) fn note_told(&self) {
        self.is_told.store(true, Ordering::Relaxed);
    }

    /// Tells people once where to answer, by the client that waits.
    pub(crate) fn announce(&self, client: &Client) {
        if !self.is_told.swap(true, Ordering::Relaxed) {
            client.tell(&self.record);
        }
    }
}

impl<T: DataType> Event<T> {
    /// The server's address.
    pub fn endpoint(&self) -> String {
        self.client.endpoint()
    }

    /// Waits until the event ends, through lost connections and server restarts, and returns the
    /// answer; or, if it timed out, the default it was created with. Drop the future to stop waiting;
    /// the event stays. Prints to stderr where to answer, once, unless the program has looked at the link
    /// or [`crate::Config::announce`] is off.
    ///
    /// # Errors
    /// [`ErrorKind::Declined`], [`ErrorKind::Cancelled`] and [`ErrorKind::TimedOut`] if the event ended
    /// without a value; [`Error::response`] tells when, why and by whom.
    pub async fn wait(&self) -> Result<T> {
        self.announce(&self.client);
        outcome(waits::wait(&self.client, self.id()).await?)
    }

    /// Like [`Event::wait`], with what else was said: the comment, by whom and when.
    ///
    /// # Errors
    /// Those of [`Event::wait`].
    pub async fn wait_details(&self) -> Result<Details<T>> {
        self.announce(&self.client);
        details(waits::wait(&self.client, self.id()).await?)
    }

    /// Like [`Event::wait`], but at most for `limit`: none if the event has not ended by then. It stays, and
    /// can be waited for again. With a limit of zero it looks once, as [`Event::poll`] does.
    ///
    /// # Errors
    /// Those of [`Event::wait`].
    pub async fn wait_for(&self, limit: Duration) -> Result<Option<T>> {
        if limit.is_zero() {
            return self.poll().await;
        }
        timeout(limit, self.wait()).await.ok().transpose()
    }

    /// Looks whether the event has ended: what [`Event::wait`] would return, and none if it has not.
    ///
    /// # Errors
    /// Those of [`Event::wait`].
    pub async fn poll(&self) -> Result<Option<T>> {
        outcome_if_ended(self.client.get(self.id()).await?)
    }

    /// Makes a link by which the person called `responder` answers, good for as long as the event waits: whoever
    /// answers by it is recorded as that person. Who makes one tells people of it, so a wait does not.
    ///
    /// # Errors
    /// Those of [`Client::create_link`], which also makes links that expire.
    pub async fn link_for(&self, responder: &str) -> Result<Link> {
        let link = self.client.create_link(self.id(), responder, None).await?;
        self.note_told();
        Ok(link)
    }

    /// Withdraws the question. `reason` may be empty.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if the event ended otherwise, and those of reaching the server.
    pub async fn cancel(&self, reason: &str) -> Result<()> {
        self.client.cancel(self.id(), reason).await.map(drop)
    }
}

/// An answer, and what else was said. If nobody answered in time it is the default that the event was created with.
#[derive(Clone, Debug, PartialEq)]
pub struct Details<T> {
    /// The value.
    pub value: T,
    /// All of the final record: [`comment`](v1::Response::comment) is what the person said beside the value,
    /// `responder` who gave it.
    pub response: v1::Response,
}

/// What an ended event means to whoever waited for all of it.
pub(crate) fn details<T: DataType>(event: v1::Event) -> Result<Details<T>> {
    let response = event.response.clone().unwrap_or_default();
    Ok(Details { value: outcome(event)?, response })
}

/// What an event means to whoever looks whether it has ended.
pub(crate) fn outcome_if_ended<T: DataType>(event: v1::Event) -> Result<Option<T>> {
    if waits::is_final(&event) { outcome(event).map(Some) } else { Ok(None) }
}

/// What an ended event means to whoever waited for it.
pub(crate) fn outcome<T: DataType>(mut event: v1::Event) -> Result<T> {
    use v1::EventState::{Answered, Cancelled, Declined, TimedOut};
    let value = event.response.as_mut().and_then(|response| response.value.take());
    let input = event.input.take().and_then(|input| input.kind);
    match (event.state(), value, input) {
        (Answered | TimedOut, Some(value), Some(input)) => T::from_value(value, &input),
        (Declined, ..) => Err(Error::outcome(ErrorKind::Declined, &event)),
        (Cancelled, ..) => Err(Error::outcome(ErrorKind::Cancelled, &event)),
        (TimedOut, ..) => Err(Error::outcome(ErrorKind::TimedOut, &event)),
        (state, ..) => Err(Error::internal(format!("the server sent no value with {state:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_link_is_printed_with_its_event() {
        let record = v1::Event {
            name: "deploy".to_owned(),
            form_url: "http://127.0.0.1:4485/q/TOKEN".to_owned(),
            api_url: "http://127.0.0.1:4485/v1/links/TOKEN".to_owned(),
            ..Default::default()
        };
        let reply = v1::CreateEventResponse { event: Some(record), existed: false };
        let event = Event::<i64, ()>::new((), reply).unwrap();
        let printed = format!("{event:?}");
        assert!(printed.contains("deploy") && !printed.contains("TOKEN"), "{printed}");
        assert!(event.form_url().ends_with("TOKEN"));
    }
}
