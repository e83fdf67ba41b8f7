//! The stream of a wait: the event as it stands, heartbeats, what is said and voted if that is wanted, the ended event.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use futures::stream::{self, BoxStream};
use hitl_proto::v1;
use hitl_proto::v1::wait_event_response::Update;
use tokio::time::Instant;
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::api::{Api, Caller, News, Sent, Waiting};
use crate::grpc::status::status;
use hitl_service::Wait;

/// The messages of one wait.
pub(crate) struct Updates(BoxStream<'static, Result<v1::WaitEventResponse, Status>>);

/// A wait, and how far it has come.
struct Progress {
    api: Api,
    wait: Wait,
    caller: Caller,
    interval: Duration,
    /// The deadline of the call, if the caller gave one. Our gRPC library does not end a call at its deadline.
    deadline: Option<Instant>,
    /// What was sent of votes and comments, if they are wanted. It is boxed, since most do not want them.
    sent: Option<Box<Sent>>,
    /// What is to be sent next.
    news: VecDeque<News>,
    step: Step,
}

enum Step {
    /// The event as it stands is to be sent. It is boxed, since the other steps do not need the room.
    First(Box<v1::Event>),
    Waiting,
    Over,
}

impl Updates {
    pub(super) fn new(api: Api, waiting: Waiting, deadline: Option<Instant>) -> Self {
        let Waiting { first, wait, caller, interval, updates } = waiting;
        let step = Step::First(Box::new(first));
        let sent = updates.then(Box::default);
        let news = VecDeque::new();
        let begun = Progress { api, wait, caller, interval, deadline, sent, news, step };
        Self(Box::pin(stream::unfold(begun, Progress::advance)))
    }
}

impl Progress {
    async fn advance(mut self) -> Option<(Result<v1::WaitEventResponse, Status>, Self)> {
        let update = match std::mem::replace(&mut self.step, Step::Over) {
            Step::First(event) => Ok(Update::Event(*event)),
            Step::Waiting => self.next().await,
            Step::Over => return None,
        };
        self.step = match &update {
            Ok(Update::Event(event)) if event.response.is_some() => Step::Over,
            Ok(_) => Step::Waiting,
            Err(_) => Step::Over,
        };
        let message = update.map(|update| v1::WaitEventResponse { update: Some(update) });
        Some((message, self))
    }

    async fn next(&mut self) -> Result<Update, Status> {
        let heartbeat = Instant::now() + self.interval;
        let wake = self.deadline.map_or(heartbeat, |deadline| deadline.min(heartbeat));
        let Self { api, wait, caller, sent, news, .. } = self;
        let next = async {
            loop {
                if let Some(news) = news.pop_front() {
                    return Ok(match news {
                        News::Event(event) => Update::Event(*event),
                        News::Comment(comment) => Update::Comment(comment),
                    });
                }
                let outdated = async {
                    match sent.as_mut() {
                        Some(sent) => sent.outdated(wait).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    ended = wait.ended() => {
                        return Ok(Update::Event(api.deliver(&ended?, caller).await));
                    }
                    () = outdated => {}
                }
                if let Some(sent) = sent.as_mut() {
                    news.extend(api.news(wait, sent, caller).await?);
                }
            }
        };
        match tokio::time::timeout_at(wake, next).await {
            Ok(Ok(update)) => Ok(update),
            Ok(Err(error)) => Err(status(&error)),
            Err(_) if self.deadline == Some(wake) => {
                Err(past_deadline("the call's own deadline has passed; the event still waits"))
            }
            Err(_) => Ok(Update::Heartbeat(v1::Heartbeat { time: Some(self.api.proto_now()) })),
        }
    }
}

/// The status of a call whose deadline has passed.
pub(super) fn past_deadline(message: &str) -> Status {
    Status::deadline_exceeded(message)
}

/// The instant that the caller's `grpc-timeout` leads to, if it sent one: up to 8 digits and a unit.
pub(super) fn deadline(metadata: &MetadataMap) -> Option<Instant> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    Instant::now().checked_add(timeout(text)?)
}

fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u32 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    let unit = match unit {
        "H" => Duration::from_secs(3600),
        "M" => Duration::from_secs(60),
        "S" => Duration::from_secs(1),
        "m" => Duration::from_millis(1),
        "u" => Duration::from_micros(1),
        "n" => Duration::from_nanos(1),
        _ => return None,
    };
    Some(unit * number)
}

impl Stream for Updates {
    type Item = Result<v1::WaitEventResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for Updates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Updates")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_in_every_unit_and_nothing_else_is() {
        assert_eq!(timeout("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(timeout("99999999m"), Some(Duration::from_millis(99_999_999)));
        assert_eq!(timeout("1n"), Some(Duration::from_nanos(1)));
        for bad in ["", "5", "S", "999999999S", "-1S", "1.5S", "5s", "\u{e9}"] {
            assert_eq!(timeout(bad), None, "{bad:?}");
        }
    }
}
