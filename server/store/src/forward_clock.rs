//! The machine's clocks, set forward by whoever tests with a server.

use std::sync::Arc;

use futures::future::BoxFuture;
use hitl_core::Timestamp;
use tokio::sync::watch;

use crate::clock::{Clock, Monotonic, SystemClock};

/// Clocks that go as those of the machine do, and that can be set forward, for all who have a copy.
#[derive(Debug, Clone)]
pub struct ForwardClock(Arc<watch::Sender<i64>>);

impl Default for ForwardClock {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl ForwardClock {
    /// Lets `ms` milliseconds pass at once. What is negative lets none pass.
    pub fn advance_ms(&self, ms: i64) {
        self.0.send_modify(|ahead| *ahead = ahead.saturating_add(ms.max(0)));
    }

    fn ahead_ms(&self) -> i64 {
        *self.0.borrow()
    }

    /// Completes once as many milliseconds have passed as `left_ms` says there are left.
    fn until(self, left_ms: impl Fn(&Self) -> i64 + Send + 'static) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let mut changes = self.0.subscribe();
            loop {
                // Before the clock is read, so that no change is missed after that.
                changes.borrow_and_update();
                let left_ms = left_ms(&self);
                if left_ms <= 0 {
                    return;
                }
                let passed = SystemClock.pause_until(SystemClock.monotonic().plus_ms(left_ms));
                tokio::select! {
                    () = passed => {}
                    changed = changes.changed() => changed.expect("this has a sender"),
                }
            }
        })
    }
}

impl Clock for ForwardClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_ms(self.ahead_ms())
    }

    fn sleep_until(&self, instant: Timestamp) -> BoxFuture<'static, ()> {
        self.clone().until(move |clock| instant.ms_since(clock.now()))
    }

    fn monotonic(&self) -> Monotonic {
        SystemClock.monotonic().plus_ms(self.ahead_ms())
    }

    fn pause_until(&self, moment: Monotonic) -> BoxFuture<'static, ()> {
        self.clone().until(move |clock| moment.ms_since(clock.monotonic()))
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn who_sleeps_for_a_day_is_woken_when_a_day_has_passed_at_once() {
        let clock = ForwardClock::default();
        let day_ms = 24 * 3_600_000;
        let mut sleep = clock.sleep_until(clock.now().plus_ms(day_ms));
        let mut pause = clock.pause_until(clock.monotonic().plus_ms(day_ms));
        clock.advance_ms(day_ms / 2);
        assert_eq!((&mut sleep).now_or_never(), None);
        assert_eq!((&mut pause).now_or_never(), None);
        clock.clone().advance_ms(day_ms / 2);
        sleep.await;
        pause.await;
    }

    #[tokio::test]
    async fn it_goes_by_itself_too_and_never_back() {
        let clock = ForwardClock::default();
        let before = clock.now();
        clock.advance_ms(-60_000);
        assert!(clock.now() >= before);
        clock.sleep_until(clock.now().plus_ms(5)).await;
        assert!(clock.now() >= before.plus_ms(5));
    }
}
