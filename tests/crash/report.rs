//! What a run has seen, in numbers: a run in which a thing never happened says nothing about it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hitl_proto::v1::EventState;

use crate::run;
use support::checker::Verdict;
use support::history::{History, Op, Outcome, Record};
use support::load::tally::Tally;

/// Kills that a whole run must survive.
pub(crate) const KILLS: usize = 100;

/// How many waits are added to streams of many, and removed from them, in a second of load.
const ADDS_LEAST: u64 = 200;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Report {
    kills: usize,
    kills_in_start: usize,
    stops: usize,
    acknowledged: BTreeMap<&'static str, u64>,
    rejected: u64,
    late: u64,
    busy: u64,
    unknown: u64,
    unreached: u64,
    streams: u64,
    streams_broken: u64,
    watches: u64,
    watches_broken: u64,
    changes: usize,
    told: u64,
    /// How many milliseconds after the deadline each attached waiter was told.
    lateness_ms: Vec<i64>,
    timed_out: u64,
    autopsies: usize,
    listed: usize,
    checks: u64,
    violations: usize,
    /// What the streams of many waits did.
    tally: Arc<Tally>,
}

impl Report {
    /// Counts what happened in a run.
    pub(crate) fn of(outcome: &run::Outcome) -> Self {
        Self {
            kills: outcome.kills,
            kills_in_start: outcome.kills_in_start,
            stops: outcome.stops,
            ..Self::of_calls(&outcome.history, &outcome.verdict, outcome.tally.clone())
        }
    }

    /// Counts what clients saw in a run.
    pub(crate) fn of_calls(history: &History, verdict: &Verdict, tally: Arc<Tally>) -> Self {
        let mut report = Self {
            autopsies: history.autopsies.len(),
            changes: history.watched.iter().map(Vec::len).sum(),
            listed: history.listings.iter().map(|listing| listing.events.len()).sum(),
            checks: verdict.checks,
            violations: verdict.violations.len(),
            tally,
            ..Self::default()
        };
        for record in &history.records {
            report.count(record);
        }
        report.lateness_ms.sort_unstable();
        report
    }

    fn count(&mut self, record: &Record) {
        let Record { op, outcome, .. } = record;
        let timed_out = outcome.end().is_some_and(|end| end.is(EventState::TimedOut));
        match (op, outcome) {
            (Op::WaitFirst { .. }, Outcome::Seen(view)) => {
                self.streams += 1;
                self.told += u64::from(view.end.is_some());
            }
            (Op::WaitEnd { .. }, Outcome::Seen(view)) => {
                self.told += 1;
                if timed_out {
                    let late_ms = record.returned.wall_ms - view.asked.deadline_ms;
                    self.lateness_ms.push(late_ms);
                }
            }
            (Op::WaitEnd { .. }, Outcome::Unknown(_)) => self.streams_broken += 1,
            (Op::Watch { .. }, outcome) => {
                self.watches += 1;
                self.watches_broken += u64::from(matches!(outcome, Outcome::Unknown(_)));
            }
            (_, Outcome::Seen(_)) => {
                *self.acknowledged.entry(name(op)).or_default() += 1;
                self.timed_out += u64::from(timed_out);
            }
            (_, Outcome::AlreadyFinal { state, .. }) => {
                self.rejected += 1;
                self.late += u64::from(*state == EventState::TimedOut.as_str_name());
            }
            (_, Outcome::Busy) => self.busy += 1,
            (_, Outcome::Unknown(_)) => self.unknown += 1,
            (_, Outcome::Unreached) => self.unreached += 1,
            (_, Outcome::NotFound | Outcome::Fault(_) | Outcome::Abandoned) => {}
        }
    }

    /// What was too little, or too much, to call the run a test.
    pub(crate) fn shortcomings(&self) -> Vec<String> {
        let acknowledged = |op| self.acknowledged.get(op).copied().unwrap_or_default();
        let kills = u64::try_from(self.kills).unwrap_or(u64::MAX);
        let least = [
            ("kills", kills, u64::try_from(KILLS).unwrap_or(u64::MAX)),
            ("kills during a start", u64::try_from(self.kills_in_start).unwrap_or(u64::MAX), 1),
            ("acknowledged creates", acknowledged("create"), 500),
            ("acknowledged answers", acknowledged("answer"), 100),
            ("acknowledged declines", acknowledged("decline"), 20),
            ("acknowledged cancels", acknowledged("cancel"), 20),
            ("reads", acknowledged("get"), 500),
            ("rejections", self.rejected, 100),
            ("rejections after the deadline", self.late, 20),
            ("timeouts seen", self.timed_out, 100),
            ("waits broken by a kill", self.streams_broken, 100),
            ("waiters told", self.told, 200),
            ("waiters told by a timer", self.told_by_timer(), 50),
            ("unknown outcomes", self.unknown, 20),
        ];
        let mut short: Vec<_> = least
            .into_iter()
            .filter(|(_, number, least)| number < least)
            .map(|(what, number, least)| format!("{number} {what}, {least} are the least"))
            .collect();
        short.extend(self.too_few_waits());
        short.extend(self.too_much_unknown());
        short
    }

