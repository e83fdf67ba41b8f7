//! The work of one place: what is due soon is held in memory and done on time, looks at the store find what others have
//! set, and sweeps find what was left.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hitl_core::Timestamp;
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;

use super::job::{Job, JobIndex, Kind};
use super::pace::{self, Pace};
use super::window::Window;
use super::{Done, Failure, Handler, Handlers};
use crate::clock::Clock;
use crate::error::Error;
use crate::random::{self, Random};
use crate::{DELIVER, Disk, EventStore};

/// See the module.
#[derive(Debug)]
pub(super) struct Lane {
    place: JobIndex,
    pace: &'static Pace,
    store: Arc<EventStore>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    window: Mutex<Window>,
    /// There is something in the window that is due before what was the nearest.
    nearer: Notify,
    /// There may be jobs that no look reached.
    unseen: Notify,
    doing: Arc<Semaphore>,
    /// Kinds without a handler that the log has named.
    unknown: Mutex<BTreeSet<Kind>>,
}

impl Lane {
    pub(super) fn new(
        place: JobIndex,
        store: Arc<EventStore>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Arc<Self> {
        let pace = pace::of(place);
        let doing = Arc::new(Semaphore::new(pace.doing_max));
        let (nearer, unseen) = (Notify::new(), Notify::new());
        let (window, unknown) = Default::default();
        Arc::new(Self { place, pace, store, clock, random, window, nearer, unseen, doing, unknown })
    }

    pub(super) fn place(&self) -> JobIndex {
        self.place
    }

    /// See [`super::Jobs::set`].
    pub(super) fn set(&self, job: Job) {
        if job.due.ms_since(self.clock.now()) < pace::HELD_MS {
            let nearest = self.window().insert(job.due, job);
            if nearest {
                self.nearer.notify_one();
            }
        }
    }

    /// See [`super::Jobs::forget`].
    pub(super) fn forget(&self, job: &Job) {
        self.window().remove(job);
    }

    /// See [`super::Jobs::sweep`].
    pub(super) fn sweep_soon(&self) {
        self.unseen.notify_one();
    }

    /// Does what is due, for as long as it is polled.
    pub(super) async fn run(self: Arc<Self>, handlers: &Arc<Handlers>, tasks: &TaskTracker) {
        tokio::join!(
            self.do_on_time(handlers, tasks),
            self.look_ahead(handlers),
            self.do_overdue(handlers, tasks)
        );
    }

    async fn do_on_time(self: &Arc<Self>, handlers: &Arc<Handlers>, tasks: &TaskTracker) {
        loop {
            self.do_due(handlers, tasks).await;
            self.until_due().await;
        }
    }

    async fn do_due(self: &Arc<Self>, handlers: &Arc<Handlers>, tasks: &TaskTracker) {
        self.window().resume(self.clock.monotonic());
        if self.is_held() {
            return;
        }
        let due = self.window().take_due(self.clock.now());
        for job in due {
            self.start(job, handlers, tasks).await;
        }
    }

    /// Completes when something may be due, or the clock may be right again.
    async fn until_due(&self) {
        let nearest = self.window().nearest().filter(|_| !self.is_held());
        let nearest = async {
            match nearest {
                Some(nearest) => self.clock.sleep_until(nearest).await,
                None => std::future::pending().await,
            }
        };
        let later = self.clock.monotonic().plus_ms(pace::HELD_BACK_MS);
        let later = self.window().nearest_failed().map_or(later, |failed| failed.min(later));
        tokio::select! {
            biased;
            () = self.nearer.notified() => {}
            () = nearest => {}
            () = self.clock.pause_until(later) => {}
        }
    }

    /// Works beside the rest, so that a slow look does not delay what is due now.
    async fn look_ahead(&self, handlers: &Handlers) {
        let mut scanned = self.clock.now();
        loop {
            let next_scan = self.clock.monotonic().plus_ms(self.pace.scan_ms);
            let now = self.clock.now();
            match self.scan(scanned, now, handlers).await {
                Ok(()) => {
                    if now.ms_since(scanned).abs() > pace::BACK_MS_MAX {
                        self.unseen.notify_one();
                    }
                    scanned = now;
                }
                Err(error) => log_failure(&error),
            }
            self.nearer.notify_one();
            self.clock.pause_until(next_scan).await;
        }
    }

    /// Works beside the rest too, so that a long backlog does not delay what is due now.
    async fn do_overdue(self: &Arc<Self>, handlers: &Arc<Handlers>, tasks: &TaskTracker) {
        loop {
            let pause_ms = if self.is_held() {
                pace::HELD_BACK_MS
            } else {
                match self.sweep(self.clock.now(), handlers, tasks).await {
                    Ok(()) => pace::SWEEP_MS,
                    Err(error) => {
                        log_failure(&error);
                        pace::HELD_BACK_MS
                    }
                }
            };
            tokio::select! {
                biased;
                () = self.unseen.notified() => {}
                () = self.clock.pause_until(self.clock.monotonic().plus_ms(pause_ms)) => {}
            }
        }
    }

    /// Does everything that was due in an earlier minute, however much it is: what came due while nobody ran, and what
    /// failed.
    async fn sweep(
        self: &Arc<Self>,
        now: Timestamp,
        handlers: &Arc<Handlers>,
        tasks: &TaskTracker,
    ) -> Result<(), Error> {
        let last = now.plus_ms(-pace::MINUTE_MS);
        for minute in self.store.job_minutes_until(self.place, last).await? {
            for job in self.store.jobs_of_minute(self.place, minute).await?.found {
                if self.is_ours(&job, handlers) && self.window().claim(&job) {
                    self.start(job, handlers, tasks).await;
                }
            }
        }
        Ok(())
    }

    /// Takes into memory what is due soon, and what came due since the last look, at `scanned`.
    async fn scan(
        &self,
        scanned: Timestamp,
        now: Timestamp,
        handlers: &Handlers,
    ) -> Result<(), Error> {
        let farthest = now.plus_ms(-pace::BACK_MS_MAX);
        // A clock that has stepped back was ahead, nobody knows since when, and looked past what is due by now.
        let is_back = now < scanned;
        let back =
            if is_back { farthest } else { scanned.plus_ms(-self.pace.back_ms).max(farthest) };
        let mut minute = back.plus_ms(-(back.ms() % pace::MINUTE_MS));
        while minute <= now.plus_ms(self.pace.ahead_ms) {
            let jobs = self.store.jobs_of_minute(self.place, minute).await?;
            let next = minute.plus_ms(pace::MINUTE_MS);
            let mut window = self.window();
            // What is not listed because it cannot be read is still owed.
            if jobs.damaged.is_empty() {
                window.forget_absent(minute..next, &jobs.found);
            }
            for job in jobs.found.into_iter().filter(|job| self.is_ours(job, handlers)) {
                let grace_ms = self.grace_ms(&job.kind);
                window.insert_found(job.due.plus_ms(grace_ms), job);
            }
            minute = next;
        }
        Ok(())
    }

    /// Whether there is a handler for `job`. The log names each kind for which there is none once.
    fn is_ours(&self, job: &Job, handlers: &Handlers) -> bool {
        if handlers.contains_key(&job.kind) {
            return true;
        }
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if unknown.insert(job.kind.clone()) {
            let kind = &job.kind;
            tracing::warn!(%kind, %job, "jobs of an unknown kind are left to a newer server");
        }
        false
    }

    /// How long a job is left to the replica that may have set it.
    fn grace_ms(&self, kind: &Kind) -> i64 {
        if !self.store.is_shared() {
            return 0;
        }
        let least_ms = if *kind == DELIVER { pace::DELIVERY_GRACE_MS } else { pace::GRACE_MS };
        let grace = least_ms.unsigned_abs();
        let number = u64::from_be_bytes(random::bytes(&*self.random));
        i64::try_from(grace + number % (grace + grace / 2)).expect("it is small")
    }

    async fn start(self: &Arc<Self>, job: Job, handlers: &Arc<Handlers>, tasks: &TaskTracker) {
        let Some(handler) = handlers.get(&job.kind).cloned() else {
            self.window().settled(&job);
            return;
        };
        let permit =
            self.doing.clone().acquire_owned().await.expect("the semaphore is never closed");
        let lane = self.clone();
        tasks.spawn(async move {
            let _permit = permit;
            match lane.attempt(&job, &handler).await {
                Ok(()) => lane.window().settled(&job),
                Err(error) => lane.failed(job, &error).await,
            }
        });
    }

    async fn attempt(&self, job: &Job, handler: &Handler) -> Result<(), Failure> {
        match handler(job.clone()).await? {
            Done::Settled => self.store.remove_job(job).await?,
            Done::Left => {}
            Done::Then(next) => self.replace(job, next).await?,
        }
        Ok(())
    }

    /// Puts `next` in the place of `job`. A crash between the two writes leaves both, which is harmless.
    async fn replace(&self, job: &Job, next: Job) -> Result<(), Error> {
        self.store.put_job(&next).await?;
        if next != *job {
            self.store.remove_job(job).await?;
            self.set(next);
        }
        Ok(())
    }

    async fn failed(&self, job: Job, error: &Failure) {
        let failures = self.window().fail(&job);
        tracing::warn!(%job, failures, %error, "a job failed and will be done again");
        if failures >= self.pace.failures_max {
            let later = Job { due: self.clock.now().plus_ms(pace::LATER_MS), ..job.clone() };
            match self.replace(&job, later).await {
                Ok(()) => return self.window().settled(&job),
                Err(error) => tracing::warn!(%job, %error, "a job could not be put off"),
            }
        }
        let again = self.clock.monotonic().plus_ms(pace::retry_ms(self.pace, failures));
        self.window().postpone(job, again);
        self.nearer.notify_one();
    }

    /// While the clock is wrong nothing is due, and while not even the reserve of the disk is left nothing can be
    /// ended: each job would only fail, again and again.
    fn is_held(&self) -> bool {
        self.store.skew().off_ms().is_some() || self.store.disk().is_some_and(Disk::is_exhausted)
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log_failure(error: &Error) {
    tracing::warn!(%error, "the jobs could not be read and will be again");
}
