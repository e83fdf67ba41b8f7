//! The one door through which time comes in.
//!
//! Deadlines outlive the process, so they are instants of the wall clock; a runtime's paused time
//! does not move that, hence a clock of our own that tests can hold in their hands.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use hitl_core::Timestamp;
use tokio::sync::watch;

/// Tells the time, and waits for a time.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Completes once [`Clock::now`] is at or after `instant`, never earlier.
    fn sleep_until(&self, instant: Timestamp) -> BoxFuture<'static, ()>;
}

/// The machine's wall clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

/// Longest sleep before the wall clock is read again: it may be set while a timer runs on the monotonic one.
const SLEEP_MAX: Duration = Duration::from_secs(1);

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_millis())
            .ok()
            .and_then(Timestamp::from_ms)
            .expect("the wall clock shows a year before 10000")
    }

    fn sleep_until(&self, instant: Timestamp) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                let left_ms = instant.ms_since(Self.now());
                let Ok(left_ms @ 1..) = u64::try_from(left_ms) else {
                    return;
                };
                tokio::time::sleep(Duration::from_millis(left_ms).min(SLEEP_MAX)).await;
            }
        })
    }
}

/// A clock that stands still until it is told to move.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<watch::Sender<Timestamp>>);

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(watch::Sender::new(now)))
    }

    /// Moves the clock forward by `ms` milliseconds; backward if negative.
    pub fn advance_ms(&self, ms: i64) {
        self.0.send_modify(|now| *now = now.plus_ms(ms));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    fn sleep_until(&self, instant: Timestamp) -> BoxFuture<'static, ()> {
        let mut now = self.0.subscribe();
        // Whoever holds the future may have dropped the clock; then the time never comes.
        Box::pin(async move {
            if now.wait_for(|now| *now >= instant).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_at_the_instant_and_not_before() {
        let clock = ManualClock::at(Timestamp::from_ms(1_000).unwrap());
        let mut sleep = clock.sleep_until(Timestamp::from_ms(2_000).unwrap());
        assert_eq!((&mut sleep).now_or_never(), None);
        clock.advance_ms(999);
        assert_eq!((&mut sleep).now_or_never(), None);
        clock.advance_ms(1);
        sleep.await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_system_clock_never_wakes_early() {
        let until = SystemClock.now().plus_ms(20);
        SystemClock.sleep_until(until).await;
        assert!(SystemClock.now() >= until);
    }
}
