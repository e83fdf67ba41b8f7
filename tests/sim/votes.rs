//! Several people decide, while everything goes wrong: each counts once, who has agreed decides, all replicas come to
//! the same end, and what was voted comes to an end although whoever voted last has died.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::TryStreamExt;
use hitl_core::{
    Answer, Ballot, Channel, Command, Event, EventKey, Expiration, Identity, Namespace, Outcome,
    Quorum, Responder, Spec, Value, tally,
};
use hitl_service::error::Error;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::history::Recorder;
use support::load::common::{Habits, Shared};
use support::load::phase::Phase;
use support::planted::Fault;
use tokio::time::{Instant, sleep, timeout};

use crate::clock::EPOCH_MS;
use crate::fault_store::{Bucket, millis};
use crate::replica::{Process, Replica};
use crate::scenario::Scenario;
use crate::stores;
use crate::trace::Trace;
use crate::trouble::make_trouble;
use crate::world::World;

const SEEDS: u64 = 60;
/// A planted fault must be found within so many.
const SEEDS_PLANTED: u64 = 120;
const PEOPLE: [&str; 6] = ["ada", "bob", "cid", "dan", "eve", "fay"];
const EVENTS: usize = 8;
const TTL_MS: i64 = 6 * 3_600_000;
/// For how long everything goes wrong.
const LOAD: Duration = Duration::from_secs(120);
/// Until everything that is owed is done, also what was put off twice.
const CALM: Duration = Duration::from_secs(45 * 60);
/// Longest time of a call, in which a process may be killed.
const CALL: Duration = Duration::from_secs(60);

/// What was promised and not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Broken {
    /// Somebody counts twice, or somebody who has not voted counts.
    CountedTwice,
    /// It ended otherwise than as enough people have said.
    EndedOtherwise,
    /// Enough people have said the same, and it has not ended.
    NotEnded,
    /// Two replicas show two ends, or an end has changed.
    TwoEnds,
    /// Somebody was told that their vote is recorded, and it is not.
    VoteLost,
}

type Findings = Vec<(Broken, String)>;

#[derive(Default)]
struct Ledger {
    broken: Findings,
    /// The end of each event, as somebody was told of it first.
    ends: BTreeMap<EventKey, Event>,
    /// What somebody was told to be recorded: who, and which value.
    votes: BTreeMap<(EventKey, String), i64>,
    ended: u64,
}

impl Ledger {
    fn seen(&mut self, event: &Event) {
        if event.response.is_none() {
            return;
        }
        let first = self.ends.entry(event.request.key()).or_insert_with(|| event.clone());
        if first.response != event.response {
            let message = format!("{:?} and {:?}", first.response, event.response);
            self.broken.push((Broken::TwoEnds, message));
        }
    }
}

/// Runs one seed; returns what was broken, and how many events ended by votes.
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
    for replica in &world.replicas {
        replica.start();
    }
    let mut keys = Vec::new();
    for number in 0..EVENTS {
        keys.push(create(&world, number, &mut rng).await);
    }
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    for replica in &world.replicas {
        replica.storm();
    }
    let troubles = tokio::spawn(make_trouble(world.clone(), rng.random()));
    let people = keys.iter().flat_map(|key| PEOPLE.map(|name| (key.clone(), name)));
    let people: Vec<_> = people
        .map(|(key, name)| {
            tokio::spawn(votes(name, key, rng.random(), world.clone(), ledger.clone()))
        })
        .collect();
    for person in people {
        person.await.expect("people do not panic");
    }
    troubles.abort();
    for replica in &world.replicas {
        replica.heal();
    }
    sleep(CALM).await;
    for key in &keys {
        look(&world, key, &ledger).await;
    }
    let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    (std::mem::take(&mut ledger.broken), ledger.ended)
}

async fn world(seed: u64, rng: &mut StdRng, planted: Option<Fault>) -> World {
    let recorder = Arc::new(Recorder::of_virtual_time(EPOCH_MS));
    let shared = Shared::new(recorder, Phase::Load, Habits::REAL);
    let store = Arc::new(InMemory::new());
    stores::format(&*store).await;
    let bucket = Arc::new(Bucket::new(store, Arc::new(Trace::new(false)), shared.recorder.clone()));
    let scenario = Scenario { trouble_ms: 300..5_000, ..Scenario::of(seed) };
    let rate = scenario.fault_rate;
    let begun = Instant::now();
    let replicas = (1..=3).map(|number| {
        Replica::new(number, begun, bucket.clone(), rng.random(), rate).with_planted(planted)
    });
    let replicas = replicas.collect();
    World { scenario, shared, bucket, replicas, troubles: Mutex::default() }
}

