//! What many runs came to, in numbers: what never happened in them says nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use support::history::{Op, Outcome as Reply};

use crate::fault_store::{Operation, Tally};
use crate::run::Outcome;
use crate::trouble::Trouble;

/// How often each fault must have befallen each operation that it can befall, and each trouble the replicas.
const LEAST: u64 = 20;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    runs: u64,
    virtual_time: Duration,
    calls: u64,
    acknowledged: u64,
    rejected: u64,
    unknown: u64,
    told: u64,
    watches: u64,
    changes: u64,
    tally: Tally,
    troubles: BTreeMap<Trouble, u64>,
    checks: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, outcome: &Outcome) {
        self.runs += 1;
        self.virtual_time += outcome.elapsed;
        self.checks += outcome.verdict.checks;
        self.tally.add(&outcome.tally);
        for (trouble, times) in &outcome.troubles {
            *self.troubles.entry(*trouble).or_default() += times;
        }
        self.changes += count(outcome.history.watched.iter().map(Vec::len).sum());
        for record in &outcome.history.records {
            self.calls += 1;
            match (&record.op, &record.outcome) {
                (Op::WaitEnd { .. }, Reply::Seen(_)) => self.told += 1,
                (Op::Watch { .. }, _) => self.watches += 1,
                (_, Reply::Seen(_)) => self.acknowledged += 1,
                (_, Reply::AlreadyFinal { .. }) => self.rejected += 1,
                (_, Reply::Unknown(_)) => self.unknown += 1,
                _ => {}
            }
        }
    }

    /// How many runs there were.
    pub(crate) fn runs(&self) -> u64 {
        self.runs
    }

    /// What was too little to call the runs a test.
    pub(crate) fn shortcomings(&self) -> Vec<String> {
        let mut short = Vec::new();
        for operation in Operation::ALL {
            for fault in operation.faults() {
                let times = self.tally.of(operation, *fault);
                if times < LEAST {
                    short.push(format!("{operation:?} met {fault:?} {times} times"));
                }
            }
        }
        for trouble in Trouble::ALL {
            let times = self.troubles.get(&trouble).copied().unwrap_or_default();
            if times < LEAST {
                short.push(format!("{trouble:?} came {times} times"));
            }
        }
        short
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operations, faults) = self.tally.totals();
        let hours = self.virtual_time.as_secs_f64() / 3_600.0;
        let rows = [
            ("runs", format!("{} over {hours:.1} hours of virtual time", self.runs)),
            ("calls", self.calls.to_string()),
            ("acknowledged", self.acknowledged.to_string()),
            ("rejected", self.rejected.to_string()),
            ("outcome unknown", self.unknown.to_string()),
            ("waiters told", self.told.to_string()),
            ("changes seen", format!("{} by {} watches", self.changes, self.watches)),
            ("store operations", format!("{operations}, {faults} of them with a fault")),
            ("troubles", format!("{:?}", self.troubles)),
            ("checks made", self.checks.to_string()),
        ];
        for (what, number) in rows {
            writeln!(f, "  {what:<18} {number}")?;
        }
        for operation in Operation::ALL {
            let times = operation
                .faults()
                .iter()
                .map(|fault| format!("{fault:?} {}", self.tally.of(operation, *fault)));
            writeln!(f, "  {operation:<18?} {}", times.collect::<Vec<_>>().join(", "))?;
        }
        Ok(())
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
