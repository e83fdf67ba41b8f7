//! A port to the objects, which can be shut in two ways while the other ports stay open.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::Shared;
use super::handle::{Cut, handle};
use crate::config::free_port;

/// Before the port is asked for again, should another have taken it.
const REBIND_PAUSE: Duration = Duration::from_millis(20);

/// How a door is shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Connections are reset, and new ones refused.
    Refusing,
    /// Connections stay, new ones are accepted, and nothing is answered: what packets lost on the way look like.
    Hanging,
}

/// See the module. It lasts as long as the server.
#[derive(Debug, Clone)]
pub struct Door {
    port: u16,
    /// `None` is open.
    wanted: watch::Sender<Option<Way>>,
    applied: watch::Receiver<Option<Way>>,
}

impl Door {
    pub(super) fn new(runtime: &Handle, shared: Arc<Shared>) -> Result<Self> {
        let port = free_port()?;
        let listener = StdListener::bind(("127.0.0.1", port))?;
        listener.set_nonblocking(true)?;
        let _inside = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        let wanted = watch::Sender::new(None);
        let (apply, applied) = watch::channel(None);
        runtime.spawn(keep(listener, port, wanted.clone(), apply, shared));
        Ok(Self { port, wanted, applied })
    }

    /// The address of the server by this door.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Shuts it, and returns once that has happened.
    ///
    /// # Errors
    /// If the server is gone.
    pub async fn shut(&self, way: Way) -> Result<()> {
        self.set(Some(way)).await
    }

    /// Opens it, and returns once that has happened.
    ///
    /// # Errors
    /// If the server is gone.
    pub async fn open(&self) -> Result<()> {
        self.set(None).await
    }

    async fn set(&self, state: Option<Way>) -> Result<()> {
        self.wanted.send_replace(state);
        let mut applied = self.applied.clone();
        applied.wait_for(|applied| *applied == state).await.context("the server is gone")?;
        Ok(())
    }
}

/// Accepts connections as the state of the door allows.
async fn keep(
    listener: TcpListener,
    port: u16,
    wanted: watch::Sender<Option<Way>>,
    applied: watch::Sender<Option<Way>>,
    shared: Arc<Shared>,
) {
    let mut state = wanted.subscribe();
    let mut listener = Some(listener);
    loop {
        let now = *state.borrow_and_update();
        if now == Some(Way::Refusing) {
            listener = None;
        } else if listener.is_none() {
            listener = Some(bind(port).await);
        }
        applied.send_replace(now);
        let Some(listener) = &listener else {
            let _ = state.changed().await;
            continue;
        };
        tokio::select! {
            _ = state.changed() => {}
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                tokio::spawn(serve(stream, state.clone(), shared.clone()));
            },
        }
    }
}

async fn bind(port: u16) -> TcpListener {
    loop {
        match TcpListener::bind(("127.0.0.1", port)).await {
            Ok(listener) => return listener,
            Err(_) => tokio::time::sleep(REBIND_PAUSE).await,
        }
    }
}

async fn serve(stream: TcpStream, state: watch::Receiver<Option<Way>>, shared: Arc<Shared>) {
    let reset = AtomicBool::new(false);
    let service = service_fn(|request| {
        let (shared, mut state) = (shared.clone(), state.clone());
        let reset = &reset;
        async move {
            opened(&mut state).await;
            let reply = handle(&shared, request).await;
            opened(&mut state).await;
            reply.inspect_err(|cut| reset.store(*cut == Cut::Reset, Ordering::SeqCst))
        }
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut refused = state.clone();
    tokio::select! {
        _ = &mut connection => {}
        _ = refused.wait_for(|state| *state == Some(Way::Refusing)) => {
            reset.store(true, Ordering::SeqCst);
        }
    }
    if reset.load(Ordering::SeqCst) {
        // The kernel then resets the connection instead of ending it in good order.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

/// Returns once the door does not hang.
async fn opened(state: &mut watch::Receiver<Option<Way>>) {
    let _ = state.wait_for(|state| *state != Some(Way::Hanging)).await;
}