/// An event for which two or three of all have to agree.
async fn create(world: &World, number: usize, rng: &mut StdRng) -> EventKey {
    let replica = &world.replicas[number % world.replicas.len()];
    replica.heal();
    let process = replica.process().expect("it was started");
    let spec = Spec {
        name: format!("event-{number}"),
        expiration: Expiration::TtlMs(TTL_MS),
        quorum: Some(Quorum {
            required: rng.random_range(2..=3),
            decline_ends: rng.random_bool(0.5),
        }),
        ..hitl_testing::spec(TTL_MS)
    };
    let created = process.service.create(Namespace::default(), spec).await;
    created.expect("nothing is wrong yet").event.request.key()
}

/// Somebody who votes, repeats it until it is known what came of it, tries to vote otherwise, and looks.
async fn votes(
    name: &'static str,
    key: EventKey,
    seed: u64,
    world: Arc<World>,
    ledger: Arc<Mutex<Ledger>>,
) {
    let mut rng = StdRng::seed_from_u64(seed);
    let end = Instant::now() + LOAD;
    let first = rng.random_range(0..2_i64);
    sleep(millis(rng.random_range(0..60_000))).await;
    while Instant::now() < end {
        let Some(process) = world.pick(&mut rng) else {
            sleep(millis(100)).await;
            continue;
        };
        let lock = || ledger.lock().unwrap_or_else(PoisonError::into_inner);
        // Mostly the same call again, and now and then another value in one's own name.
        let (value, id) =
            if rng.random_ratio(4, 5) { (first, "first") } else { (1 - first, "other") };
        match timeout(CALL, call(&process, &key, name, value, id)).await {
            Ok(Some(Ok(event))) => {
                let mut ledger = lock();
                ledger.votes.entry((key.clone(), name.to_owned())).or_insert(value);
                ledger.seen(&event);
            }
            Ok(Some(Err(Error::AlreadyVoted { .. } | Error::AlreadyFinal { .. }))) => {
                if let Ok(Some(Ok(event))) = timeout(CALL, get(&process, &key)).await {
                    lock().seen(&event);
                }
            }
            // It failed, or the process was killed: nobody knows.
            Ok(Some(Err(_)) | None) | Err(_) => {}
        }
        sleep(millis(rng.random_range(200..20_000))).await;
    }
}

/// The answer of `name`; `None` if the process was killed.
async fn call(
    process: &Process,
    key: &EventKey,
    name: &str,
    value: i64,
    id: &str,
) -> Option<Result<Event, Error>> {
    let responder = Responder::claimed(name.to_owned(), Channel::Grpc, String::new());
    let identity = Identity { responder, answer_id: Some(format!("{name}-{id}")) };
    let answer = Answer::Value(Value::Int(value));
    let command = Command::Answer { answer, comment: String::new(), identity };
    tokio::select! {
        biased;
        () = process.link.killed() => None,
        ended = process.service.end(key, command) => Some(ended),
    }
}

async fn get(process: &Process, key: &EventKey) -> Option<Result<Event, Error>> {
    tokio::select! {
        biased;
        () = process.link.killed() => None,
        event = process.service.get(key) => Some(event),
    }
}

