//! The clocks of one replica in virtual time: its wall clock is a little off, and stepped now and then; the time of its
//! pauses is not.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use hitl_core::Timestamp;
use hitl_store::clock::{Clock, Monotonic};
use tokio::time::{Instant, sleep};

use crate::fault_store::Link;
use crate::signal::Signal;

/// Shown at the beginning of every run: in the middle of no minute in particular.
pub(crate) const EPOCH_MS: i64 = 1_795_348_837_250;
/// How far a replica's clock may be off.
pub(crate) const SKEW_MAX_MS: i64 = 1_000;

/// See the module. Its sleeps end only while the process of `link` runs.
#[derive(Debug, Clone)]
pub(crate) struct SimClock {
    begun: Instant,
    offset_ms: Arc<Signal<i64>>,
    link: Arc<Link>,
}

impl SimClock {
    /// A clock that is off by `offset_ms`, of which every copy may be stepped, in a world that began at `begun`.
    pub(crate) fn new(begun: Instant, offset_ms: Arc<Signal<i64>>, link: Arc<Link>) -> Self {
        Self { begun, offset_ms, link }
    }
}

impl SimClock {
    fn elapsed_ms(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::from_ms(EPOCH_MS).expect("the epoch is an instant");
        now.plus_ms(self.elapsed_ms().saturating_add(self.offset_ms.get()))
    }

    fn sleep_until(&self, instant: Timestamp) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move {
            loop {
                clock.link.runs().await;
                let offset_ms = clock.offset_ms.get();
                let left_ms = instant.ms_since(clock.now());
                let Ok(left_ms @ 1..) = u64::try_from(left_ms) else {
                    return;
                };
                tokio::select! {
                    biased;
                    () = clock.offset_ms.until(|now_ms| now_ms != offset_ms) => {}
                    () = sleep(Duration::from_millis(left_ms)) => {}
                }
            }
        })
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_ms(self.elapsed_ms())
    }

    fn pause_until(&self, moment: Monotonic) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move {
            loop {
                clock.link.runs().await;
                let Ok(left_ms @ 1..) = u64::try_from(moment.ms_since(clock.monotonic())) else {
                    return;
                };
                sleep(Duration::from_millis(left_ms)).await;
            }
        })
    }
}
