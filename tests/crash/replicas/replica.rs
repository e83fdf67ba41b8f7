//! One replica, and what befalls it: killed, frozen, cut off from the store.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use hitl_proto::v1::GetEventRequest;
use rand::RngExt;
use rand::rngs::StdRng;
use support::object_server::{Door, ObjectServer, Way};
use support::planted::VARIABLE;
use support::server::{Config, Server};
use tokio::time::{Instant, sleep, timeout};
use tonic::Code;

/// What is below the bucket.
pub(crate) const PREFIX: &str = "replicas";
/// Shortest and longest time for which a replica is frozen.
const FROZEN_S: (f64, f64) = (0.1, 30.0);
const NO_EVENT: &str = "00000000000000000000000000000000";
/// How long a replica may take to be well once nothing is done to it any more.
const HEALING_LIMIT: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Debug)]
pub(crate) struct Replica {
    server: Server,
    door: Door,
    rng: StdRng,
    deeds: Deeds,
}

/// What was done to replicas.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Deeds {
    pub(crate) kills: u64,
    /// Starts that ended at once, since the store failed.
    pub(crate) starts_failed: u64,
    pub(crate) freezes: u64,
    pub(crate) frozen: Duration,
    pub(crate) cut_offs: u64,
}

impl Replica {
    /// Starts a replica with a door of its own to `store`.
    pub(crate) async fn start(
        binaries: Vec<PathBuf>,
        store: &ObjectServer,
        link_key: &Path,
        planted: Option<&str>,
        rng: StdRng,
    ) -> Result<Self> {
        let door = store.door()?;
        let mut config = Config::new(&binaries[0]).in_turn(binaries).store(store.url(PREFIX));
        config = config.arg("--link-key-file").arg(link_key.display().to_string());
        for (name, value) in store.env_for(&door) {
            config = config.env(name, value);
        }
        if let Some(fault) = planted {
            config = config.env(VARIABLE, fault);
        }
        let server = Server::start(config).await?;
        Ok(Self { server, door, rng, deeds: Deeds::default() })
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.port()
    }

    pub(crate) fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    pub(crate) fn deeds(&self) -> Deeds {
        self.deeds
    }

    pub(crate) fn log_tail(&self) -> String {
        self.server.log_tail()
    }

    /// One thing after the other befalls it until then, and no longer.
    pub(crate) async fn suffer(&mut self, until: Instant) -> Result<()> {
        while Instant::now() < until {
            let calm = Duration::from_millis(self.rng.random_range(300..3_000));
            self.pause(calm, until).await;
            match self.rng.random_range(0..10) {
                0..4 => self.kill(until).await?,
                4..7 => self.freeze(until).await?,
                _ => self.cut_off(until).await?,
            }
        }
        Ok(())
    }

    /// Puts an end to all that was done to it, and returns once it can read its store.
    pub(crate) async fn heal(&mut self) -> Result<()> {
        self.door.open().await?;
        if !self.server.is_running() {
            self.server.restart().await?;
        }
        let mut client = self.server.client();
        let well = async {
            // There is no such event, and whoever read one that is overdue would end it.
            let event_id = NO_EVENT.to_owned();
            let request = GetEventRequest { event_id, ..Default::default() };
            loop {
                match client.get_event(request.clone()).await {
                    Err(status) if status.code() == Code::NotFound => return,
                    _ => sleep(Duration::from_millis(20)).await,
                }
            }
        };
        timeout(HEALING_LIMIT, well).await.with_context(|| format!("not well: {}", self.log_tail()))
    }

    async fn kill(&mut self, until: Instant) -> Result<()> {
        self.server.kill().await?;
        self.deeds.kills += 1;
        let down = Duration::from_millis(self.rng.random_range(0..2_000));
        self.pause(down, until).await;
        // A server that cannot trust its store does not start, and whoever runs it tries again.
        while self.server.restart().await.is_err() && Instant::now() < until {
            self.deeds.starts_failed += 1;
        }
        Ok(())
    }

    async fn freeze(&mut self, until: Instant) -> Result<()> {
        if !self.server.is_running() {
            return Ok(());
        }
        // As many short ones as long ones, on the scale of magnitudes.
        let (least, most) = FROZEN_S;
        let seconds = least * (most / least).powf(self.rng.random());
        let begun = Instant::now();
        self.server.freeze()?;
        self.pause(Duration::from_secs_f64(seconds), until).await;
        self.server.thaw()?;
        self.deeds.freezes += 1;
        self.deeds.frozen += begun.elapsed();
        Ok(())
    }

    async fn cut_off(&mut self, until: Instant) -> Result<()> {
        let way = if self.rng.random_bool(0.5) { Way::Refusing } else { Way::Hanging };
        self.door.shut(way).await?;
        let length = Duration::from_millis(self.rng.random_range(200..8_000));
        self.pause(length, until).await;
        self.door.open().await?;
        self.deeds.cut_offs += 1;
        Ok(())
    }

    /// Waits for so long, but not beyond the end.
    async fn pause(&self, length: Duration, until: Instant) {
        sleep(length.min(until.saturating_duration_since(Instant::now()))).await;
    }
}

impl std::iter::Sum for Deeds {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            kills: sum.kills + one.kills,
            starts_failed: sum.starts_failed + one.starts_failed,
            freezes: sum.freezes + one.freezes,
            frozen: sum.frozen + one.frozen,
            cut_offs: sum.cut_offs + one.cut_offs,
        })
    }
}
