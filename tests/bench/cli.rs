//! What may be asked of the benchmark, and what is measured for it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};
use tempfile::TempDir;

use crate::server::Server;

/// Measures hitl beside bare baselines, and prints a table of ratios.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
pub(crate) struct Cli {
    /// Smaller sizes and shorter runs: about five minutes in all, and too noisy to publish.
    #[arg(long)]
    pub quick: bool,
    /// Puts the synced log in our place, so that a ratio beside it shows the noise: it should be 1.
    #[arg(long)]
    pub control: bool,
    /// Measures only this; may be given several times.
    #[arg(long, value_enum, value_name = "NAME")]
    pub only: Vec<Figure>,
    /// Only at these numbers of callers, such as 64,512.
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub callers: Vec<usize>,
    /// How long each load runs, in seconds. Default 3, or 0.5 with --quick.
    #[arg(long, value_name = "N")]
    pub seconds: Option<f64>,
    /// Where the stores live for the run. Default: beside this program, which is on a disk where
    /// a temporary directory may not be.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Also writes method, machine and table to this file, as Markdown.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serves a baseline until stdin ends; the benchmark starts it itself.
    #[command(hide = true)]
    Baseline(Baseline),
}

#[derive(Args)]
pub(crate) struct Baseline {
    /// What the service does.
    #[arg(value_enum)]
    pub kind: Kind,
    /// Where its log goes.
    #[arg(long)]
    pub dir: PathBuf,
}

/// A service that does the least of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Replies at once and keeps nothing: what tonic costs. A stream has one message.
    Bare,
    /// The same, but a stream stays open after its first message.
    Open,
    /// Appends to one log, synced before the reply; state and waiters are in memory only.
    Log,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Figure {
    /// Durable creates, beside a bare unary call, a synced log and raw puts to the store.
    Creates,
    /// Waits for an ended event, beside a bare stream of one message.
    Streams,
    /// Whole lives and the latency of delivery, beside a service on a synced log.
    Lives,
    /// Memory of an idle waiter, beside a bare stream that stays open.
    Waiters,
    /// Waits that share a stream, and batches, beside single calls and raw puts.
    Shared,
    /// The size of the binary.
    Size,
    /// Time from start to ready after kill -9, and memory of pending events.
    Startup,
    /// A page of what has ended with a year of history behind it, beside one with none.
    History,
    /// The removal of what has ended beside whoever works, and the space that comes back.
    Retention,
    /// Reminders that are due at once, beside a few, and whoever works meanwhile.
    Reminders,
    /// Servers over one bucket: delivery across them, timers of a dead one, and calls while they die.
    Replicas,
}

const CALLERS: [usize; 3] = [1, 64, 512];

/// The sizes of one run.
pub(crate) struct Plan {
    pub load: Duration,
    pub rounds: usize,
    pub callers: Vec<usize>,
    pub waiters: [usize; 2],
    /// Each a number of thousands.
    pub shared_waiters: [usize; 2],
    pub pending: [usize; 2],
    /// A number of thousands.
    pub ended: usize,
    /// A number of thousands.
    pub reminders: usize,
    /// How long the servers over one bucket are watched.
    pub watch: Duration,
    control: bool,
    only: Vec<Figure>,
    dir: PathBuf,
}

impl Plan {
    pub(crate) fn new(cli: &Cli) -> Result<Self> {
        let quick = cli.quick;
        let seconds = cli.seconds.unwrap_or(if quick { 0.5 } else { 3.0 });
        let load = Duration::try_from_secs_f64(seconds).context("--seconds")?;
        let dir = match &cli.dir {
            Some(dir) => dir.clone(),
            None => crate::server::beside_this_program("")?,
        };
        Ok(Self {
            load: load.clamp(Duration::from_millis(100), Duration::from_secs(60)),
            callers: match cli.callers.as_slice() {
                [] => CALLERS.to_vec(),
                some => some.iter().map(|&callers| callers.clamp(1, 4_096)).collect(),
            },
            rounds: if quick { 1 } else { 3 },
            waiters: if quick { [1_000, 10_000] } else { [10_000, 100_000] },
            shared_waiters: if quick { [10_000, 100_000] } else { [100_000, 1_000_000] },
            pending: if quick { [1_000, 50_000] } else { [10_000, 1_000_000] },
            ended: if quick { 20_000 } else { 1_000_000 },
            reminders: if quick { 1_000 } else { 10_000 },
            watch: Duration::from_secs(if quick { 15 } else { 60 }),
            control: cli.control,
            only: cli.only.clone(),
            dir,
        })
    }

    /// What is to be measured, in the order of the report.
    pub(crate) fn figures(&self) -> impl Iterator<Item = Figure> {
        Figure::value_variants()
            .iter()
            .copied()
            .filter(|figure| self.only.is_empty() || self.only.contains(figure))
            .filter(|figure| {
                // A log that is never read again has no start to measure, and nobody to share it with.
                !self.control
                    || !matches!(
                        figure,
                        Figure::Waiters
                            | Figure::Shared
                            | Figure::Size
                            | Figure::Startup
                            | Figure::History
                            | Figure::Retention
                            | Figure::Reminders
                            | Figure::Replicas
                    )
            })
    }

    /// Starts what is judged, on the store in `dir`.
    pub(crate) async fn start(&self, dir: &Path) -> Result<Server> {
        if self.control {
            return Server::baseline(Kind::Log, dir).await;
        }
        Server::ours(dir).await
    }

    /// A new directory on the disk that is judged, removed when dropped.
    pub(crate) fn fresh_dir(&self) -> Result<TempDir> {
        tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(&self.dir)
            .with_context(|| format!("cannot make a directory in {}", self.dir.display()))
    }
}
