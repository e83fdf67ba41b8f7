//! A proxy before the replicas, as plain as they come: each new connection goes to the next one that accepts it. What
//! networks do to connections can be asked of it.

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// An HTTP/2 frame begins with its length, in 3 bytes, and its type; 9 bytes come before what it carries.
const FRAME_HEADER_BYTES: usize = 9;
/// The type of a frame with which a reply begins, or ends.
const HEADERS: u8 = 1;
/// The flag of the last frame of a reply. That of a call before may be on its way when its caller has a message.
const END_STREAM: u8 = 1;

/// What befalls the connections that there are. New ones are as before.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Silence,
    LoseReply,
}

/// How long a replica has to accept.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// See the module. It and all its connections end when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    trouble: watch::Sender<Trouble>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Starts a proxy before the replicas at these ports.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn start(ports: Vec<u16>) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (trouble, troubled) = watch::channel(Trouble::Silence);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, ports, troubled));
        Ok(Self { address, trouble, _tasks: tasks })
    }

    /// Lets nothing more through on the connections that there are, and leaves them open: what a router that has
    /// forgotten them does.
    pub fn silence(&self) {
        self.trouble.send_replace(Trouble::Silence);
    }

    /// Closes each of the connections that there are instead of letting the next reply through.
    pub fn lose_reply(&self) {
        self.trouble.send_replace(Trouble::LoseReply);
    }

    /// Where it is.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn accept(listener: TcpListener, ports: Vec<u16>, troubled: watch::Receiver<Trouble>) {
    let mut connections = JoinSet::new();
    let mut order = ports;
    loop {
        while connections.try_join_next().is_some() {}
        if let Ok((stream, _)) = listener.accept().await {
            order.rotate_left(1);
            let mut troubled = troubled.clone();
            troubled.mark_unchanged();
            connections.spawn(pass(stream, order.clone(), troubled));
        }
    }
}

async fn pass(mut client: TcpStream, ports: Vec<u16>, mut troubled: watch::Receiver<Trouble>) {
    for port in ports {
        let connect = TcpStream::connect(("127.0.0.1", port));
        if let Ok(Ok(mut replica)) = timeout(CONNECT_LIMIT, connect).await {
            // Delays of small packets would add up on both sides.
            let _ = (client.set_nodelay(true), replica.set_nodelay(true));
            tokio::select! {
                _ = copy_bidirectional(&mut client, &mut replica) => return,
                Ok(()) = troubled.changed() => {}
            }
            let trouble = *troubled.borrow();
            match trouble {
                Trouble::Silence => pending().await,
                Trouble::LoseReply => pass_until_reply(&mut client, &mut replica).await,
            }
            return;
        }
    }
}

async fn pass_until_reply(client: &mut TcpStream, replica: &mut TcpStream) {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_replica, mut to_replica) = replica.split();
    tokio::select! {
        _ = copy(&mut from_client, &mut to_replica) => {}
        _ = pass_frames_until_reply(&mut from_replica, &mut to_client) => {}
    }
}

async fn pass_frames_until_reply(
    from: &mut ReadHalf<'_>,
    to: &mut WriteHalf<'_>,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    while from.read_buf(&mut bytes).await? > 0 {
        while let Some(header) = bytes.first_chunk::<FRAME_HEADER_BYTES>() {
            let [high, middle, low, kind, flags, ..] = *header;
            let length = u32::from_be_bytes([0, high, middle, low]);
            let end = FRAME_HEADER_BYTES + usize::try_from(length).expect("24 bits");
            if kind == HEADERS && flags & END_STREAM == 0 {
                return Ok(());
            }
            if bytes.len() < end {
                break;
            }
            to.write_all(&bytes[..end]).await?;
            bytes.drain(..end);
        }
    }
    Ok(())
}
