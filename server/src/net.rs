//! The one server behind the one port: HTTP/1.1 and HTTP/2 on plain TCP, for pages, JSON and gRPC alike.
//!
//! It is our own loop over hyper, since every limit has to be set: the ready-made ones allow 200
//! streams a connection, wait for ever for a header, or keep connections to peers that are long
//! gone. A connection that does not send a whole request header in time is closed, and at shutdown
//! connections are told to finish, then dropped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};

/// Time for a whole request header, and for the first request of a connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Time between pings on an HTTP/2 connection, and for the answer to one.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest list of request headers.
const HEADER_BYTES_MAX: u32 = 16 * 1024;
/// Pause after the operating system refused to accept a connection, which it does when it is out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The address of the client, among the extensions of each request.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddr(pub SocketAddr);

/// Bounds of the server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most connections at a time; more wait in the operating system's queue.
    pub connections_max: usize,
    /// Most streams at a time on one HTTP/2 connection.
    pub streams_max: u32,
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

/// Serves `app` on `listener` until `shutdown`, then lets open calls finish within the grace.
pub async fn serve<S, B>(
    listener: TcpListener,
    app: S,
    limits: Limits,
    activity: Activity,
    shutdown: CancellationToken,
) where
    S: Service<
            http::Request<Incoming>,
            Response = http::Response<B>,
            Error = std::convert::Infallible,
        > + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
    B: hyper::body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + 'static,
{
    let open = GracefulShutdown::new();
    let connections = Arc::new(Semaphore::new(limits.connections_max));
    let server = server(limits);
    while let Some((stream, peer, permit)) = accept(&listener, &connections, &shutdown).await {
        let seen = Arc::new(AtomicBool::new(false));
        let service = service_fn({
            let (app, seen, activity) = (app.clone(), seen.clone(), activity.clone());
            move |mut request: http::Request<Incoming>| {
                seen.store(true, Ordering::Relaxed);
                activity.0.fetch_add(1, Ordering::Relaxed);
                request.extensions_mut().insert(PeerAddr(peer));
                app.clone().oneshot(request)
            }
        });
        let connection = server.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = open.watch(connection);
        tokio::spawn(async move {
            let _permit = permit;
            let mut connection = std::pin::pin!(connection);
            let ended = match tokio::time::timeout(HEADER_TIMEOUT, &mut connection).await {
                Ok(ended) => ended,
                Err(_) if seen.load(Ordering::Relaxed) => connection.await,
                // Nothing but silence or half a header so far.
                Err(_) => return,
            };
            if let Err(error) = ended {
                tracing::debug!(%peer, error, "a connection broke");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.shutdown_grace, open.shutdown()).await.is_err() {
        tracing::warn!("some calls were still open when the time to finish them was over");
    }
}

/// The next connection with a place for it; `None` at shutdown.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let next = async {
        let permit =
            connections.clone().acquire_owned().await.expect("the semaphore is never closed");
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    // Small messages must not wait for more of them.
                    let _ = stream.set_nodelay(true);
                    return (stream, peer, permit);
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

fn server(limits: Limits) -> Builder<TokioExecutor> {
    let mut server = Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(100)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(HEADER_BYTES_MAX);
    server
}
