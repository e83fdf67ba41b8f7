//! Every length of time and every number that deliveries go by.

use std::time::Duration;

/// Time between two looks at the channels of a shared store: a change holds everywhere within five seconds.
pub(super) const LOOK_MS: i64 = 3_000;
/// Most messages of one channel, or for requesters on one host, that are sent at a time.
pub(super) const SENDING_MAX: usize = 8;
/// Longest that a channel may take for one message.
pub(super) const SENDING_LIMIT: Duration = Duration::from_secs(20);
/// Most threads of one channel that are under way or wait for their turn in this process. More are put off.
pub(super) const QUEUED_MAX: usize = 5_000;
/// By how much they are put off.
pub(super) const PUT_OFF_MS: i64 = 60_000;
/// Pause before a delivery is looked at again that met a store that fails.
pub(super) const STORE_PAUSE_MS: i64 = 5_000;
/// Time until an event has to be there of which a delivery tells that it was created: longer than a create takes.
pub(super) const ORPHAN_ATTEMPTS: u8 = 6;
/// Pause between two looks for it.
pub(super) const ORPHAN_PAUSE_MS: i64 = 10_000;
/// Longest pause that a receiver may ask for.
pub(super) const RETRY_AFTER_MS_MAX: i64 = 3_600_000;
/// Shortest and longest pause before a delivery whose predecessor is still owed is looked at again.
const BLOCKED_MS: (i64, i64) = (1_000, 600_000);

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The pauses between attempts, each at most: three days in all. After the last one a delivery is a dead letter.
const PAUSES_MS: [i64; 14] = [
    5 * SECOND_MS,
    30 * SECOND_MS,
    2 * MINUTE_MS,
    10 * MINUTE_MS,
    30 * MINUTE_MS,
    HOUR_MS,
    2 * HOUR_MS,
    4 * HOUR_MS,
    8 * HOUR_MS,
    10 * HOUR_MS,
    11 * HOUR_MS,
    11 * HOUR_MS,
    12 * HOUR_MS,
    12 * HOUR_MS,
];

/// The pause after so many attempts have failed; `None` if there were enough. `random` shortens it by a fifth at most,
/// so that what failed together does not come back together.
pub(super) fn pause_ms(failed: u8, random: u8) -> Option<i64> {
    let pause_ms = PAUSES_MS.get(usize::from(failed).checked_sub(1)?)?;
    Some(pause_ms - pause_ms / 5 * i64::from(random) / i64::from(u8::MAX))
}

/// When a delivery is looked at again that came due `age_ms` ago, and has to wait for another.
pub(super) fn blocked_ms(age_ms: i64) -> i64 {
    (age_ms / 4).clamp(BLOCKED_MS.0, BLOCKED_MS.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_tried_for_three_days_and_given_up_then() {
        let day_ms = 24 * HOUR_MS;
        let total: i64 = PAUSES_MS.iter().sum();
        assert!((2 * day_ms + day_ms / 2..=3 * day_ms).contains(&total), "{total} ms");
        assert!(PAUSES_MS.windows(2).all(|pair| pair[0] <= pair[1]), "pauses grow");
        assert_eq!((pause_ms(0, 0), pause_ms(15, 0), pause_ms(u8::MAX, 0)), (None, None, None));
        assert_eq!((pause_ms(1, 0), pause_ms(1, u8::MAX)), (Some(5_000), Some(4_000)));
        assert_eq!(pause_ms(14, 0), Some(12 * HOUR_MS));
    }

    #[test]
    fn who_waits_for_another_looks_more_seldom_the_longer_it_takes() {
        let pauses = [0, 3_000, 8_000, day()].map(blocked_ms);
        assert_eq!(pauses, [1_000, 1_000, 2_000, 600_000]);
    }

    fn day() -> i64 {
        24 * HOUR_MS
    }
}
