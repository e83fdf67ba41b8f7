//! How far this machine's clock is from the store's.
//!
//! Replicas share nothing but the store, so they compare their clocks with the store's. Every reply of a store says
//! what time it is there, in whole seconds. So one reply leaves a second of doubt, and more if it took long: it gives
//! two bounds between which the difference of the clocks lies. The replies of the last seconds together leave little
//! doubt, since the difference lies within the bounds of all of them. What is kept is the least difference that fits.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hitl_core::Timestamp;

use crate::clock::Monotonic;

/// Farthest that the clocks may be apart.
pub(crate) const APART_MS_MAX: i64 = 2_000;
/// How long they may be apart before the replica takes no calls any more.
const PATIENCE_MS: i64 = 10_000;
/// Replies are kept for one to two of these: long enough for two looks at the store, and so short that a clock does not
/// run away meanwhile.
const SPAN_MS: i64 = 5_000;

/// What is known of the two clocks.
#[derive(Debug, Default)]
pub struct Skew(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// What the replies of this span have in common.
    span: Option<Span>,
    /// And those of the span before.
    span_before: Option<Bounds>,
    off: Option<Off>,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    begun: Monotonic,
    bounds: Bounds,
}

/// Between what this machine's clock is ahead of the store's; behind where negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bounds {
    least_ms: i64,
    most_ms: i64,
}

/// The clocks are too far apart.
#[derive(Debug, Clone, Copy)]
struct Off {
    since: Monotonic,
    /// When replies last left no doubt of it.
    certain: Monotonic,
    ahead_ms: i64,
}

impl Skew {
    /// Takes note that the store said `date`, in whole seconds, to something asked at `sent` and answered at
    /// `received`, which was this `moment`.
    pub fn observe(
        &self,
        sent: Timestamp,
        received: Timestamp,
        date: Timestamp,
        moment: Monotonic,
    ) {
        let reply = Bounds::of(sent, received, date);
        if reply.is_empty() {
            // The clock stepped back while the reply was on its way.
            return;
        }
        let mut state = self.state();
        let was_off = state.off.is_some();
        let known = state.narrow(reply, moment);
        state.judge(known, moment);
        let off = state.off;
        drop(state);
        match off {
            Some(Off { ahead_ms, .. }) if !was_off => tracing::warn!(
                ahead_ms,
                "this machine's clock is off the store's by more than {APART_MS_MAX} ms: nothing is created, ended or \
                 fired here until it is right; see to its time synchronisation"
            ),
            None if was_off => tracing::info!("this machine's clock is right again"),
            _ => {}
        }
    }

    /// How far this machine's clock is ahead of the store's, at the least, in milliseconds; negative if behind. `None`
    /// while that is little enough.
    pub fn off_ms(&self) -> Option<i64> {
        self.state().off.map(|off| off.ahead_ms)
    }

    /// Whether the clocks have been too far apart for longer than they may, at this `moment`.
    pub fn is_lasting(&self, moment: Monotonic) -> bool {
        self.state().off.is_some_and(|off| moment.ms_since(off.since) >= PATIENCE_MS)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What is known with this `reply`.
    fn narrow(&mut self, reply: Bounds, moment: Monotonic) -> Bounds {
        if let Some(span) = self.span
            && moment.ms_since(span.begun) >= SPAN_MS
        {
            let is_recent = moment.ms_since(span.begun) < 2 * SPAN_MS;
            self.span_before = is_recent.then_some(span.bounds);
            self.span = None;
        }
        let span = self.span.unwrap_or(Span { begun: moment, bounds: reply });
        let span = Span { bounds: span.bounds.and(reply), ..span };
        let known = self.span_before.map_or(span.bounds, |before| before.and(span.bounds));
        if known.is_empty() {
            // One of the clocks was set, so that what was known before holds no more.
            self.span = Some(Span { begun: moment, bounds: reply });
            self.span_before = None;
            return reply;
        }
        self.span = Some(span);
        known
    }

    /// Replies that leave it open change nothing at first, since others will settle it.
    fn judge(&mut self, known: Bounds, moment: Monotonic) {
        let ahead_ms = known.certainly_ahead_ms();
        if ahead_ms.abs() > APART_MS_MAX {
            let since = self.off.map_or(moment, |off| off.since);
            self.off = Some(Off { since, certain: moment, ahead_ms });
        } else if known.is_right()
            || self.off.is_some_and(|off| moment.ms_since(off.certain) >= 2 * SPAN_MS)
        {
            self.off = None;
        }
    }
}

impl Bounds {
    /// The store's clock stood between `date` and a second later at some instant between `sent` and `received`.
    fn of(sent: Timestamp, received: Timestamp, date: Timestamp) -> Self {
        Self { least_ms: sent.ms_since(date) - 1_000, most_ms: received.ms_since(date) }
    }

