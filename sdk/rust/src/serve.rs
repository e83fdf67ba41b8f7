//! A local server when there is none: at each connect, if nothing listens, `hitl serve` is started.
//!
//! Many programs may do so at once. Each starts a server and all but one of those find the port or the
//! store taken and exit, so a server that exits is no failure as long as the port answers soon.

use std::io::{self, Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::Uri;
use tower::Service;

use crate::error::{Error, Result};
use crate::program;

/// How long a server may take until it serves, with its store opened.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How long to listen for what is there to say what it is.
const PROBE_LIMIT: Duration = Duration::from_secs(1);
/// How the reply of a server that lives begins and ends, and more than it is long.
const ALIVE: (&[u8], &[u8]) = (b"HTTP/1.1 200 ", b"\r\n\r\nalive\n");
const REPLY_BYTES_MAX: usize = 4096;
/// Between two starts: the port or the store may be in the hands of a server that is about to listen,
/// or about to end.
const RESTART_INTERVAL: Duration = Duration::from_secs(1);
/// A log grown beyond this is put aside when a server starts, so that two of them are the most.
const LOG_BYTES_MAX: u64 = 8 << 20;
const LOG_TAIL_LINES: usize = 8;

/// What it takes to start a local server.
#[derive(Clone, Debug)]
pub(crate) struct Launcher {
    pub(crate) address: SocketAddr,
    pub(crate) binary: Option<PathBuf>,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) start_limit: Duration,
}

/// Connects to the local server whatever address is asked for.
pub(crate) fn connector(
    launcher: Launcher,
) -> impl Service<
    Uri,
    Response = TokioIo<TcpStream>,
    Error = Error,
    Future = impl Future<Output = Result<TokioIo<TcpStream>>> + Send,
> + Send
+ 'static {
    tower::service_fn(move |_| {
        let launcher = launcher.clone();
        // In a task of its own: when its call is given up, nobody polls a connection that is being
        // made, while the time in which the server has to start runs on.
        let connecting = tokio::spawn(async move { launcher.connect().await.map(TokioIo::new) });
        async move { connecting.await.unwrap_or_else(|panic| Err(Error::internal(panic.to_string()))) }
    })
}

