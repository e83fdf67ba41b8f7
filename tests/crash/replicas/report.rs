//! What befell the replicas, in numbers: what never happened proves nothing.

use std::collections::BTreeMap;
use std::fmt;

use hitl_proto::v1::EventState;
use support::history::{History, Op, Outcome, Record};
use support::object_server::Fault;

use super::Outcome as Run;
use super::replica::Deeds;
use crate::report::Report as Calls;

/// How often each fault must have befallen a request, and each deed a replica.
const FAULTS_LEAST: u64 = 20;
const EVENTS_LEAST: usize = 2_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    outcome: &'a Run,
    calls: Calls,
}

impl<'a> Report<'a> {
    /// Counts what happened in a run.
    pub(crate) fn of(outcome: &'a Run) -> Self {
        let Run { history, verdict, tally, .. } = outcome;
        Self { outcome, calls: Calls::of_calls(history, verdict, tally.clone()) }
    }

    /// What was too little, or too much, to call the run a test.
    pub(crate) fn shortcomings(&self) -> Vec<String> {
        let Run { deeds, faults, events, races, is_watched, .. } = self.outcome;
        let mut short = self.calls.too_much_unknown();
        if *is_watched {
            short.extend(self.calls.too_few_waits());
        }
        let mut least = |what: &str, number: u64, least: u64| {
            if number < least {
                short.push(format!("{number} {what}, {least} are the least"));
            }
        };
        for (fault, times) in each(faults) {
            least(&format!("times {fault:?}"), times, FAULTS_LEAST);
        }
        least("events", count(*events), count(EVENTS_LEAST));
        least("races", count(*races), 5);
        if *is_watched {
            least("broken watches", self.calls.watches_broken(), FAULTS_LEAST);
        }
        for (deed, times) in each_deed(deeds) {
            least(deed, times, FAULTS_LEAST);
        }
        short
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Run { deeds, faults, events, races, history, decoys, .. } = self.outcome;
        let late = lateness_ms(history);
        let (timers, last) = (late.len(), late.last().copied().unwrap_or_default());
        let half = late.get(timers / 2).copied().unwrap_or_default();
        let rows = [
            ("events", events.to_string()),
            ("races of 64", races.to_string()),
            ("kills", format!("{} ({} starts failed)", deeds.kills, deeds.starts_failed)),
            ("freezes", format!("{} ({:.0?} in all)", deeds.freezes, deeds.frozen)),
            ("cut-offs", deeds.cut_offs.to_string()),
            ("late once healed", format!("p50 {half} ms, max {last} ms ({timers} waiters)")),
            ("clients that forget", format!("found by {decoys:?}")),
            ("faults", format!("{} {faults:?}", faults.values().sum::<u64>())),
        ];
        for (what, number) in rows {
            writeln!(f, "  {what:<18} {number}")?;
        }
        self.calls.fmt(f)
    }
}

/// Whether the storm may end.
pub(super) fn is_enough(deeds: &Deeds, faults: &BTreeMap<Fault, u64>, events: usize) -> bool {
    let faults = each(faults).map(|(_, times)| times);
    let mut all = faults.chain(each_deed(deeds).map(|(_, times)| times));
    events >= EVENTS_LEAST && all.all(|times| times >= FAULTS_LEAST)
}

fn each_deed(deeds: &Deeds) -> [(&'static str, u64); 3] {
    [("kills", deeds.kills), ("freezes", deeds.freezes), ("cut-offs", deeds.cut_offs)]
}

fn each(faults: &BTreeMap<Fault, u64>) -> impl Iterator<Item = (Fault, u64)> {
    Fault::ALL.into_iter().map(|fault| (fault, faults.get(&fault).copied().unwrap_or_default()))
}

/// How many milliseconds after the deadline each waiter was told of a timer that was due after the healing, in order.
fn lateness_ms(history: &History) -> Vec<i64> {
    let healed_ms = history.lives.iter().map(|life| life.ready.wall_ms).min().unwrap_or(i64::MAX);
    let late = |record: &Record| {
        let Outcome::Seen(view) = &record.outcome else { return None };
        let due_ms = view.asked.deadline_ms;
        let told = matches!(record.op, Op::WaitEnd { .. })
            && view.end.as_ref().is_some_and(|end| end.is(EventState::TimedOut));
        (told && due_ms >= healed_ms).then(|| record.returned.wall_ms - due_ms)
    };
    let mut late: Vec<i64> = history.records.iter().filter_map(late).collect();
    late.sort_unstable();
    late
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
