//! Every change is seen, in order, whoever makes it, wherever it is watched, and after any interruption.

use futures::FutureExt;
use hitl_core::{Namespace, Spec};
use hitl_store::clock::Clock;
use hitl_testing::{answer, spec};

use super::*;
use crate::quotas::Payer;
use crate::replicas_tests::{World, create};

const INTERVAL: Duration = Duration::from_secs(15);

fn watch(replica: &Service, token: &str) -> Watch {
    watch_for(replica, Filter::all_of(Namespace::default()), token)
}

fn watch_for(replica: &Service, filter: Filter, token: &str) -> Watch {
    replica.watch(filter, token, INTERVAL, Owner::default()).unwrap()
}

/// The next change, within `ms`.
async fn change(world: &World, watch: &mut Watch, ms: i64) -> (ChangeKind, EventKey) {
    loop {
        if let Watched::Change(Change { kind, event }) =
            world.pass(ms, watch.next()).await.0.unwrap()
        {
            return (kind, event.request.key());
        }
    }
}

/// The next bookmark; whatever is not sent with it is late.
async fn bookmark(world: &World, watch: &mut Watch) -> String {
    loop {
        if let Watched::Bookmark(token) = world.pass(16_000, watch.next()).await.0.unwrap() {
            return token;
        }
    }
}

#[tokio::test]
async fn a_watch_sees_at_once_what_its_own_server_does_and_the_rest_within_a_listing() {
    let world = World::new();
    let (own, other) = (world.running(), world.running());
    let mut seen = watch(&own, "");
    for (replica, ms) in [(&own, 0), (&other, 1_100)] {
        let event = create(replica, 600_000).await;
        let key = event.request.key();
        assert_eq!(change(&world, &mut seen, ms).await, (ChangeKind::Created, key.clone()));
        replica.end(&key, answer(1, "a")).await.unwrap();
        assert_eq!(change(&world, &mut seen, ms).await, (ChangeKind::Ended, key));
    }
    // Each of them once, though listings find the same again and again.
    bookmark(&world, &mut seen).await;
    assert!(seen.next().now_or_never().is_none());
}

#[tokio::test]
async fn whoever_resumes_misses_nothing_of_what_happened_meanwhile() {
    let world = World::new();
    let one = world.running();
    let mut first = watch(&one, "");
    let kept = bookmark(&world, &mut first).await;
    drop(first);
    let mut expected = Vec::new();
    for _ in 0..5 {
        world.elapse(1_000).await;
        let key = create(&one, 600_000).await.request.key();
        world.elapse(61_000).await;
        one.end(&key, answer(1, "a")).await.unwrap();
        expected.extend([(ChangeKind::Created, key.clone()), (ChangeKind::Ended, key)]);
    }
    // At a server that has seen nothing of it.
    let mut resumed = watch(&world.running(), &kept);
    for expected in expected {
        assert_eq!(change(&world, &mut resumed, 0).await, expected);
    }
    let later = bookmark(&world, &mut resumed).await;
    assert!(later > kept, "{later} {kept}");
}

#[tokio::test]
async fn a_list_and_the_watch_from_its_token_see_everything_between_them() {
    let world = World::new();
    let one = world.running();
    let token = one.resume_token();
    let key = create(&one, 600_000).await.request.key();
    world.elapse(30_000).await;
    let mut after = watch(&one, &token);
    assert_eq!(change(&world, &mut after, 0).await, (ChangeKind::Created, key));
}

#[tokio::test]
async fn what_is_recorded_long_after_it_was_announced_is_seen() {
    let world = World::new();
    let (one, idle) = (world.running(), world.idle());
    let mut seen = watch(&one, "");
    let event = create(&idle, 600_000).await;
    let key = event.request.key();
    assert_eq!(change(&world, &mut seen, 1_100).await, (ChangeKind::Created, key.clone()));
    let announced = Entry { time: world.clock.now(), key: key.clone() };
    idle.0.store.indexes().insert(Index::Resolved, announced).await.unwrap();
    world.elapse(40_000).await;
    idle.end(&key, answer(1, "a")).await.unwrap();
    assert_eq!(change(&world, &mut seen, 2_100).await, (ChangeKind::Ended, key));
}

#[tokio::test]
async fn an_event_is_created_before_it_ends_whatever_order_the_announcements_have() {
    let world = World::new();
    let (one, idle) = (world.running(), world.idle());
    let event = create(&idle, 600_000).await;
    let key = event.request.key();
    let created = Entry { time: event.request.create_time, key: key.clone() };
    idle.0.store.indexes().remove(Index::Created, &created).await.unwrap();
    idle.end(&key, answer(1, "a")).await.unwrap();
    let mut seen = watch(&one, "");
    assert_eq!(change(&world, &mut seen, 1_100).await, (ChangeKind::Created, key.clone()));
    assert_eq!(change(&world, &mut seen, 0).await, (ChangeKind::Ended, key));
}

