//! Judges a history. Pure: the same history, the same verdict.
//!
//! An event is a register that is written once, so no search is needed: each rule looks at the
//! records of one event at a time, in one pass. A call of unknown outcome proves nothing, and is
//! never held against the server.

mod ends;
mod lists;
mod reads;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
mod timers;
mod waits;
mod watches;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::history::{Asked, Digest, History, Life, Op, Outcome, Record, Stamp};

/// How much time is allowed to what takes time.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How late a timer may be while the service is up, on a machine with other things to do.
    pub late_ms: i64,
    /// How long after its event has ended an attached waiter may have to wait for the word.
    pub told_ms: i64,
    /// How much time of a server that is up a waiter who reconnects may need, over all lives together.
    pub uptime_ms: i64,
    /// What of each life does not count: clients find out that the server is back, and reconnect.
    pub reconnect_ms: i64,
    /// How far the clock of a server may be from the one of the history.
    pub skew_ms: i64,
}

impl Bounds {
    /// For one server that is killed and started again.
    pub const ALONE: Self =
        Self { late_ms: 2_000, told_ms: 2_000, uptime_ms: 5_000, reconnect_ms: 500, skew_ms: 0 };
    /// For several that share a store, and have just got over whatever befell them.
    pub const SHARED: Self =
        Self { late_ms: 7_000, told_ms: 5_000, uptime_ms: 12_000, reconnect_ms: 1_000, skew_ms: 0 };
}

/// What was promised and not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Rule {
    /// An event ends in one way, whoever looks.
    OneOutcome,
    /// Who was told to have won is on record, and who is on record was not told to have lost.
    WinnerRecorded,
    /// Who was told to have won is the one who won.
    LoserAcknowledged,
    /// Once anybody was told that an event has ended, nobody who asks later is told that it is pending.
    StaleRead,
    /// An acknowledged create is found.
    CreateLost,
    /// What was asked never changes, and is what the create said.
    RequestChanged,
    /// One key, one event.
    KeyTwice,
    /// Nothing times out before its deadline, or at another instant; and nothing else happens after it.
    EarlyTimer,
    /// An event that is due has ended, whether or not anybody looks.
    LateTimer,
    /// A waiter is told.
    WaiterNotTold,
    /// Whoever watches and resumes sees every change.
    ChangeMissed,
    /// Whoever watches sees that an event was created before it sees that it ended.
    ChangeOrder,
    /// The receipt that is recorded is of the question and the end that are recorded.
    Receipt,
    /// The list has each event once, in the right part and the right order.
    List,
    /// A server that is killed gives no error but a broken connection, and the store fails only where it was made to.
    ServerFault,
}

/// A broken rule, with what shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Violation {
    pub rule: Rule,
    pub event: String,
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: event {}: {}", self.rule, self.event, self.message)
    }
}

/// What the checker found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// How many times a rule was applied to something.
    pub checks: u64,
    pub violations: Vec<Violation>,
}

impl Verdict {
    /// Applies a rule once: `holds`, or `message` says what happened instead.
    fn expect(&mut self, holds: bool, rule: Rule, event: &str, message: impl FnOnce() -> String) {
        self.checks += 1;
        if !holds {
            self.violations.push(Violation { rule, event: event.to_owned(), message: message() });
        }
    }
}

/// All that is known of one event.
struct Story<'a> {
    id: &'a str,
    /// In the order in which they returned.
    records: Vec<&'a Record>,
    /// The first full view of what was asked.
    asked: Option<&'a Asked>,
    /// When somebody was first told that it exists.
    known: Option<Stamp>,
    /// When somebody was first told that it has ended.
    ended: Option<Stamp>,
}

impl<'a> Story<'a> {
    fn new(id: &'a str, mut records: Vec<&'a Record>) -> Self {
        records.sort_by_key(|record| record.returned.mono_us);
        let seen = records.iter().find_map(|record| match &record.outcome {
            Outcome::Seen(view) => Some((record.returned, &view.asked)),
            _ => None,
        });
        let ended = records.iter().find(|record| {
            record.outcome.end().is_some() || matches!(record.outcome, Outcome::AlreadyFinal { .. })
        });
        Self {
            id,
            asked: seen.map(|(_, asked)| asked),
            known: seen.map(|(when, _)| when),
            ended: ended.map(|record| record.returned),
            records,
        }
    }

    /// Every full account of how it ended, with the call that got it.
    fn ends(&self) -> impl Iterator<Item = (&'a Record, &'a Digest)> {
        self.records.iter().filter_map(|record| Some((*record, record.outcome.end()?)))
    }
}

/// Judges `history` by `bounds`.
pub fn check(history: &History, bounds: &Bounds) -> Verdict {
    let listed = lists::as_records(history);
    let mut by_event: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in history.records.iter().chain(&listed) {
        if let Some(event) = &record.event {
            by_event.entry(event).or_default().push(record);
        }
    }
    let stories: Vec<_> = by_event.into_iter().map(|(id, of)| Story::new(id, of)).collect();
    let lives = &history.lives;
    let mut verdict = Verdict::default();
    for story in &stories {
        ends::check(story, &mut verdict);
        reads::check(story, bounds, &mut verdict);
        timers::check(story, bounds, &mut verdict);
        waits::check(story, lives, bounds, &mut verdict);
    }
    reads::check_keys(history, &mut verdict);
    reads::check_faults(history, &mut verdict);
    timers::check_stores(&stories, &history.autopsies, bounds, &mut verdict);
    lists::check(&stories, history, &mut verdict);
    watches::check(&stories, history, &mut verdict);
    for (event, fits) in &history.receipts {
        verdict.expect(*fits, Rule::Receipt, event, || "its receipt is of something else".into());
    }
    verdict
}

/// The life in which `stamp` lies, or else the next one.
fn life_from(lives: &[Life], stamp: Stamp) -> Option<&Life> {
    lives.iter().find(|life| stamp.mono_us <= life.killed.mono_us)
}

fn is_read(op: &Op) -> bool {
    matches!(op, Op::Get | Op::WaitFirst { .. } | Op::List | Op::Create(_))
}
