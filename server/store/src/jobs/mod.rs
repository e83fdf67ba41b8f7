//! Durable jobs. Each is done when it is due: on time if a process runs then, else at the next start.
//!
//! A job is one key in the store. Memory holds only the jobs that are due soon, so a million open events cost nothing
//! here, and a restart takes the same time with ten jobs or ten million. This module knows nothing of events: it hands
//! each due [`Job`] to the handler of its kind, and removes the job when the handler says that it is settled. A job may
//! be done late, but never early, and it is never lost. It may be done twice, so a handler must be safe to repeat.
//!
//! On a shared store every replica sees every job. The replica that set it does it on time. The others wait for a time
//! that each draws for itself, 600 ms to 1.5 s, and then find the job settled, unless the first replica is dead.
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
pub(crate) use job::JobIndex;
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
    /// The job is done, and is removed.
    Settled,
    /// The job stays as it is: whoever settles it removes it, or a later look at the store finds it again.
    Left,
    /// Another job takes its place. That one is durable before this one is removed.
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
        Arc::new(Self { lanes: JobIndex::ALL.map(lane) })
    }

    /// Takes note of a job that is durable by now. If it is due soon it is done on time, else a later look at the store
    /// finds it.
    pub fn set(&self, job: Job) {
        self.lane(&job).set(job);
    }

    /// Forgets a job that is settled.
    pub fn forget(&self, job: &Job) {
        self.lane(job).forget(job);
    }

    /// Looks for jobs that are long overdue, as after jobs were written late.
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