#[tokio::test]
async fn a_watch_that_falls_behind_reads_what_it_was_not_told() {
    let world = World::new();
    let one = world.running();
    let mut seen = watch(&one, "");
    let kept = bookmark(&world, &mut seen).await;
    drop(seen);
    let mut seen = watch(&one, &kept);
    let mut expected: Vec<_> = Vec::new();
    for _ in 0..5_000 {
        expected.push(create(&one, 600_000).await.request.key());
    }
    let mut keys = Vec::new();
    while keys.len() < expected.len() {
        keys.push(change(&world, &mut seen, 2_100).await.1);
    }
    keys.sort_unstable();
    expected.sort_unstable();
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn a_watch_is_of_what_its_filter_matches() {
    let world = World::new();
    let one = world.running();
    let named = Filter { name: Some("x".into()), ..Filter::all_of(Namespace::default()) };
    let answered = Filter { state: Some(State::Answered), ..Filter::all_of(Namespace::default()) };
    let elsewhere = Filter::all_of("elsewhere".parse().unwrap());
    let mut watches = [named, answered, elsewhere].map(|filter| watch_for(&one, filter, ""));
    let other = create(&one, 600_000).await.request.key();
    let spec = Spec { name: "x".into(), ..spec(600_000) };
    let x =
        one.create(Payer::default(), Namespace::default(), spec).await.unwrap().event.request.key();
    one.end(&other, answer(1, "a")).await.unwrap();
    let [named, answered, elsewhere] = &mut watches;
    assert_eq!(change(&world, named, 0).await, (ChangeKind::Created, x));
    assert_eq!(change(&world, answered, 0).await, (ChangeKind::Ended, other));
    for watch in [named, answered, elsewhere] {
        bookmark(&world, watch).await;
    }
}

#[tokio::test]
async fn tokens_that_are_old_or_none_are_refused() {
    let world = World::new();
    let one = world.idle();
    let old = token(world.clock.now().plus_ms(-RESUMABLE_MS - 1));
    let begun = |token: &str| {
        one.watch(Filter::all_of(Namespace::default()), token, INTERVAL, Owner::default())
    };
    assert!(matches!(begun(&old), Err(Error::ResumeTokenExpired)));
    for junk in ["x", "w1-", "w1-x", "w1-9999999999999999999", "w1-9999999999999"] {
        assert!(matches!(begun(junk), Err(Error::InvalidRequest(_))), "{junk}");
    }
    assert_eq!(one.0.watches.count(), 0);
}

#[tokio::test]
async fn an_end_that_somebody_meets_later_is_not_shown_again() {
    let world = World::new();
    let one = world.running();
    let mut seen = watch(&one, "");
    let key = create(&one, 600_000).await.request.key();
    assert_eq!(change(&world, &mut seen, 0).await, (ChangeKind::Created, key.clone()));
    one.end(&key, answer(1, "a")).await.unwrap();
    assert_eq!(change(&world, &mut seen, 0).await, (ChangeKind::Ended, key.clone()));
    for _ in 0..5 {
        bookmark(&world, &mut seen).await;
    }
    one.end(&key, answer(1, "a")).await.unwrap();
    assert!(seen.next().now_or_never().is_none());
}

#[tokio::test]
async fn a_watch_ends_with_the_server() {
    let world = World::new();
    let one = world.running();
    let mut seen = watch(&one, "");
    bookmark(&world, &mut seen).await;
    one.0.shutdown.cancel();
    assert!(matches!(seen.next().now_or_never(), Some(Err(Error::ShuttingDown))));
}

#[tokio::test]
async fn announcements_go_once_nobody_can_resume_from_them_and_the_events_stay() {
    let world = World::new();
    let one = world.running();
    let old = create(&one, 300 * 3_600_000).await;
    world.clock.advance_ms(RESUMABLE_MS);
    let young = create(&one, 300 * 3_600_000).await;
    world.elapse(2_000).await;
    for _ in 0..24 {
        world.clock.advance_ms(300_000);
        world.elapse(1_000).await;
    }
    let holds = async |event: &Event| {
        let entry = Entry { time: event.request.create_time, key: event.request.key() };
        one.0.store.indexes().holds(Index::Created, &entry).await.unwrap()
    };
    assert_eq!((holds(&old).await, holds(&young).await), (false, true));
    assert_eq!(one.get(&old.request.key()).await.unwrap().state(), State::Pending);
}
