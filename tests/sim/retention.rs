//! The removal of what has ended, while everything goes wrong: nothing goes early, nothing comes back, nobody inherits
//! the outcome of another, and in the end nothing is left.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::TryStreamExt;
use hitl_store::{CLEAR_MS, Retention, RetentionRule};
use object_store::memory::InMemory;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::history::{Digest, Draft, Op, Outcome, Recorder, View};
use support::load::common::{Habits, Shared};
use support::load::phase::Phase;
use support::load::target::Target;
use support::planted::Fault;
use tokio::time::{Instant, sleep};

use crate::clock::{EPOCH_MS, SKEW_MAX_MS};
use crate::fault_store::{Bucket, millis};
use crate::replica::Replica;
use crate::scenario::Scenario;
use crate::stores;
use crate::trace::Trace;
use crate::trouble::make_trouble;
use crate::world::World;

const SEEDS: u64 = 40;
/// A planted fault must be found within so many.
const SEEDS_PLANTED: u64 = 60;
const KEPT_MS: i64 = 60_000;
/// Longer than anybody uses a key, and than any write is on its way.
const REMEMBERED_MS: i64 = 400_000;
/// For how long a client creates with the same key.
const KEY_USED_MS: i64 = 300_000;
const CLIENTS: u64 = 8;
const LOAD: Duration = Duration::from_secs(420);
/// Until everything that is owed is done, also what was put off twice.
const CALM: Duration = Duration::from_secs(60 * 60);

/// What was promised and not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Broken {
    WentEarly,
    CameBack,
    Inherited,
    LeftBehind,
}

/// What was broken, and what shows it.
type Findings = Vec<(Broken, String)>;

/// What callers were told of the event of one key.
#[derive(Debug, Default)]
struct Story {
    create_ms: Option<i64>,
    end: Option<Digest>,
}

#[derive(Default)]
struct Ledger {
    stories: BTreeMap<String, Story>,
    broken: Findings,
    removed: u64,
}

impl Ledger {
    /// Somebody who asked `invoked` saw the event of `key` so. `before` is what was known then.
    fn seen(&mut self, key: &str, before: Option<&Digest>, view: &View) {
        let story = self.stories.entry(key.to_owned()).or_default();
        let create_ms = *story.create_ms.get_or_insert(view.asked.create_ms);
        if create_ms != view.asked.create_ms {
            let message = format!("{key} was created at {create_ms}, and is now {view:?}");
            self.broken.push((Broken::CameBack, message));
        }
        match (&view.end, before) {
            (None, Some(end)) => {
                let message = format!("{key} ended as {end:?}, and is open again: {view:?}");
                self.broken.push((Broken::CameBack, message));
            }
            (Some(now), Some(end)) if now != end => {
                let message = format!("{key} ended as {end:?}, and now as {now:?}");
                self.broken.push((Broken::Inherited, message));
            }
            (Some(now), _) if now.time_ms + 2 * SKEW_MAX_MS < view.asked.create_ms => {
                let message = format!("{key} ended before it was created: {view:?}");
                self.broken.push((Broken::Inherited, message));
            }
            _ => {}
        }
        if let Some(end) = &view.end {
            story.end.get_or_insert_with(|| end.clone());
        }
    }

    /// Somebody was told at `now_ms` that the event of `key`, which had been created, is not there.
    fn absent(&mut self, key: &str, now_ms: i64) {
        let Some(story) = self.stories.get(key) else { return };
        let Some(create_ms) = story.create_ms else { return };
        self.removed += 1;
        let ended_ms = story.end.as_ref().map_or(create_ms, |end| end.time_ms);
        if now_ms + 2 * SKEW_MAX_MS < ended_ms + KEPT_MS {
            self.broken.push((Broken::WentEarly, format!("{key} at {now_ms}: {story:?}")));
        }
    }
}

/// Runs one seed; returns what was broken, and how often somebody was told that an event was removed.
fn run(seed: u64, planted: Option<Fault>) -> (Findings, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without input and output always starts");
    runtime.block_on(play(seed, planted))
}

async fn play(seed: u64, planted: Option<Fault>) -> (Findings, u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let world = Arc::new(world(seed, &mut rng, planted).await);
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    for replica in &world.replicas {
        replica.storm();
    }
    let troubles = tokio::spawn(make_trouble(world.clone(), rng.random()));
    let clients = (0..CLIENTS)
        .map(|number| tokio::spawn(client(number, rng.random(), world.clone(), ledger.clone())));
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("clients do not panic");
    }
    troubles.abort();
    for replica in &world.replicas {
        replica.heal();
    }
    if planted.is_none() {
        sleep(CALM).await;
        look_for_what_is_left(&world, &ledger).await;
    }
    let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    (std::mem::take(&mut ledger.broken), ledger.removed)
}

