//! The stream of a watch: changes and bookmarks.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use futures::stream::{self, BoxStream};
use hitl_proto::v1;
use hitl_service::Watch;
use tokio::time::Instant;
use tonic::Status;

use crate::api::{Api, Caller};
use crate::grpc::status::status;
use crate::grpc::wait::past_deadline;

/// The messages of one watch.
pub(crate) struct Changes(BoxStream<'static, Result<v1::WatchEventsResponse, Status>>);

/// A watch that goes on. It ends with its first error.
struct Progress {
    api: Api,
    watch: Watch,
    caller: Caller,
    /// The deadline of the call, if the caller gave one. Our gRPC library does not end a call at its deadline.
    deadline: Option<Instant>,
}

impl Changes {
    pub(super) fn new(api: Api, watch: Watch, caller: Caller, deadline: Option<Instant>) -> Self {
        let begun = Some(Progress { api, watch, caller, deadline });
        Self(Box::pin(stream::unfold(begun, |progress| async {
            let mut progress = progress?;
            let message = progress.next().await;
            let rest = message.is_ok().then_some(progress);
            Some((message, rest))
        })))
    }
}

impl Progress {
    async fn next(&mut self) -> Result<v1::WatchEventsResponse, Status> {
        let next = self.watch.next();
        let watched = match self.deadline {
            Some(deadline) => tokio::time::timeout_at(deadline, next)
                .await
                .map_err(|_| past_deadline("the call's own deadline has passed"))?,
            None => next.await,
        };
        Ok(self.api.watched(watched.map_err(|error| status(&error))?, &self.caller).await)
    }
}

impl Stream for Changes {
    type Item = Result<v1::WatchEventsResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Changes")
    }
}
