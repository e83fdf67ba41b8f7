//! The local server: at each connect `hitl up` is run, which finds it or starts it, and says where it is.

use std::io;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;
use tonic::transport::Uri;
use tower::Service;

use crate::error::{Error, Result};
use crate::{endpoint, program};

/// Longer than `hitl up` takes, and shorter than an attempt of a call, so that its own error is the one that is seen.
const UP_LIMIT: Duration = Duration::from_secs(13);

/// How the local server is found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Local {
    pub(crate) binary: Option<PathBuf>,
    /// Where it was last.
    found: Arc<Mutex<String>>,
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
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) async fn connect(&self) -> Result<TcpStream> {
        let endpoint = self.up().await?;
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&endpoint);
        let dial = async {
            let stream = TcpStream::connect(endpoint.trim_start_matches("http://")).await?;
            stream.set_nodelay(true).map(|()| stream)
        };
        dial.await.map_err(|error: io::Error| {
            Error::unavailable(format!("cannot connect to the local server at {endpoint}: {error}"))
        })
    }

    async fn up(&self) -> Result<String> {
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
        endpoint_of(&output)
    }
}

fn endpoint_of(output: &Output) -> Result<String> {
    let said: Option<serde_json::Value> = serde_json::from_slice(&output.stdout).ok();
    let found = said.as_ref().and_then(|said| said["endpoint"].as_str());
    match found.filter(|_| output.status.success()) {
        Some(found) => endpoint::parse(found),
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
