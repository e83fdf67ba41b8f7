//! The use cases over a store in memory, with time held in hand.

use std::time::Duration;

use futures::FutureExt;
use hitl_core::{Answer, Command, Expiration, Input, Namespace, Spec, State, StrInput, Timestamp};

use super::*;
use crate::filter::Filter;
use crate::list::ListQuery;
use crate::quotas::Payer;
use hitl_store::clock::ManualClock;
use hitl_store::random::SystemRandom;
use hitl_store::{Options, StoreUrl, open};
use hitl_testing::{answer, spec};

/// Noon of some day, in the middle of no minute in particular.
const NOW_MS: i64 = 1_795_348_837_250;

struct World {
    service: Service,
    clock: ManualClock,
    shutdown: CancellationToken,
    directory: Option<tempfile::TempDir>,
}

impl World {
    async fn in_memory() -> Self {
        Self::over(
            open(&StoreUrl::Memory, Options { disk_reserve: Some(0), ..Options::default() })
                .await
                .unwrap(),
            NOW_MS,
            None,
        )
    }

    fn over(store: EventStore, now_ms: i64, directory: Option<tempfile::TempDir>) -> Self {
        let clock = ManualClock::at(Timestamp::from_ms(now_ms).unwrap());
        let shutdown = CancellationToken::new();
        let service = Service::new(
            store,
            Arc::new(clock.clone()),
            Arc::new(SystemRandom),
            100,
            shutdown.clone(),
            Background::new(None),
        );
        Self { service, clock, shutdown, directory }
    }

    async fn in_files() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = open(
            &StoreUrl::Files(directory.path().to_owned()),
            Options { disk_reserve: Some(0), ..Options::default() },
        )
        .await
        .unwrap();
        Self::over(store, NOW_MS, Some(directory))
    }

    /// The same store after a crash, `ms` later, with nothing in memory.
    async fn restarted_after_ms(mut self, ms: i64) -> Self {
        let directory = self.directory.take().unwrap();
        let store = open(
            &StoreUrl::Files(directory.path().to_owned()),
            Options { disk_reserve: Some(0), ..Options::default() },
        )
        .await
        .unwrap();
        Self::over(store, self.clock.now().plus_ms(ms).ms(), Some(directory))
    }

    fn run_timers(&self) -> tokio::task::JoinHandle<()> {
        let service = self.service.clone();
        tokio::spawn(async move { service.run().await })
    }

    async fn create(&self, spec: Spec) -> Event {
        self.service.create(Payer::default(), Namespace::default(), spec).await.unwrap().event
    }
}

fn keyed(key: &str) -> Spec {
    Spec { idempotency_key: Some(key.into()), ..spec(60_000) }
}

fn query(state: Option<State>, page_size: usize, page_token: String) -> ListQuery {
    ListQuery {
        filter: Filter { state, ..Filter::all_of(Namespace::default()) },
        page_size,
        page_token,
    }
}

#[tokio::test]
async fn a_waiter_is_told_the_answer_and_everyone_later_sees_the_same() {
    let world = World::in_memory().await;
    let event = world.create(spec(60_000)).await;
    let key = event.request.key();
    let (event, wait) = world.service.wait(&key, Owner::default()).await.unwrap();
    assert_eq!(event.state(), State::Pending);
    let ended = world.service.end(&key, answer(5, "a")).await.unwrap();
    assert_eq!(wait.ended().await.unwrap(), ended);
    assert_eq!(world.service.get(&key).await.unwrap(), ended);
    assert_eq!(
        world.service.wait(&key, Owner::default()).await.unwrap().1.ended().await.unwrap(),
        ended
    );
}

#[tokio::test]
async fn of_64_racers_exactly_one_wins_and_the_others_learn_who() {
    let world = World::in_memory().await;
    let key = world.create(spec(60_000)).await.request.key();
    let racers = (0..64).map(|number| {
        let (service, key) = (world.service.clone(), key.clone());
        tokio::spawn(async move { service.end(&key, answer(number, &number.to_string())).await })
    });
    let results = futures::future::join_all(racers).await;
    let results: Vec<_> = results.into_iter().map(Result::unwrap).collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let told = |result: &&Result<Event, Error>| {
        matches!(result, Err(Error::AlreadyFinal { state: State::Answered, .. }))
    };
    assert_eq!(results.iter().filter(told).count(), 63);
}

#[tokio::test]
async fn a_create_with_a_key_makes_one_event_however_often_and_even_after_its_end() {
    let world = World::in_memory().await;
    let racers =
        (0..32).map(|_| world.service.create(Payer::default(), Namespace::default(), keyed("k")));
    let created = futures::future::join_all(racers).await;
    let created: Vec<_> = created.into_iter().map(Result::unwrap).collect();
    assert_eq!(created.iter().filter(|created| !created.existed).count(), 1);
    let key = created[0].event.request.key();
    assert!(created.iter().all(|created| created.event.request.key() == key));

    let ended = world.service.end(&key, answer(1, "a")).await.unwrap();
    let again =
        world.service.create(Payer::default(), Namespace::default(), keyed("k")).await.unwrap();
    assert!(again.existed);
    assert_eq!(again.event, ended);
    let other = Spec { prompt: "other".into(), ..keyed("k") };
    let reused = world.service.create(Payer::default(), Namespace::default(), other).await;
    assert!(
        matches!(reused, Err(Error::IdempotencyKeyReused { fields, .. }) if fields == ["prompt"])
    );
}

