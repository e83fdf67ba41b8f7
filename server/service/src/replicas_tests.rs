//! Two replicas over one store, with time held in hand.

use futures::FutureExt;
use hitl_core::{EventId, Namespace, Spec, State, Timestamp};
use object_store::ObjectStore;
use object_store::memory::InMemory;

use super::*;
use crate::end::expiry;
use crate::held::HeldStore;
use crate::jobs::expire;
use crate::quotas::Payer;
use hitl_store::clock::ManualClock;
use hitl_store::jobs::{Done, Job};
use hitl_store::random::SystemRandom;
use hitl_store::{Entry, Index};
use hitl_testing::scripted::{self, Op, Scripted, Step, broken};
use hitl_testing::{answer, spec};

/// Three seconds before a minute ends.
const NOW_MS: i64 = 1_795_348_857_000;
const STEP_MS: i64 = 50;

pub(super) struct World {
    store: Arc<InMemory>,
    pub(super) clock: ManualClock,
    /// A clock of one replica's own, which is set as tests want it.
    pub(super) other_clock: ManualClock,
    shutdown: CancellationToken,
}

impl World {
    pub(super) fn new() -> Self {
        let clock = || ManualClock::at(Timestamp::from_ms(NOW_MS).unwrap());
        let (clock, other_clock) = (clock(), clock());
        Self { store: scripted::empty(), clock, other_clock, shutdown: CancellationToken::new() }
    }

    /// A replica that only does what it is asked.
    pub(super) fn idle(&self) -> Service {
        self.idle_over(self.store.clone())
    }

    /// One that sees the store as `store` shows it.
    pub(super) fn idle_over(&self, store: Arc<dyn ObjectStore>) -> Service {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let store = EventStore::over(store, true, clock.clone());
        Service::new(
            store,
            clock,
            Arc::new(SystemRandom),
            100,
            self.shutdown.clone(),
            Background::new(None),
        )
    }

    pub(super) fn running(&self) -> Service {
        self.running_by(&self.clock).1
    }

    /// A replica that goes by `clock`, and its way to the store.
    pub(super) fn running_by(&self, clock: &ManualClock) -> (Arc<HeldStore>, Service) {
        let (store, replica) = self.replica(clock);
        let background = replica.clone();
        tokio::spawn(async move { background.run().await });
        (store, replica)
    }

    fn replica(&self, clock: &ManualClock) -> (Arc<HeldStore>, Service) {
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let store_clock = Arc::new(self.clock.clone());
        let (held, store) = HeldStore::open(self.store.clone(), clock.clone(), store_clock);
        let random = Arc::new(SystemRandom);
        (
            held,
            Service::new(store, clock, random, 100, self.shutdown.clone(), Background::new(None)),
        )
    }

    /// Lets time pass until `wanted` comes, at most `ms`; says how long it took.
    pub(super) async fn pass<T>(&self, ms: i64, wanted: impl Future<Output = T>) -> (T, i64) {
        let mut wanted = std::pin::pin!(wanted);
        for passed in 0..=ms / STEP_MS {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            if let Some(it) = wanted.as_mut().now_or_never() {
                return (it, passed * STEP_MS);
            }
            for clock in [&self.clock, &self.other_clock] {
                clock.advance_ms(STEP_MS);
            }
        }
        panic!("it did not come in {ms} ms");
    }

    /// Lets `ms` milliseconds pass.
    pub(super) async fn elapse(&self, ms: i64) {
        self.pass(ms, self.clock.pause_until(self.clock.monotonic().plus_ms(ms))).await;
    }

    /// Everything that is in the store.
    pub(super) async fn keys(&self) -> Vec<String> {
        let listed = self.store.list(None);
        let all: Vec<object_store::ObjectMeta> =
            futures::TryStreamExt::try_collect(listed).await.unwrap();
        all.into_iter().map(|object| object.location.to_string()).collect()
    }

    pub(super) async fn responses(&self) -> usize {
        let listed = self.store.list(Some(&"events".into()));
        let all: Vec<_> = futures::TryStreamExt::try_collect(listed).await.unwrap();
        all.iter()
            .filter(|object: &&object_store::ObjectMeta| {
                object.location.filename() == Some("response.json")
            })
            .count()
    }
}

pub(super) async fn create(replica: &Service, ttl_ms: i64) -> Event {
    replica.create(Payer::default(), Namespace::default(), spec(ttl_ms)).await.unwrap().event
}

