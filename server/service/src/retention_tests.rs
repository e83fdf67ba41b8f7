//! What has ended goes after its time, and neither comes back nor lends its outcome to anybody.

use futures::TryStreamExt;
use hitl_core::{EventKey, Namespace, Spec, State, Timestamp};
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};

use super::*;
use crate::quotas::Payer;
use hitl_store::clock::ManualClock;
use hitl_store::jobs::{Done, Job};
use hitl_store::random::SystemRandom;
use hitl_store::{CLEAR_MS, COLLECT, HOLD, Retention, RetentionRule};
use hitl_testing::scripted::{self, Op, Scripted, Step, broken};
use hitl_testing::{answer, spec};

const NOW_MS: i64 = 1_795_348_837_250;
const KEPT_MS: i64 = 600_000;
const KEYED_MS: i64 = 1_200_000;
const STEP_MS: i64 = 5_000;
/// How late a job may be: a look at the store, a grace, and a step of the test.
const LATE_MS: i64 = 25_000;

struct World {
    store: Arc<InMemory>,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::at(Timestamp::from_ms(NOW_MS).unwrap());
        Self { store: scripted::empty(), clock }
    }

    /// A replica that only does what it is asked, and keeps what has ended for ten minutes.
    fn idle(&self) -> Service {
        self.over(self.store.clone(), Some(KEPT_MS), CancellationToken::new())
    }

    fn over(
        &self,
        store: Arc<dyn ObjectStore>,
        kept_ms: Option<i64>,
        shutdown: CancellationToken,
    ) -> Service {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let retention = Retention::of(&[RetentionRule { namespace: None, kept_ms }]).unwrap();
        let retention = retention.remembering(KEYED_MS, KEYED_MS / 2);
        let store = EventStore::over(store, true, clock.clone()).retaining(retention);
        let background = Background::new(None);
        Service::new(store, clock, Arc::new(SystemRandom), 100, shutdown, background)
    }

    /// A replica that keeps what has ended for `kept_ms` runs for `ms`, and ends.
    async fn run_for(&self, kept_ms: Option<i64>, ms: i64) {
        self.run_over(self.store.clone(), kept_ms, ms).await;
    }

    async fn run_over(&self, store: Arc<dyn ObjectStore>, kept_ms: Option<i64>, ms: i64) {
        let shutdown = CancellationToken::new();
        let service = self.over(store, kept_ms, shutdown.clone());
        let run = tokio::spawn({
            let service = service.clone();
            async move { service.run().await }
        });
        settle().await;
        let mut left_ms = ms;
        while left_ms > 0 {
            self.clock.advance_ms(left_ms.min(STEP_MS));
            left_ms -= STEP_MS;
            settle().await;
        }
        shutdown.cancel();
        run.await.unwrap();
        service.finish().await;
    }

    /// The keys that the store has of `key`, without the part before the event.
    async fn keys(&self, key: &EventKey) -> Vec<String> {
        let all: Vec<_> = self.store.list(None).try_collect().await.unwrap();
        let of = all.into_iter().map(|object| object.location.to_string());
        of.filter(|path| path.contains(&key.id.to_string())).collect()
    }

    async fn request_bytes(&self, key: &EventKey) -> u64 {
        let path = format!("events/{}/{}/request.json", key.namespace, key.id);
        self.store.head(&path.into()).await.unwrap().size
    }
}

async fn settle() {
    for _ in 0..400 {
        tokio::task::yield_now().await;
    }
}

fn keyed() -> Spec {
    Spec { idempotency_key: Some("k".into()), ..spec(60_000) }
}

async fn ended(service: &Service, spec: Spec) -> EventKey {
    let key = create(service, spec).await;
    service.end(&key, answer(1, "a")).await.unwrap();
    service.0.tasks.close();
    service.0.tasks.wait().await;
    service.0.tasks.reopen();
    key
}

async fn create(service: &Service, spec: Spec) -> EventKey {
    let created = service.create(Payer::default(), Namespace::default(), spec).await.unwrap();
    assert!(!created.existed);
    created.event.request.key()
}

