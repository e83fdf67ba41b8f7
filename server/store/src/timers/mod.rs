//! Durable timers: yields what is due, on time if this process lives, at its next start if it did not.
//!
//! What is owed stands in the store's index, one key per debt. Memory holds only what is due soon, so a million
//! pending events cost nothing here and a restart takes the same time with ten pending or ten million. This module
//! knows nothing of events: it hands over an [`Entry`] that is due, and whoever takes it removes it when nothing is
//! owed any more. Late is possible, early and lost are not, twice is harmless.
//!
//! On a shared store every replica sees every timer. The one that set it fires it on time; the others wait a little,
//! each for a time of its own, and then find nothing owed any more, unless the first is dead.

mod window;

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use hitl_core::Timestamp;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::error::Error;
use crate::random::{self, Random};
use crate::{Disk, Entry, EventStore, Index, PlantedFault};
use window::Window;

/// Time between two looks at the store for timers that other processes have set.
const SCAN_MS: i64 = 5_000;
/// How far ahead such a look reaches: well beyond the next one.
const AHEAD_MS: i64 = 10_000;
/// How far back before the look before: a timer may take its time to the store.
const BACK_MS: i64 = 10_000;
/// Farthest that a look reaches back after a time without the store, or a step of the clock; what is older is swept up.
const BACK_MS_MAX: i64 = 15 * MINUTE_MS;
/// How far ahead timers that were set here are held.
const HELD_MS: i64 = 2 * MINUTE_MS;
/// Time between two looks for what should have fired long ago, and has not.
const SWEEP_MS: i64 = 10 * MINUTE_MS;
/// Length of a part of the index.
const MINUTE_MS: i64 = 60_000;
/// Pause before a timer whose firing failed fires again.
const RETRY_MS: i64 = 1_000;
/// How long the timers of other replicas are left to them at least; at most twice that and a half.
const GRACE_MS: u64 = 600;
/// Most timers that fire at the same time.
const FIRING_MAX: usize = 512;

/// Why a timer failed to fire: for the log.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
/// Settles one due entry; see [`Timers::run`].
pub type Fire = Arc<dyn Fn(Entry) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// The timers of one store.
#[derive(Debug)]
pub struct Timers {
    store: Arc<EventStore>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    window: Mutex<Window>,
    /// There is something in the window that is due before what was the nearest.
    nearer: Notify,
    /// There may be timers that no look reached.
    unseen: Notify,
    firing: Arc<Semaphore>,
}

impl Timers {
    /// The timers of `store`, not running yet.
    pub fn new(
        store: Arc<EventStore>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Arc<Self> {
        let firing = Arc::new(Semaphore::new(FIRING_MAX));
        let (nearer, unseen) = (Notify::new(), Notify::new());
        let window = Mutex::default();
        Arc::new(Self { store, clock, random, window, nearer, unseen, firing })
    }

    /// Takes note of a timer that is durable by now. If it is due soon it fires on time, else a later scan finds it.
    pub fn set(&self, timer: Entry) {
        if timer.time.ms_since(self.clock.now()) < HELD_MS {
            let nearest = self.window().insert(timer.time, timer);
            if nearest {
                self.nearer.notify_one();
            }
        }
    }

    /// Forgets a timer that has nothing owed to it any more.
    pub fn forget(&self, timer: &Entry) {
        self.window().remove(timer);
    }

    /// Hands every entry to `fire` when it is due, until `shutdown`. What `fire` fails to settle is handed over again.
    pub async fn run(self: Arc<Self>, fire: Fire, tasks: TaskTracker, shutdown: CancellationToken) {
        let all = async {
            tokio::join!(
                self.fire_on_time(&fire, &tasks),
                self.look_ahead(),
                self.fire_overdue(&fire, &tasks)
            )
        };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            _ = all => {}
        }
    }

    async fn fire_on_time(self: &Arc<Self>, fire: &Fire, tasks: &TaskTracker) {
        loop {
            self.fire_due(fire, tasks).await;
            self.until_due().await;
        }
    }

