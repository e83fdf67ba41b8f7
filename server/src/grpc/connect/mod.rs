//! The Connect protocol, which clients of buf and connect speak unless they are told otherwise.
//!
//! It is a layer around the services: a call of Connect becomes one of gRPC, and its reply a reply of Connect, so that
//! each service is written once. Unary calls have a body of one message, in JSON or in binary form, and streams have
//! the frames of gRPC with a last one of JSON in place of trailers. JSON is that of the other doors, with the same
//! rules.
//!
//! No compression is offered, and none is taken. JSON is for calls with one message from the caller.

mod failure;
mod form;
mod method;
mod reply;

use std::convert::Infallible;
use std::task::{Context, Poll};

use ::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TE};
use ::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use bytes::Bytes;
use futures::future::{BoxFuture, Either};
use http_body_util::{BodyExt, Full, Limited};
use prost_reflect::MethodDescriptor;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::MESSAGE_BYTES_MAX;
use super::status::status;
use form::{Form, frame};
use hitl_service::Background;
use hitl_service::error::Error;

const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("connect-protocol-version");
const TIMEOUT: HeaderName = HeaderName::from_static("connect-timeout-ms");
const CONTENT_ENCODING_OF_STREAMS: HeaderName = HeaderName::from_static("connect-content-encoding");
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// The version of the protocol that this is.
const VERSION: &str = "1";
/// What a frame begins with: flags, and the length in four bytes.
const FRAME_HEAD_BYTES: usize = 5;
/// The most milliseconds that a timeout of gRPC has digits for.
const TIMEOUT_MS_MAX: u64 = 99_999_999;

/// Has a service of gRPC take calls of Connect too.
#[derive(Debug, Clone)]
pub(super) struct ConnectLayer {
    background: Background,
}

impl ConnectLayer {
    /// Reads and writes JSON in the background, where the other doors do so too.
    pub(super) fn new(background: Background) -> Self {
        Self { background }
    }
}

impl<S> Layer<S> for ConnectLayer {
    type Service = Connect<S>;

    fn layer(&self, inner: S) -> Connect<S> {
        Connect { inner, background: self.background.clone() }
    }
}

/// See [`ConnectLayer`].
#[derive(Debug, Clone)]
pub(super) struct Connect<S> {
    inner: S,
    background: Background,
}

impl<S> Service<Request<Body>> for Connect<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response<Body>, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Some(form) = Form::of(request.method(), request.headers()) else {
            return Either::Left(self.inner.call(request));
        };
        // What was told to be ready makes the call, and its copy takes its place.
        let copy = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, copy);
        let background = self.background.clone();
        Either::Right(Box::pin(async move {
            let conversation = converse(form, inner, request);
            if form.is_binary() {
                return Ok(conversation.await);
            }
            let reply = background.run(conversation).await;
            Ok(reply.unwrap_or_else(|error| form.failure(&status(&error)).map(body)))
        }))
    }
}

/// The reply to a call of Connect that is refused before it has reached any service.
pub(super) fn refusal(error: &Error, headers: &HeaderMap) -> Response<Bytes> {
    Form::of(&::http::Method::POST, headers).unwrap_or_default().failure(&status(error))
}

/// Whether a request with these headers says that it is a call of Connect.
pub(super) fn is_call(headers: &HeaderMap) -> bool {
    let is_stream = Form::of(&::http::Method::POST, headers).is_some_and(Form::is_stream);
    headers.contains_key(PROTOCOL_VERSION) || is_stream
}

async fn converse<S>(form: Form, mut inner: S, request: Request<Body>) -> Response<Body>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let method = match method::find(request.uri().path()) {
        Ok(method) => method,
        Err(status) => return form.failure(&status).map(body),
    };
    if form.is_stream() != (method.is_client_streaming() || method.is_server_streaming()) {
        return media_types(&method);
    }
    match as_grpc(form, &method, request).await {
        Ok(call) => {
            let Ok(reply) = inner.call(call).await;
            reply::of_grpc(form, &method, reply).await
        }
        Err(status) => form.failure(&status).map(body),
    }
}

