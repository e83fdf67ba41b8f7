//! One run: everything goes wrong, then nothing does, then the books.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use object_store::ObjectStore;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::checker::{self, Bounds, Verdict};
use support::history::{History, Recorder};
use support::load::client::Client;
use support::load::common::{Habits, Shared};
use support::load::phase::Phase;
use support::load::watch::Watcher;
use support::planted::Fault;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::books;
use crate::clock::{EPOCH_MS, SKEW_MAX_MS};
use crate::fault_store::{Bucket, Tally};
use crate::replica::Replica;
use crate::scenario::Scenario;
use crate::stores::{self, Kind};
use crate::trace::Trace;
use crate::trouble::{Trouble, make_trouble};
use crate::world::World;

pub(crate) const REPLICAS: usize = 3;
/// How many of a hundred calls create an event.
const CREATES: u32 = 30;
/// How many watch all events from beginning to end.
const WATCHERS: usize = 1;
/// What is promised of several replicas with good clocks, and what the clocks of two may add.
const BOUNDS: Bounds = Bounds {
    late_ms: 7_000 + 2 * SKEW_MAX_MS,
    told_ms: 4_000,
    uptime_ms: 12_000,
    reconnect_ms: 0,
    skew_ms: SKEW_MAX_MS,
};
/// Longer than anything may take once nothing goes wrong any more.
const CALM: Duration = Duration::from_secs(20);
/// The last clients end soon after the waits are given up.
const CLIENTS_END: Duration = Duration::from_secs(60);

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) scenario: Scenario,
    pub(crate) history: History,
    pub(crate) verdict: Verdict,
    /// What went wrong with operations of the store.
    pub(crate) tally: Tally,
    /// What befell whole replicas.
    pub(crate) troubles: BTreeMap<Trouble, u64>,
    /// What happened, if it was to be kept.
    pub(crate) lines: Vec<String>,
    /// How much virtual time it took.
    pub(crate) elapsed: Duration,
}

/// Runs `scenario` over an empty store of the kind `kind` in virtual time, on this thread.
pub(crate) fn run(
    scenario: Scenario,
    kind: Kind,
    fault: Option<Fault>,
    keep_lines: bool,
) -> Outcome {
    let dir = tempfile::tempdir().expect("there is room for a directory");
    let store = kind.open(dir.path());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without input and output always starts");
    runtime.block_on(play(scenario, store, fault, keep_lines))
}

async fn play(
    scenario: Scenario,
    store: Arc<dyn ObjectStore>,
    fault: Option<Fault>,
    keep_lines: bool,
) -> Outcome {
    stores::format(&*store).await;
    let begun = Instant::now();
    let mut rng = StdRng::seed_from_u64(scenario.seed);
    let bucket = bucket(store, keep_lines);
    let world = Arc::new(world(scenario, bucket, fault, &mut rng, begun));
    let clients: JoinSet<()> = (0..world.scenario.clients)
        .map(|number| Client::new(number, rng.random(), world.clone(), world.shared.clone()).run())
        .collect();
    let watchers: JoinSet<()> = (0..WATCHERS).map(|_| watcher(&world, &mut rng).run()).collect();
    for _ in 0..world.scenario.storms {
        storm(&world, rng.random()).await;
        calm(&world).await;
    }
    world.shared.phase.set(Phase::End);
    let ended = timeout(CLIENTS_END, clients.join_all()).await;
    ended.expect("clients end once nothing goes wrong any more");
    timeout(CLIENTS_END, watchers.join_all()).await.expect("so do watchers");
    books::audit(&world, &mut rng).await;

    let history = std::mem::take(&mut *world.shared.recorder.history());
    let verdict = checker::check(&history, &BOUNDS);
    Outcome {
        scenario: world.scenario.clone(),
        history,
        verdict,
        tally: world.bucket.tally(),
        troubles: world.troubles(),
        lines: world.bucket.trace().take_lines(),
        elapsed: begun.elapsed(),
    }
}

/// One who watches everything from before the run on.
fn watcher(world: &Arc<World>, rng: &mut StdRng) -> Watcher<World> {
    let rng = StdRng::seed_from_u64(rng.random());
    let token = format!("w1-{}", EPOCH_MS - 60_000);
    Watcher::new(world.clone(), world.shared.clone(), rng, token)
}

/// The clients make calls, and everything goes wrong.
async fn storm(world: &Arc<World>, seed: u64) {
    for replica in &world.replicas {
        replica.storm();
    }
    world.shared.phase.set(Phase::Load);
    let troubles = tokio::spawn(make_trouble(world.clone(), seed));
    sleep(world.scenario.load).await;
    troubles.abort();
}

/// Nothing goes wrong, and nothing is to do but what was begun: until all that is due soon is long over.
async fn calm(world: &World) {
    world.shared.phase.set(Phase::Quiet);
    for replica in &world.replicas {
        replica.heal();
    }
    let healed = world.shared.recorder.stamp();
    let ttl_ms_max = u64::try_from(world.scenario.ttl_ms.end).unwrap_or_default();
    sleep(Duration::from_millis(ttl_ms_max) + CALM).await;
    books::look_inside(world, healed).await;
}

fn bucket(store: Arc<dyn ObjectStore>, keep_lines: bool) -> Arc<Bucket> {
    let trace = Arc::new(Trace::new(keep_lines));
    let recorder = Arc::new(Recorder::of_virtual_time(EPOCH_MS));
    Arc::new(Bucket::new(store, trace, recorder))
}

fn world(
    scenario: Scenario,
    bucket: Arc<Bucket>,
    fault: Option<Fault>,
    rng: &mut StdRng,
    begun: Instant,
) -> World {
    let rate = scenario.fault_rate;
    let replica = |number| {
        Replica::new(number, begun, bucket.clone(), rng.random(), rate).with_planted(fault)
    };
    let replicas = (1..=REPLICAS).map(replica).collect();
    let habits = Habits {
        pace_ms: scenario.pace_ms.clone(),
        ttl_ms: scenario.ttl_ms.clone(),
        creates: CREATES,
    };
    let shared = Shared::new(bucket.recorder(), Phase::Quiet, habits);
    World { scenario, shared, bucket, replicas, troubles: Mutex::default() }
}
