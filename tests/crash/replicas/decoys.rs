//! Clients that do not keep to the protocol, so that they miss what others are told: a watcher that does not resume,
//! and waits that are never said to the server. If the checker finds nothing in what they saw, it would find nothing
//! in servers that keep something back either.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::board::Fate;
use support::checker::{self, Bounds, Rule};
use support::findings::by_rule;
use support::history::{History, Recorder};
use support::load::common::Shared;
use support::load::lines::Lines;
use support::load::phase::Phase;
use support::load::target::Held;
use support::load::wait::Wait;
use support::load::watch::Resume;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::watchers::watcher;

/// The rules by which they must be found.
pub(crate) const BREAK: [Rule; 2] = [Rule::ChangeMissed, Rule::WaiterNotTold];
/// The number by which they go among the clients.
const DECOY: usize = 2_000;
/// Waits at a time.
const WAITS: usize = 10;
/// Time between two waits.
const PACE: Duration = Duration::from_millis(200);

/// See the module.
pub(super) struct Decoys {
    recorder: Arc<Recorder>,
    tasks: JoinSet<()>,
}

impl Decoys {
    /// None yet, in the run of `shared`.
    pub(super) fn new(shared: &Shared) -> Self {
        Self { recorder: Arc::new(shared.recorder.beside()), tasks: JoinSet::new() }
    }

    /// Has them call any replica behind `proxy`, until the end of the run.
    pub(super) async fn begin(
        &mut self,
        proxy: &str,
        shared: &Shared,
        rng: &mut StdRng,
    ) -> Result<()> {
        let Self { recorder, tasks } = self;
        let shared = Shared { recorder: recorder.clone(), ..shared.clone() };
        tasks.spawn(watcher(proxy, &shared, rng).await?.resuming(Resume::FromNow).run());
        let lines = Arc::new(Lines::several(proxy).silent());
        tasks.spawn(wait(lines, shared, StdRng::seed_from_u64(rng.random())));
        Ok(())
    }

    /// How often each rule is broken, going by what they saw of the run of `history`.
    pub(super) async fn judge(self, history: &History) -> BTreeMap<Rule, usize> {
        self.tasks.join_all().await;
        let seen = std::mem::take(&mut *self.recorder.history());
        let mut history = history.clone();
        history.records.extend(seen.records);
        history.watched = seen.watched;
        by_rule(&checker::check(&history, &Bounds::SHARED).violations)
    }
}

/// Waits for one event after the other on a stream that does not say so.
async fn wait(lines: Arc<Lines>, shared: Shared, mut rng: StdRng) {
    let mut waits = JoinSet::new();
    while shared.phase.get() == Phase::Load {
        let event = shared.board.recent(&mut rng, Fate::Contested);
        if let Some(event) = event.filter(|_| waits.len() < WAITS) {
            let wait = Wait {
                number: shared.board.number(),
                client: DECOY,
                event: event.id,
                held: Held::WithOthers,
                rng: StdRng::seed_from_u64(rng.random()),
                target: lines.clone(),
                shared: shared.clone(),
            };
            waits.spawn(wait.run());
        }
        sleep(PACE).await;
        while waits.try_join_next().is_some() {}
    }
    waits.join_all().await;
}
