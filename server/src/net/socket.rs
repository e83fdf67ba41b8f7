//! The socket of a connection, watched by the runtime that serves the connection.
//!
//! A runtime watches its sockets with threads of its own. If another one serves the connection, each packet wakes a
//! thread of the first, which wakes one of the second: that made a third of all changes between threads. So the socket
//! moves along with its connection.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::{Handle, Id};

/// See the module.
#[derive(Debug)]
pub(super) struct Socket {
    /// None once a runtime could not take it.
    stream: Option<TcpStream>,
    watched_by: Id,
}

impl Socket {
    /// The socket `stream`, which was accepted on this runtime.
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream: Some(stream), watched_by: Handle::current().id() }
    }

    /// The first byte that the peer sends, which is left to be read; none if it sends nothing more.
    pub(super) async fn first_byte(&mut self) -> io::Result<Option<u8>> {
        let mut byte = [0];
        let peeked =
            poll_fn(|context| self.here()?.poll_peek(context, &mut ReadBuf::new(&mut byte)));
        Ok((peeked.await? > 0).then_some(byte[0]))
    }

    /// The stream, watched by the runtime on which this is called. One task reads and writes it, and does both after
    /// each wake-up, so nothing waits for the runtime of before.
    fn here(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let here = Handle::current().id();
        if here != self.watched_by
            && let Some(stream) = self.stream.take()
        {
            self.stream = Some(TcpStream::from_std(stream.into_std()?)?);
            self.watched_by = here;
        }
        let gone = || io::Error::from(io::ErrorKind::NotConnected);
        self.stream.as_mut().map(Pin::new).ok_or_else(gone)
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.here()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.here()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.here()?.poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.here()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.here()?.poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::runtime::{Builder, Runtime};

    use super::*;

    fn runtime() -> Runtime {
        Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    }

    #[test]
    fn a_socket_goes_on_when_its_connection_moves_even_if_the_runtime_of_before_is_gone() {
        let (first, second, peer) = (runtime(), runtime(), runtime());
        let listener = peer.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let echo = peer.spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut read, mut write) = stream.split();
            tokio::io::copy(&mut read, &mut write).await.unwrap();
        });
        let mut socket =
            first.block_on(async { Socket::new(TcpStream::connect(address).await.unwrap()) });
        let mut told = [0; 3];
        for (runtime, said) in [(&first, b"one"), (&second, b"two"), (&first, b"one")] {
            runtime.block_on(async {
                socket.write_all(said).await.unwrap();
                socket.read_exact(&mut told).await.unwrap();
            });
            assert_eq!(&told, said);
        }
        second.block_on(async { socket.write_all(b"end").await.unwrap() });
        drop(first);
        second.block_on(async {
            socket.read_exact(&mut told).await.unwrap();
            socket.shutdown().await.unwrap();
        });
        assert_eq!(&told, b"end");
        peer.block_on(echo).unwrap();
    }
}