impl Launcher {
    /// Connects, starting a server if nothing listens.
    pub(crate) async fn connect(&self) -> Result<TcpStream> {
        match self.probe().await? {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                let log = Log::open(self.data_dir()?)?;
                let started = timeout(self.start_limit, self.start_until_serving(&log)).await;
                started.unwrap_or_else(|_| Err(self.not_started(&log)))?;
            }
            // What listens and has not replied may be a server that is busy: the call will tell.
            Ok(()) | Err(_) => {}
        }
        self.dial().await.map_err(|error| {
            let address = self.address;
            Error::unavailable(format!("cannot connect to the local server at {address}: {error}"))
        })
    }

    /// Starts a server, again if it ends, until one of whatever program serves.
    async fn start_until_serving(&self, log: &Log) -> Result<()> {
        let mut server = self.start(log)?;
        let mut started = Instant::now();
        while self.probe().await?.is_err() {
            sleep(POLL_INTERVAL).await;
            let ended = !matches!(server.try_wait(), Ok(None));
            if ended && started.elapsed() > RESTART_INTERVAL {
                started = Instant::now();
                server = self.start(log)?;
            }
        }
        Ok(())
    }

    /// Whether hitl replies: one that listens may yet fail to open its store. The outer error says that
    /// something else does.
    async fn probe(&self) -> Result<io::Result<()>> {
        let mut reply = Vec::new();
        let asked = timeout(PROBE_LIMIT, self.ask(&mut reply)).await;
        let asked = asked.unwrap_or_else(|late| Err(late.into()));
        if reply.is_empty() {
            return Ok(asked.and(Err(io::ErrorKind::UnexpectedEof.into())));
        }
        if is_alive(&reply) {
            return Ok(Ok(()));
        }
        Err(Error::no_server(format!(
            "something that is not hitl listens on {}: set HITL_PORT to another port, or \
             HITL_ENDPOINT to a server",
            self.address
        )))
    }

    /// Asks what listens for its health, and reads until it shows whether that is hitl.
    async fn ask(&self, reply: &mut Vec<u8>) -> io::Result<()> {
        let mut stream = self.dial().await?;
        let address = self.address;
        let request =
            format!("GET /healthz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        while stream.read_buf(reply).await? > 0 {
            let begins_alike = reply.iter().zip(ALIVE.0).all(|(found, expected)| found == expected);
            if !begins_alike || is_alive(reply) || reply.len() >= REPLY_BYTES_MAX {
                break;
            }
        }
        Ok(())
    }

    async fn dial(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn not_started(&self, log: &Log) -> Error {
        Error::no_server(format!(
            "`hitl serve` did not start on {} within {} s. Its log, {}, ends:",
            self.address,
            self.start_limit.as_secs(),
            log.path.display(),
        ))
        .followed_by(&log.tail())
    }

    fn data_dir(&self) -> Result<PathBuf> {
        let dir = self.data_dir.as_ref().ok_or_else(|| {
            let help = "set HITL_DATA_DIR, or HITL_ENDPOINT to use a server that runs elsewhere";
            Error::no_server(format!("nowhere to keep the local server's data: {help}"))
        })?;
        // The server runs in this directory, so a relative path would lead astray there.
        std::path::absolute(dir)
            .and_then(|dir| make_private(&dir).map(|()| dir))
            .map_err(|error| unusable(dir, &error))
    }

    /// Starts a server that outlives this program: not in its process group, lest Ctrl-C end both,
    /// nor in its directory, nor with its terminal.
    fn start(&self, log: &Log) -> Result<Child> {
        let binary = self.binary.clone().or_else(beside_us).unwrap_or_else(|| "hitl".into());
        let not_started = |error: io::Error| {
            Error::no_server(format!(
                "no server runs on {} and `{}` cannot be started ({error}): install hitl, or set HITL_BIN \
                 to the program, or HITL_ENDPOINT to a server that runs elsewhere",
                self.address,
                binary.display(),
            ))
        };
        // By its whole path, since the server runs in another directory.
        let path = std::env::var_os("PATH");
        let found = program::find(&binary, path.as_deref()).map_err(not_started)?;
        let (out, err) = log.writers()?;
        let mut command = Command::new(found);
        command
            .args(["serve", "--idle-exit", "10m", "--listen", &self.address.to_string()])
            .env("HITL_DATA_DIR", &log.dir)
            .current_dir(&log.dir)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err);
        #[cfg(unix)]
        command.process_group(0);
        command.spawn().map_err(not_started)
    }
}

/// The `hitl` in the directory of this program, unless this program is it: what embeds the SDK in a
/// program of that name need not know `serve`.
fn beside_us() -> Option<PathBuf> {
    let us = std::env::current_exe().ok()?;
    let beside = us.with_file_name("hitl");
    (beside != us && beside.is_file()).then_some(beside)
}

/// Where a server's output goes, and how long the file was before it wrote there.
struct Log {
    dir: PathBuf,
    path: PathBuf,
    start: u64,
}

impl Log {
    fn open(dir: PathBuf) -> Result<Self> {
        let path = dir.join("serve.log");
        let length = || std::fs::metadata(&path).map_or(0, |file| file.len());
        if length() > LOG_BYTES_MAX {
            let aside = dir.join("serve.log.1");
            std::fs::rename(&path, &aside).map_err(|error| unusable(&aside, &error))?;
        }
        Ok(Self { start: length(), dir, path })
    }

    fn writers(&self) -> Result<(std::fs::File, std::fs::File)> {
        let mut options = std::fs::OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(&self.path)
            .and_then(|file| Ok((file.try_clone()?, file)))
            .map_err(|error| unusable(&self.path, &error))
    }

    /// The last lines written since the server was started.
    fn tail(&self) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut file = std::fs::File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.start))?;
            let mut bytes = Vec::new();
            file.take(LOG_BYTES_MAX).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
    }
}

/// What the server keeps there is for this user alone.
fn make_private(dir: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn is_alive(reply: &[u8]) -> bool {
    reply.starts_with(ALIVE.0) && reply.ends_with(ALIVE.1)
}

fn unusable(path: &Path, error: &io::Error) -> Error {
    Error::no_server(format!(
        "{}: {error}. The local server needs it: make it writable, or set HITL_DATA_DIR",
        path.display()
    ))
}
