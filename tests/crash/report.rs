//! What a run has seen, in numbers: a run in which a thing never happened says nothing about it.

use std::collections::BTreeMap;
use std::fmt;

use hitl_proto::v1::EventState;

use crate::history::{Op, Outcome};
use crate::run;

/// Kills that a whole run must survive.
pub(crate) const KILLS: usize = 100;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Report {
    kills: usize,
    kills_in_start: usize,
    acknowledged: BTreeMap<&'static str, u64>,
    rejected: u64,
    late: u64,
    busy: u64,
    unknown: u64,
    unreached: u64,
    streams: u64,
    streams_broken: u64,
    told: u64,
    told_by_timer: u64,
    timed_out: u64,
    autopsies: usize,
    listed: usize,
    checks: u64,
    violations: usize,
}

impl Report {
    /// Counts what happened in a run.
    pub(crate) fn of(outcome: &run::Outcome) -> Self {
        let mut report = Self {
            kills: outcome.kills,
            kills_in_start: outcome.kills_in_start,
            autopsies: outcome.history.autopsies.len(),
            listed: outcome
                .history
                .listings
                .iter()
                .map(|listing| listing.events.len())
                .sum(),
            checks: outcome.verdict.checks,
            violations: outcome.verdict.violations.len(),
            ..Self::default()
        };
        for record in &outcome.history.records {
            report.count(&record.op, &record.outcome);
        }
        report
    }

    fn count(&mut self, op: &Op, outcome: &Outcome) {
        let timed_out = outcome
            .end()
            .is_some_and(|end| end.is(EventState::TimedOut));
        match (op, outcome) {
            (Op::WaitFirst { .. }, Outcome::Seen(view)) => {
                self.streams += 1;
                self.told += u64::from(view.end.is_some());
            }
            (Op::WaitEnd { .. }, Outcome::Seen(_)) => {
                self.told += 1;
                self.told_by_timer += u64::from(timed_out);
            }
            (Op::WaitEnd { .. }, Outcome::Unknown(_)) => self.streams_broken += 1,
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
            (
                "kills during a start",
                u64::try_from(self.kills_in_start).unwrap_or(u64::MAX),
                1,
            ),
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
            ("waiters told by a timer", self.told_by_timer, 50),
            ("unknown outcomes", self.unknown, 20),
        ];
        let mut short: Vec<_> = least
            .into_iter()
            .filter(|(_, number, least)| number < least)
            .map(|(what, number, least)| format!("{number} {what}, {least} are the least"))
            .collect();
        if self.unknown * 5 > self.calls() {
            short.push(format!(
                "{} of {} calls have an unknown outcome",
                self.unknown,
                self.calls()
            ));
        }
        short
    }

    /// All calls that reached a server, but for the streams.
    fn calls(&self) -> u64 {
        self.acknowledged.values().sum::<u64>() + self.rejected + self.busy + self.unknown
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let acknowledged: u64 = self.acknowledged.values().sum();
        writeln!(
            f,
            "  kills              {} ({} during a start)",
            self.kills, self.kills_in_start
        )?;
        writeln!(
            f,
            "  acknowledged       {acknowledged} {:?}",
            self.acknowledged
        )?;
        writeln!(
            f,
            "  rejected           {} ({} after the deadline)",
            self.rejected, self.late
        )?;
        writeln!(f, "  refused, too busy  {}", self.busy)?;
        writeln!(
            f,
            "  outcome unknown    {} of {} calls",
            self.unknown,
            self.calls()
        )?;
        writeln!(f, "  server not there   {}", self.unreached)?;
        writeln!(f, "  timeouts seen      {}", self.timed_out)?;
        writeln!(
            f,
            "  wait streams       {} ({} broken)",
            self.streams, self.streams_broken
        )?;
        writeln!(
            f,
            "  waiters told       {} ({} by a timer)",
            self.told, self.told_by_timer
        )?;
        writeln!(f, "  stores opened      {}", self.autopsies)?;
        writeln!(f, "  lines of lists     {}", self.listed)?;
        writeln!(f, "  checks made        {}", self.checks)?;
        write!(f, "  violations         {}", self.violations)
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
    }
}
