//! The one door through which time comes in.
//!
//! There are two clocks. Deadlines outlive the process, so they are instants of the wall clock, which somebody may set.
//! Pauses go by a monotonic clock, which nobody sets, so that a step of the wall clock does not stop what is done every
//! second. Tests move both.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use hitl_core::Timestamp;
use tokio::sync::watch;

/// Tells the time, and waits for a time.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present instant, by the wall clock.
    fn now(&self) -> Timestamp;

    /// Completes once [`Clock::now`] is at or after `instant`, never earlier.
    fn sleep_until(&self, instant: Timestamp) -> BoxFuture<'static, ()>;

    /// The present moment, whatever the wall clock shows.
    fn monotonic(&self) -> Monotonic;

    /// Completes once [`Clock::monotonic`] is at or after `moment`, never earlier.
    fn pause_until(&self, moment: Monotonic) -> BoxFuture<'static, ()>;
}

/// A point in the time that nobody sets. Only the time between two of them means anything, and only in one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Monotonic(i64);

impl Monotonic {
    /// `ms` milliseconds after the clock began to run.
    pub fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// The moment `ms` milliseconds later.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds since `earlier`; negative if that is later.
    pub fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The machine's clocks.
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

    fn monotonic(&self) -> Monotonic {
        static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
        Monotonic(i64::try_from(BEGUN.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    fn pause_until(&self, moment: Monotonic) -> BoxFuture<'static, ()> {
        let left_ms = u64::try_from(moment.ms_since(self.monotonic())).unwrap_or(0);
        Box::pin(tokio::time::sleep(Duration::from_millis(left_ms)))
    }
}

/// A clock that stands still until it is told to move.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<watch::Sender<Face>>);

/// What a clock shows.
#[derive(Debug, Clone, Copy)]
struct Face {
    now: Timestamp,
    moment: Monotonic,
}

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(watch::Sender::new(Face { now, moment: Monotonic(0) })))
    }

    /// Lets `ms` milliseconds pass.
    pub fn advance_ms(&self, ms: i64) {
        self.0.send_modify(|face| {
            *face = Face { now: face.now.plus_ms(ms), moment: face.moment.plus_ms(ms) };
        });
    }

    /// Sets the wall clock `ms` milliseconds forward, or backward if negative, while no time passes.
    pub fn step_ms(&self, ms: i64) {
        self.0.send_modify(|face| face.now = face.now.plus_ms(ms));
    }

    /// Completes once what the clock shows `is_reached`.
    fn until(&self, is_reached: impl Fn(&Face) -> bool + Send + 'static) -> BoxFuture<'static, ()> {
        let mut face = self.0.subscribe();
        // The clock may be dropped before the future; then the time never comes.
        Box::pin(async move {
            if face.wait_for(is_reached).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.borrow().now
    }

    fn sleep_until(&self, instant: Timestamp) -> BoxFuture<'static, ()> {
        self.until(move |face| face.now >= instant)
    }

    fn monotonic(&self) -> Monotonic {
        self.0.borrow().moment
    }

    fn pause_until(&self, moment: Monotonic) -> BoxFuture<'static, ()> {
        self.until(move |face| face.moment >= moment)
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

    #[tokio::test]
    async fn a_step_of_the_wall_clock_ends_no_pause_and_delays_none() {
        let clock = ManualClock::at(Timestamp::from_ms(10_000).unwrap());
        let mut pause = clock.pause_until(clock.monotonic().plus_ms(1_000));
        clock.step_ms(5_000);
        assert_eq!((&mut pause).now_or_never(), None);
        clock.step_ms(-9_000);
        clock.advance_ms(1_000);
        pause.await;
        assert_eq!(clock.now(), Timestamp::from_ms(7_000).unwrap());
    }

    #[tokio::test]
    async fn the_system_clock_pauses_as_long_as_it_is_told() {
        let until = SystemClock.monotonic().plus_ms(20);
        SystemClock.pause_until(until).await;
        assert!(SystemClock.monotonic() >= until);
    }

    #[tokio::test(start_paused = true)]
    async fn the_system_clock_never_wakes_early() {
        let until = SystemClock.now().plus_ms(20);
        SystemClock.sleep_until(until).await;
        assert!(SystemClock.now() >= until);
    }
}
