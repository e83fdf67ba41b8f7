//! Backoff with jitter, for calls that are safe to repeat. All of ours are: creates carry an
//! idempotency key, answers an answer id.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::{Error, Result};
use crate::key;

const FIRST_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(5);

/// Delays that double from 100 ms to 5 s, each shortened at random by up to half, so that the
/// clients of a server that comes back do not all call it at once.
#[derive(Debug)]
pub(crate) struct Backoff {
    begun: Instant,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), next: FIRST_DELAY }
    }

    /// Lets the time until the next attempt pass, at least what the server asked for with `error`. Fails
    /// with that if `goes_on` says, of the time that will have passed then, that it is the last.
    pub(crate) async fn pause(
        &mut self,
        error: Error,
        goes_on: impl Fn(&Error, Duration) -> bool,
    ) -> Result<()> {
        let delay = self.delay(&error);
        if !goes_on(&error, self.begun.elapsed() + delay) {
            return Err(error);
        }
        sleep(delay).await;
        Ok(())
    }

    /// The time since the first attempt.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// The time until the next attempt after `error`.
    pub(crate) fn delay(&mut self, error: &Error) -> Duration {
        let delay = self.next;
        self.next = (delay * 2).min(MAX_DELAY);
        let jitter = f64::from(u16::from_le_bytes(key::random())) / f64::from(u16::MAX);
        delay.mul_f64(1.0 - jitter / 2.0).max(error.retry_delay().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_within_bounds() {
        let mut backoff = Backoff::new();
        let error = Error::unavailable("lost".to_owned());
        for step in 0..12 {
            let full = (FIRST_DELAY * 2_u32.pow(step)).min(MAX_DELAY);
            let delay = backoff.delay(&error);
            assert!(delay >= full / 2 && delay <= full, "step {step}: {delay:?}");
        }
    }
}
