//! A throw-away server.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::human::Human;
use super::time;
use crate::client::Client;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::program;

/// A server for tests, which keeps nothing. It ends when it is dropped, and with this process at the latest.
#[derive(Debug)]
pub struct TestServer {
    client: Client,
    human: Human,
    /// Killed when dropped.
    _child: Child,
}

impl TestServer {
    /// Starts one. The program is that of `HITL_BIN`, else `hitl` in `PATH`, of which directories that are not absolute
    /// are left out.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unavailable`] if the program cannot be run.
    pub async fn start() -> Result<Self> {
        let given = std::env::var_os("HITL_BIN").filter(|given| !given.is_empty());
        Self::start_with(&given.map_or_else(|| "hitl".into(), PathBuf::from)).await
    }

    /// Like [`TestServer::start`], with this program.
    ///
    /// # Errors
    /// Those of [`TestServer::start`].
    pub async fn start_with(binary: &Path) -> Result<Self> {
        let mut child = run(binary)?;
        let output = child.stdout.take().expect("it was said to be a pipe");
        let mut line = String::new();
        // A line that cannot be read is none.
        let _ = BufReader::new(output).read_line(&mut line).await;
        let said: Option<serde_json::Value> = serde_json::from_str(&line).ok();
        let endpoint =
            said.as_ref().and_then(|said| said["endpoint"].as_str()).ok_or_else(|| {
                let silent =
                    "`hitl test-server` has not said where it is: is the program an older one?";
                Error::no_server(silent.to_owned())
            })?;
        let client = Client::new(Config::default().endpoint(endpoint).announce(false))?;
        let human = Human::new(client.clone(), "a test").await?;
        Ok(Self { client, human, _child: child })
    }

    /// Where it is.
    pub fn endpoint(&self) -> String {
        self.client.endpoint()
    }

    /// A client of it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A person who does as the test says.
    pub fn human(&self) -> &Human {
        &self.human
    }

    /// Lets time pass on the server at once: deadlines that are due then are due.
    ///
    /// # Errors
    /// Those of reaching the server.
    pub async fn advance(&self, duration: Duration) -> Result<()> {
        time::advance(&self.client, duration).await
    }
}

/// The program, which ends when its input does.
fn run(binary: &Path) -> Result<Child> {
    let start = || {
        let path = std::env::var_os("PATH");
        let mut command = Command::new(program::find(binary, path.as_deref())?);
        // What is set for the servers of the machine is not for one that a test throws away.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HITL_") && name != "HITL_LOG" {
                command.env_remove(name);
            }
        }
        command.arg("test-server").stdin(Stdio::piped()).stdout(Stdio::piped());
        command.kill_on_drop(true).spawn()
    };
    start().map_err(|error: std::io::Error| {
        Error::no_server(format!(
            "`{}` cannot be run ({error}) to start a server for tests: install hitl, or set HITL_BIN to the program",
            binary.display()
        ))
    })
}
