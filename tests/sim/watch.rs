//! One watcher: it watches at some replica, and after every break resumes at another, from its last bookmark.

use std::sync::Arc;
use std::time::Duration;

use hitl_core::Namespace;
use hitl_service::{Change, ChangeKind, Filter, Owner, Watched};
use rand::RngExt;
use rand::rngs::StdRng;
use support::history::ChangeSeen;
use tokio::time::{sleep, timeout};

use crate::client::back_off;
use crate::clock::EPOCH_MS;
use crate::fault_store::millis;
use crate::replica::Process;
use crate::world::{Phase, World};

/// Longest time between two bookmarks.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long a watch is listened to that says nothing.
const SILENCE_MAX: Duration = Duration::from_secs(40);

/// See the module.
pub(crate) struct Watcher {
    number: usize,
    world: Arc<World>,
    rng: StdRng,
    token: String,
    seen: Vec<ChangeSeen>,
}

impl Watcher {
    pub(crate) fn new(number: usize, world: Arc<World>, rng: StdRng) -> Self {
        Self { number, world, rng, token: format!("w1-{}", EPOCH_MS - 60_000), seen: Vec::new() }
    }

    /// Watches until the end of the run. What it has seen.
    pub(crate) async fn run(mut self) -> Vec<ChangeSeen> {
        let world = self.world.clone();
        tokio::select! {
            biased;
            () = self.go_on() => {}
            () = world.phase.until(|phase| phase == Phase::End) => {}
        }
        self.seen
    }

    async fn go_on(&mut self) {
        let mut attempt = 0;
        loop {
            let seen = self.seen.len();
            if let Some(process) = self.world.pick(&mut self.rng) {
                self.watch(&process).await;
            }
            attempt = if self.seen.len() > seen { 0 } else { attempt + 1 };
            back_off(&mut self.rng, attempt.min(5)).await;
        }
    }

    /// Watches at one replica, until that breaks.
    async fn watch(&mut self, process: &Process) {
        let breaks = self.rng.random_bool(0.3).then(|| self.rng.random_range(1_000..20_000));
        let broken = async {
            match breaks {
                Some(after) if !process.link.is_calm() => sleep(millis(after)).await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = process.link.killed() => {}
            () = self.listen(process) => {}
            () = broken => {}
        }
    }

    async fn listen(&mut self, process: &Process) {
        process.link.runs().await;
        let filter = Filter::all_of(Namespace::default());
        let begun = process.service.watch(filter, &self.token, INTERVAL, Owner::default());
        let Ok(mut watch) = begun else { return };
        while let Ok(Ok(watched)) = timeout(SILENCE_MAX, watch.next()).await {
            process.link.runs().await;
            match watched {
                Watched::Bookmark(token) => {
                    let trace = self.world.bucket.trace();
                    trace.note(format_args!("watcher-{} {token}", self.number));
                    self.token = token;
                }
                Watched::Change(Change { kind, event }) => {
                    let event = event.request.id.to_string();
                    let is_end = kind == ChangeKind::Ended;
                    let trace = self.world.bucket.trace();
                    trace.note(format_args!("watcher-{} {event} {kind:?}", self.number));
                    self.seen.push(ChangeSeen { event, is_end });
                }
            }
        }
    }
}