#[tokio::test]
async fn a_create_that_is_repeated_after_the_end_leaves_no_timer() {
    let world = World::in_memory().await;
    let deadline = Timestamp::from_ms(NOW_MS + 60_000).unwrap();
    let asked = |prompt: &str| Spec {
        expiration: Expiration::Deadline(deadline),
        prompt: prompt.into(),
        ..keyed("k")
    };
    let key = world.create(asked("p")).await.request.key();
    world.service.end(&key, answer(1, "a")).await.unwrap();
    let again =
        world.service.create(Payer::default(), Namespace::default(), asked("p")).await.unwrap();
    assert!(again.existed);
    let reused = world.service.create(Payer::default(), Namespace::default(), asked("other")).await;
    assert!(matches!(reused, Err(Error::IdempotencyKeyReused { .. })), "{reused:?}");
    world.service.finish().await;
    assert!(world.service.pending_is_empty().await.unwrap());
}

#[tokio::test]
async fn what_comes_after_the_deadline_finds_a_timeout_even_if_no_timer_ran() {
    let world = World::in_memory().await;
    let key = world.create(spec(1_000)).await.request.key();
    world.clock.advance_ms(999);
    assert_eq!(world.service.get(&key).await.unwrap().state(), State::Pending);
    world.clock.advance_ms(1);
    let late = world.service.end(&key, answer(1, "a")).await;
    assert!(matches!(late, Err(Error::AlreadyFinal { state: State::TimedOut, .. })));
    world.clock.step_ms(-1_000);
    assert_eq!(
        world.service.get(&key).await.unwrap().state(),
        State::TimedOut,
        "time stepped back"
    );
}