    async fn fire_due(self: &Arc<Self>, fire: &Fire, tasks: &TaskTracker) {
        self.window().resume(self.clock.moment());
        if self.is_held() {
            return;
        }
        let due = self.window().take_due(self.clock.now());
        for timer in due {
            self.clone().start(timer, fire.clone(), tasks).await;
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
        let later = self.clock.moment().plus_ms(SCAN_MS);
        let later = self.window().nearest_failed().map_or(later, |failed| failed.min(later));
        tokio::select! {
            biased;
            () = self.nearer.notified() => {}
            () = nearest => {}
            () = self.clock.pause_until(later) => {}
        }
    }

    /// Works beside the rest, so that a slow look does not delay what is due now.
    async fn look_ahead(&self) {
        let mut scanned = self.clock.now();
        while !PlantedFault::DropTimersAtRestart.is_planted() {
            let next_scan = self.clock.moment().plus_ms(SCAN_MS);
            let now = self.clock.now();
            match self.scan(scanned, now).await {
                Ok(()) => {
                    if now.ms_since(scanned).abs() > BACK_MS_MAX {
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
    async fn fire_overdue(self: &Arc<Self>, fire: &Fire, tasks: &TaskTracker) {
        while !PlantedFault::DropTimersAtRestart.is_planted() {
            let pause_ms = if self.is_held() {
                SCAN_MS
            } else {
                match self.sweep(self.clock.now(), fire, tasks).await {
                    Ok(()) => SWEEP_MS,
                    Err(error) => {
                        log_failure(&error);
                        SCAN_MS
                    }
                }
            };
            tokio::select! {
                biased;
                () = self.unseen.notified() => {}
                () = self.clock.pause_until(self.clock.moment().plus_ms(pause_ms)) => {}
            }
        }
    }

    /// Fires everything that was due in an earlier minute, however many there are: what came due
    /// while nobody ran, and what failed to fire.
    async fn sweep(
        self: &Arc<Self>,
        now: Timestamp,
        fire: &Fire,
        tasks: &TaskTracker,
    ) -> Result<(), Error> {
        let start = Timestamp::from_ms(0).expect("the epoch is an instant");
        let last = now.plus_ms(-MINUTE_MS);
        let indexes = self.store.indexes();
        for minute in indexes.minutes(Index::Timers, start, last).await?.found {
            for timer in indexes.minute(Index::Timers, minute).await?.found {
                if self.window().claim(&timer) {
                    self.clone().start(timer, fire.clone(), tasks).await;
                }
            }
        }
        Ok(())
    }

    /// Takes into memory what is due soon, and what came due since the last scan, at `scanned`.
    async fn scan(&self, scanned: Timestamp, now: Timestamp) -> Result<(), Error> {
        let farthest = now.plus_ms(-BACK_MS_MAX);
        // A clock that has stepped back was ahead, nobody knows since when, and looked past what is due by now.
        let is_back = now < scanned;
        let back = if is_back { farthest } else { scanned.plus_ms(-BACK_MS).max(farthest) };
        let mut minute = back.plus_ms(-(back.ms() % MINUTE_MS));
        while minute <= now.plus_ms(AHEAD_MS) {
            let timers = self.store.indexes().minute(Index::Timers, minute).await?;
            let mut window = self.window();
            // What is not listed because it cannot be read is still owed.
            if timers.damaged.is_empty() {
                window.forget_absent(minute..minute.plus_ms(MINUTE_MS), &timers.found);
            }
            for timer in timers.found {
                let grace_ms = self.grace_ms();
                window.insert_found(timer.time.plus_ms(grace_ms), timer);
            }
            minute = minute.plus_ms(MINUTE_MS);
        }
        Ok(())
    }

    /// How long a timer is left to the replica that may have set it.
    fn grace_ms(&self) -> i64 {
        if !self.store.is_shared() {
            return 0;
        }
        let number = u64::from_be_bytes(random::bytes(&*self.random));
        i64::try_from(GRACE_MS + number % (GRACE_MS + GRACE_MS / 2)).expect("it is small")
    }

    async fn start(self: Arc<Self>, timer: Entry, fire: Fire, tasks: &TaskTracker) {
        let permit =
            self.firing.clone().acquire_owned().await.expect("the semaphore is never closed");
        tasks.spawn(async move {
            let _permit = permit;
            match fire(timer.clone()).await {
                Ok(()) => self.window().settled(&timer),
                Err(error) => {
                    tracing::warn!(%timer, %error, "a timer failed to fire and will again");
                    let again = self.clock.moment().plus_ms(RETRY_MS);
                    self.window().postpone(timer, again);
                    self.nearer.notify_one();
                }
            }
        });
    }

    /// While the clock is wrong nothing is due, and while not even the reserve of the disk is left nothing can be
    /// ended: each timer would only fail, again and again.
    fn is_held(&self) -> bool {
        self.store.skew().off_ms().is_some() || self.store.disk().is_some_and(Disk::is_exhausted)
    }

    fn window(&self) -> std::sync::MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log_failure(error: &Error) {
    tracing::warn!(%error, "the timers could not be read and will be again");
}

#[cfg(test)]
mod tests;
