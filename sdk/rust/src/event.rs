//! An event that was created, and its typed outcome.

use std::marker::PhantomData;
use std::time::SystemTime;

use hitl_proto::{v1, visible};

use crate::client::{Client, present};
use crate::error::{Error, ErrorKind, Result};
use crate::value::DataType;
use crate::waits;

/// An event whose answer is a `T`.
#[derive(Clone, Debug)]
pub struct Event<T, C = Client> {
    pub(crate) client: C,
    record: v1::Event,
    existed: bool,
    answer: PhantomData<fn() -> T>,
}

impl<T: DataType, C> Event<T, C> {
    pub(crate) fn new(client: C, reply: v1::CreateEventResponse) -> Result<Self> {
        let record = present(reply.event)?;
        Ok(Self { client, record, existed: reply.existed, answer: PhantomData })
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

    /// The page where a person answers. A secret: whoever has it can answer this one event.
    pub fn form_url(&self) -> &str {
        &self.record.form_url
    }

    /// Where a program answers with plain JSON. A secret like [`Event::form_url`].
    pub fn api_url(&self) -> &str {
        &self.record.api_url
    }

    /// The instant at which it times out, by the server's clock.
    pub fn deadline(&self) -> SystemTime {
        let deadline = self.record.deadline.unwrap_or_default();
        deadline.try_into().unwrap_or(SystemTime::UNIX_EPOCH)
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

    pub(crate) fn announce(&self) {
        if !waits::is_final(&self.record) {
            let (name, link) = (visible::line(self.name()), visible::line(self.form_url()));
            match self.form_url() {
                // Whoever has a token that may hand out links can say where.
                "" => eprintln!("hitl: \"{name}\" ({}) waits for an answer", self.id()),
                _ => eprintln!("hitl: \"{name}\" waits for an answer at {link}"),
            }
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
    /// the event stays.
    ///
    /// # Errors
    /// [`ErrorKind::Declined`], [`ErrorKind::Cancelled`] and [`ErrorKind::TimedOut`] if the event ended
    /// without a value; [`Error::response`] tells when, why and by whom.
    pub async fn wait(&self) -> Result<T> {
        outcome(waits::wait(&self.client, self.id()).await?)
    }

    /// Withdraws the question. `reason` may be empty.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if the event ended otherwise, and those of reaching the server.
    pub async fn cancel(&self, reason: &str) -> Result<()> {
        self.client.cancel(self.id(), reason).await.map(drop)
    }
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
            form_url: "http://127.0.0.1:4485/form/0192f0c1/TOKEN".to_owned(),
            api_url: "http://127.0.0.1:4485/v1/links/0192f0c1/TOKEN".to_owned(),
            ..Default::default()
        };
        let reply = v1::CreateEventResponse { event: Some(record), existed: false };
        let event = Event::<i64, ()>::new((), reply).unwrap();
        let printed = format!("{event:?}");
        assert!(printed.contains("deploy") && !printed.contains("TOKEN"), "{printed}");
        assert!(event.form_url().ends_with("TOKEN"));
    }
}
