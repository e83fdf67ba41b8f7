//! Three replicas over one bucket, behind a proxy, while everything goes wrong: replicas are killed, frozen and cut
//! off, and the store fails in every way it knows. Nothing that anybody was told may turn out wrong. Then all of it
//! ends, and everything that is due or awaited must come.

mod decoys;
mod race;
mod replica;
mod report;
mod watchers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::checker::{self, Bounds, Rule, Verdict};
use support::history::{Autopsy, History, Life, Recorder};
use support::object_server::{Dialect, Fault, ObjectServer};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

pub(crate) use decoys::BREAK;
use decoys::Decoys;
use replica::{Deeds, PREFIX, Replica};
pub(crate) use report::Report;
use support::board::Board;
use support::load::audit::audit;
use support::load::client::Client;
use support::load::common::{Habits, Shared};
use support::load::lines::Lines;
use support::load::passing::pass_by;
use support::load::phase::Phase;
use support::load::tally::Tally;
use support::proxy::Proxy;
use watchers::watcher;

const REPLICAS: usize = 3;
const CLIENTS: usize = 16;
/// The calls go on for so long after the storm.
const CALM: Duration = Duration::from_secs(3);
/// Longer than the longest deadline that is not long, and the lateness that is allowed to timers and waiters.
const QUIET: Duration = Duration::from_secs(16);
/// How much longer the storm may take on a slow machine, until enough has happened.
const MORE: Duration = Duration::from_secs(180);
/// After so long it is looked whether enough has happened.
const ROUND: Duration = Duration::from_secs(5);
/// Clients end as soon as the service is well; more than that is a client that hangs.
const CLIENTS_END: Duration = Duration::from_secs(60);
/// How long a write may be held back.
const LANDING_LIMIT: Duration = Duration::from_secs(20);

/// How often each fault befalls a request that it can befall. Lists are few, so theirs are frequent.
const RATES: [(Fault, f64); 19] = [
    (Fault::ErrorBefore, 0.004),
    (Fault::CommitThenError, 0.008),
    (Fault::CommitThenHang, 0.002),
    (Fault::CommitThenClose, 0.004),
    (Fault::CommitThenReset, 0.004),
    (Fault::LateLanding, 0.006),
    (Fault::Duplicate, 0.006),
    (Fault::Conflict, 0.02),
    (Fault::OwnPrecondition, 0.02),
    (Fault::SlowDown, 0.001),
    (Fault::TooManyRequests, 0.002),
    (Fault::PermissionRevoked, 0.000_3),
    (Fault::StaleList, 0.15),
    (Fault::ShortPage, 0.15),
    (Fault::UnorderedList, 0.15),
    (Fault::RepeatedToken, 0.09),
    (Fault::SkippedKeys, 0.09),
    (Fault::MissingToken, 0.09),
    (Fault::TruncatedBody, 0.004),
];

/// What to run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Those that the lives of each replica run, in turn. Neighbours begin with different ones.
    pub(crate) binaries: Vec<PathBuf>,
    pub(crate) dialect: Dialect,
    pub(crate) seed: u64,
    pub(crate) storm: Duration,
    pub(crate) trouble: Trouble,
}

