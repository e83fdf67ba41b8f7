//! Durable timers: yields what is due, on time if this process lives, at its next start if it did not.
//!
//! What is owed stands in the store's index, one key per debt. Memory holds only what is due in
//! this minute and the next, so a million pending events cost nothing here and a restart takes the
//! same time with ten pending or ten million. This module knows nothing of events: it hands over an
//! [`Entry`] that is due, and whoever takes it removes it when nothing is owed any more. Late is
//! possible, early and lost are not, twice is harmless.

mod window;

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use hitl_core::Timestamp;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::error::Error;
use crate::store::{Entry, EventStore, Index, PlantedFault};
use window::Window;

/// Time between two looks at the store for timers that other processes have set.
const SCAN_MS: i64 = 5_000;
/// Time between two looks for what should have fired long ago, and has not.
const SWEEP_MS: i64 = 60_000;
/// Length of a part of the index.
const MINUTE_MS: i64 = 60_000;
/// Pause before a timer whose firing failed fires again.
const RETRY_MS: i64 = 1_000;
/// Most timers that fire at the same time.
const FIRING_MAX: usize = 512;

/// Settles one due entry; see [`Timers::run`].
pub type Fire = Arc<dyn Fn(Entry) -> BoxFuture<'static, Result<(), Error>> + Send + Sync>;

/// The timers of one store.
#[derive(Debug)]
pub struct Timers {
    store: Arc<EventStore>,
    clock: Arc<dyn Clock>,
    window: Mutex<Window>,
    nearer: Notify,
    firing: Arc<Semaphore>,
}

impl Timers {
    /// The timers of `store`, not running yet.
    pub fn new(store: Arc<EventStore>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let firing = Arc::new(Semaphore::new(FIRING_MAX));
        Arc::new(Self { store, clock, window: Mutex::default(), nearer: Notify::new(), firing })
    }

    /// Takes note of a timer that is durable by now. If it is due soon it fires on time, else a later scan finds it.
    pub fn set(&self, timer: Entry) {
        if timer.time < self.window_end() {
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
        let both = async {
            tokio::join!(self.fire_on_time(&fire, &tasks), self.fire_overdue(&fire, &tasks))
        };
        tokio::select! {
            _ = both => {}
            () = shutdown.cancelled() => {}
        }
    }

    async fn fire_on_time(self: &Arc<Self>, fire: &Fire, tasks: &TaskTracker) {
        let mut next_scan = self.clock.now();
        if PlantedFault::DropTimersAtRestart.is_planted() {
            next_scan = next_scan.plus_ms(i64::MAX);
        }
        loop {
            let now = self.clock.now();
            if now >= next_scan {
                log_failure(self.scan(now).await);
                next_scan = now.plus_ms(SCAN_MS);
            }
            let due = self.window().take_due(now);
            for timer in due {
                self.clone().start(timer, fire.clone(), tasks).await;
            }
            let nearest = self.window().nearest();
            let wake = nearest.map_or(next_scan, |nearest| nearest.min(next_scan));
            tokio::select! {
                () = self.clock.sleep_until(wake) => {}
                () = self.nearer.notified() => {}
            }
        }
    }

    /// Works beside the rest, so that a long backlog does not delay what is due now.
    async fn fire_overdue(self: &Arc<Self>, fire: &Fire, tasks: &TaskTracker) {
        while !PlantedFault::DropTimersAtRestart.is_planted() {
            let now = self.clock.now();
            log_failure(self.sweep(now, fire, tasks).await);
            self.clock.sleep_until(now.plus_ms(SWEEP_MS)).await;
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
        for minute in indexes.minutes(Index::Timers, start, last).await? {
            for timer in indexes.minute(Index::Timers, minute).await? {
                if self.window().claim(&timer) {
                    self.clone().start(timer, fire.clone(), tasks).await;
                }
            }
        }
        Ok(())
    }

    /// Takes what is due in this minute and the next into memory.
    async fn scan(&self, now: Timestamp) -> Result<(), Error> {
        for minute in [now, now.plus_ms(MINUTE_MS)] {
            let timers = self.store.indexes().minute(Index::Timers, minute).await?;
            let mut window = self.window();
            for timer in timers {
                window.insert(timer.time, timer);
            }
        }
        Ok(())
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
                    let again = self.clock.now().plus_ms(RETRY_MS);
                    self.window().postpone(timer, again);
                    self.nearer.notify_one();
                }
            }
        });
    }

    fn window_end(&self) -> Timestamp {
        let now = self.clock.now();
        now.plus_ms(2 * MINUTE_MS - now.ms() % MINUTE_MS)
    }

    fn window(&self) -> std::sync::MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log_failure(result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!(%error, "the timers could not be read and will be again");
    }
}
