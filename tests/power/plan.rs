//! What a run is to do, and what came of it.

use std::path::PathBuf;
use std::time::Duration;

use support::checker::Verdict;
use support::history::History;
use support::planted::VARIABLE;

use crate::losses::Losses;

/// What to run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) binary: PathBuf,
    /// What the server is told with `--store`.
    pub(crate) store: &'static str,
    /// The planted fault, if any.
    pub(crate) fault: Option<&'static str>,
    pub(crate) seed: u64,
    pub(crate) cuts: Cuts,
}

/// How often the power is cut. After each cut the history is judged; the run ends with the first that has violations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cuts {
    pub(crate) least: usize,
    /// No further cut, once there were enough, after so long.
    pub(crate) time: Duration,
    pub(crate) most: usize,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) history: History,
    pub(crate) verdict: Verdict,
    pub(crate) cuts: usize,
    /// Those of them that hit before the server said that it is ready.
    pub(crate) cuts_in_start: usize,
    pub(crate) losses: Losses,
    pub(crate) times: Times,
    /// Why the run could not go on, with the end of the console.
    pub(crate) broken: Option<String>,
}

/// What took how long, over all lives of the machine.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) starts: Duration,
    pub(crate) loads: Duration,
    pub(crate) reads: Duration,
}

impl Plan {
    /// What the machine's first program finds in its environment.
    pub(crate) fn env(&self) -> Vec<(&'static str, String)> {
        let fault = self.fault.map(|fault| (VARIABLE, fault.to_owned()));
        [("HITL_TEST_STORE_SPEC", self.store.to_owned())].into_iter().chain(fault).collect()
    }
}