/// Within a listing and a read, wherever in a minute, and though clocks are as far apart as they may be.
#[tokio::test]
async fn a_waiter_is_told_what_another_replica_has_ended() {
    for ahead_ms in [-1_900, 0, 1_900] {
        for after_ms in (400..9_000).step_by(200) {
            let world = World::new();
            world.other_clock.step_ms(ahead_ms);
            let ((_, one), other) = (world.running_by(&world.other_clock), world.running());
            let event = create(&one, 600_000).await;
            let (_, wait) = other.wait(&event.request.key(), Owner::default()).await.unwrap();
            world.elapse(after_ms).await;
            one.end(&event.request.key(), answer(7, "a")).await.unwrap();
            let (told, took_ms) = world.pass(4_000, wait.ended()).await;
            assert_eq!(told.unwrap().state(), State::Answered);
            assert!(took_ms <= 1_100, "{took_ms} ms, {after_ms} ms on, {ahead_ms} ms ahead");
        }
    }
}

#[tokio::test]
async fn a_waiter_is_told_of_an_end_that_is_recorded_long_after_it_was_announced() {
    let world = World::new();
    let (one, other) = (world.idle(), world.running());
    let event = create(&one, 600_000).await;
    let key = event.request.key();
    let (_, wait) = other.wait(&key, Owner::default()).await.unwrap();
    let announced = Entry { time: world.clock.now(), key: key.clone() };
    one.0.store.indexes().insert(Index::Resolved, announced).await.unwrap();
    world.elapse(25_000).await;
    one.end(&key, answer(7, "a")).await.unwrap();
    let (told, took_ms) = world.pass(4_000, wait.ended()).await;
    assert_eq!(told.unwrap().state(), State::Answered);
    assert!(took_ms <= 2_100, "{took_ms} ms");
}

/// Whoever decides may be stopped before it announces, and never learn whether what it recorded after that was taken.
#[tokio::test]
async fn a_waiter_is_told_of_an_end_that_was_announced_late_and_whose_reply_was_lost() {
    let world = World::new();
    let scripted = Scripted::over(world.store.clone());
    let (one, other) = (world.idle_over(scripted.clone()), world.running());
    let event = create(&one, 600_000).await;
    let key = event.request.key();
    let (_, wait) = other.wait(&key, Owner::default()).await.unwrap();
    let stopped = world.clock.sleep_until(world.clock.now().plus_ms(25_000));
    scripted.next(Op::Put, "resolved/", Step::After(stopped));
    scripted.next(Op::Put, "response.json", Step::DoAndSay(broken));
    scripted.next(Op::Get, "response.json", Step::After(Box::pin(async {})));
    scripted.next(Op::Get, "response.json", Step::RefuseAndSay(broken));
    let (unknown, _) = world.pass(30_000, one.end(&key, answer(7, "a"))).await;
    assert!(matches!(unknown, Err(Error::StoreUnavailable(_))), "{unknown:?}");
    let (told, took_ms) = world.pass(4_000, wait.ended()).await;
    assert_eq!(told.unwrap().state(), State::Answered);
    assert!(took_ms <= 2_100, "{took_ms} ms");
}

#[tokio::test]
async fn whoever_is_told_of_an_end_by_an_answer_knows_that_waiters_are() {
    for repeat in [answer(7, "a"), answer(8, "b")] {
        let world = World::new();
        let (one, asked) = (world.idle(), world.idle());
        let event = create(&one, 600_000).await;
        let key = event.request.key();
        let (_, here) = asked.wait(&key, Owner::default()).await.unwrap();
        let elsewhere = world.running();
        let (_, there) = elsewhere.wait(&key, Owner::default()).await.unwrap();
        let ended = one.end(&key, answer(7, "a")).await.unwrap();
        // What a write leaves behind that its caller gave up for lost, and that came a minute later.
        let announced = Entry { time: ended.response.unwrap().time, key: key.clone() };
        one.0.store.indexes().remove(Index::Resolved, &announced).await.unwrap();
        let later = world.clock.now().plus_ms(61_000);
        world.pass(62_000, world.clock.sleep_until(later)).await;
        assert!(here.ended().now_or_never().is_none() && there.ended().now_or_never().is_none());
        let _ = asked.end(&key, repeat).await;
        assert!(
            here.ended().now_or_never().is_some(),
            "who waits at the same server is told at once"
        );
        let (told, took_ms) = world.pass(4_000, there.ended()).await;
        assert_eq!(told.unwrap().state(), State::Answered);
        assert!(took_ms <= 2_100, "{took_ms} ms");
    }
}

