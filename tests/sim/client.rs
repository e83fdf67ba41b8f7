//! One client: seeded random calls to any replica until it is told to stop.

use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::board::{Fate, Known};
use support::history::{Draft, Op, Outcome};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::fault_store::millis;
use crate::wait::Wait;
use crate::world::{Phase, World};

/// How often a call of unknown outcome is repeated: enough to outlive every trouble.
const ATTEMPTS: u32 = 100;
/// Longest pause after the first call of unknown outcome; after the fifth it is the sixteenfold.
const BACK_OFF_MS: u64 = 100;
/// Waits that one client holds at a time.
const WAITS: usize = 10;
/// Longer than any run.
const LONG_MS: i64 = 1_000 * 3_600_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct Client {
    number: usize,
    rng: StdRng,
    world: Arc<World>,
    waits: JoinSet<()>,
}

impl Client {
    pub(crate) fn new(number: usize, seed: u64, world: Arc<World>) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        Self { number, rng, world, waits: JoinSet::new() }
    }

    /// Makes calls while there is to be load, and holds its waits until the waits are to stop.
    pub(crate) async fn run(mut self) {
        let world = self.world.clone();
        loop {
            world.phase.until(|phase| phase != Phase::Quiet).await;
            if world.phase.get() == Phase::End {
                break;
            }
            self.step().await;
            while self.waits.try_join_next().is_some() {}
            let pace = millis(self.rng.random_range(world.scenario.pace_ms.clone()));
            tokio::select! {
                biased;
                () = world.phase.until(|phase| phase != Phase::Load) => {}
                () = sleep(pace) => {}
            }
        }
        while self.waits.join_next().await.is_some() {}
    }

    async fn step(&mut self) {
        match self.rng.random_range(0..100) {
            0..30 => self.create().await,
            30..58 => {
                let op = self.answer();
                self.contest(op).await;
            }
            58..64 => {
                let op = self.decline();
                self.contest(op).await;
            }
            64..68 => self.contest(cancel()).await,
            68..74 => self.race().await,
            74..80 => self.late().await,
            80..88 => {
                if let Some(event) = self.touchable() {
                    self.repeat(Some(&event.id), &Op::Get).await;
                }
            }
            _ => {
                if let Some(event) = self.touchable() {
                    self.wait(event.id);
                }
            }
        }
    }

    async fn create(&mut self) {
        let number = self.world.board.number();
        let keyed = self.rng.random_bool(0.6);
        let short_ms = self.rng.random_range(self.world.scenario.ttl_ms.clone());
        let (fate, ttl_ms) = match self.rng.random_range(0..10) {
            0..5 => (Fate::Contested, short_ms),
            5 => (Fate::Contested, LONG_MS),
            6..8 => (Fate::Watched, short_ms),
            _ => (Fate::Untouched, short_ms),
        };
        let draft = Draft {
            name: format!("event-{number}"),
            key: if keyed { format!("key-{number}") } else { String::new() },
            ttl_ms,
            default: self.rng.random_bool(0.3).then_some(-7),
        };
        let op = Op::Create(draft);
        let Outcome::Seen(view) = self.repeat(None, &op).await else {
            return;
        };
        let (id, deadline_ms) = (view.id, view.asked.deadline_ms);
        self.world.board.add(Known { id: id.clone(), fate, deadline_ms });
        if fate != Fate::Untouched && self.rng.random_bool(0.5) {
            self.wait(id);
        }
        if keyed && fate != Fate::Untouched && self.rng.random_bool(0.1) {
            self.repeat(None, &op).await;
        }
    }

    async fn contest(&mut self, op: Op) {
        let event = self.world.board.recent(&mut self.rng, Fate::Contested);
        if let Some(event) = event {
            self.repeat(Some(&event.id), &op).await;
        }
    }

    /// Several calls that each would end the same event, at once, on any replicas.
    async fn race(&mut self) {
        let Some(event) = self.world.board.recent(&mut self.rng, Fate::Contested) else {
            return;
        };
        let last = if self.rng.random_bool(0.5) { self.decline() } else { cancel() };
        let ops = [self.answer(), self.answer(), last];
        let calls = ops.iter().map(|op| {
            let route = self.world.route(&mut self.rng);
            self.world.call(self.number, route, Some(&event.id), op)
        });
        let calls: Vec<_> = calls.collect();
        let outcomes = futures::future::join_all(calls).await;
        for (op, outcome) in ops.iter().zip(outcomes) {
            if is_open(&outcome) && !is_nameless(op) {
                self.repeat(Some(&event.id), op).await;
            }
        }
    }

    /// An answer to an event that has most likely ended.
    async fn late(&mut self) {
        let Some(event) = self.world.board.any(&mut self.rng) else {
            return;
        };
        let now_ms = self.world.recorder.stamp().wall_ms;
        // The events that only their deadline may end are answered after it, which must be refused.
        if event.fate == Fate::Contested || event.deadline_ms < now_ms {
            let op = self.answer();
            self.repeat(Some(&event.id), &op).await;
        }
    }

    fn touchable(&mut self) -> Option<Known> {
        let board = &self.world.board;
        match self.rng.random_range(0..10) {
            0..5 => board.recent(&mut self.rng, Fate::Contested),
            5..8 => board.recent(&mut self.rng, Fate::Watched),
            _ => board.any(&mut self.rng),
        }
    }

    fn wait(&mut self, event: String) {
        if self.waits.len() < WAITS {
            let number = self.world.board.number();
            let rng = StdRng::seed_from_u64(self.rng.random());
            let wait = Wait { number, client: self.number, event, rng, world: self.world.clone() };
            self.waits.spawn(wait.run());
        }
    }

    fn answer(&mut self) -> Op {
        let named = self.rng.random_bool(0.5);
        let answer_id = if named { self.answer_id() } else { String::new() };
        Op::Answer { answer_id, value: self.rng.random_range(0..1_000_000_000_000) }
    }

    fn decline(&mut self) -> Op {
        let answer_id = self.answer_id();
        Op::Decline { reason: format!("declined by {answer_id}"), answer_id }
    }

    fn answer_id(&self) -> String {
        format!("answer-{}-{}", self.number, self.world.board.number())
    }

    /// Makes the same call again, to any replica, until it is known what became of it; but only once if the server
    /// could not recognise it.
    async fn repeat(&mut self, event: Option<&str>, op: &Op) -> Outcome {
        let mut outcome = Outcome::Unreached;
        let attempts = if is_nameless(op) { 1 } else { ATTEMPTS };
        for attempt in 0..attempts {
            let route = self.world.route(&mut self.rng);
            outcome = self.world.call(self.number, route, event, op).await;
            if !is_open(&outcome) {
                break;
            }
            back_off(&mut self.rng, attempt).await;
        }
        outcome
    }
}

fn cancel() -> Op {
    Op::Cancel { reason: "no longer needed".to_owned() }
}

/// Whether a repetition would be another create, or another person's answer.
fn is_nameless(op: &Op) -> bool {
    match op {
        Op::Create(draft) => draft.key.is_empty(),
        Op::Answer { answer_id, .. } => answer_id.is_empty(),
        _ => false,
    }
}

/// Whether a client calls again.
pub(crate) fn is_open(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unknown(_) | Outcome::Unreached)
}

/// What a client does after so many calls of unknown outcome.
pub(crate) async fn back_off(rng: &mut StdRng, attempt: u32) {
    let longest_ms = BACK_OFF_MS << attempt.min(4);
    sleep(millis(rng.random_range(5..longest_ms))).await;
}
