//! What a run has seen, in numbers: a run in which nothing was at stake proves nothing.

use std::collections::BTreeMap;
use std::fmt;

use support::history::{Op, Outcome as Told};

use crate::losses::Losses;
use crate::plan::{Outcome, Times};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Report {
    cuts: usize,
    cuts_in_start: usize,
    acknowledged: BTreeMap<&'static str, u64>,
    unknown: u64,
    losses: Losses,
    checks: u64,
    violations: usize,
    times: Times,
}

impl Report {
    /// Counts what happened in a run.
    pub(crate) fn of(outcome: &Outcome) -> Self {
        let mut report = Self {
            cuts: outcome.cuts,
            cuts_in_start: outcome.cuts_in_start,
            losses: outcome.losses,
            times: outcome.times,
            checks: outcome.verdict.checks,
            violations: outcome.verdict.violations.len(),
            ..Self::default()
        };
        for record in &outcome.history.records {
            let Some(what) = name(&record.op) else { continue };
            match &record.outcome {
                Told::Seen(_) => *report.acknowledged.entry(what).or_default() += 1,
                Told::Unknown(_) => report.unknown += 1,
                _ => {}
            }
        }
        report
    }

    /// What was too little, or too much, to call the run a test of `cuts` cuts.
    pub(crate) fn shortcomings(&self, cuts: usize) -> Vec<String> {
        let number = |cuts: usize| u64::try_from(cuts).unwrap_or(u64::MAX);
        let acknowledged = |what| self.acknowledged.get(what).copied().unwrap_or_default();
        let cuts = number(cuts);
        let least = [
            ("cuts", number(self.cuts), cuts),
            ("cuts during a start", number(self.cuts_in_start), cuts / 8),
            ("acknowledged creates", acknowledged("create"), 5 * cuts),
            ("acknowledged answers", acknowledged("answer"), cuts),
            ("acknowledged declines", acknowledged("decline"), cuts / 4),
            ("unknown outcomes", self.unknown, 1),
            ("writes lost by a cut", self.losses.dropped + self.losses.torn, (cuts / 4).max(1)),
            ("writes dropped by a cut", self.losses.dropped, cuts / 8),
            ("writes torn by a cut", self.losses.torn, cuts / 8),
        ];
        let short = least.into_iter().filter(|(_, number, least)| number < least);
        let mut short: Vec<_> = short
            .map(|(what, number, least)| format!("{number} {what}, {least} are the least"))
            .collect();
        let calls = self.total() + self.unknown;
        // Each cut leaves every client with a call of unknown outcome, and few calls fit between two cuts.
        if self.unknown * 3 > calls {
            short.push(format!("{} of {calls} calls have an unknown outcome", self.unknown));
        }
        short
    }

    fn total(&self) -> u64 {
        self.acknowledged.values().sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cuts, cuts_in_start, acknowledged, unknown, losses, checks, violations, .. } =
            self;
        let Times { starts, loads, reads } = self.times;
        let total = self.total();
        write!(
            f,
            "{cuts} cuts ({cuts_in_start} during a start), \
             {total} acknowledged operations {acknowledged:?}, {unknown} unknown, \
             {checks} checks, writes that were not flushed: {losses}, {violations} violations; \
             starts took {starts:.0?}, load {loads:.0?}, reading back {reads:.0?}"
        )
    }
}

/// What a call that changes something is called.
fn name(op: &Op) -> Option<&'static str> {
    match op {
        Op::Create(_) => Some("create"),
        Op::Answer { .. } => Some("answer"),
        Op::Decline { .. } => Some("decline"),
        Op::Cancel { .. } => Some("cancel"),
        Op::Get | Op::WaitFirst { .. } | Op::WaitEnd { .. } | Op::List | Op::Watch { .. } => None,
    }
}
