//! How much of the processors a connection has taken lately.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

/// The part of one processor that a connection may take for ever, as one in so many.
const SHARE: u32 = 5;
/// How much a connection that has taken little for a while may take at once beside its share.
const BURST: Duration = Duration::from_millis(20);
/// The longest time for which a connection is over its share after a burst, however long that was.
const MEMORY: Duration = Duration::from_secs(1);
/// For how long a new connection counts as over its share, since nobody knows yet what it will take.
const NEWNESS: Duration = Duration::from_millis(100);
/// The value before the first step.
const NEW: u64 = u64::MAX;

/// What one connection takes. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Meter(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    begun: Instant,
    /// When it will have paid for what it has taken, in nanoseconds since it began.
    paid_by_ns: AtomicU64,
}

impl Meter {
    /// For a connection that has not done anything yet. It counts as one that takes more than its share for a moment
    /// after its first step, so that many who do one thing each harm no more than one who does many.
    pub(super) fn new() -> Self {
        Self(Arc::new(Parts { begun: Instant::now(), paid_by_ns: AtomicU64::new(NEW) }))
    }

    /// Whether it takes more than its share.
    pub(super) fn is_over(&self) -> bool {
        !self.over_for().is_zero()
    }

    /// Completes when it does not take more than its share any more.
    pub(super) async fn relief(&self) {
        while self.is_over() {
            tokio::time::sleep(self.over_for().min(MEMORY)).await;
        }
    }

    /// Does a step of the connection's work, and counts what that takes.
    pub(super) fn count<T>(&self, step: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let begun = Instant::now();
        let done = step();
        let now = Instant::now();
        self.add(now, now.duration_since(begun));
        done
    }

    fn add(&self, now: Instant, taken: Duration) {
        let now = self.since_begun(now);
        let latest = now + nanoseconds(MEMORY + BURST * SHARE);
        let price = nanoseconds(taken * SHARE);
        let pay = |paid_by: u64| {
            let from = match paid_by {
                NEW => now + nanoseconds(NEWNESS + BURST * SHARE),
                paid_by => paid_by.max(now),
            };
            Some((from + price).min(latest))
        };
        // The closure always gives a number, so this never fails.
        let _ = self.0.paid_by_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay);
    }

    /// How long it will be over its share, if it takes nothing from now on.
    fn over_for(&self) -> Duration {
        let paid_by = self.0.paid_by_ns.load(Ordering::Relaxed);
        let owes = paid_by.saturating_sub(self.since_begun(Instant::now()));
        Duration::from_nanos(owes).saturating_sub(BURST * SHARE)
    }

    fn since_begun(&self, now: Instant) -> u64 {
        nanoseconds(now.saturating_duration_since(self.0.begun))
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Of a connection that is not new any more.
    async fn known() -> Meter {
        let meter = Meter::new();
        meter.add(Instant::now(), Duration::ZERO);
        tokio::time::advance(MEMORY).await;
        meter
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_new_is_over_its_share_until_it_has_taken_little_for_a_moment() {
        let meter = Meter::new();
        tokio::time::advance(MEMORY * 10).await;
        assert!(meter.is_over(), "it has not done anything yet");
        meter.add(Instant::now(), ms(1));
        assert!(meter.is_over());
        let begun = Instant::now();
        meter.relief().await;
        assert!(!meter.is_over());
        assert!(begun.elapsed() < ms(200));
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_its_share_is_never_over_it() {
        let meter = known().await;
        for _ in 0..1_000 {
            tokio::time::advance(ms(10)).await;
            meter.add(Instant::now(), ms(2));
            assert!(!meter.is_over());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_more_is_over_it_until_it_has_paid() {
        let meter = known().await;
        meter.add(Instant::now(), ms(20));
        assert!(!meter.is_over(), "a burst is allowed");
        meter.add(Instant::now(), ms(10));
        assert!(meter.is_over());
        tokio::time::advance(ms(60)).await;
        assert!(!meter.is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn no_burst_is_paid_for_for_ever() {
        let meter = known().await;
        meter.add(Instant::now(), ms(60_000));
        assert!(meter.is_over());
        tokio::time::advance(MEMORY).await;
        assert!(!meter.is_over());
    }
}
