//! How far this machine's clock is from the store's.
//!
//! Replicas share nothing but the store, so its clock is the one that all can be held to. Every reply says what time it
//! is there, in whole seconds; what is kept is how far the two clocks are apart at the least, whatever the reply took.

use std::sync::{Mutex, PoisonError};

use hitl_core::Timestamp;

use crate::clock::Moment;

/// Farthest that the clocks may be apart.
const APART_MS_MAX: i64 = 2_000;
/// How long they may be apart before the replica takes no calls any more.
const PATIENCE_MS: i64 = 10_000;

/// What is known of the two clocks.
#[derive(Debug, Default)]
pub struct Skew(Mutex<State>);

#[derive(Debug, Default, Clone, Copy)]
struct State {
    ahead_ms: i64,
    /// Since when they are too far apart.
    off_since: Option<Moment>,
}

impl Skew {
    /// Takes note that the store said `date`, in whole seconds, to something asked at `sent` and answered at
    /// `received`, which was this `moment`.
    pub(crate) fn observe(
        &self,
        sent: Timestamp,
        received: Timestamp,
        date: Timestamp,
        moment: Moment,
    ) {
        let ahead_ms = certainly_ahead_ms(sent, received, date);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let was_off = state.off_since.is_some();
        let is_off = ahead_ms.abs() > APART_MS_MAX;
        state.ahead_ms = ahead_ms;
        state.off_since = is_off.then(|| state.off_since.unwrap_or(moment));
        drop(state);
        if is_off && !was_off {
            tracing::warn!(
                ahead_ms,
                "this machine's clock is off the store's by more than {APART_MS_MAX} ms: nothing is created, ended or \
                 fired here until it is right; see to its time synchronisation"
            );
        } else if was_off && !is_off {
            tracing::info!("this machine's clock is right again");
        }
    }

    /// How far this machine's clock is ahead of the store's, at the least, in milliseconds; negative if behind. `None`
    /// while that is little enough.
    pub fn off_ms(&self) -> Option<i64> {
        let state = self.state();
        state.off_since.map(|_| state.ahead_ms)
    }

    /// Whether the clocks have been too far apart for longer than they may, at this `moment`.
    pub fn is_lasting(&self, moment: Moment) -> bool {
        self.state().off_since.is_some_and(|since| moment.ms_since(since) >= PATIENCE_MS)
    }

    fn state(&self) -> State {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The store's clock stood between `date` and a second later at some instant between `sent` and `received`.
fn certainly_ahead_ms(sent: Timestamp, received: Timestamp, date: Timestamp) -> i64 {
    let least = sent.ms_since(date) - 1_000;
    let most = received.ms_since(date);
    if least > 0 { least } else { most.min(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms).unwrap()
    }

    fn moment(ms: i64) -> Moment {
        Moment::from_ms(ms)
    }

    fn seen(sent: i64, received: i64, date: i64) -> Option<i64> {
        let skew = Skew::default();
        skew.observe(at(sent), at(received), at(date), moment(0));
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
        skew.observe(at(20_000), at(20_010), at(10_000), moment(0));
        assert!(!skew.is_lasting(moment(9_000)));
        assert!(skew.is_lasting(moment(11_000)));
        skew.observe(at(31_000), at(31_010), at(31_000), moment(11_000));
        assert_eq!(skew.off_ms(), None);
        assert!(!skew.is_lasting(moment(31_000)));
    }
}
