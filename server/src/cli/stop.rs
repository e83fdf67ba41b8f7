//! `hitl stop`: ends the local server.

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::time::{sleep, timeout};

use super::exit::Exit;
use super::{terminal, up};
use crate::local::{DataDir, State};

/// A server tells everybody who waits to come again, and ends within some seconds.
const END_LIMIT: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// End the local server; what is pending waits in its store.
#[derive(Args, Debug)]
#[command(after_help = "\
The next command that needs a server starts it again, and who waits goes on waiting then.

Example:
  hitl stop")]
pub(super) struct StopArgs {}

pub(super) async fn run() -> anyhow::Result<Exit> {
    let dir = up::data_dir()?;
    let Some(state) = State::of_living(&dir)? else {
        terminal::note("No local server runs.");
        return Ok(Exit::Done);
    };
    let pid = end(&state)?;
    let ends = async {
        gone(&dir, &state).await;
        // It lets go of its file before it has closed its store.
        while is_running(pid) {
            sleep(POLL_INTERVAL).await;
        }
    };
    if timeout(END_LIMIT, ends).await.is_err() {
        bail!(
            "the local server (process {}) was told to end and has not: see {}",
            state.pid,
            dir.log().display()
        );
    }
    terminal::note(&format!("The local server at {} has ended.", state.endpoint));
    Ok(Exit::Done)
}

fn end(state: &State) -> anyhow::Result<Pid> {
    let pid = i32::try_from(state.pid).ok().and_then(Pid::from_raw);
    let Some(pid) = pid else { bail!("the local server gives no process that could be ended") };
    match kill_process(pid, Signal::TERM) {
        // It has ended by itself meanwhile.
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(pid),
        Err(error) => Err(error.into()),
    }
}

/// Whether the process has not ended. One that has stays in the system's list until its parent has looked.
fn is_running(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    let is_left =
        stat.is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|of| of.starts_with('Z')));
    test_kill_process(pid).is_ok() && !is_left
}

/// Returns when the server of `state` is no more. Another one may serve by then.
async fn gone(dir: &DataDir, state: &State) {
    while matches!(State::of_living(dir), Ok(Some(now)) if now == *state) {
        sleep(POLL_INTERVAL).await;
    }
}
