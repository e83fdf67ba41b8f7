//! When something goes wrong: by script or at random.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::fault::{Fault, Op};
use super::{Dialect, lock};

/// How long a write is held back, and how old a stale list is, unless it is set.
const DELAY_MS: Range<u64> = 300..3_000;

/// What goes wrong, and how often it did. The same requests in the same order meet the same faults.
#[derive(Debug)]
pub struct Faults(Mutex<State>);

/// A fault that a request has met.
#[derive(Debug, Clone, Copy)]
pub(super) struct Met {
    pub(super) fault: Fault,
    /// How long what is held back is held back.
    pub(super) delay: Duration,
    /// Decides between variants of a fault.
    pub(super) dice: u32,
}

#[derive(Debug)]
struct State {
    script: Vec<Line>,
    random: BTreeMap<Fault, f64>,
    /// What the next requests meet, whoever makes them, and how many.
    burst: Option<(Fault, u32)>,
    rng: StdRng,
    delay_ms: Range<u64>,
    fired: BTreeMap<Fault, u64>,
}

#[derive(Debug)]
struct Line {
    op: Op,
    key_part: String,
    fault: Fault,
    times: u32,
}

impl Default for Faults {
    fn default() -> Self {
        Self(Mutex::new(State {
            script: Vec::new(),
            random: BTreeMap::new(),
            burst: None,
            rng: StdRng::seed_from_u64(0),
            delay_ms: DELAY_MS,
            fired: BTreeMap::new(),
        }))
    }
}

impl Faults {
    /// The next `times` requests of this kind whose key (or prefix, of a list) contains `key_part` meet `fault`.
    ///
    /// # Panics
    /// If that cannot happen to such a request.
    pub fn script(&self, op: Op, key_part: &str, fault: Fault, times: u32) {
        assert!(fault.fits(Dialect::S3, op, true), "{fault:?} cannot happen to {op:?}");
        let key_part = key_part.to_owned();
        lock(&self.0).script.push(Line { op, key_part, fault, times });
    }

    /// From now on each request meets each of these faults with the given probability.
    pub fn random(&self, seed: u64, rates: impl IntoIterator<Item = (Fault, f64)>) {
        let mut state = lock(&self.0);
        state.rng = StdRng::seed_from_u64(seed);
        state.random = rates.into_iter().collect();
    }

    /// Nothing goes wrong any more; what is held back still comes.
    pub fn calm(&self) {
        let mut state = lock(&self.0);
        state.random.clear();
        state.script.clear();
        state.burst = None;
    }

    /// How long writes are held back, and how old stale lists are, in milliseconds.
    pub fn set_delay_ms(&self, delay_ms: Range<u64>) {
        lock(&self.0).delay_ms = delay_ms;
    }

    /// How often each has happened.
    pub fn fired(&self) -> BTreeMap<Fault, u64> {
        lock(&self.0).fired.clone()
    }

    /// What the next request meets, and counts it.
    pub(super) fn next(
        &self,
        dialect: Dialect,
        op: Op,
        conditional: bool,
        key: &str,
    ) -> Option<Met> {
        let mut state = lock(&self.0);
        let fault = state.scripted(op, key).or_else(|| state.drawn(dialect, op, conditional))?;
        *state.fired.entry(fault).or_default() += 1;
        let delay_ms = state.delay_ms.clone();
        let delay = Duration::from_millis(state.rng.random_range(delay_ms));
        Some(Met { fault, delay, dice: state.rng.random() })
    }
}

impl State {
    fn scripted(&mut self, op: Op, key: &str) -> Option<Fault> {
        let fits = |line: &Line| line.op == op && key.contains(&line.key_part);
        let at = self.script.iter().position(fits)?;
        let line = &mut self.script[at];
        let fault = line.fault;
        line.times -= 1;
        if line.times == 0 {
            self.script.remove(at);
        }
        Some(fault)
    }

    fn drawn(&mut self, dialect: Dialect, op: Op, conditional: bool) -> Option<Fault> {
        if let Some((fault, left)) = self.burst {
            self.burst = (left > 1).then_some((fault, left - 1));
            return Some(fault);
        }
        let mut draw = self.rng.random::<f64>();
        let fits = |fault: Fault| fault.fits(dialect, op, conditional);
        let fault =
            self.random.iter().filter(|(fault, _)| fits(**fault)).find_map(|(fault, rate)| {
                draw -= rate;
                (draw < 0.0).then_some(*fault)
            })?;
        let more = self.rng.random_range(fault.burst()) - 1;
        self.burst = (more > 0).then_some((fault, more));
        Some(fault)
    }
}
