//! What happened in a run, line by line: two runs that did the same have the same lines.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// Far more than any run has.
const LINES_MAX: u64 = 5_000_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct Trace {
    begun: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    count: u64,
    /// The lines themselves, if they are to be shown.
    lines: Option<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(keep_lines: bool) -> Self {
        let lines = keep_lines.then(Vec::new);
        let state = State { lines, ..State::default() };
        Self { begun: Instant::now(), state: Mutex::new(state) }
    }

    /// Adds a line, with the virtual time before it.
    pub(crate) fn note(&self, what: fmt::Arguments<'_>) {
        let line = format!("{:>12.3} {what}", self.begun.elapsed().as_secs_f64());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.count += 1;
        assert!(state.count < LINES_MAX, "the run does not end: {line}");
        if let Some(lines) = &mut state.lines {
            lines.push(line);
        }
    }

    pub(crate) fn take_lines(&self) -> Vec<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.lines.take().unwrap_or_default()
    }
}
