//! The stream of a wait: the event as it stands, heartbeats, the ended event.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use futures::stream::BoxStream;
use hitl_proto::v1;
use hitl_proto::v1::wait_event_response::Update;
use tonic::Status;

use crate::api::Api;
use crate::grpc::status::status;
use crate::service::Wait;

/// The messages of one wait.
pub(crate) struct Updates(BoxStream<'static, Result<v1::WaitEventResponse, Status>>);

/// Where a wait stands.
enum Step {
    First,
    Waiting,
    Over,
}

impl Updates {
    pub(super) fn new(api: Api, wait: Wait, interval: Duration) -> Self {
        let begun = (Step::First, wait);
        Self(Box::pin(futures::stream::unfold(
            begun,
            move |(step, wait)| {
                let api = api.clone();
                async move {
                    let update = match step {
                        Step::First => Ok(Update::Event(api.to_proto(&wait.event))),
                        Step::Waiting => next(&api, &wait, interval).await,
                        Step::Over => return None,
                    };
                    let step = match &update {
                        Ok(Update::Event(event)) if event.response.is_some() => Step::Over,
                        Ok(_) => Step::Waiting,
                        Err(_) => Step::Over,
                    };
                    Some((
                        update.map(|update| v1::WaitEventResponse {
                            update: Some(update),
                        }),
                        (step, wait),
                    ))
                }
            },
        )))
    }
}

async fn next(api: &Api, wait: &Wait, interval: Duration) -> Result<Update, Status> {
    match tokio::time::timeout(interval, wait.ended()).await {
        Ok(Ok(event)) => Ok(Update::Event(api.to_proto(&event))),
        Ok(Err(error)) => Err(status(&error)),
        Err(_) => Ok(Update::Heartbeat(v1::Heartbeat {
            time: Some(api.proto_now()),
        })),
    }
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
