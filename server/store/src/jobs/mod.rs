//! Durable jobs: each is done when it is due, on time if this process lives, at its next start if it did not.
//!
//! What is owed stands in the store, one key per job. Memory holds only what is due soon, so a million open events cost
//! nothing here, and a restart takes the same time with ten jobs or ten million. This module knows nothing of events:
//! it hands each due [`Job`] to the handler of its kind, and removes the job when the handler says that nothing is owed
//! any more. Late is possible, early and lost are not, twice is harmless: what a handler does may be done again.
//!
//! On a shared store every replica sees every job. The one that set it does it on time; the others wait a little, each
//! for a time of its own, and then find nothing owed any more, unless the first is dead.
//!
//! A kind that has no handler here is a newer server's, and is left alone.

mod job;
mod lane;
mod ledger;
mod pace;
mod window;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::{BoxFuture, join_all};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::EventStore;
use crate::clock::Clock;
use crate::random::Random;
pub(crate) use job::Place;
pub use job::{Job, Kind};
use lane::Lane;

/// Why a job failed: for the log.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
/// Does one job that is due. It may be called again for the same job, and by several replicas at once.
pub type Handler = Arc<dyn Fn(Job) -> BoxFuture<'static, Result<Done, Failure>> + Send + Sync>;
/// The handler of each kind.
pub type Handlers = BTreeMap<Kind, Handler>;

/// What a handler leaves to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// Nothing is owed any more, and the job is removed.
    Settled,
    /// The job stays as it is: whoever settles it removes it, or a later look at the store finds it again.
    Left,
    /// Something else is owed, later. That job is durable before this one is removed.
    Then(Job),
}

/// The jobs of one store.
#[derive(Debug)]
pub struct Jobs {
    /// One for each place, so that no place waits for another.
    lanes: [Arc<Lane>; 2],
}

impl Jobs {
    /// The jobs of `store`, none of which is done yet.
    pub fn new(
        store: &Arc<EventStore>,
        clock: &Arc<dyn Clock>,
        random: &Arc<dyn Random>,
    ) -> Arc<Self> {
        let lane = |place| Lane::new(place, store.clone(), clock.clone(), random.clone());
        Arc::new(Self { lanes: Place::ALL.map(lane) })
    }

    /// Takes note of a job that is durable by now. If it is due soon it is done on time, else a later look at the store
    /// finds it.
    pub fn set(&self, job: Job) {
        self.lane(&job).set(job);
    }

    /// Forgets a job that has nothing owed to it any more.
    pub fn forget(&self, job: &Job) {
        self.lane(job).forget(job);
    }

    /// Looks for what is long overdue, as there is if jobs were written late.
    pub fn sweep(&self) {
        for lane in &self.lanes {
            lane.sweep_soon();
        }
    }

    /// Hands every job to its handler when it is due, until `shutdown`. What fails is handed over again.
    pub async fn run(&self, handlers: Handlers, tasks: TaskTracker, shutdown: CancellationToken) {
        let handlers = Arc::new(handlers);
        let lanes = self.lanes.iter().map(|lane| lane.clone().run(&handlers, &tasks));
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            _ = join_all(lanes) => {}
        }
    }

    fn lane(&self, job: &Job) -> &Arc<Lane> {
        let lane = self.lanes.iter().find(|lane| lane.place() == job.place());
        lane.expect("there is a lane for every place")
    }
}

#[cfg(test)]
mod tests;