/// Everything has ended, and its time is over.
async fn look_for_what_is_left(world: &World, ledger: &Mutex<Ledger>) {
    let left: Vec<_> =
        world.bucket.store().list(None).try_collect().await.expect("memory does not fail");
    for object in left {
        let path = object.location.to_string();
        // What was created is announced for a day, whatever becomes of it.
        if !path.starts_with("meta/") && !path.starts_with("created/") {
            let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
            ledger.broken.push((Broken::LeftBehind, path));
        }
    }
}

async fn world(seed: u64, rng: &mut StdRng, planted: Option<Fault>) -> World {
    let recorder = Arc::new(Recorder::of_virtual_time(EPOCH_MS));
    let shared = Shared::new(recorder, Phase::Load, Habits::REAL);
    let store = Arc::new(InMemory::new());
    stores::format(&*store).await;
    let bucket = Arc::new(Bucket::new(store, Arc::new(Trace::new(false)), shared.recorder.clone()));
    let rule = RetentionRule { namespace: None, kept_ms: Some(KEPT_MS) };
    let retention = Retention::of(&[rule]).expect("it is one rule");
    let retention = retention.remembering(REMEMBERED_MS, REMEMBERED_MS);
    let scenario = Scenario { trouble_ms: 2_000..20_000, ..Scenario::of(seed) };
    let rate = scenario.fault_rate;
    let begun = Instant::now();
    let replicas = (1..=3).map(|number| {
        let replica = Replica::new(number, begun, bucket.clone(), rng.random(), rate);
        replica.retaining(retention.clone()).with_planted(planted)
    });
    let replicas = replicas.collect();
    World { scenario, shared, bucket, replicas, troubles: Mutex::default() }
}

/// Creates with one key after the other, again and again, answers, and looks.
async fn client(number: u64, seed: u64, world: Arc<World>, ledger: Arc<Mutex<Ledger>>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let end = Instant::now() + LOAD;
    for turn in 0.. {
        let key = format!("key-{number}-{turn}");
        let op = Op::Create(Draft {
            name: key.clone(),
            key: key.clone(),
            ttl_ms: rng.random_range(300..20_000),
            default: None,
        });
        let until = Instant::now() + millis(KEY_USED_MS.unsigned_abs());
        let mut event: Option<String> = None;
        while Instant::now() < until.min(end) {
            sleep(millis(rng.random_range(100..4_000))).await;
            let (client, value) = (number as usize, rng.random_range(0..1_000_000_000));
            let (id, op) = match (&event, rng.random_range(0..10)) {
                (None, _) | (_, 0..3) => (None, op.clone()),
                (id, 3..5) => (id.clone(), Op::Answer { answer_id: String::new(), value }),
                (id, _) => (id.clone(), Op::Get),
            };
            let lock = || ledger.lock().unwrap_or_else(PoisonError::into_inner);
            let before = lock().stories.get(&key).and_then(|story| story.end.clone());
            let route = world.route(&mut rng);
            match world.shared.call(&*world, route, client, id.as_deref(), &op).await {
                Outcome::Seen(view) => {
                    lock().seen(&key, before.as_ref(), &view);
                    event = Some(view.id);
                }
                Outcome::NotFound => {
                    let now_ms = world.shared.recorder.stamp().wall_ms;
                    lock().absent(&key, now_ms);
                }
                _ => {}
            }
        }
        if Instant::now() >= end {
            return;
        }
    }
}

/// Runs seeds until one is found that breaks a promise.
fn first_broken(seeds: u64, planted: Option<Fault>) -> (Option<(u64, Findings)>, u64) {
    let next = std::sync::atomic::AtomicU64::new(0);
    let found = Mutex::new((None, 0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while found.lock().is_ok_and(|found| found.0.is_none()) {
                    let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    let (broken, removed) = run(seed, planted);
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    found.1 += removed;
                    if !broken.is_empty() {
                        found.0.get_or_insert((seed, broken));
                    }
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn what_has_ended_goes_in_time_and_for_good_whatever_goes_wrong() {
    const { assert!(REMEMBERED_MS > KEY_USED_MS + 20_000, "keys and writes come in time") };
    const { assert!(CLEAR_MS < KEY_USED_MS - KEPT_MS, "keys are used until an event is gone") };
    let (broken, removed) = first_broken(SEEDS, None);
    assert!(broken.is_none(), "{broken:#?}");
    crate::show::say(&format!("{SEEDS} seeds, {removed} times told that an event was removed"));
    assert!(removed > 20 * SEEDS, "{removed} times told that an event was removed");
}

#[test]
fn faults_of_the_removal_are_found() {
    for planted in [Fault::RequestGoesLast, Fault::TombstoneForgotten] {
        let (broken, _) = first_broken(SEEDS_PLANTED, Some(planted));
        let (seed, broken) = broken.unwrap_or_else(|| panic!("{planted:?} was not found"));
        let rules: std::collections::BTreeSet<_> = broken.iter().map(|(rule, _)| *rule).collect();
        crate::show::say(&format!("{planted:?} is found by seed {seed}: {rules:?}"));
        let is_meant = |rule| matches!(rule, Broken::CameBack | Broken::Inherited);
        assert!(rules.into_iter().any(is_meant), "{planted:?}: {broken:#?}");
    }
}
