//! Measures hitl beside the least that could do the same work, on the same machine, in one run.
//!
//! Nothing is asserted: a figure says more about a machine than about the code, a ratio of two
//! figures taken side by side says more about the code. `docs/benchmarks.md` has the method.

mod baseline;
mod calls;
mod cli;
mod history;
mod lives;
mod load;
mod log;
mod machine;
mod process;
mod reminders;
mod replicas;
mod report;
mod requests;
mod retention;
mod server;
mod shared;
mod size;
mod startup;
mod steady;
mod waiters;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use cli::{Cli, Command, Figure, Plan};
use report::Report;

/// No figure takes this long; a hang must not hold a machine for ever.
const LONGEST_FIGURE: Duration = Duration::from_secs(40 * 60);

fn main() -> Result<()> {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        if let Some(Command::Baseline(arguments)) = &cli.command {
            return baseline::serve(arguments).await;
        }
        // Dropping what runs ends its processes and removes its directories.
        tokio::select! {
            done = run(&cli) => done,
            stop = stopped() => stop.and_then(|()| bail!("stopped by a signal")),
        }
    })
}

async fn run(cli: &Cli) -> Result<()> {
    let plan = Plan::new(cli)?;
    let mut report = Report::new(&plan)?;
    for figure in plan.figures() {
        eprintln!("measuring {figure:?} …");
        let rows = async {
            match figure {
                Figure::Creates => calls::creates(&plan).await,
                Figure::Streams => calls::streams(&plan).await,
                Figure::Lives => lives::measure(&plan).await,
                Figure::Waiters => waiters::measure(&plan).await,
                Figure::Shared => shared::measure(&plan).await,
                Figure::Size => size::measure(&plan),
                Figure::Startup => startup::measure(&plan).await,
                Figure::History => history::measure(&plan).await,
                Figure::Retention => retention::measure(&plan).await,
                Figure::Reminders => reminders::measure(&plan).await,
                Figure::Replicas => replicas::measure(&plan).await,
            }
        };
        let rows = tokio::time::timeout(LONGEST_FIGURE, rows)
            .await
            .context("took too long")
            .flatten()
            .with_context(|| format!("measuring {figure:?}"))?;
        report.add(rows);
    }
    print!("{report}");
    if let Some(file) = &cli.markdown {
        std::fs::write(file, report.markdown())
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

async fn stopped() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
