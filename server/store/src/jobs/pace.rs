//! Every length of time and every number that the jobs go by, and what holds between them.

use super::job::JobIndex;

/// Length of the parts into which the places are split.
pub(super) const MINUTE_MS: i64 = 60_000;
/// A look at the store reaches back at most so far, however long the store was away or the clock was wrong. A sweep
/// finds what is older.
pub(super) const BACK_MS_MAX: i64 = 15 * MINUTE_MS;
/// Jobs that are set here are held in memory if they are due within this time.
pub(super) const HELD_MS: i64 = 2 * MINUTE_MS;
/// Time between two sweeps, which find jobs that are long overdue.
pub(super) const SWEEP_MS: i64 = 10 * MINUTE_MS;
/// Pause before the first repetition of a job that failed.
pub(super) const RETRY_MS_MIN: i64 = 1_000;
/// A job that has failed often is put off by this time.
pub(super) const LATER_MS: i64 = 10 * MINUTE_MS;
/// Jobs that other replicas have set are left to them for this time at least, and for two and a half times as long at
/// most.
pub(super) const GRACE_MS: i64 = 600;
/// Deliveries that other replicas have set are left to them for this time at least, which is longer than one takes: two
/// replicas that make the same one at once would tell people twice.
pub(super) const DELIVERY_GRACE_MS: i64 = 25_000;
/// The longest grace of other jobs.
const GRACE_MS_MAX: i64 = GRACE_MS * 5 / 2;
/// While the clock is wrong, or the store failed, the work pauses for this time.
pub(super) const HELD_BACK_MS: i64 = 5_000;
/// Most jobs of one place that are held in memory. Beyond it the farthest are let go; a later look finds them again.
pub(super) const WINDOW_MAX: usize = 200_000;

/// What is different between the places.
#[derive(Debug)]
pub(super) struct Pace {
    /// Time between two looks at the store for jobs that other processes have set.
    pub(super) scan_ms: i64,
    /// How far ahead such a look reaches.
    pub(super) ahead_ms: i64,
    /// How far it reaches back before the look before: a job may take its time to the store.
    pub(super) back_ms: i64,
    /// Longest pause before a job that failed is done again.
    pub(super) retry_ms_max: i64,
    /// How often a job may fail until it is put off.
    pub(super) failures_max: u32,
    /// Most jobs that are done at the same time.
    pub(super) doing_max: usize,
}

/// Expiries. Somebody waits for each of them to the second, and none can be put off, since its key is the deadline.
const PENDING: Pace = Pace {
    scan_ms: 5_000,
    ahead_ms: 10_000,
    back_ms: 10_000,
    retry_ms_max: RETRY_MS_MIN,
    failures_max: u32::MAX,
    doing_max: 512,
};
/// All other jobs. The replica that has set one does it on time, and if it has died, those who have voted are told
/// within five seconds what that came to. Only 64 are done at a time, so that they do not slow down those who wait.
const JOBS: Pace = Pace {
    scan_ms: 5_000,
    ahead_ms: 10_000,
    back_ms: 10_000,
    retry_ms_max: MINUTE_MS,
    failures_max: 10,
    doing_max: 64,
};

/// What holds for `place`.
pub(super) const fn of(place: JobIndex) -> &'static Pace {
    match place {
        JobIndex::Pending => &PENDING,
        JobIndex::Jobs => &JOBS,
    }
}

/// The pause after a job of a place with this `pace` has failed so many times.
pub(super) fn retry_ms(pace: &Pace, failures: u32) -> i64 {
    let doublings = failures.saturating_sub(1).min(16);
    (RETRY_MS_MIN << doublings).min(pace.retry_ms_max)
}

const fn check(pace: &Pace) {
    assert!(pace.ahead_ms >= 2 * pace.scan_ms, "one look may fail, and nothing is late");
    assert!(HELD_MS >= pace.ahead_ms, "what is set here is held at least as early as it is found");
    assert!(BACK_MS_MAX >= pace.scan_ms + pace.back_ms, "a look reaches back to the one before");
    assert!(GRACE_MS_MAX < pace.scan_ms, "who comes second does so before the next look");
    assert!(pace.retry_ms_max >= RETRY_MS_MIN, "pauses grow");
    assert!(pace.doing_max > 0, "something is done");
}

const _: () = {
    check(&PENDING);
    check(&JOBS);
    assert!(
        BACK_MS_MAX > MINUTE_MS,
        "a sweep takes up to the last minute, and looks begin earlier"
    );
    assert!(SWEEP_MS > HELD_BACK_MS, "a sweep that failed is repeated earlier");
    assert!(LATER_MS > HELD_MS, "what is put off leaves the memory");
    assert!(LATER_MS >= JOBS.retry_ms_max, "what is put off comes later than what is done again");
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses = (1..=9).map(|failures| retry_ms(&JOBS, failures) / 1_000);
        assert_eq!(pauses.collect::<Vec<_>>(), [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(retry_ms(&JOBS, u32::MAX), MINUTE_MS);
        assert_eq!(retry_ms(&PENDING, 9), RETRY_MS_MIN);
    }
}
