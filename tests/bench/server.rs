//! A server in a process of its own, ours or a baseline: started, found, measured and ended.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::cli::Kind;

/// Names the file with the token of an admin. A server that has one asks everybody for a token.
pub(crate) const ADMIN_TOKEN_FILE: &str = "HITL_ADMIN_TOKEN_FILE";
const LONGEST_START: Duration = Duration::from_secs(120);

/// Killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    pub(crate) pid: u32,
}

impl Server {
    /// Starts [`program`] on the store in `dir`, and returns when it accepts connections.
    pub(crate) async fn ours(dir: &Path) -> Result<Self> {
        Self::ours_with(dir, &[]).await
    }

    /// The same with these variables in its environment.
    pub(crate) async fn ours_with(dir: &Path, env: &[(&str, &str)]) -> Result<Self> {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let store = dir.join("store").display().to_string();
        Self::on(dir, 0, &store, &env.collect::<Vec<_>>()).await
    }

    /// The same at `port`, or at any for 0, on the store at `url`, for which the environment says `env`. Servers with
    /// the same `dir` sign links alike.
    pub(crate) async fn on(
        dir: &Path,
        port: u16,
        url: &str,
        env: &[(String, String)],
    ) -> Result<Self> {
        let mut command = Command::new(program()?);
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]);
        if env.iter().all(|(name, _)| name != ADMIN_TOKEN_FILE) {
            command.arg("--insecure");
        }
        command.args(["--store", url]);
        command.args(["--link-key-file".as_ref(), dir.join("link.key").as_os_str()]);
        command.envs(env.iter().map(|(name, value)| (name, value)));
        // What it would log at the default level belongs to the figure, where it goes does not.
        command.stderr(std::fs::File::create(dir.join("stderr"))?);
        Self::start(command).await.with_context(|| {
            let log = std::fs::read_to_string(dir.join("stderr")).unwrap_or_default();
            format!("hitl did not start; its log: {log}")
        })
    }

    /// Starts a baseline of this kind, with `dir` for its log.
    pub(crate) async fn baseline(kind: Kind, dir: &Path) -> Result<Self> {
        let kind = format!("{kind:?}").to_lowercase();
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["baseline", &kind, "--dir"]).arg(dir);
        Self::start(command).await.context("the baseline did not start")
    }

    async fn start(mut command: Command) -> Result<Self> {
        // A pipe that closes with this process: it ends a baseline even if we are killed.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
        let pid = child.id().context("it ended at once")?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let mut line = String::new();
        timeout(LONGEST_START, BufReader::new(stdout).read_line(&mut line)).await??;
        let url = line.split_whitespace().last().context("it said nothing")?;
        let url = url.to_owned();
        Ok(Self { child, url, pid })
    }

    /// The number that the server tells as `name` in its metrics: the sum, if there are several. The name may go on
    /// with the first of its labels.
    pub(crate) async fn metric(&self, name: &str) -> Result<f64> {
        let http = support::http::client().build()?;
        let text = http.get(format!("{}/metrics", self.url)).send().await?.text().await?;
        let values = text.lines().filter_map(|line| {
            let after = line.strip_prefix(name)?;
            let is_whole = after.starts_with([' ', '{', ',']);
            after.rsplit(' ').next().filter(|_| is_whole)?.parse::<f64>().ok()
        });
        Ok(values.sum())
    }

    pub(crate) fn port(&self) -> Result<u16> {
        let port = self.url.rsplit(':').next().context("an address has a port")?;
        port.parse().with_context(|| format!("the port in {}", self.url))
    }

    /// Ends it as a power cut would, as far as a process can tell.
    pub(crate) async fn kill(mut self) -> Result<()> {
        self.child.kill().await.context("cannot kill the server")
    }
}

/// `hitl`: that of this build unless HITL_TEST_BIN names another.
pub(crate) fn program() -> Result<PathBuf> {
    match std::env::var_os("HITL_TEST_BIN") {
        Some(program) => Ok(program.into()),
        None => beside_this_program("hitl"),
    }
}

/// The file `name` in the directory of this program.
pub(crate) fn beside_this_program(name: &str) -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.parent().context("a program is in a directory")?.join(name))
}