    /// More unknown outcomes than may be: clients who are told nothing can't contradict each other.
    pub(crate) fn too_much_unknown(&self) -> Vec<String> {
        let (unknown, calls) = (self.unknown, self.calls());
        let message = || format!("{unknown} of {calls} calls have an unknown outcome");
        (unknown * 5 > calls).then(message).into_iter().collect()
    }

    /// Too little of the streams of many waits to hold them to anything.
    pub(crate) fn too_few_waits(&self) -> Vec<String> {
        let Self { tally, .. } = self;
        let least = [
            ("adds and removes a second", tally.per_second(), ADDS_LEAST),
            ("waits told on a stream of many", tally.waits_told(), 200),
        ];
        let few = least.into_iter().filter(|(_, number, least)| number < least);
        few.map(|(what, number, least)| format!("{number} {what}, {least} are the least")).collect()
    }

    /// How many watches broke, after which the watcher resumed.
    pub(crate) fn watches_broken(&self) -> u64 {
        self.watches_broken
    }

    fn told_by_timer(&self) -> u64 {
        u64::try_from(self.lateness_ms.len()).unwrap_or(u64::MAX)
    }

    /// The lateness that this many of a hundred timers kept within.
    fn lateness_ms(&self, percent: usize) -> i64 {
        let last = self.lateness_ms.len().saturating_sub(1);
        let at = self.lateness_ms.get(last * percent / 100);
        at.copied().unwrap_or_default()
    }

    /// All calls that reached a server, but for the streams.
    fn calls(&self) -> u64 {
        self.acknowledged.values().sum::<u64>() + self.rejected + self.busy + self.unknown
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let acknowledged: u64 = self.acknowledged.values().sum();
        let (in_start, stops) = (self.kills_in_start, self.stops);
        let watches = format!("{} watches ({} broken)", self.watches, self.watches_broken);
        let [half, most, all] = [50, 99, 100].map(|percent| self.lateness_ms(percent));
        let rows = [
            ("kills", format!("{} ({in_start} during a start), and {stops} stops", self.kills)),
            ("acknowledged", format!("{acknowledged} {:?}", self.acknowledged)),
            ("rejected", format!("{} ({} after the deadline)", self.rejected, self.late)),
            ("refused, too busy", self.busy.to_string()),
            ("outcome unknown", format!("{} of {} calls", self.unknown, self.calls())),
            ("server not there", self.unreached.to_string()),
            ("timeouts seen", self.timed_out.to_string()),
            ("wait streams", format!("{} ({} broken)", self.streams, self.streams_broken)),
            ("waiters told", format!("{} ({} by a timer)", self.told, self.told_by_timer())),
            ("streams of many", self.tally.to_string()),
            ("changes seen", format!("{} on {watches}", self.changes)),
            ("timers late", format!("p50 {half} ms, p99 {most} ms, max {all} ms")),
            ("stores opened", self.autopsies.to_string()),
            ("lines of lists", self.listed.to_string()),
            ("checks made", self.checks.to_string()),
            ("violations", self.violations.to_string()),
        ];
        let unasked = usize::from(self.kills == 0);
        for (what, number) in rows.into_iter().skip(unasked) {
            writeln!(f, "  {what:<18} {number}")?;
        }
        Ok(())
    }
}

fn name(op: &Op) -> &'static str {
    match op {
        Op::Create(_) => "create",
        Op::Answer { .. } => "answer",
        Op::Decline { .. } => "decline",
        Op::Cancel { .. } => "cancel",
        Op::Get => "get",
        Op::WaitFirst { .. } | Op::WaitEnd { .. } => "wait",
        Op::List => "list",
        Op::Watch { .. } => "watch",
    }
}
