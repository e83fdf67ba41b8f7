//! Timers alone, with time held in hand.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use hitl_core::{EventId, EventKey, Namespace};
use object_store::memory::InMemory;

use super::*;
use crate::clock::ManualClock;
use crate::random::SystemRandom;

const NOW_MS: i64 = 1_795_348_837_250;

struct World {
    clock: ManualClock,
    store: Arc<EventStore>,
    timers: Arc<Timers>,
    fired: Arc<AtomicUsize>,
}

impl World {
    /// Timers of which the first `failures` that fire fail.
    fn failing(failures: usize) -> Self {
        let clock = ManualClock::at(Timestamp::from_ms(NOW_MS).unwrap());
        let now: Arc<dyn Clock> = Arc::new(clock.clone());
        let store = Arc::new(EventStore::over(Arc::new(InMemory::new()), false, now.clone()));
        let timers = Timers::new(store.clone(), now, Arc::new(SystemRandom));
        let fired = Arc::<AtomicUsize>::default();
        let fire: Fire = {
            let fired = fired.clone();
            Arc::new(move |_| {
                let is_failed = fired.fetch_add(1, Ordering::SeqCst) < failures;
                let result = if is_failed { Err("planted".into()) } else { Ok(()) };
                async { result }.boxed()
            })
        };
        tokio::spawn(timers.clone().run(fire, TaskTracker::new(), CancellationToken::new()));
        Self { clock, store, timers, fired }
    }

    /// How many have fired once `ms` milliseconds have passed.
    async fn fired_after_ms(&self, ms: i64) -> usize {
        self.clock.advance_ms(ms);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        self.fired.load(Ordering::SeqCst)
    }

    /// A timer that is due in `ms` milliseconds.
    fn timer(&self, ms: i64) -> Entry {
        let key = EventKey { namespace: Namespace::default(), id: EventId::from_bytes([1; 16]) };
        Entry { time: self.clock.now().plus_ms(ms), key }
    }
}

#[tokio::test]
async fn a_timer_goes_by_the_wall_clock_however_that_is_set() {
    let world = World::failing(0);
    world.timers.set(world.timer(60_000));
    assert_eq!(world.fired_after_ms(0).await, 0);
    world.clock.step_ms(-30_000);
    assert_eq!(world.fired_after_ms(89_999).await, 0, "early");
    assert_eq!(world.fired_after_ms(1).await, 1);
    world.timers.set(world.timer(60_000));
    world.clock.step_ms(60_000);
    assert_eq!(world.fired_after_ms(0).await, 2);
}

#[tokio::test]
async fn a_timer_that_failed_fires_again_soon_though_the_clock_is_set_back() {
    let world = World::failing(1);
    world.timers.set(world.timer(-2 * MINUTE_MS));
    assert_eq!(world.fired_after_ms(0).await, 1);
    world.clock.step_ms(-MINUTE_MS);
    assert_eq!(world.fired_after_ms(RETRY_MS - 1).await, 1);
    assert_eq!(world.fired_after_ms(1).await, 2);
}

#[tokio::test]
async fn what_came_due_while_the_machine_slept_fires_at_the_next_look() {
    let world = World::failing(0);
    assert_eq!(world.fired_after_ms(0).await, 0);
    world.store.indexes().insert(Index::Timers, world.timer(10 * MINUTE_MS)).await.unwrap();
    // The wall clock runs on while a machine sleeps, and nothing else does.
    world.clock.step_ms(60 * MINUTE_MS);
    assert_eq!(world.fired_after_ms(SCAN_MS).await, 1);
}
