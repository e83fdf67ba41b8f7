//! The stream of many waits: what has ended, what failed, heartbeats.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, Stream};
use hitl_proto::v1;
use hitl_proto::v1::wait_events_response::Update;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tonic::{Status, Streaming};

use crate::api::Waits;
use crate::budget::Call;
use crate::grpc::status::status;
use crate::grpc::wait::past_deadline;
use hitl_service::error::Error;

/// The messages of one stream of waits.
pub(crate) struct WaitsUpdates(BoxStream<'static, Result<v1::WaitEventsResponse, Status>>);

/// A stream of waits, and how far it has come.
struct Progress {
    waits: Arc<Waits>,
    /// Follows the caller, and reads what it adds: one task for all waits. Completes when the caller breaks off.
    intake: AbortOnDropHandle<Status>,
    next: BoxFuture<'static, Result<Option<Update>, Error>>,
    last_sent: Instant,
    deadline: Option<Instant>,
    is_over: bool,
}

impl WaitsUpdates {
    pub(super) fn new(
        waits: Waits,
        asked: Streaming<v1::WaitEventsRequest>,
        call: Option<Call>,
        deadline: Option<Instant>,
    ) -> Self {
        let waits = Arc::new(waits);
        if let Some(call) = &call {
            // A caller that has nothing to add yet is not late with its next message.
            call.message_came();
        }
        let intake = AbortOnDropHandle::new(tokio::spawn(intake(waits.clone(), asked, call)));
        let next = next(waits.clone());
        let last_sent = Instant::now();
        let begun = Progress { waits, intake, next, last_sent, deadline, is_over: false };
        Self(Box::pin(stream::unfold(begun, Progress::advance)))
    }
}

/// Follows what the caller adds and removes, and reads it, until the caller breaks off or breaks a rule.
async fn intake(
    waits: Arc<Waits>,
    asked: Streaming<v1::WaitEventsRequest>,
    call: Option<Call>,
) -> Status {
    tokio::select! {
        status = follow(&waits, asked, call) => status,
        never = waits.look() => match never {},
    }
}

async fn follow(
    waits: &Waits,
    mut asked: Streaming<v1::WaitEventsRequest>,
    call: Option<Call>,
) -> Status {
    loop {
        waits.ready().await;
        let message = match asked.message().await {
            Ok(Some(message)) => message,
            Ok(None) => break,
            Err(_) if call.as_ref().is_some_and(Call::has_overrun) => {
                return status(&Error::Overloaded);
            }
            Err(broken) => return broken,
        };
        if let Some(call) = &call {
            call.message_came();
        }
        if let Err(error) = waits.take(message) {
            return status(&error);
        }
        // Other connections have their turn, however much this caller adds.
        tokio::task::yield_now().await;
    }
    waits.close();
    std::future::pending().await
}

/// The next message, as a future that is kept until it completes, so that no heartbeat interrupts a read.
fn next(waits: Arc<Waits>) -> BoxFuture<'static, Result<Option<Update>, Error>> {
    async move { waits.next().await }.boxed()
}

impl Progress {
    async fn advance(mut self) -> Option<(Result<v1::WaitEventsResponse, Status>, Self)> {
        if self.is_over {
            return None;
        }
        let update = self.update().await.transpose()?;
        self.is_over = update.is_err();
        self.last_sent = Instant::now();
        let message = update.map(|update| v1::WaitEventsResponse { update: Some(update) });
        Some((message, self))
    }

    /// The next message; nothing at the end of the stream.
    async fn update(&mut self) -> Result<Option<Update>, Status> {
        loop {
            let heartbeat = self.last_sent + self.waits.interval();
            let wake = self.deadline.map_or(heartbeat, |deadline| deadline.min(heartbeat));
            tokio::select! {
                biased;
                told = &mut self.next => {
                    self.next = next(self.waits.clone());
                    return told.map_err(|error| status(&error));
                }
                broken = &mut self.intake => {
                    return Err(broken.unwrap_or_else(|panic| {
                        status(&Error::Internal(panic.to_string()))
                    }));
                }
                () = self.waits.begun() => {}
                () = tokio::time::sleep_until(wake) => {
                    return if self.deadline == Some(wake) {
                        Err(past_deadline("the call's own deadline has passed; the events still wait"))
                    } else {
                        Ok(Some(self.waits.heartbeat()))
                    };
                }
            }
        }
    }
}

impl Stream for WaitsUpdates {
    type Item = Result<v1::WaitEventsResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for WaitsUpdates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WaitsUpdates")
    }
}
