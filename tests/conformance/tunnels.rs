//! A proxy that opens tunnels by CONNECT, and counts them. It may want a user, or refuse all.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::scenario::Tunnels;

/// A name that only this proxy knows: it is the machine that it runs on. Who asks for it has not looked it up.
const NAME: &str = "hitl.test";

/// More than any request for a tunnel has.
const HEAD_BYTES_MAX: usize = 4096;

/// See the module. It and all its tunnels end when it is dropped.
#[derive(Debug)]
pub(crate) struct Tunnelling {
    address: SocketAddr,
    opened: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Tunnelling {
    pub(crate) async fn start(wanted: Tunnels) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let opened = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, wanted, opened.clone()));
        Ok(Self { address, opened, _tasks: tasks })
    }

    /// `HOST:PORT`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// How many tunnels were opened.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, wanted: Tunnels, opened: Arc<AtomicUsize>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if let Ok((client, _)) = listener.accept().await {
            connections.spawn(serve(client, wanted.clone(), opened.clone()));
        }
    }
}

/// Whoever breaks off, or asks for something else, is left.
async fn serve(mut client: TcpStream, wanted: Tunnels, opened: Arc<AtomicUsize>) {
    let Ok(head) = head(&mut client).await else { return };
    let mut server = match reach(&head, &wanted).await {
        Ok(server) => server,
        Err(status) => {
            let reply = format!("HTTP/1.1 {status} Refused\r\ncontent-length: 0\r\n\r\n");
            // It may have gone.
            let _ = client.write_all(reply.as_bytes()).await;
            return;
        }
    };
    opened.fetch_add(1, Ordering::Relaxed);
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    if client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.is_ok() {
        // Either side may end it in its own way.
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}

async fn head(client: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        head.push(client.read_u8().await?);
    }
    String::from_utf8(head).context("it is no text")
}

/// The server that is asked for, or the status of a refusal.
async fn reach(head: &str, wanted: &Tunnels) -> Result<TcpStream, u16> {
    if let Some(status) = wanted.refuses {
        return Err(status);
    }
    if let Some(user) = &wanted.user {
        let proof = format!("Basic {}", BASE64_STANDARD.encode(user));
        let given = head.lines().filter_map(|line| line.split_once(": "));
        let mut given = given.filter(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"));
        if !given.any(|(_, value)| value == proof) {
            return Err(407);
        }
    }
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    let (host, port) = target.and_then(|target| target.rsplit_once(':')).ok_or(400_u16)?;
    let host = if host == NAME { "127.0.0.1" } else { host };
    let port: u16 = port.parse().map_err(|_| 400_u16)?;
    TcpStream::connect((host, port)).await.map_err(|_| 502)
}
