//! What all parts of a run share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use hitl_core::{EventKey, Namespace};
use rand::RngExt;
use rand::rngs::StdRng;
use support::board::Board;
use support::history::{Op, Outcome, Record, Recorder, Stamp};

use crate::call::{Way, call};
use crate::fault_store::Bucket;
use crate::replica::{Process, Replica};
use crate::scenario::Scenario;
use crate::signal::Signal;
use crate::trouble::Trouble;

/// What the clients are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Make calls and wait.
    Load,
    /// Make no more calls, but wait.
    Quiet,
    /// Give up the waits.
    End,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) board: Board,
    pub(crate) bucket: Arc<Bucket>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) phase: Signal<Phase>,
    pub(crate) troubles: Mutex<BTreeMap<Trouble, u64>>,
}

impl World {
    /// Any replica; its process, if one runs.
    pub(crate) fn pick(&self, rng: &mut StdRng) -> Option<Process> {
        let replica = self.replicas.get(rng.random_range(0..self.replicas.len()))?;
        replica.process()
    }

    /// A replica for a call, and what is to happen to the call on its way.
    pub(crate) fn route(&self, rng: &mut StdRng) -> Option<(Process, Way)> {
        let process = self.pick(rng)?;
        let way = Way::draw(rng, &process);
        Some((process, way))
    }

    pub(crate) fn count(&self, trouble: Trouble) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        *troubles.entry(trouble).or_default() += 1;
    }

    /// How often each trouble was made.
    pub(crate) fn troubles(&self) -> BTreeMap<Trouble, u64> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a call, and records it.
    pub(crate) async fn call(
        &self,
        client: usize,
        route: Option<(Process, Way)>,
        event: Option<&str>,
        op: &Op,
    ) -> Outcome {
        let invoked = self.recorder.stamp();
        let outcome = match route {
            Some((process, way)) => call(&process, way, event.and_then(key).as_ref(), op).await,
            None => Outcome::Unreached,
        };
        let event = match &outcome {
            Outcome::Seen(view) => Some(view.id.clone()),
            _ => event.map(str::to_owned),
        };
        self.record(client, event, op.clone(), invoked, outcome.clone());
        outcome
    }

    /// Records what came back just now.
    pub(crate) fn record(
        &self,
        client: usize,
        event: Option<String>,
        op: Op,
        invoked: Stamp,
        outcome: Outcome,
    ) -> Stamp {
        let returned = self.recorder.stamp();
        let trace = self.bucket.trace();
        trace.note(format_args!("client-{client} {op:?} {event:?} {outcome:?}"));
        self.recorder.push(Record { client, event, op, invoked, returned, outcome });
        returned
    }
}

/// The key of the event with this id.
pub(crate) fn key(id: &str) -> Option<EventKey> {
    Some(EventKey { namespace: Namespace::default(), id: id.parse().ok()? })
}
