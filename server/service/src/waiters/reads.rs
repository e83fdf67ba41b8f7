//! Reads of events that may have ended on another server, until it is known whether they have.
//!
//! They run beside the listings of announcements, so that neither many reads nor a slow one delay those. An event whose
//! end is announced and not recorded yet is read again for a while. An event whose announcement may have been missed is
//! read once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hitl_core::{EventKey, Timestamp};
use tokio::sync::Notify;

use crate::waiters::Waiters;
use crate::waiters::queue::{Queue, Seen};
use hitl_store::announcements::{Follower, LOOK_BACK_MS};
use hitl_store::clock::Clock;
use hitl_store::{Entry, EventStore, Index};

/// Events read at the same time.
const READING_MAX: usize = 32;

/// See the module.
#[derive(Debug)]
pub(crate) struct Reads {
    store: Arc<EventStore>,
    waiters: Arc<Waiters>,
    clock: Arc<dyn Clock>,
    queue: Mutex<Queue>,
    added: Notify,
}

/// Ends on other replicas are followed while anybody waits here, and updates while anybody wants to hear of them. A
/// store of one process needs none of it: there the call that updates or ends an event tells those who wait.
impl Follower for Reads {
    fn follows(&self, index: Index) -> bool {
        let is_wanted = match index {
            Index::Resolved => self.waiters.count() > 0,
            Index::Updated => self.waiters.heeding() > 0,
            Index::Timers | Index::Created => false,
        };
        is_wanted && self.store.is_shared()
    }

    /// If anybody waits for the event, it is read until its announced end is recorded. An update is recorded when it is
    /// announced, and told once.
    fn announced(&self, index: Index, entry: &Entry) {
        if !self.waiters.awaits(&entry.key) {
            return;
        }
        if index == Index::Updated {
            self.waiters.updated(entry);
            return;
        }
        self.queue().announce(entry.key.clone(), self.clock.monotonic());
        self.added.notify_one();
    }

    fn covered(&self, until: Timestamp) {
        self.waiters.forget_told(until.plus_ms(-2 * LOOK_BACK_MS));
    }

    /// Every event that somebody waits for is read once.
    fn missed(&self) {
        let moment = self.clock.monotonic();
        for key in self.waiters.awaited() {
            self.waiters.may_be_updated(&key);
            self.queue().check(key, moment);
        }
        self.added.notify_one();
    }
}

impl Reads {
    /// The reads for `waiters`.
    pub(crate) fn new(
        store: Arc<EventStore>,
        waiters: Arc<Waiters>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, waiters, clock, queue: Mutex::default(), added: Notify::new() }
    }

    /// Reads, for as long as it is polled.
    pub(crate) async fn run(&self) {
        let mut reading = FuturesUnordered::new();
        loop {
            while reading.len() < READING_MAX
                && let Some(key) = self.next()
            {
                reading.push(self.read(key));
            }
            let wake = self.queue().nearest().filter(|_| reading.len() < READING_MAX);
            let wake = async {
                match wake {
                    Some(moment) => self.clock.pause_until(moment).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some(()) = reading.next() => {}
                () = self.added.notified() => {}
                () = wake => {}
            }
        }
    }

    /// The next event whose turn has come and for which somebody still waits.
    fn next(&self) -> Option<EventKey> {
        loop {
            let key = self.queue().take(self.clock.monotonic())?;
            if self.waiters.awaits(&key) {
                return Some(key);
            }
            self.queue().forget(&key);
        }
    }

    async fn read(&self, key: EventKey) {
        let seen = match self.store.read(&key).await {
            Ok(Some(event)) if event.response.is_some() => {
                self.waiters.ended(&event);
                Seen::Ended
            }
            Ok(_) => Seen::Pending,
            Err(error) => {
                tracing::debug!(%error, "an event could not be read and will be again");
                Seen::Nothing
            }
        };
        self.queue().done(key, seen, self.clock.monotonic());
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