fn is_gone<T: std::fmt::Debug>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::NotFound(_)))
}

#[tokio::test]
async fn what_has_ended_goes_after_its_time_and_not_before_and_leaves_nothing() {
    let world = World::new();
    let key = ended(&world.idle(), keyed()).await;
    world.run_for(Some(KEPT_MS), KEPT_MS - 1).await;
    assert_eq!(world.idle().get(&key).await.unwrap().state(), State::Answered);
    world.run_for(Some(KEPT_MS), LATE_MS).await;
    let reader = world.idle();
    assert!(is_gone(&reader.get(&key).await));
    assert!(is_gone(&reader.wait(&key, Owner::default()).await));
    assert!(is_gone(&reader.end(&key, answer(1, "a")).await), "not even its own answer");
    assert!(world.request_bytes(&key).await <= 200);
    world.run_for(Some(KEPT_MS), CLEAR_MS + LATE_MS).await;
    let id = key.id.to_string();
    let left = world.keys(&key).await;
    let is_left = |prefix: &str| left.iter().any(|path| path.starts_with(prefix));
    assert!(is_left("events/") && is_left("jobs/"), "{left:?}");
    assert!(!is_left("resolved/") && !is_left("timers/"), "{left:?}");
    assert!(!left.iter().any(|path| path.ends_with("response.json")), "{left:?}");
    world.run_for(Some(KEPT_MS), KEYED_MS).await;
    // What was created is announced for a day, and swept by age.
    let left: Vec<_> = world.keys(&key).await;
    assert!(left.iter().all(|path| path.starts_with("created/")), "{id}: {left:?}");
}

#[tokio::test]
async fn a_create_that_is_repeated_is_told_of_the_removal_and_inherits_nothing() {
    let world = World::new();
    let key = ended(&world.idle(), keyed()).await;
    world.run_for(Some(KEPT_MS), KEPT_MS + LATE_MS).await;
    for service in [world.idle(), world.idle()] {
        let again = service.create(Payer::default(), Namespace::default(), keyed()).await;
        assert!(matches!(&again, Err(Error::Removed(it)) if *it == key), "{again:?}");
    }
    assert!(!world.keys(&key).await.iter().any(|path| path.starts_with("timers/")));
    world.run_for(Some(KEPT_MS), CLEAR_MS + KEYED_MS + LATE_MS).await;
    let service = world.idle();
    assert_eq!(create(&service, keyed()).await, key);
    assert_eq!(service.get(&key).await.unwrap().state(), State::Pending);
}

#[tokio::test]
async fn the_label_hold_keeps_an_event_for_ever() {
    let world = World::new();
    let held = Spec { labels: [(HOLD.into(), "audit".into())].into(), ..keyed() };
    let key = ended(&world.idle(), held).await;
    world.run_for(Some(KEPT_MS), KEPT_MS + LATE_MS).await;
    assert_eq!(world.idle().get(&key).await.unwrap().state(), State::Answered);
    assert!(!world.keys(&key).await.iter().any(|path| path.starts_with("jobs/")));
}

#[tokio::test]
async fn a_policy_counts_for_what_had_ended_before_it() {
    let world = World::new();
    let service = world.over(world.store.clone(), None, CancellationToken::new());
    let key = ended(&service, keyed()).await;
    world.run_for(None, KEPT_MS).await;
    assert!(!world.keys(&key).await.iter().any(|path| path.starts_with("jobs/")));
    // A shorter time is moved to a longer one, and that to for ever.
    world.run_for(Some(2 * KEPT_MS), STEP_MS).await;
    world.run_for(Some(3 * KEPT_MS), KEPT_MS + LATE_MS).await;
    assert_eq!(world.idle().get(&key).await.unwrap().state(), State::Answered);
    world.run_for(None, KEPT_MS + LATE_MS).await;
    assert_eq!(world.idle().get(&key).await.unwrap().state(), State::Answered);
    assert!(!world.keys(&key).await.iter().any(|path| path.starts_with("jobs/")), "dropped");
    world.run_for(Some(KEPT_MS), 2 * STEP_MS).await;
    assert!(is_gone(&world.idle().get(&key).await), "overdue by the policy of now");
}

