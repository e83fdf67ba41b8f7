//! One client: connections of its own, and seeded random calls until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::call::call;
use super::lines::Lines;
use super::shared::SharedStream;
use super::wait::{Phase, Wait};
use crate::board::{Board, Fate, Known};
use crate::history::{Draft, Op, Outcome, Recorder};

/// How often a call of unknown outcome is repeated: enough to outlive several kills.
const ATTEMPTS: usize = 100;
/// Waits that one client holds at a time.
const WAITS: usize = 10;
const LONG_MS: i64 = 3_600_000;

/// What all clients share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Where each call is written down.
    pub recorder: Arc<Recorder>,
    /// The events that may be picked.
    pub board: Arc<Board>,
    /// Whether the server is thought to be up.
    pub up: watch::Receiver<bool>,
    /// What is to be done now.
    pub phase: watch::Receiver<Phase>,
    /// How long a client waits for a server that is down before it tries again all the same.
    pub patience: Duration,
}

impl Shared {
    /// For a server that is back within moments: clients try again all the time.
    pub const IMPATIENT: Duration = Duration::from_millis(100);
}

/// See the module.
#[derive(Debug)]
pub struct Client {
    number: usize,
    rng: StdRng,
    lines: Arc<Lines>,
    shared: Shared,
    waits: JoinSet<()>,
    /// Where half of the waits are held.
    stream: Arc<SharedStream>,
}

impl Client {
    /// A client that makes what calls `seed` says.
    pub fn new(number: usize, seed: u64, lines: Lines, shared: Shared) -> Self {
        Self {
            number,
            rng: StdRng::seed_from_u64(seed),
            lines: Arc::new(lines),
            shared,
            waits: JoinSet::new(),
            stream: Arc::default(),
        }
    }

    /// Makes calls until the load is to stop, then holds its waits until the waits are to stop.
    pub async fn run(mut self) {
        while *self.shared.phase.borrow() == Phase::Load {
            self.step().await;
            self.pass_by();
            while self.waits.try_join_next().is_some() {}
            // The pace of the load: without it two cores would do nothing but load.
            let pace = Duration::from_millis(self.rng.random_range(10..70));
            tokio::time::sleep(pace).await;
        }
        while self.waits.join_next().await.is_some() {}
    }

    async fn step(&mut self) {
        match self.rng.random_range(0..100) {
            0..40 => self.create().await,
            40..58 => {
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
        let (fate, ttl_ms) = match self.rng.random_range(0..10) {
            0..5 => (Fate::Contested, self.rng.random_range(300..3_000)),
            5 => (Fate::Contested, LONG_MS),
            6..8 => (Fate::Watched, self.rng.random_range(300..3_000)),
            _ => (Fate::Untouched, self.rng.random_range(300..3_000)),
        };
        let draft = Draft {
            name: format!("event-{number}"),
            key: if keyed { format!("key-{number}") } else { String::new() },
            ttl_ms,
            default: self.rng.random_bool(0.3).then_some(-7),
        };
        let op = Op::Create(draft);
        // Without a key a repeated create would be another event.
        let outcome = if keyed {
            self.repeat(None, &op).await
        } else {
            call(&self.lines.pick(), self.number, &self.shared.recorder, None, &op).await
        };
        if is_open(&outcome) {
            back_off(&self.shared).await;
        }
        let Outcome::Seen(view) = outcome else { return };
        let id = view.id;
        let deadline_ms = view.asked.deadline_ms;
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

    /// Several calls that each would end the same event, at once.
    async fn race(&mut self) {
        let Some(event) = self.shared.board.recent(&mut self.rng, Fate::Contested) else {
            return;
        };
        let mut ops = vec![self.answer(), self.answer()];
        ops.push(if self.rng.random_bool(0.5) { self.decline() } else { cancel() });
        let calls = ops.iter().map(|op| async {
            let client = self.lines.pick();
            call(&client, self.number, &self.shared.recorder, Some(&event.id), op).await
        });
        let outcomes = futures::future::join_all(calls).await;
        for (op, outcome) in ops.iter().zip(outcomes) {
            if is_open(&outcome) {
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
                stream: self.rng.random_bool(0.5).then(|| self.stream.clone()),
                lines: self.lines.clone(),
                shared: self.shared.clone(),
            };
            self.waits.spawn(wait.run());
        }
    }

    /// Has the stream of waits say much beside: with the pace of the load, some twenty adds and as many removes a
    /// second.
    fn pass_by(&mut self) {
        let events = [Fate::Contested, Fate::Watched];
        let events = events.map(|fate| self.shared.board.recent(&mut self.rng, fate));
        self.stream.pass_by(events.into_iter().flatten().map(|event| event.id));
    }

    fn answer(&mut self) -> Op {
        let answer_id = self.answer_id();
        Op::Answer { answer_id, value: self.rng.random_range(0..1_000_000_000) }
    }

    fn decline(&mut self) -> Op {
        let answer_id = self.answer_id();
        Op::Decline { reason: format!("declined by {answer_id}"), answer_id }
    }

    fn answer_id(&self) -> String {
        format!("answer-{}-{}", self.number, self.shared.board.number())
    }

    async fn repeat(&self, event: Option<&str>, op: &Op) -> Outcome {
        repeat(&self.lines, &self.shared, self.number, event, op).await
    }
}

/// Makes the same call for the client `number` again until it is known what became of it.
pub async fn repeat(
    lines: &Lines,
    shared: &Shared,
    number: usize,
    event: Option<&str>,
    op: &Op,
) -> Outcome {
    let mut outcome = Outcome::Unreached;
    for _ in 0..ATTEMPTS {
        outcome = call(&lines.pick(), number, &shared.recorder, event, op).await;
        if !is_open(&outcome) {
            break;
        }
        back_off(shared).await;
    }
    outcome
}

fn cancel() -> Op {
    Op::Cancel { reason: "no longer needed".to_owned() }
}

/// Whether it is not known what became of the call.
pub fn is_open(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unknown(_) | Outcome::Unreached)
}

/// What a client does after a connection broke: a short pause, or a longer one that ends when the server is back.
pub async fn back_off(shared: &Shared) {
    const LEAST: Duration = Duration::from_millis(5);
    tokio::time::sleep(LEAST).await;
    let _ = timeout(shared.patience, shared.up.clone().wait_for(|up| *up)).await;
}