impl Plan {
    /// Whether somebody watches. An older server does not say what it creates; and one that watches has its replica
    /// read every end, so that a replica that is deaf to the others would not be found.
    fn is_watched(&self) -> bool {
        self.trouble == Trouble::All && self.binaries.len() == 1
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Everything that the service must bear.
    All,
    /// What befalls replicas, which have this fault planted, and nothing befalls the store.
    Planted(&'static str),
    /// The store lets several writers create the same object, which nobody can bear.
    RacyStore,
    /// The store does not look at conditions, which nobody can bear.
    DeafStore,
}

impl Trouble {
    pub(crate) fn planted(self) -> Option<&'static str> {
        match self {
            Self::Planted(fault) => Some(fault),
            Self::All | Self::RacyStore | Self::DeafStore => None,
        }
    }

    /// Whether it is to be seen how soon everything comes once the trouble is over.
    fn is_of_time(self) -> bool {
        matches!(self, Self::All | Self::Planted(_))
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) history: History,
    pub(crate) verdict: Verdict,
    pub(crate) deeds: Deeds,
    pub(crate) faults: BTreeMap<Fault, u64>,
    pub(crate) events: usize,
    pub(crate) races: usize,
    /// Whether somebody watched.
    pub(crate) is_watched: bool,
    /// What the streams of many waits did.
    pub(crate) tally: Arc<Tally>,
    /// How often each rule is broken, going by what the clients saw that forget.
    pub(crate) decoys: BTreeMap<Rule, usize>,
    /// Why the run could not go on, with the ends of the replicas' logs.
    pub(crate) broken: Option<String>,
}

/// The service, the store behind it and the proxy before it.
struct Site {
    store: ObjectServer,
    replicas: Vec<Replica>,
    proxy: Proxy,
}

/// Runs `plan`.
pub(crate) async fn run(plan: &Plan) -> Result<Outcome> {
    let mut rng = StdRng::seed_from_u64(plan.seed);
    let dir = tempfile::Builder::new().prefix("hitl-replicas-").tempdir()?;
    let link_key = dir.path().join("link.key");
    let store = ObjectServer::start(plan.dialect)?;
    let mut replicas = Vec::new();
    for number in 0..REPLICAS {
        let rng = StdRng::seed_from_u64(rng.random());
        let planted = plan.trouble.planted();
        let mut binaries = plan.binaries.clone();
        binaries.rotate_left(number % plan.binaries.len());
        replicas.push(Replica::start(binaries, &store, &link_key, planted, rng).await?);
    }
    let proxy = Proxy::start(replicas.iter().map(Replica::port).collect()).await?;
    let mut site = Site { store, replicas, proxy };

    let shared = Shared::new(Arc::new(Recorder::new()), Phase::Load, Habits::REAL);
    let tally = Arc::<Tally>::default();
    let mut races = 0;
    let mut decoys = Decoys::new(&shared);
    if plan.is_watched() {
        decoys.begin(&site.proxy.endpoint(), &shared, &mut rng).await?;
    }
    let went = go(plan, &mut site, &shared, &tally, &mut rng, &mut races).await;
    let broken = went.err().map(|error| {
        let logs = site.replicas.iter().map(Replica::log_tail).collect::<Vec<_>>();
        format!("{error:#}; the replicas' logs:\n{}", logs.join("\n=====\n"))
    });
    let verdict = checker::check(&shared.recorder.history(), &Bounds::SHARED);
    let history = std::mem::take(&mut *shared.recorder.history());
    shared.phase.set(Phase::End);
    let decoys = decoys.judge(&history).await;
    let deeds = deeds(&site);
    let faults = site.store.faults().fired();
    let events = shared.board.ids().len();
    Ok(Outcome {
        history,
        verdict,
        deeds,
        faults,
        events,
        races,
        is_watched: plan.is_watched(),
        tally,
        decoys,
        broken,
    })
}

/// A storm under load, the healing, a calm, the end of the load, and then the books.
async fn go(
    plan: &Plan,
    site: &mut Site,
    shared: &Shared,
    tally: &Arc<Tally>,
    rng: &mut StdRng,
    races: &mut usize,
) -> Result<()> {
    let mut watchers = JoinSet::new();
    if plan.is_watched() {
        watchers.spawn(watcher(&site.proxy.endpoint(), shared, rng).await?.run());
    }
    let mut clients = spawn(site, shared, tally, rng);
    let endpoints = site.replicas.iter().map(Replica::endpoint).collect();
    let lines = Arc::new(Lines::several(&site.proxy.endpoint()));
    let racing = tokio::spawn(race::races(endpoints, lines, shared.clone(), rng.random()));
    let begun = Instant::now();
    storm(plan, site, &shared.board, rng.random()).await?;
    heal(site).await?;
    let ready = shared.recorder.stamp();
    if plan.trouble.is_of_time() {
        sleep(CALM).await;
        shared.phase.set(Phase::Quiet);
        tally.load(begun.elapsed());
        sleep(QUIET).await;
    }
    shared.phase.set(Phase::End);
    let ended = async {
        while let Some(client) = clients.join_next().await {
            client?;
        }
        *races = racing.await?;
        watchers.join_all().await;
        anyhow::Ok(())
    };
    timeout(CLIENTS_END, ended).await.context("the clients do not end")??;
    // Before anybody reads, since whoever reads an overdue event ends it.
    let killed = shared.recorder.stamp();
    let autopsy = autopsy(&site.store, Life { ready, killed });
    shared.recorder.history().autopsies.push(autopsy);
    for replica in &site.replicas {
        audit(&replica.endpoint(), &shared.board, &shared.recorder).await?;
    }
    let killed = shared.recorder.stamp();
    shared.recorder.history().lives.push(Life { ready, killed });
    Ok(())
}

fn spawn(site: &Site, shared: &Shared, tally: &Arc<Tally>, rng: &mut StdRng) -> JoinSet<()> {
    let endpoint = site.proxy.endpoint();
    let mut tasks = JoinSet::new();
    for number in 0..CLIENTS {
        let lines = Arc::new(Lines::several(&endpoint).counted(tally.clone()));
        tasks.spawn(pass_by(lines.clone(), shared.clone(), rng.random()));
        tasks.spawn(Client::new(number, rng.random(), lines, shared.clone()).run());
    }
    tasks
}

async fn storm(plan: &Plan, site: &mut Site, board: &Board, seed: u64) -> Result<()> {
    let until = Instant::now() + plan.storm;
    match plan.trouble {
        Trouble::All => {
            site.store.faults().random(seed, RATES);
            suffer(site, until).await?;
            let enough_at_last = until + MORE;
            while !report::is_enough(&deeds(site), &site.store.faults().fired(), board.ids().len())
                && Instant::now() < enough_at_last
            {
                suffer(site, enough_at_last.min(Instant::now() + ROUND)).await?;
            }
        }
        Trouble::Planted(_) => suffer(site, until).await?,
        Trouble::RacyStore => site.store.set_racy(true),
        Trouble::DeafStore => site.store.set_ignores_conditions(true),
    }
    tokio::time::sleep_until(until).await;
    Ok(())
}

fn deeds(site: &Site) -> Deeds {
    site.replicas.iter().map(Replica::deeds).sum()
}

async fn suffer(site: &mut Site, until: Instant) -> Result<()> {
    try_join_all(site.replicas.iter_mut().map(|replica| replica.suffer(until))).await.map(drop)
}

async fn heal(site: &mut Site) -> Result<()> {
    site.store.faults().calm();
    site.store.set_racy(false);
    site.store.set_ignores_conditions(false);
    try_join_all(site.replicas.iter_mut().map(Replica::heal)).await?;
    let landed = async {
        while site.store.held_back() > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LANDING_LIMIT, landed).await.context("writes are held back for ever")
}

/// What the store holds of the events.
fn autopsy(store: &ObjectServer, life: Life) -> Autopsy {
    let keys = store.keys(&format!("{PREFIX}/events/"));
    let having = |record: &str| -> BTreeSet<String> {
        let event_of = |key: &String| {
            let (event, name) = key.rsplit_once('/')?;
            (name == record).then(|| event.rsplit('/').next().unwrap_or_default().to_owned())
        };
        keys.iter().filter_map(event_of).collect()
    };
    Autopsy { life, asked: having("request.json"), ended: having("response.json") }
}
