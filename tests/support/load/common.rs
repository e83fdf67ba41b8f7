//! What all clients of a run share, and how each of them calls.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use tokio::time::sleep;

use super::phase::Phase;
use super::target::Target;
use crate::board::Board;
use crate::history::{Op, Outcome, Record, Recorder, Stamp};
use crate::signal::Signal;

/// How often a call of unknown outcome is repeated: enough to outlive every trouble.
const ATTEMPTS: u32 = 100;

/// See the module.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Where each call is written down.
    pub recorder: Arc<Recorder>,
    /// The events that may be picked.
    pub board: Arc<Board>,
    /// What is to be done now.
    pub phase: Arc<Signal<Phase>>,
    /// How clients behave.
    pub habits: Habits,
}

/// How clients behave.
#[derive(Debug, Clone)]
pub struct Habits {
    /// Time between two calls of a client.
    pub pace_ms: Range<u64>,
    /// Time from create to deadline of most events.
    pub ttl_ms: Range<i64>,
    /// How many of a hundred calls create an event.
    pub creates: u32,
}

impl Habits {
    /// Against real servers, in real time. Without a pace two cores would do nothing but load.
    pub const REAL: Self = Self { pace_ms: 10..70, ttl_ms: 300..3_000, creates: 40 };
}

impl Shared {
    /// For clients with these habits, who begin with `phase`.
    pub fn new(recorder: Arc<Recorder>, phase: Phase, habits: Habits) -> Self {
        Self { recorder, board: Arc::default(), phase: Arc::new(Signal::new(phase)), habits }
    }

    /// Makes the call `op` for the client with this number, of `event` unless it creates one, and records it.
    pub async fn call<T: Target>(
        &self,
        target: &T,
        route: T::Route,
        client: usize,
        event: Option<&str>,
        op: &Op,
    ) -> Outcome {
        let invoked = self.recorder.stamp();
        let outcome = target.call(route, event, op).await;
        let event = match &outcome {
            Outcome::Seen(view) => Some(view.id.clone()),
            _ => event.map(str::to_owned),
        };
        self.record(target, client, event, op.clone(), invoked, outcome.clone());
        outcome
    }

    /// Makes the same call again, on any way, until it is known what became of it; but only once if the server could
    /// not recognise it.
    pub async fn repeat<T: Target>(
        &self,
        target: &T,
        rng: &mut StdRng,
        client: usize,
        event: Option<&str>,
        op: &Op,
    ) -> Outcome {
        let mut outcome = Outcome::Unreached;
        let attempts = if is_nameless(op) { 1 } else { ATTEMPTS };
        for attempt in 0..attempts {
            let route = target.route(rng);
            outcome = self.call(target, route, client, event, op).await;
            if !is_open(&outcome) {
                break;
            }
            target.back_off(rng, attempt).await;
        }
        outcome
    }

    /// Records what came back just now.
    pub fn record<T: Target>(
        &self,
        target: &T,
        client: usize,
        event: Option<String>,
        op: Op,
        invoked: Stamp,
        outcome: Outcome,
    ) -> Stamp {
        let returned = self.recorder.stamp();
        target.note(format_args!("client-{client} {op:?} {event:?} {outcome:?}"));
        self.recorder.push(Record { client, event, op, invoked, returned, outcome });
        returned
    }

    /// Under load a stream is broken off now and then, with this chance: completes when it is.
    pub fn broken_off(
        &self,
        rng: &mut StdRng,
        chance: f64,
    ) -> impl Future<Output = ()> + Send + use<> {
        let breaks = rng.random_bool(chance).then(|| rng.random_range(1_000..20_000));
        let breaks = breaks.filter(|_| self.phase.get() == Phase::Load);
        async move {
            match breaks {
                Some(after_ms) => sleep(Duration::from_millis(after_ms)).await,
                None => std::future::pending().await,
            }
        }
    }
}

/// Whether it is not known what became of the call.
pub fn is_open(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unknown(_) | Outcome::Unreached)
}

/// Whether a repetition would be another create, or another person's answer.
pub fn is_nameless(op: &Op) -> bool {
    match op {
        Op::Create(draft) => draft.key.is_empty(),
        Op::Answer { answer_id, .. } => answer_id.is_empty(),
        _ => false,
    }
}
