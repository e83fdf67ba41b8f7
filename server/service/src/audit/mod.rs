//! The audit: who got in, who was refused, and what changed about who may do what.
//!
//! What changes something is written before its caller is told, unless the store takes too long for that. Refusals are
//! gathered, so that whoever is refused ten thousand times a second has one entry a minute; they are written within a
//! second, or a minute if they are like others before. Nothing here fails a call: what the store does not take is tried
//! again, and given up only when there is too much of it.

mod follow;
mod read;
mod refusals;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hitl_core::{Action, Actor, AuditEntry, Audited};
use hitl_store::{AuditBatch, BatchId, random};
use tokio::sync::{Notify, Semaphore};

pub use follow::AuditFollow;
pub use read::{AuditPage, AuditQuery};

use crate::{Service, Session};
use refusals::Refusals;

/// How long a call waits for its entry to be written.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time in which entries are gathered.
const GATHER_MS: i64 = 500;
/// Pause before the store is asked again that has failed.
const AGAIN_MS: i64 = 30_000;
/// Most entries of one object.
const BATCH_MAX: usize = 100;
/// Most objects that wait for a store that fails. The oldest make room.
const WAITING_MAX: usize = 256;
/// Most who follow the audit at a time.
const FOLLOWERS_MAX: usize = 16;

/// What of the audit is not written yet, and who follows it.
#[derive(Debug)]
pub(crate) struct Audit {
    held: Mutex<Held>,
    arrived: Notify,
    followers: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Held {
    refusals: Refusals,
    /// What the store has not taken yet.
    waiting: VecDeque<AuditBatch>,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            held: Mutex::default(),
            arrived: Notify::new(),
            followers: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
        }
    }
}

impl Audit {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, hold: impl FnOnce(&mut Held)) {
        hold(&mut self.held());
        self.arrived.notify_one();
    }
}

impl Held {
    fn is_empty(&self) -> bool {
        self.refusals.is_empty() && self.waiting.is_empty()
    }

    /// Has `batch` wait for the store again. Returns how many have no room any more.
    fn wait(&mut self, batch: AuditBatch) -> usize {
        self.waiting.push_back(batch);
        let lost = self.waiting.len().saturating_sub(WAITING_MAX);
        self.waiting.drain(..lost);
        lost
    }
}

impl Session {
    /// Whether the principal may do `action`. That it may not is written down.
    pub(crate) fn may(&self, action: Action<'_>) -> Result<(), crate::Error> {
        self.principal().authorize(action).map_err(|denied| {
            self.service().audit_refusal(self.actor(), Audited::refused(action, denied.name()));
            denied.into()
        })
    }

    /// Writes down that the principal did `what`. See [`Service::audit`].
    pub(crate) async fn audit(&self, what: Audited) {
        self.service().audit(self.actor(), what).await;
    }
}

impl Service {
    /// Writes down that `actor` did `what`. Returns when that is durable; or after two seconds, and then it is written
    /// as soon as the store takes it.
    pub async fn audit(&self, actor: Actor, what: Audited) {
        let batch = self.batch(vec![what.entry(actor, self.0.clock.now())]);
        let service = self.clone();
        let written = self.0.tasks.spawn(async move { service.write_or_hold(batch).await });
        if tokio::time::timeout(PATIENCE, written).await.is_err() {
            tracing::warn!("an entry of the audit is not written yet: the store takes long");
        }
    }

    /// Writes down that `actor` was refused `what`: within a second, or with a count within a minute if that is like
    /// others before. Returns at once.
    pub fn audit_refusal(&self, actor: Actor, what: Audited) {
        let entry = what.entry(actor, self.0.clock.now());
        self.0.audit.hold(|held| held.refusals.add(entry));
    }

    /// Writes what is gathered, until the shutdown.
    pub(crate) async fn write_audit(&self) {
        let Self(parts) = self;
        loop {
            tokio::select! {
                biased;
                () = parts.shutdown.cancelled() => return,
                () = parts.audit.arrived.notified() => {}
            }
            let mut pause_ms = GATHER_MS;
            while !parts.audit.held().is_empty() {
                let next = parts.clock.monotonic().plus_ms(pause_ms);
                tokio::select! {
                    biased;
                    () = parts.shutdown.cancelled() => return,
                    () = parts.clock.pause_until(next) => {}
                }
                let now = parts.clock.now();
                let due = parts.audit.held().refusals.due(now);
                pause_ms = if self.flush_audit(due).await { GATHER_MS } else { AGAIN_MS };
            }
        }
    }

    /// Writes all that is there yet. To be called after the shutdown.
    pub(crate) async fn finish_audit(&self) {
        let rest = self.0.audit.held().refusals.rest();
        self.flush_audit(rest).await;
    }

    /// Writes what waits, and `refusals`. Whether the store took all of it.
    async fn flush_audit(&self, refusals: Vec<AuditEntry>) -> bool {
        let mut batches = std::mem::take(&mut self.0.audit.held().waiting);
        batches.extend(refusals.chunks(BATCH_MAX).map(|some| self.batch(some.to_vec())));
        let mut all = true;
        for batch in batches {
            all &= self.write_or_hold(batch).await;
        }
        all
    }

    /// Whether the store took `batch`. If not, it waits.
    async fn write_or_hold(&self, batch: AuditBatch) -> bool {
        let Err(error) = self.0.store.write_audit(&batch).await else { return true };
        tracing::warn!(%error, "the audit could not be written and will be again");
        let mut lost = 0;
        self.0.audit.hold(|held| lost = held.wait(batch));
        if lost > 0 {
            tracing::error!(lost, "parts of the audit are lost: the store has failed for long");
        }
        false
    }

    fn batch(&self, entries: Vec<AuditEntry>) -> AuditBatch {
        let tag = u64::from_be_bytes(random::bytes(&*self.0.random));
        AuditBatch::new(BatchId { time: self.0.clock.now(), tag }, entries)
    }
}

#[cfg(test)]
mod tests;
