//! Ends the server at random moments, nearly always by kill -9, and starts it again.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::RngExt;
use rand::rngs::StdRng;
use support::server::{Config, Server};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::autopsy::{self, Kind};
use support::history::{Life, Recorder, Stamp};

/// Every how-many-th life is calm: long enough for timers and waiters to show that they are late.
const CALM_EVERY: usize = 16;

const STORE: &str = "store";

/// See the module.
#[derive(Debug)]
pub(crate) struct Chaos {
    server: Server,
    kind: Kind,
    /// Where the store is.
    dir: TempDir,
    rng: StdRng,
    recorder: Arc<Recorder>,
    up: watch::Sender<bool>,
    ready: Option<Stamp>,
    /// All kills so far.
    pub(crate) kills: usize,
    /// Those of them that hit before the server said that it is ready.
    pub(crate) kills_in_start: usize,
    /// How often it was told to end instead, and did.
    pub(crate) stops: usize,
}

impl Chaos {
    /// Starts the server.
    pub(crate) async fn begin(
        config: Config,
        kind: Kind,
        rng: StdRng,
        recorder: Arc<Recorder>,
        up: watch::Sender<bool>,
    ) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("hitl-store-").tempdir()?;
        // Not the directory itself: the server keeps a file beside it.
        let path = dir.path().join(STORE);
        let path = path.display();
        let spec = match kind {
            Kind::Embedded => path.to_string(),
            Kind::Files => format!("file://{path}"),
        };
        let server = Server::start(config.store(spec)).await?;
        let ready = Some(recorder.stamp());
        up.send_replace(true);
        Ok(Self {
            server,
            kind,
            dir,
            rng,
            recorder,
            up,
            ready,
            kills: 0,
            kills_in_start: 0,
            stops: 0,
        })
    }

    pub(crate) fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    pub(crate) fn log_tail(&self) -> String {
        self.server.log_tail()
    }

    /// Ends and restarts the server until it has been killed `kills` times.
    pub(crate) async fn storm(&mut self, kills: usize) -> Result<()> {
        let enough = self.kills + kills;
        while self.kills < enough {
            let calm = self.kills % CALM_EVERY == CALM_EVERY - 1;
            let up_ms = self.rng.random_range(if calm { 2_600..3_200 } else { 50..400 });
            sleep(Duration::from_millis(up_ms)).await;
            // A server that is told to go owes its callers the same as one that is killed.
            if self.rng.random_bool(0.1) {
                self.stop().await?;
            } else {
                self.kill().await?;
            }
            if calm {
                self.autopsy().await?;
            }
            if self.rng.random_bool(0.25) {
                // Long enough for timers to come due while nobody is there.
                let down_ms = self.rng.random_range(200..1_200);
                sleep(Duration::from_millis(down_ms)).await;
            }
            if self.rng.random_bool(0.15) {
                self.kill_in_start().await?;
            }
            self.start().await?;
        }
        Ok(())
    }

    /// Starts the server and returns once it is ready.
    pub(crate) async fn start(&mut self) -> Result<()> {
        self.server.restart().await?;
        self.ready = Some(self.recorder.stamp());
        self.up.send_replace(true);
        Ok(())
    }

    /// Kills the server.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        self.going();
        self.server.kill().await?;
        self.kills += 1;
        Ok(())
    }

    async fn stop(&mut self) -> Result<()> {
        self.going();
        let status = self.server.terminate().await?;
        ensure!(status.success(), "the server was told to end, and ended with {status}");
        self.stops += 1;
        Ok(())
    }

    fn going(&mut self) {
        self.up.send_replace(false);
        let killed = self.recorder.stamp();
        if let Some(ready) = self.ready.take() {
            self.recorder.history().lives.push(Life { ready, killed });
        }
    }

    /// Looks into the store of the server that has just been killed.
    pub(crate) async fn autopsy(&self) -> Result<()> {
        let life = self.recorder.history().lives.last().copied();
        let life = life.context("no life has ended")?;
        let found = autopsy::open(self.kind, &self.dir.path().join(STORE), life).await?;
        self.recorder.history().autopsies.push(found);
        Ok(())
    }

    async fn kill_in_start(&mut self) -> Result<()> {
        self.server.launch().await?;
        let delay = Duration::from_millis(self.rng.random_range(0..120));
        // Its start is over in no time on a fast machine: then it counts as any other.
        if let Ok(ready) = timeout(delay, self.server.ready()).await {
            ready?;
            self.ready = Some(self.recorder.stamp());
        } else {
            self.kills_in_start += 1;
        }
        self.kill().await
    }
}
