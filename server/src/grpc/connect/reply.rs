//! Replies of gRPC as replies of Connect.

use ::http::{HeaderMap, Response};
use bytes::{Buf, Bytes, BytesMut};
use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use prost_reflect::{MessageDescriptor, MethodDescriptor};
use tonic::body::Body;
use tonic::{Code, Status};

use super::form::{Form, end, frame};
use super::{FRAME_HEAD_BYTES, body};

/// `reply` in that form.
pub(super) async fn of_grpc(
    form: Form,
    method: &MethodDescriptor,
    reply: Response<Body>,
) -> Response<Body> {
    if let Some(status) = failed(reply.headers()) {
        return form.failure(&status).map(body);
    }
    if form.is_stream() {
        return form.reply(streamed(form, method.output(), reply.into_body()));
    }
    match unary(form, method, reply.into_body()).await {
        Ok(message) => form.reply(body(message)),
        Err(status) => form.failure(&status).map(body),
    }
}

/// Why the call failed, as far as these headers or trailers say.
fn failed(headers: &HeaderMap) -> Option<Status> {
    Status::from_header_map(headers).filter(|status| status.code() != Code::Ok)
}

/// The one message of a reply.
async fn unary(form: Form, method: &MethodDescriptor, body: Body) -> Result<Bytes, Status> {
    let whole = body.collect().await.map_err(|error| Status::from_error(error.into()))?;
    if let Some(status) = whole.trailers().and_then(failed) {
        return Err(status);
    }
    let mut bytes = BytesMut::from(whole.to_bytes());
    let message = next(&mut bytes).ok_or_else(|| Status::internal("the reply has no message"))?;
    form.write(&method.output(), message)
}

/// What a stream is at.
struct Progress {
    form: Form,
    kind: MessageDescriptor,
    source: Body,
    /// What has come, and is no whole frame yet.
    bytes: BytesMut,
    has_ended: bool,
}

/// The messages of a reply, and then how it ended.
fn streamed(form: Form, kind: MessageDescriptor, source: Body) -> Body {
    let progress = Progress { form, kind, source, bytes: BytesMut::new(), has_ended: false };
    let frames = stream::unfold(progress, |mut progress| async move {
        let sent = progress.advance().await?;
        Some((Ok::<_, Status>(Frame::data(sent)), progress))
    });
    Body::new(StreamBody::new(frames))
}

impl Progress {
    /// What is sent next; `None` after the last frame.
    async fn advance(&mut self) -> Option<Bytes> {
        while !self.has_ended {
            let status = match self.source.frame().await {
                Some(Ok(part)) => match part.into_data() {
                    Ok(data) => match self.written(&data) {
                        Ok(None) => continue,
                        Ok(sent) => return sent,
                        Err(status) => Some(status),
                    },
                    Err(part) => part.trailers_ref().and_then(failed),
                },
                Some(Err(status)) => Some(status),
                None => Some(Status::unavailable("the stream broke off")),
            };
            self.has_ended = true;
            return Some(end(status.as_ref()));
        }
        None
    }

    /// The messages that have come whole with `data`, in frames.
    fn written(&mut self, data: &[u8]) -> Result<Option<Bytes>, Status> {
        self.bytes.extend_from_slice(data);
        let mut frames = BytesMut::new();
        while let Some(message) = next(&mut self.bytes) {
            frames.extend_from_slice(&frame(0, &self.form.write(&self.kind, message)?));
        }
        Ok((!frames.is_empty()).then(|| frames.freeze()))
    }
}

/// Takes the next whole message out of the frames of gRPC.
fn next(bytes: &mut BytesMut) -> Option<Bytes> {
    let [_, length @ ..] = *bytes.first_chunk::<FRAME_HEAD_BYTES>()?;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
    if bytes.len() < FRAME_HEAD_BYTES + length {
        return None;
    }
    bytes.advance(FRAME_HEAD_BYTES);
    Some(bytes.split_to(length).freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_once_they_are_whole() {
        let mut bytes = BytesMut::from(&b"\0\0\0\0\x02ab\0\0\0\0\x01"[..]);
        assert_eq!(next(&mut bytes).as_deref(), Some(&b"ab"[..]));
        assert_eq!(next(&mut bytes), None);
        bytes.extend_from_slice(b"c");
        assert_eq!(next(&mut bytes).as_deref(), Some(&b"c"[..]));
    }
}
