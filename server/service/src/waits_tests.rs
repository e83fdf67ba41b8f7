//! Streams of waits over a store in memory, with time held in hand.

use std::sync::Arc;

use futures::FutureExt;
use hitl_core::{EventId, Namespace, Principal, State};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::Background;
use crate::held::HeldStore;
use crate::quotas::Payer;
use crate::waiters::SHARING;
use hitl_store::EventStore;
use hitl_store::clock::{Clock, ManualClock};
use hitl_store::random::SystemRandom;
use hitl_testing::{answer, scripted, spec};

const NOW_MS: i64 = 1_795_348_857_000;
const WAITS_MAX: usize = 100;

struct World {
    service: Service,
    store: Arc<HeldStore>,
    clock: ManualClock,
    shutdown: CancellationToken,
}

impl World {
    /// A replica of a shared store that does nothing by itself.
    fn shared() -> Self {
        let clock = ManualClock::at(Timestamp::from_ms(NOW_MS).unwrap());
        let of_service: Arc<dyn Clock> = Arc::new(clock.clone());
        let (store, events) =
            HeldStore::open(scripted::empty(), of_service.clone(), of_service.clone());
        Self::over(events, store, clock)
    }

    fn alone() -> Self {
        let clock = ManualClock::at(Timestamp::from_ms(NOW_MS).unwrap());
        let of_service: Arc<dyn Clock> = Arc::new(clock.clone());
        let (store, _) = HeldStore::open(scripted::empty(), of_service.clone(), of_service.clone());
        let events = EventStore::over(store.clone(), false, of_service);
        Self::over(events, store, clock)
    }

    fn over(events: EventStore, store: Arc<HeldStore>, clock: ManualClock) -> Self {
        let shutdown = CancellationToken::new();
        let (of_service, random) = (Arc::new(clock.clone()), Arc::new(SystemRandom));
        let service = Service::new(
            events,
            of_service,
            random,
            WAITS_MAX,
            shutdown.clone(),
            Background::new(None),
        );
        Self { service, store, clock, shutdown }
    }

    fn waits(&self) -> Waits {
        self.service.session(Principal::Anyone).waits(Owner::of_connection(1)).unwrap()
    }

    async fn ask(&self, ttl_ms: i64) -> EventKey {
        let created = self
            .service
            .create(Payer::default(), Namespace::default(), spec(ttl_ms))
            .await
            .unwrap();
        created.event.request.key()
    }
}

/// What `waits` tell next, while what was added is read.
async fn told(waits: &Waits) -> Over {
    tokio::select! {
        over = waits.next() => over.unwrap().unwrap(),
        never = waits.look() => match never {},
    }
}

async fn ended(waits: &Waits) -> EventKey {
    match told(waits).await {
        Over::Ended(event) => event.request.key(),
        Over::Failed(failed) => panic!("{failed:?}"),
    }
}

/// What `waits` tell when everything that can be done at once is done.
async fn told_at_once(waits: &Waits) -> Option<Over> {
    let mut told = std::pin::pin!(told(waits));
    for _ in 0..100 {
        if let Some(over) = (&mut told).now_or_never() {
            return Some(over);
        }
        tokio::task::yield_now().await;
    }
    None
}

fn any_key(number: u128) -> EventKey {
    let id = EventId::from_bytes(number.to_be_bytes());
    EventKey { namespace: Namespace::default(), id }
}

#[tokio::test]
async fn what_ends_is_told_in_order_and_each_once() {
    let world = World::alone();
    let waits = world.waits();
    let mut keys = Vec::new();
    for _ in 0..300 {
        keys.push(world.ask(60_000).await);
    }
    for key in keys.iter().chain(&keys) {
        waits.add(key.clone(), false).unwrap();
    }
    assert_eq!(world.service.0.waiters.count(), 300);
    assert!(told_at_once(&waits).await.is_none(), "all are pending");
    for key in keys.iter().rev() {
        world.service.end(key, answer(1, "a")).await.unwrap();
    }
    for key in keys.iter().rev() {
        assert_eq!(ended(&waits).await, *key);
    }
    assert!(told_at_once(&waits).await.is_none());
    assert_eq!(world.service.0.waiters.count(), 0);
    assert!(world.service.0.waiters.awaited().is_empty());
}

#[tokio::test]
async fn an_end_is_told_whether_it_comes_before_while_or_after_the_event_is_read() {
    let world = World::shared();
    let other = World::over(
        EventStore::over(world.store.clone(), true, Arc::new(world.clock.clone())),
        world.store.clone(),
        world.clock.clone(),
    );
    // Before it is added, and between that and the read.
    let keys = [world.ask(60_000).await, world.ask(60_000).await];
    let waits = world.waits();
    other.service.end(&keys[0], answer(1, "a")).await.unwrap();
    waits.add(keys[0].clone(), false).unwrap();
    assert_eq!(ended(&waits).await, keys[0]);
    waits.add(keys[1].clone(), false).unwrap();
    let event = other.service.end(&keys[1], answer(1, "a")).await.unwrap();
    world.service.0.waiters.ended(&event);
    assert_eq!(ended(&waits).await, keys[1]);
    assert!(told_at_once(&waits).await.is_none());

    // While it is read: what the read shows is the past.
    let key = world.ask(60_000).await;
    waits.add(key.clone(), false).unwrap();
    world.store.hold(Some("response"));
    assert!(told_at_once(&waits).await.is_none());
    world.store.hold(None);
    let event = other.service.end(&key, answer(1, "a")).await.unwrap();
    world.service.0.waiters.ended(&event);
    assert_eq!(ended(&waits).await, key);
    assert!(told_at_once(&waits).await.is_none());
}

