//! The beginning of a connection: TLS is agreed on, or whoever does not speak it is told so.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::{ClientCertificate, Tls, Wire};
use crate::net::socket::Socket;

/// The first byte of whoever begins with TLS.
const HANDSHAKE_RECORD: u8 = 22;
/// How HTTP/2 begins without TLS.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0";
/// Most that is read, and for how long, of somebody who is turned away: what is left unread at the end would take our
/// reply along.
const REST_BYTES_MAX: u64 = 64 * 1024;
const REST_TIME_MAX: Duration = Duration::from_secs(1);

/// What is said to HTTP/1, and to everything else that is not HTTP/2.
const HTTP1_REPLY: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n\
    content-length: 35\r\nconnection: close\r\n\r\nthis port speaks TLS: use https://\n";

/// What is said to HTTP/2: settings, which have to come first, and a farewell with INADEQUATE_SECURITY.
const HTTP2_REPLY: &[u8] = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00\
    \x00\x00\x2a\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0cthis port speaks TLS: use https://";

/// A connection that requests may come by.
#[derive(Debug)]
pub(in crate::net) struct Secured {
    pub(in crate::net) wire: Wire,
    pub(in crate::net) client: Option<Arc<ClientCertificate>>,
}

/// Agrees on TLS over `socket`; None if that has failed, or there is nobody who wants it.
pub(in crate::net) async fn secure(tls: &Tls, socket: Socket) -> Option<Secured> {
    match handshake(tls, socket).await {
        Ok(secured) => secured,
        Err(error) => {
            tls.metrics.handshakes_failed.inc();
            tracing::debug!(%error, "TLS was not agreed on");
            None
        }
    }
}

async fn handshake(tls: &Tls, mut socket: Socket) -> io::Result<Option<Secured>> {
    match socket.first_byte().await? {
        // Whoever only looks whether the port is open does nothing wrong.
        None => return Ok(None),
        Some(HANDSHAKE_RECORD) => {}
        Some(_) => {
            turn_away(socket).await?;
            return Err(io::Error::other("the peer does not speak TLS"));
        }
    }
    let accepted = TlsAcceptor::from(tls.config()).accept(socket).into_fallible().await;
    let stream = match accepted {
        Ok(stream) => stream,
        Err((error, socket)) => {
            // The peer has been told why, and is given the time to read it.
            part(socket).await?;
            return Err(error);
        }
    };
    let (_, session) = stream.get_ref();
    let certificate = session.peer_certificates().and_then(<[_]>::first);
    let client = certificate.map(|certificate| Arc::new(ClientCertificate::new(certificate)));
    Ok(Some(Secured { wire: Wire::Tls(Box::new(stream)), client }))
}

/// Says to a peer without TLS that it is wanted.
async fn turn_away(mut socket: Socket) -> io::Result<()> {
    let mut start = [0; HTTP2_PREFACE.len()];
    let length = socket.read(&mut start).await?;
    let is_http2 = &start[..length] == HTTP2_PREFACE;
    socket.write_all(if is_http2 { HTTP2_REPLY } else { HTTP1_REPLY }).await?;
    part(socket).await
}

/// Ends a connection so that the peer reads what it was told, though it may still be sending.
async fn part(mut socket: Socket) -> io::Result<()> {
    socket.shutdown().await?;
    let mut rest = socket.take(REST_BYTES_MAX);
    let mut nowhere = tokio::io::sink();
    let _ = tokio::time::timeout(REST_TIME_MAX, tokio::io::copy(&mut rest, &mut nowhere)).await;
    Ok(())
}
