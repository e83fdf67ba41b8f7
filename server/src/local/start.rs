//! Finds the local server, or starts it.

use std::num::NonZeroU16;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use tokio::time::{sleep, timeout};

use super::address;
use super::dir::DataDir;
use super::lock::Lock;
use super::log::Log;
use super::state::{State, by_kill};
use crate::config::TlsArgs;

/// How long a server may take until it serves, with its store opened and the one before it gone.
const START_LIMIT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// How long a local server stays while nothing is pending and nobody calls.
const IDLE_EXIT: &str = "10m";

/// The local server of `dir`. It is started if none serves: on `port` if one is given, and then nothing else may listen
/// there.
///
/// # Errors
/// It cannot be started, or does not serve in time.
pub async fn up(dir: &DataDir, port: Option<NonZeroU16>) -> anyhow::Result<State> {
    let mut log = None;
    match timeout(START_LIMIT, find_or_start(dir, port, &mut log)).await {
        Ok(found) => found,
        Err(_) => Err(late(dir, log.as_ref())),
    }
}

/// Any number of programs may do this at once: whoever gets the lock starts the server, and the others see it serve.
async fn find_or_start(
    dir: &DataDir,
    port: Option<NonZeroU16>,
    log: &mut Option<Log>,
) -> anyhow::Result<State> {
    loop {
        if let Some(state) = State::of_living(dir)? {
            return Ok(state);
        }
        // If somebody else has the lock, a server is about to serve or about to end.
        if let Some(lock) = Lock::try_take(dir)? {
            let log = log.insert(Log::open(dir)?);
            let server = start(dir, port, lock, log)?;
            return until_serving(dir, server, log).await;
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// Starts a server that outlives this program: it leaves this terminal, runs in its own directory, and has the lock.
fn start(dir: &DataDir, port: Option<NonZeroU16>, lock: Lock, log: &Log) -> anyhow::Result<Child> {
    let us = std::env::current_exe().context("cannot tell where this program is")?;
    let [out, err] = log.writers()?;
    let mut command = Command::new(&us);
    command
        .args(["serve", "--local", "--idle-exit", IDLE_EXIT])
        .args(port.map(|port| format!("--listen={}", address(port.get()))))
        .env("HITL_DATA_DIR", dir.path())
        // The variable is for a server that other machines reach; this one serves this machine alone.
        .env_remove("HITL_LISTEN")
        // Whoever shares this machine must not be let in by a variable that was meant for another server.
        .env_remove("HITL_INSECURE")
        .current_dir(dir.path())
        .stdin(lock.into_stdin())
        .stdout(out)
        .stderr(err);
    // So are these: it speaks plain text to this machine.
    for variable in TlsArgs::VARIABLES {
        command.env_remove(variable);
    }
    command.spawn().with_context(|| format!("cannot start {}", us.display()))
}

async fn until_serving(dir: &DataDir, mut server: Child, log: &Log) -> anyhow::Result<State> {
    loop {
        if let Some(state) = State::of_living(dir)? {
            return Ok(state);
        }
        if let Some(status) = server.try_wait().context("cannot tell whether the server runs")? {
            let (path, tail) = (log.path().display(), log.tail());
            bail!("the local server did not start ({status}). Its log, {path}, ends:\n{tail}");
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// What to say when the time is over. A server that takes longer is left to it, for whoever comes next.
fn late(dir: &DataDir, log: Option<&Log>) -> anyhow::Error {
    let limit = START_LIMIT.as_secs();
    match log {
        Some(log) => {
            let (path, tail) = (log.path().display(), log.tail());
            anyhow!(
                "the local server does not serve within {limit} s. Its log, {path}, ends:\n{tail}"
            )
        }
        None => anyhow!(
            "another local server of {} has been starting or ending for {limit} s: try again, or end it{}",
            dir.path().display(),
            by_kill(dir),
        ),
    }
}
