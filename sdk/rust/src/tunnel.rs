//! The way to a server through a proxy: CONNECT, and from then on what both sides say.

use std::io;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::transport::Uri;
use tower::Service;

use crate::endpoint::Endpoint;
use crate::error::{Error, Result};
use crate::proxy::Proxy;

/// How long a proxy has to be reached and to reach the server.
pub(crate) const TUNNEL_TIMEOUT: Duration = Duration::from_secs(5);
/// More than any proxy says before the tunnel begins.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// The user or the password is wrong, or missing.
const UNKNOWN_USER: u16 = 407;

/// Connects to `server` in plain text, whatever address is asked for.
pub(crate) fn connector(
    proxy: Proxy,
    server: Endpoint,
) -> impl Service<
    Uri,
    Response = TokioIo<TcpStream>,
    Error = Error,
    Future = impl Future<Output = Result<TokioIo<TcpStream>>> + Send,
> + Send
+ 'static {
    tower::service_fn(move |_| {
        let (proxy, server) = (proxy.clone(), server.clone());
        async move { open(&proxy, &server).await.map(TokioIo::new) }
    })
}

/// A connection on which the next byte is the server's.
pub(crate) async fn open(proxy: &Proxy, server: &Endpoint) -> Result<TcpStream> {
    let opening = async {
        let dial = async {
            let stream = TcpStream::connect(proxy.authority()).await?;
            stream.set_nodelay(true).map(|()| stream)
        };
        let mut stream = dial.await.map_err(|error| unreachable(proxy, &error))?;
        let asked = ask(&mut stream, proxy, server).await;
        let head = asked.map_err(|error| broken(proxy, server, &error))?;
        agreed(&head, proxy, server).map(|()| stream)
    };
    timeout(TUNNEL_TIMEOUT, opening).await.unwrap_or_else(|_| {
        Err(Error::unavailable(format!(
            "no way through the proxy at {proxy} to {server} within {} s",
            TUNNEL_TIMEOUT.as_secs()
        )))
    })
}

/// Asks for the tunnel, and returns the head of the reply.
async fn ask(stream: &mut TcpStream, proxy: &Proxy, server: &Endpoint) -> io::Result<Vec<u8>> {
    let to = server.authority();
    let mut request = format!("CONNECT {to} HTTP/1.1\r\nhost: {to}\r\n");
    if let Some(authorization) = proxy.authorization() {
        request.push_str(&format!("proxy-authorization: {authorization}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    // One at a time, since what follows the head is the server's.
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
        if head.len() > HEAD_BYTES_MAX {
            return Err(io::Error::other("its reply has no end"));
        }
    }
    Ok(head)
}

/// Whether the proxy has agreed.
fn agreed(head: &[u8], proxy: &Proxy, server: &Endpoint) -> Result<()> {
    match status(head) {
        Some(200..300) => Ok(()),
        Some(UNKNOWN_USER) => Err(Error::no_server(format!(
            "the proxy at {proxy} wants another user or password (status {UNKNOWN_USER}): give them in `proxy` \
             (HITL_PROXY), as http://USER:PASSWORD@HOST:PORT"
        ))),
        Some(status) => {
            let told = format!(
                "the proxy at {proxy} does not lead to {server} (status {status}): check the endpoint, and what the \
                 proxy allows"
            );
            // That the server is not there may pass; that it may not be reached does not.
            Err(if status < 500 { Error::no_server(told) } else { Error::nobody(told) })
        }
        None => Err(Error::no_server(format!(
            "what is at {proxy} is no HTTP proxy: give another as `proxy` (HITL_PROXY)"
        ))),
    }
}

/// That of `HTTP/1.1 200 Connection established`.
fn status(head: &[u8]) -> Option<u16> {
    let line = str::from_utf8(head.split(|byte| *byte == b'\r').next()?).ok()?;
    let mut words = line.strip_prefix("HTTP/1.")?.split(' ').skip(1);
    words.next().filter(|status| status.len() == 3)?.parse().ok()
}

fn unreachable(proxy: &Proxy, error: &io::Error) -> Error {
    let told = format!(
        "cannot reach the proxy at {proxy}: {error}. Check that it runs there, or set `proxy` (HITL_PROXY) to where it \
         does"
    );
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::nobody(told),
        _ => Error::unavailable(told),
    }
}

fn broken(proxy: &Proxy, server: &Endpoint, error: &io::Error) -> Error {
    Error::unavailable(format!("the proxy at {proxy} broke off on the way to {server}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_that_of_http() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407\r\nserver: x\r\n\r\n"), Some(407));
        for other in [
            &b"SSH-2.0-x\r\n\r\n"[..],
            b"HTTP/1.1 ok\r\n\r\n",
            b"HTTP/1.1 9999 x\r\n\r\n",
            b"\xff\r\n\r\n",
        ] {
            assert_eq!(status(other), None);
        }
    }
}