#[tokio::test]
async fn an_end_that_was_left_without_its_job_is_found_at_the_next_start() {
    let world = World::new();
    world.run_for(Some(KEPT_MS), STEP_MS).await;
    let other = world.over(world.store.clone(), None, CancellationToken::new());
    let key = ended(&other, keyed()).await;
    assert!(!world.keys(&key).await.iter().any(|path| path.starts_with("jobs/")));
    world.run_for(Some(KEPT_MS), STEP_MS).await;
    assert!(world.keys(&key).await.iter().any(|path| path.starts_with("jobs/")));
}

/// Whatever a replica remembers of it.
#[tokio::test]
async fn an_event_that_another_replica_removed_is_never_taken_for_open() {
    for read_before_ms in [0, CLEAR_MS, KEPT_MS] {
        let world = World::new();
        let (one, other) = (world.idle(), world.idle());
        let key = create(&one, Spec { idempotency_key: None, ..spec(10 * KEPT_MS) }).await;
        other.get(&key).await.unwrap();
        one.end(&key, answer(1, "a")).await.unwrap();
        world.run_for(Some(KEPT_MS), KEPT_MS - read_before_ms).await;
        if read_before_ms > 0 {
            other.get(&key).await.unwrap();
        }
        let mut passed_ms = 0;
        while passed_ms < read_before_ms + CLEAR_MS + 2 * LATE_MS {
            world.run_for(Some(KEPT_MS), 2 * STEP_MS).await;
            passed_ms += 2 * STEP_MS;
            match other.get(&key).await {
                Ok(event) => assert_eq!(event.state(), State::Answered),
                Err(error) => assert!(matches!(error, Error::NotFound(_)), "{error}"),
            }
        }
        let answered = other.end(&key, answer(2, "b")).await;
        assert!(
            matches!(answered, Err(Error::NotFound(_) | Error::AlreadyFinal { .. })),
            "{answered:?}"
        );
        assert!(!world.keys(&key).await.iter().any(|path| path.ends_with("response.json")));
    }
}

/// As long as its request is the same that it has read, it may take its time.
#[tokio::test]
async fn an_end_that_took_so_long_that_the_event_was_removed_is_told_to_nobody() {
    for is_removed in [true, false] {
        let world = World::new();
        let one = world.idle();
        let scripted = Scripted::over(world.store.clone());
        let frozen = world.over(scripted.clone(), Some(KEPT_MS), CancellationToken::new());
        let key = create(&one, spec(10 * KEPT_MS)).await;
        let (thaw, thawed) = tokio::sync::oneshot::channel::<()>();
        let wait = Box::pin(async move { drop(thawed.await) });
        scripted.next(Op::Put, "response.json", Step::After(wait));
        let late = tokio::spawn({
            let key = key.clone();
            async move { frozen.end(&key, answer(2, "b")).await }
        });
        settle().await;
        if is_removed {
            one.end(&key, answer(1, "a")).await.unwrap();
            world.run_for(Some(KEPT_MS), KEPT_MS + CLEAR_MS + 2 * LATE_MS).await;
        } else {
            world.clock.advance_ms(KEPT_MS);
        }
        thaw.send(()).unwrap();
        let late = late.await.unwrap();
        let has_response =
            world.keys(&key).await.iter().any(|path| path.ends_with("response.json"));
        assert_eq!((is_gone(&late), has_response), (is_removed, !is_removed), "{late:?}");
        let announced = world.keys(&key).await;
        let announced = announced.iter().filter(|path| path.starts_with("resolved/")).count();
        assert_eq!(announced > 0, !is_removed);
    }
}

