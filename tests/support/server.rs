//! Starts, kills and restarts the real server binary.
//!
//! A restart keeps the port and the store, so that clients reconnect as they would to a real server that came back.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use hitl_proto::v1::event_service_client::EventServiceClient;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};

pub use crate::config::{ADMIN, Config};
use crate::config::{Store, free_port};
use crate::stores::Place;

/// How long a start or a graceful stop may take: far more than either needs on a machine that also compiles.
pub const LIMIT: Duration = Duration::from_secs(60);
/// How often a port may turn out to be taken.
const STARTS: usize = 20;
const READY: &str = "hitl listens on ";
const LOG_LINES_SHOWN: usize = 60;

/// A server process, or the place of one between two lives.
#[derive(Debug)]
pub struct Server {
    config: Config,
    place: Place,
    port: u16,
    dir: TempDir,
    life: Option<Life>,
    starts: usize,
}

/// One process.
#[derive(Debug)]
struct Life {
    child: Child,
    output: watch::Receiver<Output>,
}

/// What a process has said on its standard output.
#[derive(Debug, Default, Clone)]
struct Output {
    lines: Vec<String>,
    closed: bool,
}

impl Server {
    /// Starts a server on a port of its own, and returns once it accepts connections.
    ///
    /// # Errors
    /// If it does not say in time that it is ready; the error holds the end of its log.
    pub async fn start(config: Config) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("hitl-server-").tempdir()?;
        let place = match &config.store {
            Store::Own(kind) => kind.place(dir.path()).await?,
            Store::At(place) => place.clone(),
        };
        let mut server = Self { config, place, port: 0, dir, life: None, starts: 0 };
        let mut attempt = 0;
        loop {
            attempt += 1;
            server.port = free_port()?;
            match server.restart().await {
                Ok(()) => return Ok(server),
                // Another test may have taken the port since we looked.
                Err(_) if attempt < STARTS && server.log().contains("in use") => server.starts = 0,
                Err(error) => return Err(error),
            }
        }
    }

    /// Starts the process, and returns at once. One that still runs is killed first.
    ///
    /// # Errors
    /// If the binary cannot be run.
    pub async fn launch(&mut self) -> Result<()> {
        self.kill().await?;
        let binary = &self.config.binaries[self.starts % self.config.binaries.len()];
        self.starts += 1;
        let mut command = Command::new(binary);
        command
            .arg("serve")
            .args(["--listen", &format!("127.0.0.1:{}", self.port)])
            .args(["--store", &self.place.url])
            .args(&self.config.args)
            // The developer's own server and store are none of our business.
            .env_remove("HITL_ENDPOINT")
            .env("HITL_DATA_DIR", self.dir.path())
            .env("HITL_INSECURE", (!self.config.wants_credentials).to_string())
            .envs(self.place.env.iter().chain(&self.config.env).cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.open_log()?)
            .kill_on_drop(true);
        let mut child =
            command.spawn().with_context(|| format!("cannot run {}", binary.display()))?;
        let (sender, output) = watch::channel(Output::default());
        let stdout = child.stdout.take().context("stdout is piped")?;
        tokio::spawn(read_lines(stdout, sender));
        self.life = Some(Life { child, output });
        Ok(())
    }

    /// Returns once the process accepts connections.
    ///
    /// # Errors
    /// If it ends, says anything else, or says nothing in time; the error holds the end of its log.
    pub async fn ready(&mut self) -> Result<()> {
        let life = self.life.as_ref().context("the server is not started")?;
        let mut output = life.output.clone();
        let said = output.wait_for(|output| output.closed || !output.lines.is_empty());
        let said = match timeout(LIMIT, said).await {
            Ok(Ok(output)) => output.lines.first().cloned(),
            Ok(Err(_)) | Err(_) => None,
        };
        let expected = format!("{READY}{}", self.endpoint());
        if said.as_ref() != Some(&expected) {
            bail!("no line `{expected}` but {said:?}; its log:\n{}", self.log_tail());
        }
        Ok(())
    }

    /// Starts the process on the same port and store, and returns once it accepts connections. One that still runs is
    /// killed first.
    ///
    /// # Errors
    /// As [`Server::launch`] and [`Server::ready`].
    pub async fn restart(&mut self) -> Result<()> {
        self.launch().await?;
        self.ready().await
    }

    /// Ends the process with SIGKILL, and returns once it is gone. Nothing happens if it is gone already.
    ///
    /// # Errors
    /// If the process cannot be reaped.
    pub async fn kill(&mut self) -> Result<()> {
        if let Some(mut life) = self.life.take() {
            let killed = timeout(LIMIT, life.child.kill()).await;
            killed.context("the killed server does not go away")??;
        }
        Ok(())
    }

    /// Asks the process to end with SIGTERM, and returns its status once it is gone.
    ///
    /// # Errors
    /// If it does not end in time; then it is killed.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.exited(LIMIT).await
    }

    /// Stops the process where it is, with SIGSTOP: its connections stay, and nothing answers.
    ///
    /// # Errors
    /// If it does not run.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Has a frozen process go on.
    ///
    /// # Errors
    /// If it does not run.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Has the process read its files again, with SIGHUP.
    ///
    /// # Errors
    /// If it does not run.
    pub fn hang_up(&self) -> Result<()> {
        self.signal(Signal::HUP)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let life = self.life.as_ref().context("the server does not run")?;
        let pid = life.child.id().and_then(|id| i32::try_from(id).ok());
        let pid = pid.and_then(Pid::from_raw).context("the server has ended by itself")?;
        Ok(kill_process(pid, signal)?)
    }

    /// Returns the status of the process once it has ended by itself.
    ///
    /// # Errors
    /// If it does not end within `limit`; then it is killed.
    pub async fn exited(&mut self, limit: Duration) -> Result<ExitStatus> {
        let mut life = self.life.take().context("the server does not run")?;
        match timeout(limit, life.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => {
                life.child.kill().await?;
                bail!("the server did not end in {limit:?}; its log:\n{}", self.log_tail())
            }
        }
    }

    /// Whether the process is still there.
    pub fn is_running(&mut self) -> bool {
        let status = self.life.as_mut().map(|life| life.child.try_wait());
        matches!(status, Some(Ok(None)))
    }

    /// Where the server keeps its events, for another one to use too.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Where the server is, for gRPC as for HTTP: `http://127.0.0.1:PORT`, or https.
    pub fn endpoint(&self) -> String {
        format!("{}://127.0.0.1:{}", self.config.scheme(), self.port)
    }

    /// The address of an HTTP resource, such as `/readyz`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.endpoint())
    }

    /// The port, which stays the same through restarts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A gRPC client with a connection of its own, which is made at the first call and again when it is lost.
    ///
    /// # Panics
    /// If the endpoint is not an address, which it is.
    pub fn client(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(channel(&self.endpoint()))
    }

    /// The directory that goes away with the server.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.life.as_ref().and_then(|life| life.child.id())
    }

    /// What the process has written to its standard output so far, line by line.
    pub fn stdout(&self) -> Vec<String> {
        let output = self.life.as_ref().map(|life| life.output.borrow().clone());
        output.unwrap_or_default().lines
    }

    /// What all lives of the server have logged so far.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The end of the log, as much as helps to understand a failure.
    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }

    /// The file that all lives of the server log to.
    pub fn log_path(&self) -> PathBuf {
        self.dir.path().join("server.log")
    }

    fn open_log(&self) -> Result<File> {
        use std::io::Write;
        let path = self.log_path();
        let mut log = OpenOptions::new().create(true).append(true).open(path)?;
        writeln!(log, "--- start {}", self.starts)?;
        Ok(log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(life) = &mut self.life
            && let Some(pid) = life.child.id().and_then(|id| i32::try_from(id).ok())
            && let Some(pid) = Pid::from_raw(pid)
            && life.child.start_kill().is_ok()
        {
            // Its directory goes next, and it must not write there any more. The runtime reaps it.
            let gone = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            let _ = waitid(WaitId::Pid(pid), gone);
        }
        if std::thread::panicking() {
            eprintln!("the end of the server's log:\n{}", self.log_tail());
        }
    }
}

/// A connection to `endpoint`, which is made at the first call and again when it is lost.
///
/// # Panics
/// If `endpoint` is not an address.
pub fn channel(endpoint: &str) -> Channel {
    let endpoint = Endpoint::from_shared(endpoint.to_owned()).expect("the endpoint is an address");
    endpoint.connect_timeout(Duration::from_secs(5)).connect_lazy()
}

/// Passes on what the process says, to its end, so that it never blocks on a full pipe.
async fn read_lines(stdout: ChildStdout, sender: watch::Sender<Output>) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        sender.send_modify(|output| output.lines.push(line));
    }
    sender.send_modify(|output| output.closed = true);
}
