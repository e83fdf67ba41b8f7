//! A stream that ends when the credential that began it is not good any more.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::{FutureExt, Stream};
use hitl_service::{Error, Standing};
use tonic::Status;

use crate::grpc::status::status;

/// The messages of `S` until then, and an error in their stead.
pub(crate) struct WhileGood<S> {
    /// Gone once the stream has ended so.
    stream: Option<S>,
    ended: BoxFuture<'static, ()>,
}

impl<S> WhileGood<S> {
    pub(super) fn new(stream: S, standing: Standing) -> Self {
        Self { stream: Some(stream), ended: async move { standing.ended().await }.boxed() }
    }
}

impl<S, T> Stream for WhileGood<S>
where
    S: Stream<Item = Result<T, Status>> + Unpin,
{
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.stream.is_some() && self.ended.poll_unpin(context).is_ready() {
            self.stream = None;
            return Poll::Ready(Some(Err(status(&Error::Unauthenticated))));
        }
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_next(context),
            None => Poll::Ready(None),
        }
    }
}