#[tokio::test]
async fn an_end_is_announced_again_only_if_it_is_old_and_not_after_its_deadline() {
    let world = World::new();
    let scripted = Scripted::over(world.store.clone());
    let key = create(&world.idle(), 30_000).await.request.key();
    for (after_ms, times) in [(0, 1), (10_000, 1), (1, 2), (1, 3), (20_000, 3)] {
        world.clock.advance_ms(after_ms);
        let replica = world.idle_over(scripted.clone());
        for _ in 0..3 {
            replica.end(&key, answer(7, "a")).await.unwrap();
        }
        assert_eq!(scripted.asked(Op::Put, "resolved/"), times, "after {after_ms} ms more");
    }
}

#[tokio::test]
async fn a_read_that_takes_long_holds_up_no_other() {
    let world = World::new();
    let one = world.running();
    let (store, other) = world.running_by(&world.clock);
    let (slow, quick) = (create(&one, 600_000).await, create(&one, 600_000).await);
    let (_, wait_for_slow) = other.wait(&slow.request.key(), Owner::default()).await.unwrap();
    let (_, wait_for_quick) = other.wait(&quick.request.key(), Owner::default()).await.unwrap();
    store.hold(Some(&slow.request.id.to_string()));
    one.end(&slow.request.key(), answer(1, "a")).await.unwrap();
    world.elapse(3_000).await;
    one.end(&quick.request.key(), answer(2, "a")).await.unwrap();
    world.pass(1_100, wait_for_quick.ended()).await.0.unwrap();
    store.hold(None);
    world.pass(100, wait_for_slow.ended()).await.0.unwrap();
}

#[tokio::test]
async fn after_a_long_gap_every_wait_is_read_once() {
    const EVENTS: usize = 5;
    let world = World::new();
    let (one, other) = (world.running(), world.running());
    let mut waits = Vec::new();
    for _ in 0..EVENTS {
        let event = create(&one, 3_600_000).await;
        waits.push(other.wait(&event.request.key(), Owner::default()).await.unwrap().1);
    }
    world.elapse(2_000).await;
    let before = reads(&other);
    // The wall clock runs on while a machine sleeps, and nothing else does.
    world.clock.step_ms(10 * 60_000);
    world.elapse(70_000).await;
    // The question and the outcome of each, since what was read before is too old to be gone by.
    assert_eq!(reads(&other) - before, 2 * EVENTS);
}

/// How many objects `replica` has read.
fn reads(replica: &Service) -> usize {
    let text = replica.metrics(&prometheus_client::registry::Registry::default()).unwrap();
    let counts = text.lines().filter(|line| {
        line.starts_with("hitl_store_operation_duration_seconds_count{operation=\"get\"")
    });
    counts.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
}

#[tokio::test]
async fn an_end_that_nobody_announced_is_noticed_at_the_deadline() {
    for ttl_ms in [30_000, 200_000] {
        let world = World::new();
        let (one, other) = (world.idle(), world.running());
        let event = create(&one, ttl_ms).await;
        let (_, wait) = other.wait(&event.request.key(), Owner::default()).await.unwrap();
        let ended = one.end(&event.request.key(), answer(7, "a")).await.unwrap();
        // What a replica leaves behind that takes minutes between the two writes, and then dies.
        let announced = Entry { time: ended.response.unwrap().time, key: event.request.key() };
        one.0.store.indexes().remove(Index::Resolved, &announced).await.unwrap();
        // However long it is until the next heartbeat begins the wait anew.
        let (told, _) = world.pass(ttl_ms + 6_000, wait.ended()).await;
        assert_eq!(told.unwrap().state(), State::Answered);
    }
}

#[tokio::test]
async fn the_timer_of_a_dead_replica_is_fired_by_another() {
    for ttl_ms in [200, 2_900, 3_100, 40_000, 200_000] {
        let world = World::new();
        let (dead, _alive) = (world.idle(), world.running());
        world.elapse(400).await;
        create(&dead, ttl_ms).await;
        let (mut passed_ms, ended) = (0, || world.responses());
        while ended().await == 0 {
            assert!(passed_ms <= ttl_ms + 7_000, "not fired 7 s after {ttl_ms} ms");
            world.elapse(STEP_MS).await;
            passed_ms += STEP_MS;
        }
        assert!(passed_ms >= ttl_ms, "fired early, after {passed_ms} ms of {ttl_ms}");
    }
}

#[tokio::test]
async fn a_look_that_takes_long_does_not_delay_what_is_due() {
    let world = World::new();
    let (store, replica) = world.running_by(&world.clock);
    world.elapse(4_000).await;
    store.hold(Some("timers"));
    create(&replica, 3_000).await;
    world.elapse(2_900).await;
    assert_eq!(world.responses().await, 0);
    world.elapse(200).await;
    assert_eq!(world.responses().await, 1);
}

