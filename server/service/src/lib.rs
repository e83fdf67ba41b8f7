//! The use cases, free of any transport: ask, end, look, wait.
//!
//! Each is: read, let the domain decide, make it durable, and only then tell anyone. What has begun
//! is finished in a task of its own, so that a caller who hangs up between the write and the
//! telling takes nobody's wake-up with it.

mod audit;
mod background;
mod create;
pub mod deliveries;
mod disk;
mod end;
pub mod error;
mod filter;
mod jobs;
mod links;
mod list;
mod machine;
mod metrics;
pub mod quotas;
mod receipts;
mod remind;
mod retention;
mod search;
mod session;
mod sign_out;
mod sweep;
mod thread;
mod tokens;
mod votes;
mod wait;
mod waiters;
mod waits;
mod watch;

use std::sync::Arc;

use hitl_core::{Event, EventKey, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use audit::{AuditFollow, AuditPage, AuditQuery};
pub use background::Background;
pub use create::{Created, event_id_of};
pub use error::Error;
pub use filter::{Facets, Filter};
pub use links::{Link, NamespaceHint, namespace_hint};
pub use list::{ListQuery, Page};
use metrics::Metrics;
use quotas::{Pending, Quotas};
pub use search::{Hits, SearchQuery, Sort};
pub use session::Session;
pub use tokens::{Made, NewToken, Standing, TokenPage};
pub use wait::Wait;
pub use waiters::{FailedWait, Owner, SHARING};
pub use waits::{Over, Waits};
pub use watch::{Change, ChangeKind, WATCHES_MAX, Watch, Watched};

use crate::deliveries::Deliveries;
use crate::links::KnownNamespaces;
use crate::tokens::Tokens;
use crate::waiters::{Reads, Waiters};
use crate::watch::Watches;
use hitl_store::announcements::{Announcements, Follower};
use hitl_store::clock::Clock;
use hitl_store::jobs::Jobs;
use hitl_store::random::{self, Random};
use hitl_store::{Disk, EventStore, Nonce};

/// The use cases of one replica. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service(Arc<Parts>);

/// Bounds on what callers may have.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most waits at a time.
    pub waits_max: usize,
    /// What of everything one of them may have.
    pub quotas: Quotas,
}

/// So many waits at a time, and no quotas.
impl From<usize> for Bounds {
    fn from(waits_max: usize) -> Self {
        Self { waits_max, quotas: Quotas::none() }
    }
}

#[derive(Debug)]
struct Parts {
    store: Arc<EventStore>,
    jobs: Arc<Jobs>,
    waiters: Arc<Waiters>,
    watches: Arc<Watches>,
    /// For whom what is pending counts.
    pending: Pending,
    tokens: Tokens,
    namespaces: KnownNamespaces,
    search: search::Search,
    audit: audit::Audit,
    deliveries: Deliveries,
    /// Notified when somebody begins to wait or to watch.
    arrived: Arc<Notify>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    metrics: Metrics,
    background: Background,
    /// Work that outlives the call that began it.
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Service {
    /// The use cases over `store`, within `bounds`. `shutdown` ends all waits. What takes long to compute is computed
    /// in the `background`.
    pub fn new(
        store: EventStore,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        bounds: impl Into<Bounds>,
        shutdown: CancellationToken,
        background: Background,
    ) -> Self {
        let Bounds { waits_max, quotas } = bounds.into();
        let store = Arc::new(store);
        let jobs = Jobs::new(&store, &clock, &random);
        let arrived = Arc::<Notify>::default();
        let waiters = Waiters::new(waits_max, quotas, arrived.clone());
        let watches = Watches::new(quotas, arrived.clone());
        let pending = Pending::new(quotas, store.is_shared());
        let metrics = Metrics::new(store.metrics(), store.disk().is_some());
        let tasks = TaskTracker::new();
        let parts = Parts {
            store,
            jobs,
            waiters,
            watches,
            pending,
            tokens: Tokens::default(),
            namespaces: KnownNamespaces::default(),
            search: search::Search::default(),
            audit: audit::Audit::default(),
            deliveries: Deliveries::default(),
            arrived,
            clock,
            random,
            metrics,
            background,
            tasks,
            shutdown,
        };
        Self(Arc::new(parts))
    }

    /// Does what is to be done unasked, until the shutdown: does jobs, and follows what other replicas announce.
    pub async fn run(&self) {
        let Parts { store, jobs, waiters, watches, arrived, clock, tasks, shutdown, .. } = &*self.0;
        let jobs = jobs.run(jobs::handlers(self), tasks.clone(), shutdown.clone());
        let reads = Arc::new(Reads::new(store.clone(), waiters.clone(), clock.clone()));
        let followers: Vec<Arc<dyn Follower>> = vec![reads.clone(), watches.clone()];
        let announcements =
            Announcements::new(store.clone(), clock.clone(), followers, arrived.clone());
        let announcements = announcements.run(shutdown.clone());
        let reads = async {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {}
                () = reads.run() => {}
            }
        };
        tokio::join!(
            jobs,
            announcements,
            reads,
            self.sweep_announcements(),
            self.owe_removals(),
            self.watch_disk(),
            self.count_pending(),
            self.watch_tokens(),
            self.keep_search(),
            self.write_audit(),
            self.follow_channels()
        );
    }

