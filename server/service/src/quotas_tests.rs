//! What one credential or namespace takes is not what another needs, with time held in hand.

use hitl_core::{
    EventKey, Known, KnownKind, Namespace, Namespaces, Principal, Rights, Role, Spec, Timestamp,
    TokenId,
};
use hitl_store::clock::ManualClock;
use hitl_store::random::SystemRandom;
use hitl_testing::{answer, scripted, spec};
use object_store::memory::InMemory;
use std::time::Duration;

use super::*;
use crate::quotas::{Measure, Quota, Scope};

const NOW_MS: i64 = 1_795_348_857_000;
/// Time between two looks of a server of a shared store.
const LOOK_MS: i64 = 10_000;

/// Servers over one store.
struct World {
    store: Arc<InMemory>,
    clock: ManualClock,
    is_shared: bool,
    quotas: Quotas,
}

impl World {
    fn new(is_shared: bool, quotas: Quotas) -> Self {
        let clock = ManualClock::at(Timestamp::from_ms(NOW_MS).unwrap());
        Self { store: scripted::empty(), clock, is_shared, quotas }
    }

    fn server(&self) -> Service {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let store = EventStore::over(self.store.clone(), self.is_shared, clock.clone());
        let bounds = Bounds { waits_max: 100, quotas: self.quotas };
        let (random, background) = (Arc::new(SystemRandom), Background::new(None));
        let service =
            Service::new(store, clock, random, bounds, CancellationToken::new(), background);
        let counting = service.clone();
        tokio::spawn(async move { counting.count_pending().await });
        service
    }
}

/// Lets everything that can go on do so.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

fn token(number: u8) -> Principal {
    let known = Known {
        kind: KnownKind::Token(TokenId::from_bytes([number; 8])),
        id: format!("token {number}"),
        name: String::new(),
        rights: Rights::of([Role::Admin].into_iter().collect(), Namespaces::All),
        groups: Vec::new(),
        until: None,
    };
    Principal::Known(Arc::new(known))
}

async fn create_in(session: &Session, namespace: &str) -> Result<EventKey, Error> {
    let created = session.create(namespace.parse().unwrap(), spec(3_600_000)).await?;
    Ok(created.event.request.key())
}

async fn create(session: &Session) -> Result<EventKey, Error> {
    create_in(session, Namespace::DEFAULT).await
}

fn used_up<T: std::fmt::Debug>(result: Result<T, Error>) -> Quota {
    match result {
        Err(Error::OverQuota(over)) => over.quota,
        other => panic!("no quota is used up: {other:?}"),
    }
}

#[tokio::test]
async fn a_credential_with_all_its_pending_events_creates_no_more_until_one_ends_and_others_go_on()
{
    let quotas = Quotas::none().with(Measure::PendingEvents, Scope::Credential, 3);
    let server = World::new(false, quotas).server();
    let [flood, other] = [1, 2].map(|number| server.session(token(number)));
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(create(&flood).await.unwrap());
    }
    assert_eq!(used_up(create(&flood).await).to_string(), "pending-events-per-credential");
    let elsewhere = create_in(&flood, "elsewhere").await;
    assert_eq!(used_up(elsewhere).scope, Scope::Credential, "in whatever namespace");
    create(&other).await.unwrap();
    other.end(&keys[0], answer(1, "a")).await.unwrap();
    create(&flood).await.unwrap();
    used_up(create(&flood).await);
}

#[tokio::test]
async fn a_create_that_is_repeated_finds_its_event_and_takes_no_other_place() {
    let quotas = Quotas::none().with(Measure::PendingEvents, Scope::Credential, 1);
    let server = World::new(false, quotas).server();
    let session = server.session(token(1));
    let keyed = || Spec { idempotency_key: Some("k".to_owned()), ..spec(60_000) };
    let first = session.create(Namespace::default(), keyed()).await.unwrap();
    for _ in 0..3 {
        let again = session.create(Namespace::default(), keyed()).await.unwrap();
        assert!(again.existed && again.event == first.event);
    }
    used_up(create(&session).await);
    session.end(&first.event.request.key(), answer(1, "a")).await.unwrap_err();
    let other = server.session(token(2));
    other.end(&first.event.request.key(), answer(1, "a")).await.unwrap();
    create(&session).await.unwrap();
}

