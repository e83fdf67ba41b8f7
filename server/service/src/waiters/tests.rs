//! No wake-up is lost, and no place is kept by those who have gone.

use futures::FutureExt;
use hitl_core::{EventId, Namespace, Outcome, Response, Timestamp};

use super::*;
use hitl_testing::spec;

fn ended_event() -> Event {
    let now = Timestamp::from_ms(1_000).unwrap();
    let request =
        hitl_core::create(spec(60_000), Namespace::default(), EventId::from_bytes([1; 16]), now)
            .unwrap();
    let outcome = Outcome::Cancelled { reason: String::new() };
    let response = Response {
        outcome,
        time: now,
        responder: None,
        answer_id: None,
        comment: String::new(),
        votes: Vec::new(),
        weight: hitl_core::Weight::default(),
    };
    Event { request: Arc::new(request), response: Some(Arc::new(response)) }
}

#[tokio::test]
async fn whoever_subscribed_before_the_end_is_told_whenever_they_look() {
    let waiters = Waiters::new(10, Quotas::none(), Arc::default());
    let event = ended_event();
    let early = waiters.subscribe(event.request.key(), Owner::default()).unwrap();
    let mut looking = Box::pin(early.ended());
    assert!((&mut looking).now_or_never().is_none());
    let not_looking_yet = waiters.subscribe(event.request.key(), Owner::default()).unwrap();
    waiters.ended(&event);
    assert_eq!(looking.await.unwrap(), event);
    assert_eq!(not_looking_yet.ended().await.unwrap(), event);
}

#[tokio::test]
async fn waits_are_bounded_and_places_come_back() {
    let waiters = Waiters::new(2, Quotas::none(), Arc::default());
    let key = ended_event().request.key();
    let first = waiters.subscribe(key.clone(), Owner::default()).unwrap();
    let second = waiters.subscribe(key.clone(), Owner::default()).unwrap();
    assert!(matches!(waiters.subscribe(key.clone(), Owner::default()), Err(Error::TooManyWaiters)));
    drop(first);
    drop(waiters.subscribe(key.clone(), Owner::default()).unwrap());
    assert_eq!(waiters.registry().places.len(), 1);
    drop(second);
    assert_eq!((waiters.count(), waiters.registry().places.len()), (0, 0));
}

#[tokio::test]
async fn the_end_of_an_event_that_nobody_waits_for_leaves_nothing_behind() {
    let waiters = Waiters::new(1, Quotas::none(), Arc::default());
    waiters.ended(&ended_event());
    assert!(waiters.registry().places.is_empty());
}

/// Waiters of one event who leave at the same moment, while it ends, leave no slot behind.
#[test]
fn places_come_back_when_many_leave_at_once() {
    let waiters = Waiters::new(100, Quotas::none(), Arc::default());
    let event = ended_event();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    drop(waiters.subscribe(event.request.key(), Owner::default()).unwrap());
                }
            });
        }
        scope.spawn(|| (0..5_000).for_each(|_| waiters.ended(&event)));
    });
    assert_eq!((waiters.count(), waiters.registry().places.len()), (0, 0));
}

/// Subscribes, ends and drops from many threads at once: everyone who subscribed before the end is told.
#[test]
fn wake_ups_survive_races() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    runtime.block_on(async {
        for _ in 0..500 {
            let waiters = Waiters::new(100, Quotas::none(), Arc::default());
            let event = ended_event();
            let waits: Vec<_> = (0..8)
                .map(|_| {
                    let subscription =
                        waiters.subscribe(event.request.key(), Owner::default()).unwrap();
                    tokio::spawn(async move { subscription.ended().await.unwrap() })
                })
                .collect();
            let end = tokio::spawn({
                let (waiters, event) = (waiters.clone(), event.clone());
                async move { waiters.ended(&event) }
            });
            end.await.unwrap();
            for wait in waits {
                assert_eq!(wait.await.unwrap(), event);
            }
            assert_eq!(waiters.count(), 0);
        }
    });
}
