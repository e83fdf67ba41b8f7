//! The stream of a client on which it holds many waits, and adds and removes others all the time.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hitl_proto::v1::wait_events_response::Update;
use hitl_proto::v1::{self, ErrorReason};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Code, Status, Streaming};

use super::call::classify;
use super::lines::Lines;
use crate::history::{Outcome, View};

/// See the module.
#[derive(Debug, Default)]
pub struct SharedStream {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Where messages to the server go, while there is a stream.
    say: Option<mpsc::UnboundedSender<v1::WaitEventsRequest>>,
    told: HashMap<String, Vec<oneshot::Sender<Outcome>>>,
    /// What is waited for only to be removed again.
    passing: BTreeSet<String>,
}

impl SharedStream {
    /// Adds a wait; completes with what came of it.
    pub async fn wait(self: &Arc<Self>, lines: &Lines, event: &str) -> oneshot::Receiver<Outcome> {
        let (sender, told) = oneshot::channel();
        {
            let mut state = self.state();
            state.passing.remove(event);
            state.told.entry(event.to_owned()).or_default().push(sender);
            if let Some(say) = &state.say {
                // A stream that is gone tells its waits so by itself.
                let _ = say.send(add(event));
                return told;
            }
        }
        self.open(lines).await;
        told
    }

    /// Adds waits for `events` and removes those of the last time.
    pub fn pass_by(&self, events: impl IntoIterator<Item = String>) {
        let mut state = self.state();
        let before = std::mem::take(&mut state.passing);
        let waits = events.into_iter().filter(|event| !state.told.contains_key(event));
        let passing: BTreeSet<_> = waits.filter(|event| !before.contains(event)).collect();
        let message = v1::WaitEventsRequest {
            add: passing.iter().map(|event| key(event)).collect(),
            remove: before.iter().map(|event| key(event)).collect(),
            heartbeat_interval: None,
        };
        if let Some(say) = &state.say {
            let _ = say.send(message);
            state.passing = passing;
        }
    }

    async fn open(self: &Arc<Self>, lines: &Lines) {
        let (say, said) = mpsc::unbounded_channel();
        {
            let mut state = self.state();
            if state.say.is_some() {
                return;
            }
            state.told.keys().for_each(|event| drop(say.send(add(event))));
            state.say = Some(say);
        }
        let (stream, mut client) = (self.clone(), lines.pick());
        tokio::spawn(async move {
            let opened = client.wait_events(UnboundedReceiverStream::new(said)).await;
            let end = match opened {
                Ok(reply) => stream.follow(reply.into_inner()).await,
                Err(status) => status,
            };
            let outcome = match end.code() {
                // A server of a version that has no such streams: the next connection may lead to another.
                Code::Unimplemented => Outcome::Unreached,
                _ => classify(&end),
            };
            let lost = std::mem::take(&mut *stream.state());
            for told in lost.told.into_values().flatten() {
                let _ = told.send(outcome.clone());
            }
        });
    }

    /// Tells what comes until the stream breaks, and returns why it did.
    async fn follow(&self, mut stream: Streaming<v1::WaitEventsResponse>) -> Status {
        loop {
            let update = match stream.message().await {
                Ok(Some(message)) => message.update,
                Ok(None) => return Status::data_loss("a stream of waits ended by itself"),
                Err(status) => return status,
            };
            match update {
                Some(Update::Event(event)) => {
                    self.tell(&event.id.clone(), &Outcome::Seen(View::from(&event)));
                }
                Some(Update::Failed(v1::FailedWait { key: Some(key), failure: Some(failure) })) => {
                    self.tell(&key.event_id, &failed(&failure));
                }
                Some(Update::Heartbeat(_)) => {}
                other => return Status::data_loss(format!("a message that says {other:?}")),
            }
        }
    }

    fn tell(&self, event: &str, outcome: &Outcome) {
        let mut state = self.state();
        state.passing.remove(event);
        for told in state.told.remove(event).into_iter().flatten() {
            let _ = told.send(outcome.clone());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(event: &str) -> v1::EventKey {
    v1::EventKey { event_id: event.to_owned(), ..Default::default() }
}

fn add(event: &str) -> v1::WaitEventsRequest {
    v1::WaitEventsRequest { add: vec![key(event)], ..Default::default() }
}

fn failed(failure: &v1::Failure) -> Outcome {
    match failure.reason() {
        ErrorReason::EventNotFound => Outcome::NotFound,
        ErrorReason::Overloaded | ErrorReason::TooManyWaiters => Outcome::Busy,
        reason @ (ErrorReason::ShuttingDown | ErrorReason::StoreUnavailable) => {
            Outcome::Unknown(reason.as_str_name().to_owned())
        }
        reason => Outcome::Fault(format!("{}: {}", reason.as_str_name(), failure.message)),
    }
}