#[tokio::test]
async fn a_namespace_has_so_many_bytes_whoever_creates_there_and_another_has_its_own() {
    let quotas = Quotas::none().with(Measure::PendingBytes, Scope::Namespace, 50_000);
    let server = World::new(false, quotas).server();
    let sessions = [1, 2].map(|number| server.session(token(number)));
    let large = || Spec { prompt: "p".repeat(20_000), ..spec(60_000) };
    for session in &sessions {
        session.create(Namespace::default(), large()).await.unwrap();
    }
    let refused = sessions[0].create(Namespace::default(), large()).await;
    assert_eq!(used_up(refused).to_string(), "pending-bytes-per-namespace");
    create(&sessions[0]).await.unwrap();
    sessions[0].create("other".parse().unwrap(), large()).await.unwrap();
}

#[tokio::test]
async fn what_was_pending_before_a_restart_counts_for_whoever_created_it() {
    let quotas = Quotas::none().with(Measure::PendingEvents, Scope::Credential, 2);
    let world = World::new(false, quotas);
    let before = world.server().session(token(1));
    let keys = [create(&before).await.unwrap(), create(&before).await.unwrap()];
    let server = world.server();
    settle().await;
    let [flood, other] = [1, 2].map(|number| server.session(token(number)));
    used_up(create(&flood).await);
    create(&other).await.unwrap();
    other.end(&keys[0], answer(1, "a")).await.unwrap();
    create(&flood).await.unwrap();
}

#[tokio::test]
async fn servers_of_one_store_count_what_the_others_create_and_end_in_a_namespace() {
    let quotas = Quotas::none().with(Measure::PendingEvents, Scope::Namespace, 10);
    let world = World::new(true, quotas);
    let [one, other] = [world.server(), world.server()];
    let [one, other] = [one, other].map(|server| server.session(token(1)));
    let mut keys = Vec::new();
    for _ in 0..6 {
        keys.push(create(&one).await.unwrap());
    }
    create(&other).await.unwrap();
    settle().await;
    for _ in 0..3 {
        create(&other).await.unwrap();
    }
    used_up(create(&other).await);
    create_in(&other, "elsewhere").await.unwrap();
    let answerer = world.server().session(token(2));
    for key in &keys {
        answerer.end(key, answer(1, "a")).await.unwrap();
    }
    settle().await;
    used_up(create(&other).await);
    world.clock.advance_ms(LOOK_MS);
    settle().await;
    create(&other).await.unwrap();
}

#[tokio::test]
async fn a_credential_gets_back_at_one_server_what_was_ended_at_another() {
    let quotas = Quotas::none().with(Measure::PendingEvents, Scope::Credential, 2);
    let world = World::new(true, quotas);
    let one = world.server().session(token(1));
    let keys = [create(&one).await.unwrap(), create(&one).await.unwrap()];
    settle().await;
    let other = world.server().session(token(2));
    other.end(&keys[0], answer(1, "a")).await.unwrap();
    used_up(create(&one).await);
    for _ in 0..2 {
        settle().await;
        world.clock.advance_ms(LOOK_MS);
    }
    settle().await;
    create(&one).await.unwrap();
    used_up(create(&one).await);
    other.end(&keys[1], answer(1, "a")).await.unwrap();
    one.get(&keys[1]).await.unwrap();
    create(&one).await.unwrap();
}

#[tokio::test]
async fn a_credential_with_all_its_waits_begins_no_more_by_any_connection_and_others_do() {
    let quotas = Quotas::none().with(Measure::Waits, Scope::Credential, 2).with(
        Measure::Watches,
        Scope::Credential,
        1,
    );
    let server = World::new(false, quotas).server();
    let [flood, other] = [1, 2].map(|number| server.session(token(number)));
    let key = create(&flood).await.unwrap();
    let held = [
        flood.wait(&key, Owner::of_connection(1)).await.unwrap(),
        flood.wait(&key, Owner::of_connection(2)).await.unwrap(),
    ];
    let refused = flood.wait(&key, Owner::of_connection(3)).await;
    assert_eq!(used_up(refused.map(drop)).to_string(), "waits-per-credential");
    let shared = flood.waits(Owner::of_connection(4)).unwrap();
    assert_eq!(used_up(shared.add(key.clone(), false)).to_string(), "waits-per-credential");
    other.wait(&key, Owner::of_connection(5)).await.unwrap();
    let watch = |session: &Session, connection| {
        let filter = Filter::all_of(Namespace::default());
        session.watch(filter, "", Duration::from_secs(15), Owner::of_connection(connection))
    };
    let watching = watch(&flood, 1).unwrap();
    assert_eq!(used_up(watch(&flood, 2).map(drop)).to_string(), "watches-per-credential");
    watch(&other, 5).unwrap();
    drop((held, watching));
    flood.wait(&key, Owner::of_connection(3)).await.unwrap();
    watch(&flood, 3).unwrap();
}
