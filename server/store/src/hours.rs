//! Which hours of the history have entries, so that a page of it need not have all of them listed.
//!
//! An entry of the history stays where it is, and new entries come into the present hour. So the hours that were listed
//! once are remembered, and beside them only the hours since then may have entries.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hitl_core::Timestamp;

/// The length of an hour.
pub(super) const HOUR_MS: i64 = 3_600_000;
/// For how long the hours are remembered. After that it costs less to list them anew than to look into all hours since.
const FRESH_HOURS: i64 = 6;
/// How many hours before and after are looked into as well, for clocks that differ and writes that took their time.
const MARGIN_HOURS: i64 = 1;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Hours(Mutex<Option<KnownHours>>);

#[derive(Debug)]
struct KnownHours {
    hours: BTreeSet<i64>,
    listed_at: i64,
}

impl Hours {
    /// The hours that may have entries `now`, in order; `None` if they have to be listed.
    pub(super) fn get(&self, now: Timestamp) -> Option<Vec<Timestamp>> {
        let now = number(now);
        let known = self.known();
        let known = known.as_ref()?;
        // A clock that was set back may have written into hours to come.
        if !(known.listed_at..=known.listed_at + FRESH_HOURS).contains(&now) {
            return None;
        }
        let mut hours = known.hours.clone();
        hours.extend(known.listed_at - MARGIN_HOURS..=now + MARGIN_HOURS);
        Some(hours.into_iter().map(instant).collect())
    }

    /// Remembers what was listed `now`.
    pub(super) fn set(&self, now: Timestamp, hours: &[Timestamp]) {
        let hours = hours.iter().copied().map(number).collect();
        *self.known() = Some(KnownHours { hours, listed_at: number(now) });
    }

    /// This process has added an entry at `time`.
    pub(super) fn add(&self, time: Timestamp) {
        if let Some(known) = &mut *self.known() {
            known.hours.insert(number(time));
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<KnownHours>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn number(time: Timestamp) -> i64 {
    time.ms().div_euclid(HOUR_MS)
}

fn instant(number: i64) -> Timestamp {
    let epoch = Timestamp::from_ms(0).expect("the epoch is an instant");
    epoch.plus_ms(number * HOUR_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_remembered_for_a_while_beside_the_latest() {
        let hours = Hours::default();
        assert_eq!(hours.get(instant(500)), None);
        hours.set(instant(500), &[instant(3), instant(70)]);
        let numbers = |now| {
            let hours: Option<Vec<Timestamp>> = hours.get(instant(now));
            hours.map(|hours| hours.into_iter().map(number).collect::<Vec<_>>())
        };
        assert_eq!(numbers(500), Some(vec![3, 70, 499, 500, 501]));
        assert_eq!(numbers(502), Some(vec![3, 70, 499, 500, 501, 502, 503]));
        assert_eq!((numbers(507), numbers(499)), (None, None));
        hours.add(instant(900));
        assert_eq!(numbers(500), Some(vec![3, 70, 499, 500, 501, 900]));
    }
}