/// The reply to a call in a form that its method does not have.
fn media_types(method: &MethodDescriptor) -> Response<Body> {
    let is_stream = method.is_client_streaming() || method.is_server_streaming();
    let mut reply = Response::new(Body::empty());
    *reply.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    reply.headers_mut().insert(ACCEPT_POST, HeaderValue::from_static(Form::types(is_stream)));
    reply
}

/// The call as one of gRPC.
async fn as_grpc(
    form: Form,
    method: &MethodDescriptor,
    request: Request<Body>,
) -> Result<Request<Body>, Status> {
    let (mut head, given) = request.into_parts();
    ensure_understood(form, &head.headers)?;
    let message = if method.is_client_streaming() {
        form.ensure_binary()?;
        // The frames are those of gRPC.
        given
    } else {
        let bytes = collected(given).await?;
        let message = if form.is_stream() { only_frame(&bytes)? } else { bytes };
        body(frame(0, &form.read(&method.input(), message)?))
    };
    if let Some(timeout) = timeout(&head.headers)? {
        head.headers.insert(GRPC_TIMEOUT, timeout);
    }
    for name in [CONTENT_LENGTH, CONTENT_ENCODING, ACCEPT_ENCODING] {
        head.headers.remove(name);
    }
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    head.headers.insert(TE, HeaderValue::from_static("trailers"));
    // That of gRPC, whatever the connection has.
    head.version = Version::HTTP_2;
    Ok(Request::from_parts(head, message))
}

/// # Errors
/// The caller speaks another version, or compresses what it sends.
fn ensure_understood(form: Form, headers: &HeaderMap) -> Result<(), Status> {
    if headers.get(PROTOCOL_VERSION).is_some_and(|version| version != VERSION) {
        return Err(Status::invalid_argument("connect-protocol-version must be 1"));
    }
    let encoding = if form.is_stream() { CONTENT_ENCODING_OF_STREAMS } else { CONTENT_ENCODING };
    if headers.get(encoding).is_some_and(|encoding| encoding != "identity") {
        return Err(Status::unimplemented(
            "compressed messages are not taken: send them as they are",
        ));
    }
    Ok(())
}

/// How long the caller waits, as gRPC says it.
fn timeout(headers: &HeaderMap) -> Result<Option<HeaderValue>, Status> {
    let Some(given) = headers.get(TIMEOUT) else { return Ok(None) };
    let ms = given.to_str().ok().filter(|ms| ms.len() <= 10).and_then(|ms| ms.parse::<u64>().ok());
    let ms = ms.ok_or_else(|| {
        Status::invalid_argument("connect-timeout-ms must be a number of at most 10 digits")
    })?;
    let written = if ms > TIMEOUT_MS_MAX { format!("{}S", ms / 1_000) } else { format!("{ms}m") };
    Ok(Some(HeaderValue::try_from(written).expect("digits and a letter are a header")))
}

async fn collected(body: Body) -> Result<Bytes, Status> {
    let limited = Limited::new(body, MESSAGE_BYTES_MAX + FRAME_HEAD_BYTES);
    match limited.collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let message = format!("the message must have at most {MESSAGE_BYTES_MAX} bytes");
            Err(Status::resource_exhausted(message))
        }
        Err(error) => Err(Status::from_error(error)),
    }
}

/// The one message of a stream of the caller's that has no other.
fn only_frame(bytes: &Bytes) -> Result<Bytes, Status> {
    let [flags, length @ ..] = *bytes
        .first_chunk::<FRAME_HEAD_BYTES>()
        .ok_or_else(|| Status::invalid_argument("the body must be one frame, and is none"))?;
    if flags != 0 {
        return Err(Status::unimplemented(
            "compressed messages are not taken: send them as they are",
        ));
    }
    let message = bytes.slice(FRAME_HEAD_BYTES..);
    if u32::try_from(message.len()) != Ok(u32::from_be_bytes(length)) {
        return Err(Status::invalid_argument("the body must be one frame, of the length it says"));
    }
    Ok(message)
}

fn body(bytes: Bytes) -> Body {
    Body::new(Full::new(bytes))
}
