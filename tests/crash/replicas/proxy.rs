//! A proxy before the replicas, as plain as they come: each new connection goes to the next one that accepts it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long a replica has to accept.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// See the module. It and all its connections end when it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Starts a proxy before the replicas at these ports.
    pub(crate) async fn start(ports: Vec<u16>) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, ports));
        Ok(Self { address, _tasks: tasks })
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn accept(listener: TcpListener, ports: Vec<u16>) {
    let mut connections = JoinSet::new();
    let mut order = ports;
    loop {
        while connections.try_join_next().is_some() {}
        if let Ok((stream, _)) = listener.accept().await {
            order.rotate_left(1);
            connections.spawn(pass(stream, order.clone()));
        }
    }
}

async fn pass(mut client: TcpStream, ports: Vec<u16>) {
    for port in ports {
        let connect = TcpStream::connect(("127.0.0.1", port));
        if let Ok(Ok(mut replica)) = timeout(CONNECT_LIMIT, connect).await {
            // Delays of small packets would add up on both sides.
            let _ = (client.set_nodelay(true), replica.set_nodelay(true));
            let _ = copy_bidirectional(&mut client, &mut replica).await;
            return;
        }
    }
}
