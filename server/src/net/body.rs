//! Bodies that pay for their bytes from the budget: a request's as it arrives, a reply's until its last byte is sent.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::budget::{Call, Due, Full, Lease};

/// Time for the body of a request, beside a second for every 16 KiB of it that has come.
const BODY_TIME: Duration = Duration::from_secs(20);
/// Longest that a body may take, however much of it comes.
const BODY_TIME_MAX: Duration = Duration::from_secs(300);
/// Time to read a part of a reply, beside a second for every 16 KiB of it.
const REPLY_TIME: Duration = Duration::from_secs(30);
/// The slowest that a peer may send or read, in bytes a second.
const RATE_MIN: usize = 16 * 1024;
/// How many bytes of memory a byte of a body takes: itself, what it is decoded to, and the record that is made of it.
const BODY_FACTOR: usize = 3;
/// A reply that is shorter is sent from where it was made.
const FITTED_MIN: usize = 64 * 1024;

/// Why a body did not come whole.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The peer took too long.
    #[error("the body took too long: send it whole within 20 s, or at 16 KiB a second")]
    TooSlow,
    /// The budget is short.
    #[error(transparent)]
    Full(#[from] Full),
    /// The connection broke, or the peer gave up.
    #[error("the body broke off: {0}")]
    Broken(hyper::Error),
}

/// The body of a request.
#[derive(Debug)]
pub struct RequestBody {
    inner: Incoming,
    call: Call,
    /// Bytes that were paid for when the head announced them.
    announced: usize,
    received: usize,
    /// None between two messages of a body that goes on as long as its call.
    begun: Option<Instant>,
    late: Option<Pin<Box<Sleep>>>,
    /// Messages of such a body that were read when it was last looked at.
    messages: u64,
}

impl RequestBody {
    /// The body `inner` of `call`, whose head announced so many bytes.
    ///
    /// # Errors
    /// [`Full`] if there is no room for what is announced.
    pub(super) fn new(inner: Incoming, call: Call, bytes_max: usize) -> Result<Self, Full> {
        let announced = inner.size_hint().lower();
        // A larger body is refused later for its size, which is a better error than a lack of room.
        let announced = usize::try_from(announced).unwrap_or(usize::MAX).min(bytes_max);
        call.take(announced * BODY_FACTOR)?;
        if !inner.is_end_stream() {
            call.owes_body(BODY_TIME_MAX);
        }
        let begun = Some(Instant::now());
        Ok(Self { inner, call, announced, received: 0, begun, late: None, messages: 0 })
    }

    /// Begins anew if a message was read: each message of a stream counts as a body of its own.
    fn settle(&mut self) {
        let messages = self.call.messages();
        if messages != self.messages {
            self.messages = messages;
            self.call.give_back(self.received.max(self.announced) * BODY_FACTOR);
            (self.announced, self.received) = (0, 0);
            (self.begun, self.late) = (None, None);
        }
    }

    fn received(&mut self, bytes: usize) -> Result<(), Full> {
        if self.messages > 0 {
            self.begun.get_or_insert_with(Instant::now);
            self.call.owes_body(BODY_TIME_MAX);
        }
        self.received += bytes;
        let unpaid = self.received.saturating_sub(self.announced).min(bytes);
        self.call.take(unpaid * BODY_FACTOR)
    }

    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        let Some(begun) = self.begun else {
            return false;
        };
        let time = BODY_TIME + at_least_rate(self.received);
        let by = begun + time.min(BODY_TIME_MAX);
        let late = self.late.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(by)));
        if late.deadline() != by {
            late.as_mut().reset(by);
        }
        late.as_mut().poll(context).is_ready()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.call.body_came();
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.settle();
        let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) else {
            let late = self.is_late(context);
            return if late { Poll::Ready(Some(Err(BodyError::TooSlow))) } else { Poll::Pending };
        };
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(BodyError::Broken(error)))),
            None => {
                self.call.body_came();
                return Poll::Ready(None);
            }
        };
        if let Some(data) = frame.data_ref()
            && let Err(full) = self.received(data.len())
        {
            return Poll::Ready(Some(Err(full.into())));
        }
        if self.inner.is_end_stream() {
            self.call.body_came();
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The body of a reply.
#[derive(Debug)]
pub struct ReplyBody<B> {
    inner: B,
    /// None for the reply to a call that was refused, which is small.
    call: Option<Call>,
    /// The encoder of a stream keeps the room of its largest message, for as long as the stream lasts.
    kept: Option<Lease>,
    kept_bytes: usize,
}

/// A part of a reply, which the peer has to read in time.
struct Part {
    bytes: Bytes,
    _lease: Lease,
    _due: Due,
}

impl<B> ReplyBody<B> {
    pub(super) fn new(inner: B, call: Option<Call>) -> Self {
        Self { inner, call, kept: None, kept_bytes: 0 }
    }
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for ReplyBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        let Some(call) = self.call.clone() else {
            return polled;
        };
        polled.map_ok(|frame| {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            if bytes > self.kept_bytes {
                self.kept_bytes = bytes;
                self.kept = Some(call.reply(bytes));
            }
            frame.map_data(|bytes| watched(&call, bytes))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// `bytes` that hold their part of the budget, and that the peer owes to read, until whoever sends them drops them.
fn watched(call: &Call, bytes: Bytes) -> Bytes {
    if bytes.is_empty() {
        return bytes;
    }
    let bytes = fitted(bytes);
    let lease = call.reply(bytes.len());
    let due = call.account().owes(REPLY_TIME + at_least_rate(bytes.len()));
    Bytes::from_owner(Part { bytes, _lease: lease, _due: due })
}

/// The same bytes without the room in which they grew, if that is much: a peer that reads slowly has it held for long,
/// and pays only for the bytes.
fn fitted(bytes: Bytes) -> Bytes {
    if bytes.len() < FITTED_MIN {
        return bytes;
    }
    match bytes.try_into_mut() {
        Ok(grown) if grown.capacity() - grown.len() > grown.len() / 8 => {
            Bytes::copy_from_slice(&grown)
        }
        Ok(grown) => grown.freeze(),
        // Others hold them as well, and pay for them.
        Err(bytes) => bytes,
    }
}

/// How long a peer may take for `bytes`.
fn at_least_rate(bytes: usize) -> Duration {
    Duration::from_secs((bytes / RATE_MIN) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The room that `bytes` take.
    fn room(bytes: Bytes) -> usize {
        bytes.try_into_mut().expect("nobody else has them").capacity()
    }

    #[test]
    fn a_long_reply_is_held_without_the_room_in_which_it_grew() {
        let grown = || {
            let mut text = Vec::with_capacity(2 * FITTED_MIN);
            text.resize(FITTED_MIN, b'x');
            Bytes::from(text)
        };
        assert!(room(grown()) >= 2 * FITTED_MIN);
        assert_eq!(room(fitted(grown())), FITTED_MIN);
        assert_eq!(fitted(grown()), grown());
    }
}
