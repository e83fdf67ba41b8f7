//! What happens beside the calls of the SDK: to the server, by somebody without an SDK, by other programs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::future::try_join_all;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};
use support::server::Server;
use tokio::time::timeout;

use super::{PAUSE, UNTIL_LIMIT, World, make_client};
use crate::adapter::Adapter;
use crate::scenario::{Http, ServerDeed, Step};

const LONG_OUTAGE: Duration = Duration::from_secs(30);

impl World {
    pub(super) async fn http(&self, http: &Http) -> Result<Json> {
        let url = self.vars.fill(&Json::String(http.post.clone()))?;
        let url = url.as_str().context("the address is text")?;
        let reply = self.http.post(url).json(&self.vars.fill(&http.json)?).send().await?;
        let is_success = reply.status().is_success();
        let body: Json = reply.json().await?;
        Ok(if is_success { json!({"ok": body}) } else { json!({"error": body["error"]}) })
    }

    pub(super) async fn server(&mut self, deed: ServerDeed) -> Result<()> {
        let server = self.server.as_mut().context("this scenario has no server of its own")?;
        match deed {
            ServerDeed::Kill => server.kill().await,
            ServerDeed::Start => server.restart().await,
            ServerDeed::Pause => signal(server, Signal::STOP),
            ServerDeed::Resume => signal(server, Signal::CONT),
            ServerDeed::Restart => {
                let status = server.terminate().await?;
                if !status.success() {
                    bail!("the server was told to end, and ended with {status}");
                }
                server.restart().await
            }
            ServerDeed::LongOutage => {
                server.kill().await?;
                tokio::time::sleep(LONG_OUTAGE).await;
                server.restart().await
            }
        }
    }

    /// So many programs of the same environment start, and each does `op`.
    pub(super) async fn crowd(&mut self, step: &Step, op: &Json, times: usize) -> Result<()> {
        let mut crowd = Vec::new();
        for op in self.each(op, times)? {
            crowd.push((Adapter::start(self.language, &self.env)?, op));
        }
        let replies = crowd.iter().map(async |(adapter, op)| {
            make_client(adapter, &self.client).await?;
            adapter.tell(op.clone()).await?.reply().await
        });
        for reply in try_join_all(replies).await? {
            self.judge(step, &reply)?;
        }
        Ok(())
    }

    /// Waits until as many servers are left as there should be: those that came too late for the port have to end.
    pub(super) async fn servers(&self, expected: usize) -> Result<()> {
        let left = async {
            while servers_in(self.dir.path()).len() != expected {
                tokio::time::sleep(PAUSE).await;
            }
        };
        let found = || servers_in(self.dir.path()).len();
        timeout(UNTIL_LIMIT, left).await.with_context(|| format!("{} servers run", found()))
    }
}

/// The servers that an SDK has started: they run in the directory that it was given.
pub(super) fn servers_in(dir: &Path) -> Vec<Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_ours = |path: PathBuf| std::fs::read_link(path).is_ok_and(|cwd| cwd.starts_with(dir));
    let ours = entries.filter(|entry| is_ours(entry.path().join("cwd")));
    ours.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)).collect()
}

fn signal(server: &Server, signal: Signal) -> Result<()> {
    let pid = server.pid().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    Ok(kill_process(pid.context("the server runs")?, signal)?)
}
