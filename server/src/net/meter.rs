//! How much of the processors a connection has taken lately.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

/// The part of one processor that a connection may take for ever, as one in so many.
const SHARE: u32 = 10;
/// How much a connection that has taken little for a while may take at once beside its share: no more than others can
/// wait for without noticing.
const BURST: Duration = Duration::from_millis(5);
/// The longest time for which a connection is over its share after a burst, however long that was.
const MEMORY: Duration = Duration::from_secs(1);
/// For how long a new connection counts as over its share, since nobody knows yet what it will take.
const NEWNESS: Duration = Duration::from_millis(100);
/// What is owed without more than the share being taken.
const OWED: Duration = BURST.saturating_mul(SHARE);
/// How often it is looked, on each thread, what of the time of its steps it had a processor: asking takes longer than
/// most steps do.
const LOOK_EVERY: Duration = Duration::from_millis(1);
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
    /// Whether it takes more than its share: from the time that it owes too much until it has paid all. Who takes about
    /// its share would go to and fro otherwise, with all of its calls.
    is_over: AtomicBool,
}

impl Meter {
    /// For a connection that has not done anything yet. It counts as one that takes more than its share for a moment
    /// after its first step, so that many who do one thing each harm no more than one who does many.
    pub(super) fn new() -> Self {
        Self(Arc::new(Parts {
            begun: Instant::now(),
            paid_by_ns: AtomicU64::new(NEW),
            is_over: AtomicBool::new(true),
        }))
    }

    /// Whether it takes more than its share.
    pub(super) fn is_over(&self) -> bool {
        let owed = self.owed();
        let was_over = self.0.is_over.load(Ordering::Relaxed);
        let is_over = owed > if was_over { Duration::ZERO } else { OWED };
        if is_over != was_over {
            self.0.is_over.store(is_over, Ordering::Relaxed);
        }
        is_over
    }

    /// Completes when it does not take more than its share any more.
    pub(super) async fn relief(&self) {
        while self.is_over() {
            tokio::time::sleep(self.owed().min(MEMORY)).await;
        }
    }

    /// Does a step of the connection's work while so many of its `calls` are worked on, and counts what that takes, as
    /// often as there are calls. Else a hundred connections with a hundred calls each, none of which takes more than
    /// its share, would come before somebody who makes one call now and then.
    pub(super) fn count<T>(&self, calls: usize, step: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let begun = Instant::now();
        let look = Look::before(begun);
        let done = step();
        let now = Instant::now();
        self.add(now, look.taken(now.duration_since(begun)) * times(calls));
        done
    }

    /// Counts more than may be taken at once, before it is taken.
    pub(super) fn burst(&self) {
        self.add(Instant::now(), 2 * BURST);
    }

    fn add(&self, now: Instant, taken: Duration) {
        let now = self.since_begun(now);
        let latest = now + nanoseconds(MEMORY);
        let price = nanoseconds(taken * SHARE);
        let pay = |paid_by: u64| {
            let from = match paid_by {
                NEW => now + nanoseconds(NEWNESS),
                paid_by => paid_by.max(now),
            };
            Some((from + price).min(latest))
        };
        // The closure always gives a number, so this never fails.
        let _ = self.0.paid_by_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay);
    }

    /// How long it will have to pay, if it takes nothing from now on.
    fn owed(&self) -> Duration {
        let paid_by = self.0.paid_by_ns.load(Ordering::Relaxed);
        Duration::from_nanos(paid_by.saturating_sub(self.since_begun(Instant::now())))
    }

    fn since_begun(&self, now: Instant) -> u64 {
        nanoseconds(now.saturating_duration_since(self.0.begun))
    }
}

/// What this thread had taken of the processors when that was last looked at.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: Instant,
    taken: Duration,
}

impl Look {
    /// A look that is at most [`LOOK_EVERY`] old.
    fn before(now: Instant) -> Self {
        thread_local!(static LAST: Cell<Option<Look>> = const { Cell::new(None) });
        let fresh = LAST.get().filter(|look| now.saturating_duration_since(look.at) < LOOK_EVERY);
        fresh.unwrap_or_else(|| {
            let look = Self { at: now, taken: processor_time() };
            LAST.set(Some(look));
            look
        })
    }

    /// What a step took that lasted so long and has just ended. A thread that has to wait for a processor takes
    /// nothing meanwhile, and on a busy machine most of a long step may be that.
    fn taken(self, lasted: Duration) -> Duration {
        if lasted < LOOK_EVERY {
            return lasted;
        }
        lasted.min(processor_time().saturating_sub(self.taken))
    }
}

/// What this thread has taken of the processors so far.
pub(super) fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// How often a step counts while so many calls are worked on.
fn times(calls: usize) -> u32 {
    u32::try_from(calls.max(1)).unwrap_or(u32::MAX)
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
        assert!(!meter.is_over());
        meter
    }

    /// The same where time goes on by itself.
    fn known_now() -> Meter {
        Meter(Arc::new(Parts {
            begun: Instant::now(),
            paid_by_ns: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        }))
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
            meter.add(Instant::now(), ms(10) / SHARE);
            assert!(!meter.is_over());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_more_is_over_it_until_it_has_paid() {
        let meter = known().await;
        meter.add(Instant::now(), BURST);
        assert!(!meter.is_over(), "a burst is allowed");
        meter.add(Instant::now(), ms(10));
        assert!(meter.is_over());
        tokio::time::advance(OWED + ms(10) * SHARE - ms(10)).await;
        assert!(meter.is_over(), "it has not paid all");
        tokio::time::advance(ms(10)).await;
        assert!(!meter.is_over());
    }

    #[tokio::test]
    async fn a_step_takes_nothing_while_its_thread_waits_for_a_processor() {
        let meter = known_now();
        let (_sender, silence) = std::sync::mpsc::channel::<()>();
        let waited = meter.count(1, || Poll::Ready(silence.recv_timeout(BURST * 5)));
        assert!(waited.is_ready());
        assert!(!meter.is_over());
    }

    #[tokio::test]
    async fn a_step_counts_as_often_as_calls_are_worked_on() {
        let compute = || {
            let begun = processor_time();
            while processor_time().saturating_sub(begun) < ms(2) {
                std::hint::spin_loop();
            }
            Poll::Ready(())
        };
        let of_one = known_now();
        assert!(of_one.count(1, compute).is_ready());
        assert!(!of_one.is_over());
        let of_many = known_now();
        assert!(of_many.count(64, compute).is_ready());
        assert!(of_many.is_over());
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
