//! One waiter: it holds a stream, and after every kill another, until it is told how the event ended.

use std::sync::Arc;

use hitl_proto::v1::wait_event_response::Update;
use hitl_proto::v1::{GetEventRequest, WaitEventRequest, WaitEventResponse};
use tokio::time::timeout;
use tonic::{Status, Streaming};

use super::call::{CALL_LIMIT, classify};
use super::client::{Shared, back_off};
use super::lines::Lines;
use super::shared::SharedStream;
use crate::history::{Op, Outcome, Record, Stamp, View};

/// What the clients are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Make calls and wait.
    Load,
    /// Make no more calls, but wait.
    Quiet,
    /// Give up the waits.
    End,
}

/// See the module.
#[derive(Debug)]
pub struct Wait {
    /// Tells this wait from all others.
    pub number: u64,
    /// Whose wait it is.
    pub client: usize,
    /// What is waited for.
    pub event: String,
    /// How the server is reached.
    pub lines: Arc<Lines>,
    /// The stream of the client's waits, if this one is to be held there.
    pub stream: Option<Arc<SharedStream>>,
    /// What all clients share.
    pub shared: Shared,
}

impl Wait {
    /// Waits until it is told, or until waits are to be given up.
    pub async fn run(self) {
        let begun = self.shared.recorder.stamp();
        let mut end = self.shared.phase.clone();
        let told = self.until_told();
        tokio::select! {
            () = told => {}
            _ = end.wait_for(|phase| *phase == Phase::End) => {
                let op = Op::WaitEnd { wait: self.number };
                self.record(op, begun, Outcome::Abandoned);
            }
        }
    }

    async fn until_told(&self) {
        loop {
            match self.stream().await {
                Outcome::Unknown(_) | Outcome::Unreached => back_off(&self.shared).await,
                // Told, or refused for good.
                _ => return,
            }
        }
    }

    async fn stream(&self) -> Outcome {
        match &self.stream {
            Some(stream) => self.on(stream).await,
            None => self.alone().await,
        }
    }

    /// On a stream with others. It does not say how the event stands, so that is asked once the wait was added.
    async fn on(&self, stream: &Arc<SharedStream>) -> Outcome {
        let invoked = self.shared.recorder.stamp();
        let told = stream.wait(&self.lines, &self.event).await;
        let request = GetEventRequest { event_id: self.event.clone(), ..Default::default() };
        let outcome = match timeout(CALL_LIMIT, self.lines.pick().get_event(request)).await {
            Ok(Ok(reply)) => match reply.into_inner().event {
                Some(event) => Outcome::Seen(View::from(&event)),
                None => Outcome::Fault("a reply without an event".to_owned()),
            },
            Ok(Err(status)) => classify(&status),
            Err(_) => Outcome::Unknown(format!("no message in {CALL_LIMIT:?}")),
        };
        let attached = self.record(Op::WaitFirst { wait: self.number }, invoked, outcome.clone());
        if !matches!(&outcome, Outcome::Seen(view) if view.end.is_none()) {
            return outcome;
        }
        let broken = |_| Outcome::Unknown("the stream is gone".to_owned());
        let outcome = told.await.unwrap_or_else(broken);
        self.record(Op::WaitEnd { wait: self.number }, attached, outcome.clone());
        outcome
    }

    async fn alone(&self) -> Outcome {
        let invoked = self.shared.recorder.stamp();
        let first = timeout(CALL_LIMIT, self.attach()).await;
        let (outcome, stream) = match first {
            Ok(Ok((view, stream))) => (Outcome::Seen(view), Some(stream)),
            Ok(Err(status)) => (classify(&status), None),
            Err(_) => (Outcome::Unknown(format!("no message in {CALL_LIMIT:?}")), None),
        };
        let attached = self.record(Op::WaitFirst { wait: self.number }, invoked, outcome.clone());
        match stream {
            Some(stream) if outcome.end().is_none() => {
                let outcome = last(stream).await;
                self.record(Op::WaitEnd { wait: self.number }, attached, outcome.clone());
                outcome
            }
            _ => outcome,
        }
    }

    async fn attach(&self) -> Result<(View, Streaming<WaitEventResponse>), Status> {
        let request = WaitEventRequest { event_id: self.event.clone(), ..Default::default() };
        let mut stream = self.lines.pick().wait_event(request).await?.into_inner();
        match stream.message().await?.and_then(|message| message.update) {
            Some(Update::Event(event)) => Ok((View::from(&event), stream)),
            _ => Err(Status::data_loss("the first message is no event")),
        }
    }

    fn record(&self, op: Op, invoked: Stamp, outcome: Outcome) -> Stamp {
        let returned = self.shared.recorder.stamp();
        self.shared.recorder.push(Record {
            client: self.client,
            event: Some(self.event.clone()),
            op,
            invoked,
            returned,
            outcome,
        });
        returned
    }
}

/// Reads a stream to its end, which must be an ended event.
async fn last(mut stream: Streaming<WaitEventResponse>) -> Outcome {
    let mut told = None;
    loop {
        let message = match stream.message().await {
            Ok(Some(message)) => message.update,
            // Once told, the waiter does not care how the stream goes.
            Ok(None) => {
                return told.unwrap_or_else(|| Outcome::Fault("a stream ended early".to_owned()));
            }
            Err(status) => return told.unwrap_or_else(|| classify(&status)),
        };
        match message {
            Some(Update::Event(event)) if told.is_some() => {
                return Outcome::Fault(format!("a message after the end: {event:?}"));
            }
            Some(Update::Event(event)) => {
                let view = View::from(&event);
                if view.end.is_some() {
                    told = Some(Outcome::Seen(view));
                }
            }
            Some(Update::Heartbeat(_)) => {}
            None => return Outcome::Fault("a message without an update".to_owned()),
        }
    }
}
