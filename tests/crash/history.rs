//! What the clients saw, in their own words: the only evidence the checker goes by.
//!
//! Logs of the server say what it thought it did; the promise is about what callers were told.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// An instant on the two clocks that matter: one that never steps, for what came first, and the one that deadlines are
/// written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Stamp {
    /// Monotonic, in microseconds since the run began.
    pub(crate) mono_us: u64,
    /// Wall clock, in milliseconds of UTC.
    pub(crate) wall_ms: i64,
}

/// One call of one client.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Record {
    pub(crate) client: usize,
    /// `None` for a create that nobody has heard back from.
    pub(crate) event: Option<String>,
    pub(crate) op: Op,
    pub(crate) invoked: Stamp,
    pub(crate) returned: Stamp,
    pub(crate) outcome: Outcome,
}

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) enum Op {
    Create(Draft),
    Answer {
        answer_id: String,
        value: i64,
    },
    Decline {
        answer_id: String,
        reason: String,
    },
    Cancel {
        reason: String,
    },
    Get,
    /// The first message of a stream of the wait with this number.
    WaitFirst {
        wait: u64,
    },
    /// Everything after the first message, to the last; invoked when the first had come.
    WaitEnd {
        wait: u64,
    },
    /// One line of a whole list, taken while nothing else went on.
    List,
}

/// What a create asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Draft {
    /// Differs between any two creates that are not attempts of the same.
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) ttl_ms: i64,
    /// The value at timeout, if the event has one.
    pub(crate) default: Option<i64>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) enum Outcome {
    Seen(View),
    /// Refused because the event ended before.
    AlreadyFinal {
        state: EventStateName,
        time_ms: i64,
    },
    NotFound,
    /// Refused because the server had too much to do.
    Busy,
    /// Whether it happened is unknown: the connection broke, or the server said so.
    Unknown(String),
    /// Nothing answered at the address.
    Unreached,
    /// An error that a killed server does not explain.
    Fault(String),
    /// A wait that was given up because the run ends.
    Abandoned,
}

/// The name of a state, such as `EVENT_STATE_ANSWERED`.
pub(crate) type EventStateName = String;

/// An event as somebody saw it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct View {
    pub(crate) id: String,
    pub(crate) asked: Asked,
    pub(crate) end: Option<Digest>,
}

/// The part of an event that never changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Asked {
    pub(crate) draft: Draft,
    pub(crate) prompt: String,
    pub(crate) create_ms: i64,
    pub(crate) deadline_ms: i64,
}

/// How an event ended, as far as anybody can tell two ends apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Digest {
    pub(crate) state: EventStateName,
    pub(crate) value: Option<i64>,
    pub(crate) reason: String,
    pub(crate) time_ms: i64,
    pub(crate) answer_id: String,
}

/// One process of the server, from ready to killed.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Life {
    pub(crate) ready: Stamp,
    pub(crate) killed: Stamp,
}

/// What the store held after a kill, read without the server: nothing here can have been repaired by being looked at.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Autopsy {
    pub(crate) life: Life,
    pub(crate) asked: BTreeSet<String>,
    pub(crate) ended: BTreeSet<String>,
}

/// All events in the order in which they were listed, while nothing else went on.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Listing {
    pub(crate) invoked: Stamp,
    pub(crate) returned: Stamp,
    pub(crate) events: Vec<View>,
}

/// Everything that was seen in a run.
#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct History {
    pub(crate) records: Vec<Record>,
    pub(crate) lives: Vec<Life>,
    pub(crate) autopsies: Vec<Autopsy>,
    pub(crate) listings: Vec<Listing>,
}

/// Writes the history down while it happens.
#[derive(Debug)]
pub(crate) struct Recorder {
    begun: Instant,
    history: Mutex<History>,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), history: Mutex::new(History::default()) }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "deadlines are instants of the machine's wall clock"
    )]
    pub(crate) fn stamp(&self) -> Stamp {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Stamp {
            mono_us: u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX),
            wall_ms: i64::try_from(wall.as_millis()).unwrap_or(i64::MAX),
        }
    }

    pub(crate) fn push(&self, record: Record) {
        self.history().records.push(record);
    }

    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl History {
    /// Writes one JSON object a line.
    pub(crate) fn dump(&self, out: &mut impl Write) -> anyhow::Result<()> {
        for record in &self.records {
            writeln!(out, "{}", serde_json::to_string(record)?)?;
        }
        for life in &self.lives {
            writeln!(out, "{}", serde_json::json!({ "life": life }))?;
        }
        for autopsy in &self.autopsies {
            writeln!(out, "{}", serde_json::json!({ "autopsy": autopsy }))?;
        }
        for listing in &self.listings {
            writeln!(out, "{}", serde_json::json!({ "listing": listing }))?;
        }
        Ok(())
    }
}

impl Outcome {
    /// How the event ended, if this says so in full.
    pub(crate) fn end(&self) -> Option<&Digest> {
        match self {
            Self::Seen(view) => view.end.as_ref(),
            _ => None,
        }
    }
}
