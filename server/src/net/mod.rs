//! The one server behind the one port: HTTP/1.1 and HTTP/2, on plain TCP or within TLS, for pages, JSON and gRPC alike.
//!
//! It is our own loop over hyper, since every limit has to be set: the ready-made ones allow 200
//! streams a connection, wait for ever for a header, or keep connections to peers that are long
//! gone. Every connection has an account with the [budget](crate::budget), which closes it when its
//! peer does not send or read in time, or when there is no room for all. At shutdown connections are
//! told to finish, then dropped.

mod body;
mod connection;
mod meter;
mod place;
mod socket;
pub mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hitl_service::Owner;
use hitl_service::quotas::Payer;
use http::HeaderMap;
use hyper::body::Body;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::budget::Budget;
pub use body::{BodyError, ReplyBody, RequestBody};
use connection::Connection;
use place::Place;
use socket::Socket;
use tls::Tls;

/// Time to agree on TLS.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// What a connection takes for TLS.
const TLS_BYTES: usize = 32 * 1024;
/// Time for a whole request header, and for the first request of a connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Time between pings on an HTTP/2 connection, and for the answer to one.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest list of request headers.
const HEADER_BYTES_MAX: u32 = 16 * 1024;
/// What one header takes in memory beside its text.
const HEADER_BYTES: usize = 128;
/// Largest list of request headers in memory: many of them are short.
pub const HEAD_BYTES_MAX: usize = HEADER_BYTES_MAX as usize / 32 * HEADER_BYTES;
/// Most that one HTTP/1 connection buffers of what it reads, and of what it writes.
const HTTP1_BUFFER_BYTES: usize = 32 * 1024;
/// Most that an HTTP/2 peer may send before it is read: in one stream, and in all of its connection.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 512 * 1024;
/// Most of a reply that is handed to an HTTP/2 connection before its peer has room for it.
const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// Pause after the operating system refused to accept a connection, which it does when it is out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Who sent a request, among its extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The address of the client.
    pub address: SocketAddr,
    /// The number of its connection, which no other has while the process lives.
    pub connection: u64,
}

impl Peer {
    /// Whose the waits of this connection are.
    pub fn owner(&self) -> Owner {
        Owner::of_connection(self.connection).paying(Payer::from_address(self.address.ip()))
    }
}

/// Bounds of the server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most streams at a time on one HTTP/2 connection.
    pub streams_max: u32,
    /// Largest body of a request that is ever taken.
    pub body_bytes_max: usize,
    /// Time that open calls get to finish at shutdown.
    pub shutdown_grace: Duration,
}

/// When the last request came, for those who want to know whether anybody is there.
#[derive(Clone, Debug, Default)]
pub struct Activity(Arc<AtomicU64>);

impl Activity {
    /// A number that changes with every request.
    pub fn requests(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What is served, and to whom.
#[derive(Clone)]
pub struct Door<S, R> {
    /// Answers requests.
    pub app: S,
    /// Makes the reply to a request with these headers for which there is no room.
    pub refuse: R,
    /// What all peers together may make this server hold.
    pub budget: Budget,
    /// Counts requests.
    pub activity: Activity,
    /// Serves the connections that take much of the processors.
    pub background: Handle,
    /// What connections are accepted with; none for plain text.
    pub tls: Option<Tls>,
}

impl<S, R: Clone> Door<S, R> {
    /// The same for a listener where people alone are served, with `app`.
    pub fn for_people<P>(&self, app: P) -> Door<P, R> {
        Door {
            app,
            refuse: self.refuse.clone(),
            budget: self.budget.clone(),
            activity: self.activity.clone(),
            background: self.background.clone(),
            tls: self.tls.as_ref().map(Tls::for_people),
        }
    }
}

/// Serves `door` on `listener` until `shutdown`, then lets open calls finish within the grace. Somebody has to
/// [watch](Budget::watch) over the budget meanwhile.
pub async fn serve<S, R, B>(
    listener: TcpListener,
    door: Door<S, R>,
    limits: Limits,
    shutdown: CancellationToken,
) where
    S: Service<
            http::Request<RequestBody>,
            Response = http::Response<B>,
            Error = std::convert::Infallible,
        > + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
    R: Fn(&HeaderMap) -> http::Response<B> + Clone + Send + Sync + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + Unpin
        + 'static,
{
    let connections = TaskTracker::new();
    while let Some((stream, peer)) = accept(&listener, &shutdown).await {
        let Ok(account) = door.budget.connect(peer) else {
            tracing::warn!(%peer, "a connection was refused: there are as many as there may be");
            continue;
        };
        let place = Place::new(door.background.clone(), account.turns());
        let connection = Connection::new(peer, account, door.clone(), limits, place.clone());
        let socket = Socket::new(stream);
        let served = Arc::new(connection).run(socket, shutdown.clone());
        let open = connections.token();
        place.begin(Box::pin(async move {
            let _open = open;
            served.await;
        }));
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(limits.shutdown_grace, connections.wait()).await.is_err() {
        tracing::warn!("some calls were still open when the time to finish them was over");
    }
}

/// The next connection; `None` at shutdown.
async fn accept(
    listener: &TcpListener,
    shutdown: &CancellationToken,
) -> Option<(TcpStream, SocketAddr)> {
    let next = async {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    // Small messages must be sent at once, and not be gathered (Nagle's algorithm).
                    let _ = stream.set_nodelay(true);
                    return (stream, peer);
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        accepted = next => Some(accepted),
        () = shutdown.cancelled() => None,
    }
}

fn server(limits: Limits, place: Place) -> Builder<Place> {
    let mut server = Builder::new(place);
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(100)
        .max_buf_size(HTTP1_BUFFER_BYTES)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(SEND_BUFFER_BYTES)
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(HEADER_BYTES_MAX);
    server
}
