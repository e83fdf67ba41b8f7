//! The way from one process to the store: what it does to operations, and whether the process itself still runs.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, timeout};

use super::fault::{Fault, Operation};
use crate::signal::Signal;

/// Operations that a store with too much to do refuses in a row, at most.
const BURST_MAX: u32 = 12;
/// Longest that a message of a store takes with which nothing is wrong.
const QUICK_MAX_MS: u64 = 150;
const QUICK_MAX: Duration = Duration::from_millis(QUICK_MAX_MS);

/// How the way to the store is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cut {
    /// Connections are refused.
    Refused,
    /// Nothing arrives.
    Silent,
    /// What is sent arrives, and no reply comes back.
    OneWay,
}

/// What is to happen to one operation. All of it is drawn at once, so that the draws do not depend on how it goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) fault: Option<Fault>,
    /// Time until it arrives.
    pub(crate) there: Duration,
    /// Time until the reply arrives.
    pub(crate) back: Duration,
    /// How long a silent store is waited for.
    pub(crate) hang: Duration,
    /// How much later a late or a second delivery comes.
    pub(crate) late: Duration,
    /// Whether it arrives though the sender dies on the way, or gives up.
    pub(crate) lands_anyway: bool,
    /// For whatever else is to be drawn.
    pub(crate) seed: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Link {
    state: Signal<State>,
    dice: Mutex<Dice>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    dead: bool,
    paused: bool,
    calm: bool,
    cut: Option<Cut>,
}

#[derive(Debug)]
struct Dice {
    rng: StdRng,
    /// How often something goes wrong with an operation.
    rate: f64,
    /// What always goes wrong, if it is not drawn.
    always: Option<Fault>,
    /// Operations that are refused yet.
    burst: u32,
    revoked_until: Instant,
}

impl Link {
    /// The link of a process that has just started; with each operation something goes wrong at this `rate`.
    pub(crate) fn new(seed: u64, rate: f64) -> Self {
        let state = State { dead: false, paused: false, calm: false, cut: None };
        let rng = StdRng::seed_from_u64(seed);
        let dice = Dice { rng, rate, always: None, burst: 0, revoked_until: Instant::now() };
        Self { state: Signal::new(state), dice: Mutex::new(dice) }
    }

    /// From now on `fault` befalls every operation that it can befall, and nothing else any; without one, whatever is
    /// drawn.
    pub(crate) fn always(&self, fault: Option<Fault>) {
        self.dice().always = fault;
    }

    /// The process is killed: it never sends nor hears anything again.
    pub(crate) fn kill(&self) {
        self.state.update(|state| State { dead: true, ..state });
    }

    /// The process is stopped, or goes on.
    pub(crate) fn pause(&self, paused: bool) {
        self.state.update(|state| State { paused, ..state });
    }

    /// The way to the store is broken, or mended.
    pub(crate) fn cut(&self, cut: Option<Cut>) {
        self.state.update(|state| State { cut, ..state });
    }

    /// From now on nothing goes wrong, or everything does.
    pub(crate) fn set_calm(&self, calm: bool) {
        self.state.update(|state| State { paused: false, cut: None, calm, ..state });
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.state.get().calm
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.state.get().dead
    }

    /// Completes once the process is killed.
    pub(crate) async fn killed(&self) {
        self.state.until(|state| state.dead).await;
    }

    /// Completes while the process runs: never again, once it is killed.
    pub(crate) async fn runs(&self) {
        self.state.until(|state| !state.dead && !state.paused).await;
    }

    /// Completes after `time`, or once nothing goes wrong any more: then what hangs is cut off.
    pub(crate) async fn hang(&self, time: Duration) {
        let _ = timeout(time, self.state.until(|state| state.calm)).await;
    }

    /// Draws what is to happen to an operation.
    pub(crate) fn draw(&self, operation: Operation) -> Plan {
        let state = self.state.get();
        let mut dice = self.dice();
        let plan = dice.plan(operation);
        let fault = match (state.calm, state.cut) {
            (true, _) => None,
            (false, None) => plan.fault,
            (false, Some(Cut::Refused)) => Some(Fault::ErrorBefore),
            (false, Some(Cut::OneWay)) if operation.faults().contains(&Fault::CommitThenHang) => {
                Some(Fault::CommitThenHang)
            }
            (false, Some(Cut::Silent | Cut::OneWay)) => Some(Fault::Hang),
        };
        // A store that takes seconds is not well, so what is promised of a time holds without it.
        let slowest = if state.calm { QUICK_MAX } else { Duration::MAX };
        let (there, back) = (plan.there.min(slowest), plan.back.min(slowest));
        Plan { fault, there, back, ..plan }
    }

    fn dice(&self) -> MutexGuard<'_, Dice> {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dice {
    fn plan(&mut self, operation: Operation) -> Plan {
        Plan {
            fault: self.fault(operation),
            there: self.latency(),
            back: self.latency(),
            hang: millis(self.rng.random_range(3_000..15_000)),
            late: millis(self.rng.random_range(1..20_000)),
            lands_anyway: self.rng.random_bool(0.5),
            seed: self.rng.random(),
        }
    }

    fn fault(&mut self, operation: Operation) -> Option<Fault> {
        let now = Instant::now();
        if now < self.revoked_until {
            return Some(Fault::Revoked);
        }
        if self.burst > 0 {
            self.burst -= 1;
            return Some(Fault::SlowDown);
        }
        let faults = operation.faults();
        let fault = match self.always {
            Some(fault) => Some(fault).filter(|fault| faults.contains(fault)),
            None if !self.rng.random_bool(self.rate) => None,
            None => faults.get(self.rng.random_range(0..faults.len())).copied(),
        };
        match fault {
            Some(Fault::SlowDown) => self.burst = self.rng.random_range(0..BURST_MAX),
            Some(Fault::Revoked) => {
                self.revoked_until = now + millis(self.rng.random_range(100..2_000));
            }
            _ => {}
        }
        fault
    }

    fn latency(&mut self) -> Duration {
        millis(match self.rng.random_range(0..100) {
            0..90 => self.rng.random_range(1..15),
            90..99 => self.rng.random_range(15..QUICK_MAX_MS),
            _ => self.rng.random_range(QUICK_MAX_MS..3_000),
        })
    }
}

pub(crate) fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
