//! What the clients saw, in their own words: the only evidence the checker goes by.
//!
//! Logs of the server say what it thought it did; the promise is about what callers were told.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::time::Instant;

/// An instant on the two clocks that matter: one that never steps, for what came first, and the one that deadlines are
/// written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stamp {
    /// Monotonic, in microseconds since the run began.
    pub mono_us: u64,
    /// Wall clock, in milliseconds of UTC.
    pub wall_ms: i64,
}

/// One call of one client.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    pub client: usize,
    /// `None` for a create that nobody has heard back from.
    pub event: Option<String>,
    pub op: Op,
    pub invoked: Stamp,
    pub returned: Stamp,
    pub outcome: Outcome,
}

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Op {
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
    /// One watch of the watcher with this number, from its begin to its break.
    Watch {
        watcher: usize,
    },
}

/// What a create asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Draft {
    /// Differs between any two creates that are not attempts of the same.
    pub name: String,
    pub key: String,
    pub ttl_ms: i64,
    /// The value at timeout, if the event has one.
    pub default: Option<i64>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Outcome {
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

/// What a server says that cannot tell what became of a call, since its store fails.
pub const STORE_UNAVAILABLE: &str = "ERROR_REASON_STORE_UNAVAILABLE";

/// The name of a state, such as `EVENT_STATE_ANSWERED`.
pub type EventStateName = String;

/// An event as somebody saw it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct View {
    pub id: String,
    pub asked: Asked,
    pub end: Option<Digest>,
}

/// The prompt of every event of a run.
pub const PROMPT: &str = "May it go on?";

/// The part of an event that never changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asked {
    pub draft: Draft,
    pub prompt: String,
    pub create_ms: i64,
    pub deadline_ms: i64,
}

impl Asked {
    /// Whether the event was asked as `draft` says.
    pub fn is_as(&self, draft: &Draft) -> bool {
        self.draft == *draft && self.prompt == PROMPT
    }
}

/// How an event ended, as far as anybody can tell two ends apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Digest {
    pub state: EventStateName,
    pub value: Option<i64>,
    pub reason: String,
    pub time_ms: i64,
    pub answer_id: String,
}

/// A time in which the service is held to all that it promises about time: one process of a server from ready to
/// killed, or several of them while nothing is done to any.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Life {
    pub ready: Stamp,
    pub killed: Stamp,
}

/// What the store held after a kill, read without the server: nothing here can have been repaired by being looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Autopsy {
    pub life: Life,
    pub asked: BTreeSet<String>,
    pub ended: BTreeSet<String>,
}

/// All events in the order in which they were listed, while nothing else went on.
#[derive(Debug, Clone, Serialize)]
pub struct Listing {
    pub invoked: Stamp,
    pub returned: Stamp,
    pub events: Vec<View>,
}

/// A change that somebody saw who watches.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeSeen {
    pub event: String,
    /// Whether it ended; else it was created.
    pub is_end: bool,
}

/// Everything that was seen in a run.
#[derive(Debug, Default, Clone, Serialize)]
pub struct History {
    pub records: Vec<Record>,
    pub lives: Vec<Life>,
    pub autopsies: Vec<Autopsy>,
    pub listings: Vec<Listing>,
    /// What each watcher saw so far, in order.
    pub watched: Vec<Vec<ChangeSeen>>,
    /// Events of which a receipt was looked at, and whether it is of what is recorded.
    pub receipts: Vec<(String, bool)>,
}

/// Writes the history down while it happens.
#[derive(Debug)]
pub struct Recorder {
    begun: Instant,
    wall: Wall,
    history: Mutex<History>,
}

/// The wall clock that deadlines are written in.
#[derive(Debug)]
enum Wall {
    Machine,
    /// Goes with the runtime's own time, which may be paused. There much happens at one instant, so the order of stamps
    /// is that in which they were taken.
    Virtual {
        begun_ms: i64,
        last_us: AtomicU64,
    },
}

impl Recorder {
    /// A recorder that stamps with the clocks of the machine.
    #[allow(clippy::new_without_default, reason = "it reads the clock")]
    pub fn new() -> Self {
        Self::with(Wall::Machine)
    }

    /// A recorder whose wall clock shows `begun_ms` now, and goes with the runtime's time.
    pub fn of_virtual_time(begun_ms: i64) -> Self {
        Self::with(Wall::Virtual { begun_ms, last_us: AtomicU64::new(0) })
    }

    fn with(wall: Wall) -> Self {
        Self { begun: Instant::now(), wall, history: Mutex::new(History::default()) }
    }

    /// A recorder by the same clocks, for what is judged apart.
    pub fn beside(&self) -> Self {
        let wall = match &self.wall {
            Wall::Machine => Wall::Machine,
            Wall::Virtual { begun_ms, last_us } => {
                let last_us = AtomicU64::new(last_us.load(Ordering::Relaxed));
                Wall::Virtual { begun_ms: *begun_ms, last_us }
            }
        };
        Self { begun: self.begun, wall, history: Mutex::default() }
    }

    pub fn stamp(&self) -> Stamp {
        let elapsed = self.begun.elapsed();
        let elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        match &self.wall {
            Wall::Machine => Stamp { mono_us: elapsed_us, wall_ms: machine_ms() },
            Wall::Virtual { begun_ms, last_us } => {
                let last = last_us.load(Ordering::Relaxed);
                let mono_us = elapsed_us.max(last + 1);
                last_us.store(mono_us, Ordering::Relaxed);
                let elapsed_ms = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
                Stamp { mono_us, wall_ms: begun_ms.saturating_add(elapsed_ms) }
            }
        }
    }

    pub fn push(&self, record: Record) {
        self.history().records.push(record);
    }

    /// The number of a watcher who begins now.
    pub fn add_watcher(&self) -> usize {
        let watched = &mut self.history().watched;
        watched.push(Vec::new());
        watched.len() - 1
    }

    /// The watcher with this number has seen `change`.
    pub fn saw(&self, watcher: usize, change: ChangeSeen) {
        self.history().watched[watcher].push(change);
    }

    pub fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl History {
    /// Writes one JSON object a line.
    pub fn dump(&self, out: &mut impl Write) -> anyhow::Result<()> {
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
        for watched in &self.watched {
            writeln!(out, "{}", serde_json::json!({ "watched": watched }))?;
        }
        Ok(())
    }
}

impl Outcome {
    /// How the event ended, if this says so in full.
    pub fn end(&self) -> Option<&Digest> {
        match self {
            Self::Seen(view) => view.end.as_ref(),
            _ => None,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "deadlines are instants of the machine's wall clock")]
fn machine_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
