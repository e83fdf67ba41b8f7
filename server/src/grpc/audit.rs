//! The stream of whoever follows the audit.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use futures::stream::{self, BoxStream};
use hitl_proto::v1;
use hitl_service::AuditFollow;
use tonic::Status;

use crate::api::audit::followed;
use crate::grpc::status::status;

/// New entries, as they come. The stream ends with its first error.
pub(crate) struct Entries(BoxStream<'static, Result<v1::FollowAuditResponse, Status>>);

impl Entries {
    pub(super) fn new(follow: AuditFollow) -> Self {
        Self(Box::pin(stream::unfold(Some(follow), |follow| async {
            let mut follow = follow?;
            let next = follow.next().await;
            let rest = next.is_ok().then_some(follow);
            Some((next.map(followed).map_err(|error| status(&error)), rest))
        })))
    }
}

impl Stream for Entries {
    type Item = Result<v1::FollowAuditResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}
