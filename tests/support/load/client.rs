//! One client: seeded random calls until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::common::{Shared, is_nameless, is_open};
use super::phase::Phase;
use super::target::{Held, Target};
use super::wait::Wait;
use crate::board::{Fate, Known};
use crate::history::{Draft, Op, Outcome};

/// Waits that one client holds at a time.
const WAITS: usize = 10;
/// Longer than any run, also in virtual time.
const LONG_MS: i64 = 1_000 * 3_600_000;

/// See the module.
#[derive(Debug)]
pub struct Client<T> {
    number: usize,
    rng: StdRng,
    target: Arc<T>,
    shared: Shared,
    waits: JoinSet<()>,
}

impl<T: Target> Client<T> {
    /// A client of `target` that makes what calls `seed` says.
    pub fn new(number: usize, seed: u64, target: Arc<T>, shared: Shared) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        Self { number, rng, target, shared, waits: JoinSet::new() }
    }

    /// Makes calls while there is to be load, and holds its waits until the waits are to stop.
    pub async fn run(mut self) {
        let phase = self.shared.phase.clone();
        loop {
            phase.until(|phase| phase != Phase::Quiet).await;
            if phase.get() == Phase::End {
                break;
            }
            self.step().await;
            while self.waits.try_join_next().is_some() {}
            let pace_ms = self.rng.random_range(self.shared.habits.pace_ms.clone());
            tokio::select! {
                biased;
                () = phase.until(|phase| phase != Phase::Load) => {}
                () = sleep(Duration::from_millis(pace_ms)) => {}
            }
        }
        while self.waits.join_next().await.is_some() {}
    }

    async fn step(&mut self) {
        let drawn = self.rng.random_range(0..100);
        match drawn {
            _ if drawn < self.shared.habits.creates => self.create().await,
            0..58 => {
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
        let number = self.shared.board.number();
        let keyed = self.rng.random_bool(0.6);
        let short_ms = self.rng.random_range(self.shared.habits.ttl_ms.clone());
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
        self.shared.board.add(Known { id: id.clone(), fate, deadline_ms });
        if fate != Fate::Untouched && self.rng.random_bool(0.5) {
            self.wait(id);
        }
        if keyed && fate != Fate::Untouched && self.rng.random_bool(0.1) {
            self.repeat(None, &op).await;
        }
    }

    async fn contest(&mut self, op: Op) {
        let event = self.shared.board.recent(&mut self.rng, Fate::Contested);
        if let Some(event) = event {
            self.repeat(Some(&event.id), &op).await;
        }
    }

    /// Several calls that each would end the same event, at once, on any ways.
    async fn race(&mut self) {
        let Some(event) = self.shared.board.recent(&mut self.rng, Fate::Contested) else {
            return;
        };
        let last = if self.rng.random_bool(0.5) { self.decline() } else { cancel() };
        let ops = [self.answer(), self.answer(), last];
        let calls = ops.iter().map(|op| {
            let route = self.target.route(&mut self.rng);
            self.shared.call(&*self.target, route, self.number, Some(&event.id), op)
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
        let Some(event) = self.shared.board.any(&mut self.rng) else {
            return;
        };
        let now_ms = self.shared.recorder.stamp().wall_ms;
        // The events that only their deadline may end are answered after it, which must be refused.
        if event.fate == Fate::Contested || event.deadline_ms < now_ms {
            let op = self.answer();
            self.repeat(Some(&event.id), &op).await;
        }
    }

    fn touchable(&mut self) -> Option<Known> {
        let board = &self.shared.board;
        match self.rng.random_range(0..10) {
            0..5 => board.recent(&mut self.rng, Fate::Contested),
            5..8 => board.recent(&mut self.rng, Fate::Watched),
            _ => board.any(&mut self.rng),
        }
    }

    fn wait(&mut self, event: String) {
        if self.waits.len() < WAITS {
            let wait = Wait {
                number: self.shared.board.number(),
                client: self.number,
                event,
                held: if self.rng.random_bool(0.5) { Held::Alone } else { Held::WithOthers },
                rng: StdRng::seed_from_u64(self.rng.random()),
                target: self.target.clone(),
                shared: self.shared.clone(),
            };
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
        format!("answer-{}-{}", self.number, self.shared.board.number())
    }

    async fn repeat(&mut self, event: Option<&str>, op: &Op) -> Outcome {
        self.shared.repeat(&*self.target, &mut self.rng, self.number, event, op).await
    }
}

fn cancel() -> Op {
    Op::Cancel { reason: "no longer needed".to_owned() }
}