/// What is there of the event at `key` when nothing goes wrong any more.
async fn look(world: &World, key: &EventKey, ledger: &Mutex<Ledger>) {
    let mut found = Vec::new();
    for replica in &world.replicas {
        let process = replica.process().expect("it runs");
        found.push(process.service.get(key).await.expect("nothing goes wrong"));
    }
    let process = world.replicas[0].process().expect("it runs");
    let (_, so_far) = process.service.thread(key).await.expect("nothing goes wrong");
    let recorded = recorded(world.bucket.store(), key).await;
    let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    for event in &found {
        ledger.seen(event);
    }
    let told: Vec<_> = ledger.votes.iter().filter(|((of, _), _)| of == key).collect();
    let lost: Vec<String> = told
        .into_iter()
        .filter(|((_, name), value)| recorded.get(name) != Some(*value))
        .map(|((_, name), value)| format!("{name} was told {value}: {recorded:?}"))
        .collect();
    ledger.broken.extend(lost.into_iter().map(|lost| (Broken::VoteLost, lost)));
    let event = &found[0];
    let pending = Event { response: None, ..event.clone() };
    match &event.response {
        None if tally(&pending, &so_far).is_some() => {
            ledger.broken.push((Broken::NotEnded, format!("{key}: {recorded:?}")));
        }
        None => {}
        Some(response) => {
            ledger.ended += 1;
            let names: Vec<_> =
                response.votes.iter().map(|vote| vote.responder.name.clone()).collect();
            let distinct: BTreeSet<_> = names.iter().collect();
            let are_people = names.iter().all(|name| PEOPLE.contains(&name.as_str()));
            if distinct.len() != names.len() || !are_people {
                ledger.broken.push((Broken::CountedTwice, format!("{key}: {names:?}")));
            }
            let agree = |wanted: &Value| {
                let values = response.votes.iter().filter_map(|vote| match &vote.ballot {
                    Ballot::Answer { value, .. } => Some(value),
                    Ballot::Decline { .. } => None,
                });
                values.filter(|value| *value == wanted).count()
            };
            let required = event.request.quorum.expect("it was asked for").required as usize;
            let is_right = match &response.outcome {
                Outcome::Answered { value } => agree(value) >= required,
                _ => false,
            };
            if !is_right {
                ledger.broken.push((Broken::EndedOtherwise, format!("{key}: {response:?}")));
            }
        }
    }
}

/// What stands in the store of votes on the event at `key`, by those whom this test made.
async fn recorded(store: &dyn ObjectStore, key: &EventKey) -> BTreeMap<String, i64> {
    let prefix = format!("events/{key}/votes").into();
    let listed: Vec<_> =
        store.list(Some(&prefix)).try_collect().await.expect("memory does not fail");
    let mut recorded = BTreeMap::new();
    for object in listed {
        let got = store.get_opts(&object.location, Default::default()).await.expect("it is there");
        let bytes = got.bytes().await.expect("memory does not fail");
        let record: serde_json::Value = serde_json::from_slice(&bytes).expect("records are JSON");
        let vote = &record["vote"];
        let name = vote["responder"]["name"].as_str().expect("everybody has one").to_owned();
        let value = vote["ballot"]["answer"]["value"]["int"].as_i64().expect("it is a number");
        recorded.insert(name, value);
    }
    recorded
}

/// Runs seeds until one is found that breaks a promise.
fn first_broken(seeds: u64, planted: Option<Fault>) -> (Option<(u64, Findings)>, u64) {
    let mut ended = 0;
    for seed in 0..seeds {
        let (broken, here) = run(seed, planted);
        ended += here;
        if !broken.is_empty() {
            return (Some((seed, broken)), ended);
        }
    }
    (None, ended)
}

#[test]
fn those_who_agree_decide_and_nobody_counts_twice_whatever_goes_wrong() {
    let (broken, ended) = first_broken(SEEDS, None);
    assert!(broken.is_none(), "{broken:#?}");
    crate::show::say(&format!("{SEEDS} seeds, {ended} events ended by votes"));
    assert!(ended > SEEDS * 4, "{ended} events ended by votes");
}

#[test]
fn faults_of_votes_are_found() {
    let planted = [
        (Fault::VoteCountsTwice, Broken::CountedTwice),
        (Fault::SettleForgotten, Broken::NotEnded),
    ];
    for (planted, rule) in planted {
        let (broken, _) = first_broken(SEEDS_PLANTED, Some(planted));
        let (seed, broken) = broken.unwrap_or_else(|| panic!("{planted:?} was not found"));
        let rules: BTreeSet<_> = broken.iter().map(|(rule, _)| *rule).collect();
        crate::show::say(&format!("{planted:?} is found by seed {seed}: {rules:?}"));
        assert!(rules.contains(&rule), "{planted:?}: {broken:#?}");
    }
}
