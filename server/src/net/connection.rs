//! One connection: its requests, and how it ends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};

use super::place::Place;
use super::socket::Socket;
use super::tls::{self, ClientCertificate, Secured, Wire};
use super::{
    Door, HANDSHAKE_TIMEOUT, HEADER_BYTES, HEADER_TIMEOUT, Limits, Peer, ReplyBody, RequestBody,
    TLS_BYTES, server,
};
use crate::budget::{Account, Call, Due, Full};

/// That a browser uses nothing but https for a year, counted from its last visit.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Replies that are larger are not sent before others are served.
const LARGE_REPLY_BYTES: u64 = 64 * 1024;

/// A connection of a peer, with its account.
pub(super) struct Connection<S, R> {
    peer: SocketAddr,
    account: Arc<Account>,
    /// What the peer owes before its first request has come: to agree on TLS, then the request.
    first: Mutex<Option<Due>>,
    door: Door<S, R>,
    limits: Limits,
    /// Where it is served.
    place: Place,
}

impl<S, R> Connection<S, R> {
    /// A connection that has done nothing yet.
    pub(super) fn new(
        peer: SocketAddr,
        account: Arc<Account>,
        door: Door<S, R>,
        limits: Limits,
        place: Place,
    ) -> Self {
        let limit = if door.tls.is_some() { HANDSHAKE_TIMEOUT } else { HEADER_TIMEOUT };
        let first = Mutex::new(Some(account.owes(limit)));
        Self { peer, account, first, door, limits, place }
    }

    /// Has the peer owe something else, or nothing more, before its first request.
    fn owes_first(&self, due: Option<Due>) {
        *self.first.lock().unwrap_or_else(PoisonError::into_inner) = due;
    }

    /// The connection once TLS is agreed on, if that is wanted; None if it has to end.
    async fn secure(&self, socket: Socket, shutdown: &CancellationToken) -> Option<Secured> {
        let Some(tls) = &self.door.tls else {
            return Some(Secured { wire: Wire::Plain(socket), client: None });
        };
        let secured = tokio::select! {
            secured = tls::secure(tls, socket) => secured,
            () = self.account.closed() => None,
            () = shutdown.cancelled() => None,
        };
        self.owes_first(Some(self.account.owes(HEADER_TIMEOUT)));
        secured
    }
}

/// Gives back what a connection holds, however it ends.
struct Open<'a, S, R>(&'a Connection<S, R>);

impl<S, R> Drop for Open<'_, S, R> {
    fn drop(&mut self) {
        self.0.door.budget.disconnect(&self.0.account);
    }
}

impl<S, R, B> Connection<S, R>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
    R: Fn(&HeaderMap) -> Response<B> + Clone + Send + Sync + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + Unpin
        + 'static,
{
    /// Serves the requests that come by `socket`, until the peer or the budget ends it, or until it has finished at the
    /// shutdown.
    pub(super) async fn run(self: Arc<Self>, socket: Socket, shutdown: CancellationToken) {
        let _open = Open(&self);
        let tls_bytes = if self.door.tls.is_some() { TLS_BYTES } else { 0 };
        let _tls = self.door.budget.lease_at_once(Some(&self.account), tls_bytes);
        let Some(Secured { wire, client }) = self.secure(socket, &shutdown).await else {
            return;
        };
        let server = server(self.limits, self.place.clone());
        let service = service_fn(|request| self.clone().answer(request, client.clone()));
        let mut connection = std::pin::pin!(server.serve_connection(TokioIo::new(wire), service));
        let mut end = std::pin::pin!(async {
            tokio::select! {
                () = self.account.retired() => {}
                () = shutdown.cancelled() => {}
            }
        });
        let mut is_ending = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(peer = %self.peer, error, "a connection broke");
                    }
                    return;
                }
                () = self.account.closed() => return,
                () = end.as_mut(), if !is_ending => {
                    is_ending = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        client: Option<Arc<ClientCertificate>>,
    ) -> Result<Response<ReplyBody<B>>, Infallible> {
        let mut reply = self.reply(request, client).await?;
        if self.door.tls.is_some() {
            // Whoever has come by https must not be led to plain text later. Browsers ignore it of addresses in digits.
            reply.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
        }
        Ok(reply)
    }

    async fn reply(
        &self,
        request: Request<Incoming>,
        client: Option<Arc<ClientCertificate>>,
    ) -> Result<Response<ReplyBody<B>>, Infallible> {
        self.owes_first(None);
        self.door.activity.0.fetch_add(1, Ordering::Relaxed);
        let (mut head, body) = request.into_parts();
        let admitted = self.admit(&head, body);
        let Ok((call, body)) = admitted else {
            return Ok(self.refuse(&head.headers));
        };
        // Only what an overrun needs is kept, since the rest is the application's from here on.
        let kind: HeaderMap = kind(&head.headers);
        head.extensions.insert(Peer { address: self.peer, connection: self.account.id() });
        if let Some(client) = client {
            head.extensions.insert(client);
        }
        let turn = call.turn().await;
        head.extensions.insert(turn.clone());
        head.extensions.insert(call.clone());
        let reply = self.door.app.clone().oneshot(Request::from_parts(head, body)).await?;
        turn.pass();
        self.make_way(reply.body().size_hint().lower()).await;
        if call.has_overrun() {
            return Ok(self.refuse(&kind));
        }
        Ok(reply.map(|body| ReplyBody::new(body, Some(call))))
    }

    /// Has a reply of so many bytes sent in the background if it is large, since one step may send all of it.
    async fn make_way(&self, bytes: u64) {
        if bytes > LARGE_REPLY_BYTES {
            self.place.takes_much();
            // The next step is done there.
            tokio::task::yield_now().await;
        }
    }

    /// A place for the call, and its body that pays as it comes.
    fn admit(
        &self,
        head: &http::request::Parts,
        body: Incoming,
    ) -> Result<(Call, RequestBody), Full> {
        let call = self.account.call(&self.door.budget, head_bytes(head))?;
        let body = RequestBody::new(body, call.clone(), self.limits.body_bytes_max)?;
        Ok((call, body))
    }

    fn refuse(&self, headers: &HeaderMap) -> Response<ReplyBody<B>> {
        (self.door.refuse)(headers).map(|body| ReplyBody::new(body, None))
    }
}

/// What the head of a request takes in memory.
fn head_bytes(head: &http::request::Parts) -> usize {
    let headers = head.headers.iter();
    let text: usize =
        headers.map(|(name, value)| HEADER_BYTES + name.as_str().len() + value.len()).sum();
    text + head.uri.path().len() + head.uri.query().map_or(0, str::len)
}

/// The headers that tell which kind of reply the client reads.
fn kind(headers: &HeaderMap) -> HeaderMap {
    let names = [header::CONTENT_TYPE, header::ACCEPT];
    let kept =
        names.into_iter().filter_map(|name| Some((name.clone(), headers.get(&name)?.clone())));
    kept.collect()
}
