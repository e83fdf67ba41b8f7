//! A replica of the server: killed, it leaves nothing but what the store has.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hitl_core::Principal;
use hitl_receipt::SigningKey;
use hitl_service::{Background, Service, Session};
use hitl_store::{EventStore, Retention};
use object_store::ObjectStore;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::planted::Fault;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::{SKEW_MAX_MS, SimClock};
use crate::fault_store::{Bucket, Cut, FaultStore, Link};
use crate::random::SimRandom;
use crate::signal::Signal;

/// More waits than all clients hold.
const WAITS_MAX: usize = 10_000;

/// What the replica with this `number` signs with: each has a key of its own, so that it shows whose receipt one is.
pub(crate) fn receipt_key(number: usize) -> SigningKey {
    SigningKey::from_seed(&[u8::try_from(number).expect("there are few replicas"); 32])
}

/// One process of a replica.
///
/// A killed one is not torn down: its store never completes anything, its clock never wakes it, and nobody hears it.
/// That is what a kill looks like from outside, at whatever await it hits.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) service: Session,
    pub(crate) link: Arc<Link>,
    run: AbortHandle,
}

/// The place of a process, which outlives it.
#[derive(Debug)]
pub(crate) struct Replica {
    number: usize,
    begun: Instant,
    bucket: Arc<Bucket>,
    fault_rate: f64,
    retention: Retention,
    /// What is wrong with it.
    planted: Option<Fault>,
    /// The machine's clock does not stop with the process.
    offset_ms: Arc<Signal<i64>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rng: StdRng,
    process: Option<Process>,
    starts: usize,
    calm: bool,
    /// How the machine is cut off from the store, and until when.
    cut: Option<(Cut, Instant)>,
}

impl Replica {
    /// The replica with this `number`, not started yet, in a world that began at `begun`.
    pub(crate) fn new(
        number: usize,
        begun: Instant,
        bucket: Arc<Bucket>,
        seed: u64,
        fault_rate: f64,
    ) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let offset_ms = rng.random_range(-SKEW_MAX_MS..=SKEW_MAX_MS);
        let offset_ms = Arc::new(Signal::new(offset_ms));
        let state = State { rng, process: None, starts: 0, calm: false, cut: None };
        let (retention, planted) = (Retention::default(), None);
        let state = Mutex::new(state);
        Self { number, begun, bucket, fault_rate, retention, planted, offset_ms, state }
    }

    /// The same, which keeps what has ended as `retention` says.
    pub(crate) fn retaining(self, retention: Retention) -> Self {
        Self { retention, ..self }
    }

    /// The same, with which this is wrong.
    pub(crate) fn with_planted(self, planted: Option<Fault>) -> Self {
        Self { planted, ..self }
    }

    /// Starts a process, if none runs.
    pub(crate) fn start(&self) {
        let mut state = self.state();
        if state.process.is_some() {
            return;
        }
        state.starts += 1;
        let name = format!("replica-{}.{}", self.number, state.starts);
        self.bucket.trace().note(format_args!("start {name}"));
        let link = Arc::new(Link::new(state.rng.random(), self.fault_rate));
        link.set_calm(state.calm);
        link.cut(state.cut.map(|(cut, _)| cut));
        let mut store: Arc<dyn ObjectStore> =
            Arc::new(FaultStore::new(name, self.bucket.clone(), link.clone()));
        if let Some(planted) = self.planted {
            store = planted.over(store);
        }
        let clock = Arc::new(SimClock::new(self.begun, self.offset_ms.clone(), link.clone()));
        let random = Arc::new(SimRandom::new(state.rng.random()));
        let store = EventStore::over(store, true, clock.clone());
        let store = store.retaining(self.retention.clone());
        let store = store.signing_with(Arc::new(receipt_key(self.number)));
        let shutdown = CancellationToken::new();
        let service =
            Service::new(store, clock, random, WAITS_MAX, shutdown, Background::new(None));
        let run = tokio::spawn({
            let service = service.clone();
            async move { service.run().await }
        });
        let service = service.session(Principal::Anyone);
        state.process = Some(Process { service, link, run: run.abort_handle() });
    }

    /// Kills the process, if one runs.
    pub(crate) fn kill(&self) {
        if let Some(process) = self.state().process.take() {
            self.bucket.trace().note(format_args!("kill replica-{}", self.number));
            process.link.kill();
            process.run.abort();
        }
    }

    /// The process that runs, if one does.
    pub(crate) fn process(&self) -> Option<Process> {
        self.state().process.clone()
    }

    /// Cuts the machine off from the store until then, unless it is cut off for longer already.
    pub(crate) fn cut(&self, cut: Cut, until: Instant) {
        let mut state = self.state();
        if state.cut.is_none_or(|(_, mended)| mended < until) {
            self.bucket.trace().note(format_args!("cut replica-{} {cut:?}", self.number));
            state.cut = Some((cut, until));
            if let Some(process) = &state.process {
                process.link.cut(Some(cut));
            }
        }
    }

    /// Mends the way to the store, if it is not cut for longer.
    pub(crate) fn mend(&self) {
        let mut state = self.state();
        if state.cut.is_some_and(|(_, mended)| mended <= Instant::now()) {
            state.cut = None;
            if let Some(process) = &state.process {
                process.link.cut(None);
            }
        }
    }

    /// Steps the clock of the machine.
    pub(crate) fn step_clock(&self, offset_ms: i64) {
        self.bucket.trace().note(format_args!("clock replica-{} {offset_ms}", self.number));
        self.offset_ms.set(offset_ms);
    }

    /// From now on it runs, and nothing goes wrong.
    pub(crate) fn heal(&self) {
        self.set_calm(true);
    }

    /// From now on it runs, and everything goes wrong.
    pub(crate) fn storm(&self) {
        self.set_calm(false);
    }

    fn set_calm(&self, calm: bool) {
        {
            let mut state = self.state();
            state.calm = calm;
            state.cut = None;
        }
        self.start();
        if let Some(process) = self.process() {
            assert!(
                !process.run.is_finished(),
                "a replica has given up its work in the background"
            );
            process.link.set_calm(calm);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