    /// Waits until everything that was begun is finished. To be called after the shutdown.
    pub async fn finish(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.finish_audit().await;
    }

    /// See [`Session::get`](crate::Session::get).
    pub(crate) async fn get(&self, key: &EventKey) -> Result<Event, Error> {
        let read_at = self.0.store.read_at();
        let event = self.read(key).await?;
        match self.now() {
            Ok(now) if event.is_overdue(now) => self.end_overdue(event, read_at).await,
            _ => Ok(event),
        }
    }

    /// Whether calls can be served.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`], [`Error::StoreGone`], [`Error::DiskFull`], [`Error::ClockOff`], and those of the store.
    pub async fn ready(&self) -> Result<(), Error> {
        if self.0.shutdown.is_cancelled() {
            return Err(Error::ShuttingDown);
        }
        if let Some(disk) = self.0.store.disk() {
            disk.check_place()?;
        }
        // First of all, since its reply shows what time it is there: the clock may be right by now.
        self.0.store.check().await?;
        if self.0.store.disk().is_some_and(Disk::is_full) {
            return Err(Error::DiskFull);
        }
        match self.0.store.skew().off_ms() {
            Some(ahead_ms) if self.0.store.skew().is_lasting(self.0.clock.monotonic()) => {
                Err(Error::ClockOff { ahead_ms })
            }
            _ => Ok(()),
        }
    }

    /// Whether no event is pending and nobody waits, so that nothing is lost if the process ends.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn is_idle(&self) -> Result<bool, Error> {
        let idle =
            self.0.waiters.count() == 0 && self.0.watches.count() == 0 && self.0.tasks.is_empty();
        Ok(idle && self.pending_is_empty().await?)
    }

    /// Where what takes long to compute is computed.
    pub fn background(&self) -> &Background {
        &self.0.background
    }

    /// The clock that everything here goes by.
    pub fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// The randomness that everything here draws on.
    pub fn random(&self) -> &dyn Random {
        &*self.0.random
    }

    /// The time, if it can be relied on.
    ///
    /// # Errors
    /// [`Error::ClockOff`].
    fn now(&self) -> Result<Timestamp, Error> {
        match self.0.store.skew().off_ms() {
            Some(ahead_ms) => Err(Error::ClockOff { ahead_ms }),
            None => Ok(self.0.clock.now()),
        }
    }

    async fn read(&self, key: &EventKey) -> Result<Event, Error> {
        let event = self.0.store.read(key).await?.ok_or_else(|| Error::NotFound(key.clone()))?;
        if event.response.is_some() {
            // Perhaps it ended elsewhere, and too long ago to be listed as announced.
            self.0.waiters.ended(&event);
            self.0.pending.found_ended(key);
        }
        Ok(event)
    }

    fn nonce(&self) -> Nonce {
        Nonce(random::bytes(&*self.0.random))
    }

    /// Runs `work` to its end, even if the caller goes away.
    async fn finish_anyway<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let done = self.0.tasks.spawn(work).await;
        done.unwrap_or_else(|panic| Err(Error::Internal(panic.to_string())))
    }
}

#[cfg(test)]
mod held;
#[cfg(test)]
mod history_tests;
#[cfg(test)]
mod quotas_tests;
#[cfg(test)]
mod replicas_tests;
#[cfg(test)]
mod retention_tests;
#[cfg(test)]
mod steps_tests;
#[cfg(test)]
mod tests;