#[tokio::test]
async fn a_replica_whose_clock_is_wrong_decides_nothing() {
    let world = World::new();
    let right = world.idle();
    world.other_clock.step_ms(5_500);
    let (_, wrong) = world.running_by(&world.other_clock);
    world.elapse(STEP_MS).await;
    let event = create(&right, 1_000).await;
    let refused = wrong.create(Payer::default(), Namespace::default(), spec(1_000)).await;
    assert!(matches!(refused, Err(Error::ClockOff { ahead_ms: 4_500.. })), "{refused:?}");
    let refused = wrong.end(&event.request.key(), answer(1, "a")).await;
    assert!(matches!(refused, Err(Error::ClockOff { .. })), "{refused:?}");
    wrong.ready().await.unwrap();
    world.elapse(15_000).await;
    assert_eq!(world.responses().await, 0);
    assert_eq!(wrong.get(&event.request.key()).await.unwrap().state(), State::Pending);
    assert!(matches!(wrong.ready().await, Err(Error::ClockOff { .. })));
    world.other_clock.step_ms(-5_500);
    wrong.ready().await.unwrap();
    assert_eq!(wrong.get(&event.request.key()).await.unwrap().state(), State::TimedOut);
}

#[tokio::test]
async fn whoever_waits_or_asks_again_looks_for_the_timer_once_and_writes_it_if_it_is_missing() {
    let world = World::new();
    let keyed = || Spec { idempotency_key: Some("k".into()), ..spec(600_000) };
    let first =
        world.idle().create(Payer::default(), Namespace::default(), keyed()).await.unwrap().event;
    let (key, deadline) = (first.request.key(), first.request.deadline);
    let remove_timer = async |replica: &Service| {
        let job = Job::expire(deadline, key.clone());
        replica.0.store.remove_job(&job).await.unwrap();
    };
    for is_wait in [true, false] {
        // A create that is repeated later brings a timer of its own, which is not this one.
        world.clock.advance_ms(1);
        let scripted = Scripted::over(world.store.clone());
        let replica = world.idle_over(scripted.clone());
        remove_timer(&replica).await;
        replica.get(&key).await.unwrap();
        let refused = replica.end(&key, answer(-1, "a")).await;
        assert!(matches!(refused, Err(Error::InvalidAnswer(_))), "{refused:?}");
        assert_eq!(scripted.asked(Op::Head, "timers/"), 0, "what is only looked at needs no timer");
        for _ in 0..3 {
            if is_wait {
                replica.wait(&key, Owner::default()).await.unwrap();
            } else {
                assert!(
                    replica
                        .create(Payer::default(), Namespace::default(), keyed())
                        .await
                        .unwrap()
                        .existed
                );
            }
        }
        assert_eq!(scripted.asked(Op::Head, "timers/"), 1);
        assert!(!replica.pending_is_empty().await.unwrap(), "it has its timer again");
    }
}

#[tokio::test]
async fn a_store_that_is_away_costs_no_event_its_timer() {
    let world = World::new();
    let scripted = Scripted::over(world.store.clone());
    let replica = world.idle_over(scripted.clone());
    let event = create(&world.idle(), 1_000).await;
    let job = expiry(&event);
    world.clock.advance_ms(120_000);
    scripted.hide(Some(""));
    let failure = expire::run(replica.clone(), job.clone()).await;
    assert!(matches!(failure, Err(Error::StoreUnavailable(_))), "{failure:?}");
    assert!(matches!(replica.ready().await, Err(Error::StoreUnavailable(_))));
    assert!(!replica.pending_is_empty().await.unwrap(), "its timer is there");
    scripted.hide(None);
    expire::run(replica.clone(), job).await.unwrap();
    assert_eq!(replica.get(&event.request.key()).await.unwrap().state(), State::TimedOut);
}

#[tokio::test]
async fn a_timer_that_no_event_belongs_to_goes_a_minute_after_it_is_due() {
    let world = World::new();
    let replica = world.idle();
    let key = EventKey { namespace: Namespace::default(), id: EventId::from_bytes([9; 16]) };
    let job = Job::expire(world.clock.now(), key);
    world.clock.advance_ms(59_000);
    assert_eq!(expire::run(replica.clone(), job.clone()).await.unwrap(), Done::Left);
    world.clock.advance_ms(1_000);
    assert_eq!(expire::run(replica.clone(), job).await.unwrap(), Done::Settled);
}
