//! Backoff with jitter, for calls that are safe to repeat. All of ours are: creates carry an
//! idempotency key, answers an answer id.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::error::{Error, Result};
use crate::key;

const FIRST_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(5);
/// Longer than a local server may take to start, so that its own error is the one that is seen.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(15);

/// Delays that double from 100 ms to 5 s, each shortened at random by up to half, so that the
/// clients of a server that comes back do not all call it at once.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { next: FIRST_DELAY }
    }

    /// The delay before the next attempt, and at least what the server asked for with `error`.
    pub(crate) fn delay(&mut self, error: &Error) -> Duration {
        let delay = self.next;
        self.next = (delay * 2).min(MAX_DELAY);
        let jitter = f64::from(u16::from_le_bytes(key::random())) / f64::from(u16::MAX);
        delay.mul_f64(1.0 - jitter / 2.0).max(error.retry_delay().unwrap_or_default())
    }
}

/// Repeats `attempt` until it succeeds, fails for good, or another delay would pass `limit`.
pub(crate) async fn retry<R, F>(limit: Duration, mut attempt: impl FnMut() -> F) -> Result<R>
where
    F: Future<Output = Result<R>>,
{
    let begun = Instant::now();
    let mut backoff = Backoff::new();
    loop {
        let outcome = timeout(ATTEMPT_LIMIT, attempt()).await;
        let error = match outcome.unwrap_or_else(|_| Err(Error::silent(ATTEMPT_LIMIT))) {
            Ok(reply) => return Ok(reply),
            Err(error) => error,
        };
        let delay = backoff.delay(&error);
        if !error.is_retryable() || begun.elapsed() + delay > limit {
            return Err(error);
        }
        sleep(delay).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use std::cell::Cell;

    #[test]
    fn delays_double_within_bounds() {
        let mut backoff = Backoff::new();
        let error = Error::silent(ATTEMPT_LIMIT);
        for step in 0..12 {
            let full = (FIRST_DELAY * 2_u32.pow(step)).min(MAX_DELAY);
            let delay = backoff.delay(&error);
            assert!(delay >= full / 2 && delay <= full, "step {step}: {delay:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn repeats_what_can_pass_and_gives_up_in_time() {
        let begun = Instant::now();
        let attempts = Cell::new(0);
        let outcome: Result<()> = retry(Duration::from_secs(30), || {
            attempts.set(attempts.get() + 1);
            async { Err(Error::silent(ATTEMPT_LIMIT)) }
        })
        .await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Unavailable);
        assert!(attempts.get() > 6 && begun.elapsed() <= Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn does_not_repeat_what_cannot_pass() {
        let attempts = Cell::new(0);
        let outcome: Result<()> = retry(Duration::from_secs(30), || {
            attempts.set(attempts.get() + 1);
            async { Err(Error::config("no".to_owned())) }
        })
        .await;
        assert!(outcome.is_err());
        assert_eq!(attempts.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_without_reply_is_given_up() {
        let outcome: Result<()> = retry(Duration::ZERO, std::future::pending).await;
        assert!(outcome.unwrap_err().is_retryable());
    }
}
