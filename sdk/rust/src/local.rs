//! The local server: at each connect `hitl up` is run, which finds it or starts it, and says where it is.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;
use tonic::transport::Uri;
use tower::Service;

use crate::endpoint::Endpoint;
use crate::error::{Error, Result};
use crate::program;

/// Longer than `hitl up` takes, and shorter than an attempt of a call, so that its own error is the one that is seen.
const UP_LIMIT: Duration = Duration::from_secs(13);

/// How the local server is found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Local {
    pub(crate) binary: Option<PathBuf>,
    /// Where it was last.
    found: Arc<Mutex<Found>>,
    /// One looks for it at a time.
    looking: Arc<tokio::sync::Mutex<()>>,
}

/// What `hitl up` said last.
#[derive(Clone, Default)]
struct Found {
    /// Empty before the first time.
    endpoint: String,
    /// Empty if the server asks for none.
    token: String,
    /// Whether nobody has connected there yet.
    is_new: bool,
}

/// Without the token.
impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Connects to the local server whatever address is asked for.
pub(crate) fn connector(
    local: Local,
) -> impl Service<
    Uri,
    Response = TokioIo<TcpStream>,
    Error = Error,
    Future = impl Future<Output = Result<TokioIo<TcpStream>>> + Send,
> + Send
+ 'static {
    tower::service_fn(move |_| {
        let local = local.clone();
        // In a task of its own: when its call is given up, nobody polls a connection that is being
        // made, while the time in which the server has to start runs on.
        let connecting = tokio::spawn(async move { local.connect().await.map(TokioIo::new) });
        async move { connecting.await.unwrap_or_else(|panic| Err(Error::internal(panic.to_string()))) }
    })
}

impl Local {
    pub(crate) fn new(binary: Option<PathBuf>) -> Self {
        Self { binary, ..Self::default() }
    }

    /// Where it was last, empty before the first connect.
    pub(crate) fn endpoint(&self) -> String {
        self.found().endpoint.clone()
    }

    /// The token for it. It is looked for if nobody has yet.
    pub(crate) async fn token(&self) -> Result<String> {
        let _looking = self.looking.lock().await;
        if self.found().endpoint.is_empty() {
            // In a task of its own, for the reason given above.
            let local = self.clone();
            let looked = tokio::spawn(async move { local.look().await });
            looked.await.unwrap_or_else(|panic| Err(Error::internal(panic.to_string())))?;
        }
        Ok(self.found().token.clone())
    }

    async fn look(&self) -> Result<()> {
        let found = self.up().await?;
        *self.found() = found;
        Ok(())
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn connect(&self) -> Result<TcpStream> {
        // The first connection is made to what was found for the first call; each later one may be to another server.
        let is_new = std::mem::take(&mut self.found().is_new);
        if !is_new {
            self.look().await?;
            self.found().is_new = false;
        }
        let endpoint = self.endpoint();
        let dial = async {
            let stream = TcpStream::connect(endpoint.trim_start_matches("http://")).await?;
            stream.set_nodelay(true).map(|()| stream)
        };
        dial.await.map_err(|error: io::Error| {
            Error::unavailable(format!("cannot connect to the local server at {endpoint}: {error}"))
        })
    }

    async fn up(&self) -> Result<Found> {
        let binary = self.binary.clone().or_else(beside_us).unwrap_or_else(|| "hitl".into());
        let run = async {
            let path = std::env::var_os("PATH");
            let mut command = Command::new(program::find(&binary, path.as_deref())?);
            command.arg("up").stdin(Stdio::null()).kill_on_drop(true).output().await
        };
        let output = match timeout(UP_LIMIT, run).await {
            Ok(ran) => ran.map_err(|error| {
                Error::no_server(format!(
                    "`{}` cannot be run ({error}) to find or start the local server: install hitl, or set \
                     HITL_BIN to the program, or HITL_ENDPOINT to a server that runs elsewhere",
                    binary.display()
                ))
            })?,
            Err(_) => {
                let limit = UP_LIMIT.as_secs();
                return Err(Error::unavailable(format!("`hitl up` has not ended within {limit} s")));
            }
        };
        found_by(&output)
    }
}

fn found_by(output: &Output) -> Result<Found> {
    let said: Option<serde_json::Value> = serde_json::from_slice(&output.stdout).ok();
    let found = said.as_ref().and_then(|said| said["endpoint"].as_str());
    match found.filter(|_| output.status.success()) {
        Some(found) => Ok(Found {
            endpoint: found.parse::<Endpoint>()?.to_string(),
            token: said
                .as_ref()
                .and_then(|said| said["token"].as_str())
                .unwrap_or_default()
                .to_owned(),
            is_new: true,
        }),
        None => {
            let why = String::from_utf8_lossy(&output.stderr);
            let why = why.trim_end().trim_start_matches("hitl: ");
            let failed = Error::no_server(format!("`hitl up` failed, {}:", output.status));
            Err(failed.followed_by(why))
        }
    }
}

/// The `hitl` in the directory of this program, unless this program is it: what embeds the SDK in a
/// program of that name need not know `up`.
fn beside_us() -> Option<PathBuf> {
    let us = std::env::current_exe().ok()?;
    let beside = us.with_file_name("hitl");
    (beside != us && beside.is_file()).then_some(beside)
}