/// Each step may fail, and what comes after it is done all the same in the end.
#[tokio::test]
async fn a_removal_that_is_cut_short_anywhere_goes_on() {
    let steps = [
        (Op::Put, "request.json"),
        (Op::Delete, "timers/"),
        (Op::Delete, "response.json"),
        (Op::Delete, "resolved/"),
        (Op::Put, "-forget-"),
        (Op::Put, "-collect-"),
        (Op::Delete, "-collect-"),
        (Op::Delete, "-forget-"),
        (Op::Delete, "request.json"),
    ];
    for (op, part) in steps {
        for is_done in [false, true] {
            let world = World::new();
            let key = ended(&world.idle(), keyed()).await;
            let scripted = Scripted::over(world.store.clone());
            let step = if is_done { Step::DoAndSay(broken) } else { Step::RefuseAndSay(broken) };
            scripted.next(op, part, step);
            let all_ms = KEPT_MS + CLEAR_MS + KEYED_MS + 4 * LATE_MS;
            world.run_over(scripted.clone(), Some(KEPT_MS), all_ms).await;
            let asked = scripted.asked(op, part);
            assert!(asked > usize::from(!is_done), "{op:?} {part}: asked {asked} times");
            let left = world.keys(&key).await;
            assert!(left.iter().all(|path| path.starts_with("created/")), "{part}: {left:?}");
        }
    }
}

#[tokio::test]
async fn every_announcement_goes_also_of_those_that_came_second_or_again() {
    let world = World::new();
    let (one, other) = (world.idle(), world.idle());
    let key = create(&one, spec(10 * KEPT_MS)).await;
    one.end(&key, answer(1, "a")).await.unwrap();
    world.clock.advance_ms(20_000);
    let late = other.end(&key, answer(2, "b")).await;
    assert!(matches!(late, Err(Error::AlreadyFinal { .. })), "{late:?}");
    let announced = world.keys(&key).await;
    let announced = announced.iter().filter(|path| path.starts_with("resolved/")).count();
    assert_eq!(announced, 2);
    world.run_for(Some(KEPT_MS), KEPT_MS + CLEAR_MS + KEYED_MS + LATE_MS).await;
    let left = world.keys(&key).await;
    assert!(left.iter().all(|path| path.starts_with("created/")), "{left:?}");
}

#[tokio::test]
async fn a_job_of_an_announcement_that_came_before_nothing_waits_for_the_end() {
    let world = World::new();
    let service = world.idle();
    let key = create(&service, spec(2 * KEPT_MS)).await;
    let scripted = Scripted::over(world.store.clone());
    scripted.next(Op::Put, "response.json", Step::RefuseAndSay(broken));
    scripted.next(Op::Put, "response.json", Step::RefuseAndSay(broken));
    let failing = world.over(scripted, Some(KEPT_MS), CancellationToken::new());
    let failed = failing.end(&key, answer(1, "a")).await;
    assert!(matches!(failed, Err(Error::StoreUnavailable(_))), "{failed:?}");
    world.run_for(Some(KEPT_MS), KEPT_MS + LATE_MS).await;
    assert_eq!(service.get(&key).await.unwrap().state(), State::Pending);
    world.run_for(Some(KEPT_MS), 2 * KEPT_MS + CLEAR_MS + KEYED_MS + 4 * LATE_MS).await;
    let left = world.keys(&key).await;
    assert!(left.iter().all(|path| path.starts_with("created/")), "{left:?}");
}

#[tokio::test]
async fn what_is_to_be_removed_some_day_keeps_no_server_from_being_idle() {
    let world = World::new();
    let service = world.idle();
    let key = ended(&service, keyed()).await;
    assert!(world.keys(&key).await.iter().any(|path| path.starts_with("jobs/")));
    assert!(service.is_idle().await.unwrap());
}

/// A replica that is started anew with the new policy removes what the last with the old one would have kept.
#[tokio::test]
async fn a_server_with_another_policy_drops_no_job_of_this_one() {
    let world = World::new();
    let key = ended(&world.idle(), keyed()).await;
    world.run_for(Some(KEPT_MS), STEP_MS).await;
    let old = world.over(world.store.clone(), None, CancellationToken::new());
    let time = old.get(&key).await.unwrap().response.unwrap().time;
    let (due, n) = (time.plus_ms(KEPT_MS), time.ms().unsigned_abs());
    let job = Job { due, kind: COLLECT, key, n };
    world.clock.advance_ms(KEPT_MS);
    let done = jobs::collect::run(old, job).await.unwrap();
    assert_eq!(done, Done::Left);
}