    fn and(self, other: Self) -> Self {
        Self {
            least_ms: self.least_ms.max(other.least_ms),
            most_ms: self.most_ms.min(other.most_ms),
        }
    }

    fn is_empty(self) -> bool {
        self.least_ms > self.most_ms
    }

    fn is_right(self) -> bool {
        self.least_ms >= -APART_MS_MAX && self.most_ms <= APART_MS_MAX
    }

    fn certainly_ahead_ms(self) -> i64 {
        if self.least_ms > 0 { self.least_ms } else { self.most_ms.min(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms).unwrap()
    }

    fn monotonic(ms: i64) -> Monotonic {
        Monotonic::from_ms(ms)
    }

    fn seen(sent: i64, received: i64, date: i64) -> Option<i64> {
        let skew = Skew::default();
        skew.observe(at(sent), at(received), at(date), monotonic(0));
        skew.off_ms()
    }

    /// Has `skew` see a reply that took 10 ms at this `ms` of the store's clock, while ours is ahead by `ahead_ms`.
    fn reply(skew: &Skew, ms: i64, ahead_ms: i64) -> Option<i64> {
        let sent = at(ms + ahead_ms);
        skew.observe(sent, sent.plus_ms(10), at(ms - ms % 1_000), monotonic(ms));
        skew.off_ms()
    }

    #[test]
    fn only_what_is_certain_counts() {
        assert_eq!(seen(10_000, 10_050, 10_000), None);
        assert_eq!(seen(12_999, 13_050, 10_000), None);
        assert_eq!(seen(13_001, 13_050, 10_000), Some(2_001));
        assert_eq!(seen(7_000, 7_999, 10_000), Some(-2_001));
        // A slow reply says little.
        assert_eq!(seen(5_000, 12_000, 10_000), None);
    }

    #[test]
    fn a_lasting_difference_is_told_from_a_passing_one() {
        let skew = Skew::default();
        skew.observe(at(20_000), at(20_010), at(10_000), monotonic(0));
        assert!(!skew.is_lasting(monotonic(9_000)));
        assert!(skew.is_lasting(monotonic(11_000)));
        skew.observe(at(31_000), at(31_010), at(31_000), monotonic(11_000));
        assert_eq!(skew.off_ms(), None);
        assert!(!skew.is_lasting(monotonic(31_000)));
    }

    /// Dates are whole seconds, so that by itself a reply in one half of the second says nothing.
    #[test]
    fn a_clock_that_is_a_little_off_is_off_all_the_time() {
        for ahead_ms in [2_200, 2_500, 2_900, -2_200, -2_500, -2_900] {
            let skew = Skew::default();
            let replies = (0..100).map(|number| reply(&skew, 100_000 + 370 * number, ahead_ms));
            let off: Vec<bool> = replies.map(|off| off.is_some()).collect();
            let begun = off.iter().position(|off| *off).unwrap();
            assert!(begun < 10, "{ahead_ms} ms, noticed at reply {begun}");
            assert!(off[begun..].iter().all(|off| *off), "{ahead_ms} ms: {off:?}");
            assert!(skew.is_lasting(monotonic(137_000)), "{ahead_ms} ms");
        }
        for ahead_ms in [1_900, -1_900] {
            let skew = Skew::default();
            let mut replies = (0..100).map(|number| reply(&skew, 100_000 + 370 * number, ahead_ms));
            assert!(replies.all(|off| off.is_none()), "{ahead_ms} ms");
        }
    }

    #[test]
    fn a_clock_that_is_set_right_is_right_at_once() {
        let skew = Skew::default();
        assert!(reply(&skew, 100_000, 60_000).is_some());
        assert_eq!(reply(&skew, 100_500, 0), None);
        assert!(reply(&skew, 101_000, -60_000).is_some());
    }

    #[test]
    fn a_clock_that_creeps_back_is_right_when_a_whole_window_does_not_say_otherwise() {
        let skew = Skew::default();
        assert!(reply(&skew, 100_900, 2_300).is_some());
        // Each of these leaves it open.
        assert!(reply(&skew, 103_050, 2_050).is_some());
        assert!(reply(&skew, 106_050, 1_950).is_some());
        assert_eq!(reply(&skew, 116_050, 1_950), None);
    }

    #[test]
    fn a_reply_that_contradicts_itself_says_nothing() {
        assert_eq!(seen(3_600_000, 10_000, 10_000), None);
    }
}
