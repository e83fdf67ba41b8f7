//! A replica whose wall clock is set while it runs, beside one whose clock is right.

use hitl_core::State;

use super::replicas_tests::{World, create};
use super::*;
use hitl_testing::answer;

const HOUR_MS: i64 = 3_600_000;

#[tokio::test]
async fn a_clock_that_is_set_back_stops_no_announcements() {
    let world = World::new();
    let one = world.running();
    world.other_clock.step_ms(HOUR_MS);
    let (_, other) = world.running_by(&world.other_clock);
    let (before, after) = (create(&one, 600_000).await, create(&one, 600_000).await);
    let (_, told_of_before) = other.wait(&before.request.key(), Owner::default()).await.unwrap();
    let (_, told_of_after) = other.wait(&after.request.key(), Owner::default()).await.unwrap();
    world.elapse(20_000).await;
    // Nobody who looks an hour ahead finds what is announced now.
    one.end(&before.request.key(), answer(1, "a")).await.unwrap();
    world.elapse(25_000).await;
    world.other_clock.step_ms(-HOUR_MS);
    let (told, _) = world.pass(2_000, told_of_before.ended()).await;
    assert_eq!(told.unwrap().state(), State::Answered);
    one.end(&after.request.key(), answer(1, "a")).await.unwrap();
    let (told, _) = world.pass(2_000, told_of_after.ended()).await;
    assert_eq!(told.unwrap().state(), State::Answered);
}

#[tokio::test]
async fn a_clock_that_is_set_back_stops_no_timers() {
    let world = World::new();
    let dead = world.idle();
    world.other_clock.step_ms(HOUR_MS);
    let _other = world.running_by(&world.other_clock);
    world.elapse(20_000).await;
    // What came due while the clock was wrong, and what comes due later.
    create(&dead, 1_000).await;
    create(&dead, 22_000).await;
    world.elapse(10_000).await;
    assert_eq!(world.responses().await, 0);
    world.other_clock.step_ms(-HOUR_MS);
    world.elapse(7_000).await;
    assert_eq!(world.responses().await, 1);
    world.elapse(7_000).await;
    assert_eq!(world.responses().await, 2);
}

#[tokio::test]
async fn a_replica_is_ready_as_soon_as_its_clock_is_right_again() {
    let world = World::new();
    world.other_clock.step_ms(HOUR_MS);
    let (_, other) = world.running_by(&world.other_clock);
    world.elapse(20_000).await;
    assert!(matches!(other.ready().await, Err(Error::ClockOff { .. })));
    world.other_clock.step_ms(-HOUR_MS);
    other.ready().await.unwrap();
}
