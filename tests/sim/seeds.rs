//! Many seeds, on every core: each run has a thread for itself, so they do not disturb each other.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use support::planted::Fault;

use crate::run::{Outcome, run};
use crate::scenario::Scenario;
use crate::stores::Kind;
use crate::totals::Totals;

/// Runs `seeds` over stores of the kind `kind` until a run is `found`; hands back what all runs came to, and the
/// first one that was found.
pub(crate) fn search(
    seeds: Range<u64>,
    kind: Kind,
    fault: Option<Fault>,
    is_found: impl Fn(&Outcome) -> bool + Sync,
) -> (Totals, Option<Outcome>) {
    let next = AtomicU64::new(seeds.start);
    let over = AtomicBool::new(false);
    let found = Mutex::new((Totals::default(), None::<Outcome>));
    let work = || {
        while !over.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let outcome = run(Scenario::of(seed), kind, fault, false);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            let (totals, first) = &mut *found;
            totals.add(&outcome);
            let is_first = first.as_ref().is_none_or(|first| seed < first.scenario.seed);
            if is_found(&outcome) && is_first {
                over.store(true, Ordering::Relaxed);
                *first = Some(outcome);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}
