//! How long calls may take.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

/// Longer than a local server may take to start, so that its own error is the one that is seen.
pub(crate) const ATTEMPT_LIMIT: Duration = Duration::from_secs(15);

/// How long the calls of a client may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) retry_for: Duration,
    /// Whether the program has said how long calls are repeated.
    pub(crate) is_patient: bool,
    /// How long a call may take with all of its attempts.
    pub(crate) call_timeout: Option<Duration>,
}

/// How long a server may say nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Silence {
    /// So long.
    For(Duration),
    /// So long, which is what is left of the call's timeout.
    Within { left: Duration, timeout: Duration },
}

impl Limits {
    /// For how long it is worth to begin another attempt.
    pub(crate) fn patience(&self) -> Duration {
        self.call_timeout.map_or(self.retry_for, |timeout| timeout.min(self.retry_for))
    }

    /// How long an attempt may take of a call that began then.
    pub(crate) fn of_attempt(&self, begun: Instant) -> Silence {
        match self.call_timeout {
            Some(timeout) if timeout.saturating_sub(begun.elapsed()) < ATTEMPT_LIMIT => {
                Silence::Within { left: timeout.saturating_sub(begun.elapsed()), timeout }
            }
            _ => Silence::For(ATTEMPT_LIMIT),
        }
    }

    /// Whether the time of a call that began then has passed.
    pub(crate) fn are_over(&self, begun: Instant) -> bool {
        self.call_timeout.is_some_and(|timeout| begun.elapsed() >= timeout)
    }
}

impl Silence {
    pub(crate) fn limit(self) -> Duration {
        match self {
            Self::For(limit) | Self::Within { left: limit, .. } => limit,
        }
    }
}

/// What the error says.
impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(limit) => write!(f, "for {} s", limit.as_secs_f64()),
            Self::Within { timeout, .. } => {
                write!(f, "within the call's timeout of {} s", timeout.as_secs_f64())
            }
        }
    }
}
