//! The stream of a client on which it holds many waits, and adds and removes others all the time.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hitl_proto::v1::event_service_client::EventServiceClient;
use hitl_proto::v1::wait_events_response::Update;
use hitl_proto::v1::{self, ErrorReason};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

use super::call::classify;
use super::tally::Tally;
use crate::history::{Outcome, View};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct SharedStream {
    state: Mutex<State>,
    tally: Arc<Tally>,
    /// Waits are not said to the server: a fault that the checker must find.
    is_silent: bool,
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
    /// A stream that is not open yet, and counts into `tally`.
    pub(super) fn new(tally: Arc<Tally>) -> Self {
        Self { tally, ..Self::default() }
    }

    /// A stream on which no wait is said to the server.
    pub(super) fn silent() -> Self {
        Self { is_silent: true, ..Self::default() }
    }

    /// Adds a wait; completes with what came of it.
    ///
    /// It is said on the stream that is open; without one, `client` opens one and says all there.
    pub(super) fn wait(
        self: &Arc<Self>,
        client: EventServiceClient<Channel>,
        event: &str,
    ) -> oneshot::Receiver<Outcome> {
        let (sender, told) = oneshot::channel();
        let mut state = self.state();
        state.passing.remove(event);
        state.told.entry(event.to_owned()).or_default().push(sender);
        match &state.say {
            Some(say) => self.add(say, event),
            None => self.open(client, &mut state),
        }
        told
    }

    /// Adds waits for `events` and removes those of the last time.
    pub(super) fn pass_by(&self, events: impl IntoIterator<Item = String>) {
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
            self.tally.said(passing.len(), before.len());
            let _ = say.send(message);
            state.passing = passing;
        }
    }

    /// Says that `event` is waited for.
    fn add(&self, say: &mpsc::UnboundedSender<v1::WaitEventsRequest>, event: &str) {
        if !self.is_silent {
            self.tally.said(1, 0);
            let message = v1::WaitEventsRequest { add: vec![key(event)], ..Default::default() };
            // A stream that is gone tells its waits so by itself.
            let _ = say.send(message);
        }
    }

    fn open(self: &Arc<Self>, mut client: EventServiceClient<Channel>, state: &mut State) {
        let (say, said) = mpsc::unbounded_channel();
        state.told.keys().for_each(|event| self.add(&say, event));
        state.say = Some(say);
        self.tally.stream();
        let stream = self.clone();
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
        let waits = state.told.remove(event).unwrap_or_default();
        self.tally.told(waits.len());
        for told in waits {
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