#[tokio::test]
async fn timers_fire_on_time_and_not_before_near_and_far() {
    let world = World::in_memory().await;
    let timers = world.run_timers();
    for ttl_ms in [1, 1_500, 90_000, 3 * 3_600_000] {
        let key = world.create(spec(ttl_ms)).await.request.key();
        let (_, wait) = world.service.wait(&key, Owner::default()).await.unwrap();
        let mut ended = Box::pin(wait.ended());
        // Time passes as it does: in steps that let the scans happen.
        let mut left_ms = ttl_ms - 1;
        while left_ms > 0 {
            let step_ms = left_ms.min(4_000);
            world.clock.advance_ms(step_ms);
            left_ms -= step_ms;
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!((&mut ended).now_or_never().is_none(), "{ttl_ms} ms: early");
        world.clock.advance_ms(1);
        let ended =
            tokio::time::timeout(Duration::from_secs(5), ended).await.expect("fires").unwrap();
        assert_eq!(ended.response.unwrap().time, ended.request.deadline);
    }
    world.shutdown.cancel();
    timers.await.unwrap();
}

/// An answer given in time may reach the store after the timer has read the event: the timer has
/// lost, and has nothing more to do.
#[tokio::test]
async fn a_timer_that_loses_to_an_answer_has_done_its_work() {
    let world = World::in_memory().await;
    let event = world.create(spec(1_000)).await;
    let key = event.request.key();
    let expiry = end::expiry(&event);
    let late_timer = async {
        world.clock.advance_ms(1_000);
        jobs::expire::run(world.service.clone(), expiry).await
    };
    let (answered, expired) = tokio::join!(world.service.end(&key, answer(1, "a")), late_timer);
    assert_eq!(answered.unwrap().state(), State::Answered);
    assert!(expired.is_ok(), "{expired:?}");
    world.service.finish().await;
    assert!(world.service.pending_is_empty().await.unwrap(), "its timer is gone");
}

#[tokio::test]
async fn what_came_due_while_nobody_ran_fires_at_start_with_its_own_deadline() {
    let world = World::in_files().await;
    let mut keys = Vec::new();
    for ttl_ms in [1_000, 59_000, 61_000, 3_599_000, 3 * 24 * 3_600_000] {
        keys.push(world.create(spec(ttl_ms)).await.request.key());
    }
    let world = world.restarted_after_ms(4 * 24 * 3_600_000).await;
    let subscribe =
        |key: &EventKey| world.service.0.waiters.subscribe(key.clone(), Owner::default()).unwrap();
    let waits: Vec<_> = keys.iter().map(subscribe).collect();
    let timers = world.run_timers();
    for wait in waits {
        let ended = tokio::time::timeout(Duration::from_secs(5), wait.ended()).await;
        let ended = ended.expect("fires").unwrap();
        assert_eq!(ended.state(), State::TimedOut);
        assert_eq!(ended.response.unwrap().time, ended.request.deadline);
    }
    world.shutdown.cancel();
    timers.await.unwrap();
    world.service.finish().await;
    assert!(world.service.pending_is_empty().await.unwrap(), "a timer that has fired is gone");
}

#[tokio::test]
async fn a_list_shows_the_pending_by_deadline_then_the_ended_latest_first_in_pages() {
    let world = World::in_memory().await;
    let mut expected = Vec::new();
    for ttl_ms in [1_000, 50_000, 7_200_000] {
        expected.push(world.create(spec(ttl_ms)).await.request.key());
    }
    let mut ended = Vec::new();
    for number in 0..4 {
        let key = world.create(spec(60_000)).await.request.key();
        world.clock.advance_ms(1);
        world.service.end(&key, answer(number, "a")).await.unwrap();
        ended.insert(0, key);
    }
    let pending = expected.clone();
    expected.extend(ended.clone());
    for page_size in [1, 2, 3, 100] {
        for (state, expected) in [
            (None, &expected),
            (Some(State::Pending), &pending),
            (Some(State::Answered), &ended),
            (Some(State::Declined), &vec![]),
        ] {
            let mut listed = Vec::new();
            let mut token = String::new();
            loop {
                let page = world.service.list(&query(state, page_size, token)).await.unwrap();
                assert!(page.events.len() <= page_size);
                listed.extend(page.events.iter().map(|event| event.request.key()));
                token = page.next_page_token;
                if token.is_empty() {
                    break;
                }
            }
            assert_eq!(listed, *expected, "{state:?} in pages of {page_size}");
        }
    }
    let elsewhere = ListQuery {
        filter: Filter::all_of("other".parse().unwrap()),
        ..query(None, 10, String::new())
    };
    assert!(world.service.list(&elsewhere).await.unwrap().events.is_empty());
    assert!(world.service.list(&query(None, 10, "junk".into())).await.is_err());
}

#[tokio::test]
async fn a_shutdown_ends_every_wait_with_a_word_to_come_again() {
    let world = World::in_memory().await;
    let key = world.create(spec(60_000)).await.request.key();
    let (_, wait) = world.service.wait(&key, Owner::default()).await.unwrap();
    world.shutdown.cancel();
    assert!(matches!(wait.ended().await, Err(Error::ShuttingDown)));
    assert!(matches!(world.service.wait(&key, Owner::default()).await, Err(Error::ShuttingDown)));
}

#[tokio::test]
async fn an_answer_whose_caller_hangs_up_still_wakes_the_waiters() {
    let world = World::in_memory().await;
    let key = world.create(spec(60_000)).await.request.key();
    let (_, wait) = world.service.wait(&key, Owner::default()).await.unwrap();
    {
        let mut hung_up = Box::pin(world.service.end(&key, answer(1, "a")));
        while (&mut hung_up).now_or_never().is_none() && world.service.0.tasks.is_empty() {
            tokio::task::yield_now().await;
        }
    }
    tokio::time::timeout(Duration::from_secs(5), wait.ended()).await.expect("is told").unwrap();
}

#[tokio::test]
async fn a_server_is_idle_once_nothing_is_pending_and_nobody_waits() {
    let world = World::in_memory().await;
    assert!(world.service.is_idle().await.unwrap());
    let key = world.create(spec(60_000)).await.request.key();
    assert!(!world.service.is_idle().await.unwrap());
    world.service.end(&key, answer(1, "a")).await.unwrap();
    while !world.service.is_idle().await.unwrap() {
        tokio::task::yield_now().await;
    }
}

/// Whoever has a pattern to match waits for those who match theirs, and nobody else does.
#[tokio::test]
async fn an_answer_that_is_laborious_to_judge_holds_up_no_other_call() {
    let world = World::in_memory().await;
    let pattern = StrInput { pattern: Some("^a+$".into()), ..StrInput::default() };
    let laborious = Spec { input: Input::Str(pattern), ..spec(60_000) };
    let key = world.create(laborious).await.request.key();
    let other = world.create(spec(60_000)).await.request.key();
    let permits = world.service.0.background.turns();
    let all =
        permits.acquire_many(u32::try_from(permits.available_permits()).unwrap()).await.unwrap();

    let Command::Answer { identity, .. } = answer(1, "a") else { panic!("an answer") };
    let command =
        Command::Answer { answer: Answer::Text("aaa".into()), comment: String::new(), identity };
    let mut judged = std::pin::pin!(world.service.end(&key, command));
    let ended = tokio::select! {
        biased;
        _ = &mut judged => panic!("it needs a permit, and there is none"),
        ended = world.service.end(&other, answer(5, "b")) => ended.unwrap(),
    };
    assert_eq!(ended.state(), State::Answered);
    drop(all);
    assert_eq!(judged.await.unwrap().state(), State::Answered);
}