#[tokio::test]
async fn a_wait_that_is_removed_is_not_told_and_leaves_nothing_behind() {
    let world = World::alone();
    let waits = world.waits();
    // Not read yet, waiting, over.
    let keys = [world.ask(60_000).await, world.ask(60_000).await, world.ask(60_000).await];
    waits.add(keys[1].clone(), false).unwrap();
    waits.add(keys[2].clone(), false).unwrap();
    assert!(told_at_once(&waits).await.is_none());
    waits.add(keys[0].clone(), false).unwrap();
    world.service.end(&keys[2], answer(1, "a")).await.unwrap();
    for key in &keys {
        assert!(waits.remove(key));
        assert!(!waits.remove(key));
    }
    assert_eq!(world.service.0.waiters.count(), 0);
    world.service.end(&keys[1], answer(1, "a")).await.unwrap();
    assert!(told_at_once(&waits).await.is_none());

    assert!(waits.add(keys[1].clone(), false).unwrap(), "it is a new wait");
    assert_eq!(ended(&waits).await, keys[1]);
}

#[tokio::test]
async fn a_wait_for_what_is_not_there_fails_and_the_others_go_on() {
    let world = World::alone();
    let waits = world.waits();
    let key = world.ask(60_000).await;
    waits.add(any_key(7), true).unwrap();
    waits.add(key.clone(), false).unwrap();
    let Over::Failed(failed) = told(&waits).await else { panic!("it is not there") };
    assert!(matches!(failed.error, Error::NotFound(_)), "{failed:?}");
    assert!(*failed.key == any_key(7) && failed.is_unnamed);
    world.service.end(&key, answer(1, "a")).await.unwrap();
    assert_eq!(ended(&waits).await, key);
}

#[tokio::test]
async fn waits_of_a_stream_give_way_to_those_who_have_few() {
    let world = World::alone();
    let waits = world.waits();
    let max = (WAITS_MAX * SHARING) as u128;
    for number in 0..max {
        assert!(waits.add(any_key(number), false).unwrap());
    }
    let refused = waits.add(any_key(max), false);
    assert!(matches!(refused, Err(Error::TooManyWaiters)), "{refused:?}");
    let key = world.ask(60_000).await;
    let (_, single) = world.service.wait(&key, Owner::of_connection(2)).await.unwrap();
    for number in 0..SHARING as u128 {
        let Some(Over::Failed(failed)) = waits.next().await.unwrap() else { panic!("it lost") };
        assert!(matches!(failed.error, Error::TooManyWaiters), "{failed:?}");
        assert_eq!(*failed.key, any_key(max - 1 - number), "the newest go first");
    }
    world.service.end(&key, answer(1, "a")).await.unwrap();
    assert_eq!(single.ended().await.unwrap().state(), State::Answered);
    drop((waits, single));
    assert_eq!(world.service.0.waiters.count(), 0);
    assert!(world.service.0.waiters.awaited().is_empty());
}

#[tokio::test]
async fn no_more_is_read_while_nobody_is_told() {
    let world = World::alone();
    let waits = world.waits();
    for number in 0..2_000 {
        waits.add(any_key(number), false).unwrap();
    }
    let mut look = Box::pin(waits.look());
    for _ in 0..1_000 {
        assert!((&mut look).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    let mut failed = 0;
    while waits.next().now_or_never().is_some() {
        failed += 1;
    }
    // As many as may be untold, and what was being read then.
    assert!((1_000..1_100).contains(&failed), "{failed}");
    for _ in failed..2_000 {
        tokio::select! {
            over = waits.next() => assert!(matches!(over, Ok(Some(Over::Failed(_))))),
            never = &mut look => match never {},
        }
    }
}

#[tokio::test]
async fn on_a_shared_store_a_wait_looks_for_itself_some_time_after_the_deadline() {
    let world = World::shared();
    let waits = world.waits();
    let [soon, later] = [world.ask(1_000).await, world.ask(9_000).await];
    for key in [&later, &soon] {
        waits.add(key.clone(), false).unwrap();
    }
    assert!(told_at_once(&waits).await.is_none());
    for (wait_ms, key) in [(1_000 + OVERDUE_MS, soon), (8_000, later)] {
        world.clock.advance_ms(wait_ms - 1);
        assert!(told_at_once(&waits).await.is_none());
        world.clock.advance_ms(1);
        let Some(Over::Ended(event)) = told_at_once(&waits).await else { panic!("it is due") };
        assert_eq!((event.request.key(), event.state()), (key, State::TimedOut));
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_last_wait_once_no_more_are_added() {
    let world = World::alone();
    let waits = world.waits();
    let key = world.ask(60_000).await;
    waits.add(key.clone(), false).unwrap();
    waits.close();
    assert!(told_at_once(&waits).await.is_none());
    world.service.end(&key, answer(1, "a")).await.unwrap();
    assert_eq!(ended(&waits).await, key);
    assert!(waits.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_shutdown_ends_the_stream_with_a_word_to_come_again() {
    let world = World::alone();
    let waits = world.waits();
    waits.add(world.ask(60_000).await, false).unwrap();
    world.shutdown.cancel();
    assert!(matches!(waits.next().await, Err(Error::ShuttingDown)));
    let waits = world.service.session(Principal::Anyone).waits(Owner::of_connection(1));
    assert!(matches!(waits, Err(Error::ShuttingDown)));
}
