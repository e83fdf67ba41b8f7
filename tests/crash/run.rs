//! One run: clients, kills, audits, and the verdict.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::server::Config;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::autopsy::Kind;
use crate::chaos::Chaos;
use support::checker::{self, Bounds, Rule, Verdict};
use support::history::{History, Recorder};
use support::load::audit::audit;
use support::load::client::Client;
use support::load::common::{Habits, Shared};
use support::load::lines::Lines;
use support::load::passing::pass_by;
use support::load::phase::Phase;
use support::load::tally::Tally;
use support::planted::VARIABLE;
use support::signal::Signal;
use support::tools;

const CLIENTS: usize = 16;
/// The calls go on for so long after the last kill of a segment.
const CALM: Duration = Duration::from_secs(3);
/// Longer than the longest deadline that is not long, and the lateness that is allowed.
const QUIET: Duration = Duration::from_millis(5_500);
/// Clients end as soon as the server is up; more than that is a client that hangs.
const CLIENTS_END: Duration = Duration::from_secs(60);

/// What to run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Those that the lives of the server run, in turn.
    pub(crate) binaries: Vec<PathBuf>,
    pub(crate) store: Kind,
    /// The planted fault, if any.
    pub(crate) fault: Option<&'static str>,
    pub(crate) seed: u64,
    /// What is looked for: any of these rules. Without one, whatever is broken.
    pub(crate) sought: &'static [Rule],
    /// After each segment the history is judged; the run ends with the first in which what is sought is found.
    pub(crate) segments: usize,
    pub(crate) kills_per_segment: usize,
}

impl Plan {
    fn has_found(&self, verdict: &Verdict) -> bool {
        let is_sought = |rule| self.sought.is_empty() || self.sought.contains(&rule);
        verdict.violations.iter().any(|violation| is_sought(violation.rule))
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) history: History,
    pub(crate) verdict: Verdict,
    pub(crate) kills: usize,
    pub(crate) kills_in_start: usize,
    pub(crate) stops: usize,
    /// What the streams of many waits did.
    pub(crate) tally: Arc<Tally>,
    /// Why the run could not go on, with the end of the server's log.
    pub(crate) broken: Option<String>,
}

/// Runs `plan`.
pub(crate) async fn run(plan: &Plan) -> Result<Outcome> {
    let mut config = Config::new(tools::hitl()).in_turn(plan.binaries.clone());
    if let Some(fault) = plan.fault {
        config = config.env(VARIABLE, fault);
    }
    let mut rng = StdRng::seed_from_u64(plan.seed);
    let (up, is_up) = watch::channel(false);
    let mut shared = Shared::new(Arc::new(Recorder::new()), Phase::Load, Habits::REAL);
    let tally = Arc::<Tally>::default();
    let chaos_rng = StdRng::seed_from_u64(rng.random());
    let recorder = shared.recorder.clone();
    let mut chaos = Chaos::begin(config, plan.store, chaos_rng, recorder.clone(), up).await?;
    let mut verdict = Verdict::default();
    let mut broken = None;
    for _ in 0..plan.segments {
        shared.phase = Arc::new(Signal::new(Phase::Load));
        let clients = spawn(&chaos.endpoint(), &shared, &tally, &is_up, &mut rng);
        let went = segment(plan, &mut chaos, clients, &shared, &tally).await;
        broken =
            went.err().map(|error| format!("{error:#}; the server's log:\n{}", chaos.log_tail()));
        verdict = checker::check(&recorder.history(), &Bounds::ALONE);
        if broken.is_some() || plan.has_found(&verdict) {
            break;
        }
    }
    let history = std::mem::take(&mut *recorder.history());
    let Chaos { kills, kills_in_start, stops, .. } = chaos;
    Ok(Outcome { history, verdict, kills, kills_in_start, stops, tally, broken })
}

fn spawn(
    endpoint: &str,
    shared: &Shared,
    tally: &Arc<Tally>,
    up: &watch::Receiver<bool>,
    rng: &mut StdRng,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for number in 0..CLIENTS {
        // The server is back within moments.
        let lines = Lines::one(endpoint).counted(tally.clone()).when(up.clone());
        let lines = Arc::new(lines);
        tasks.spawn(pass_by(lines.clone(), shared.clone(), rng.random()));
        tasks.spawn(Client::new(number, rng.random(), lines, shared.clone()).run());
    }
    tasks
}

/// A storm of kills under load, a calm, the end of the load, and then the books.
async fn segment(
    plan: &Plan,
    chaos: &mut Chaos,
    mut clients: JoinSet<()>,
    shared: &Shared,
    tally: &Tally,
) -> Result<()> {
    let begun = Instant::now();
    chaos.storm(plan.kills_per_segment).await?;
    sleep(CALM).await;
    shared.phase.set(Phase::Quiet);
    tally.load(begun.elapsed());
    sleep(QUIET).await;
    shared.phase.set(Phase::End);
    let ended = async {
        while let Some(client) = clients.join_next().await {
            client?;
        }
        anyhow::Ok(())
    };
    timeout(CLIENTS_END, ended).await.context("the clients do not end")??;
    chaos.kill().await?;
    chaos.autopsy().await?;
    chaos.start().await?;
    audit(&chaos.endpoint(), &shared.board, &shared.recorder).await
}
