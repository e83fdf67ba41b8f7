//! What readers and the writer share: the engine, the last durable snapshot, and whether the
//! store still works.
//!
//! Readers see the snapshot that the writer published after its last sync, never the engine's
//! latest state. The engine applies a batch to memory only after the sync, but promises that
//! nowhere; with the snapshot it does not have to, and a listing sees whole batches.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use fjall::{Database, Keyspace, Readable, Snapshot};

use crate::dir::LockedDir;
use crate::engine::Engine;
use crate::error::StoreError;

// Fields drop in this order: the engine closes before the directory is unlocked.
pub(crate) struct Shared {
    durable: RwLock<Arc<Snapshot>>,
    pub(crate) objects: Keyspace,
    pub(crate) db: Database,
    failure: OnceLock<String>,
    pub(crate) dir: LockedDir,
}

impl Shared {
    pub(crate) fn new(engine: Engine, dir: LockedDir) -> Self {
        Self {
            durable: RwLock::new(Arc::new(engine.db.snapshot())),
            objects: engine.objects,
            db: engine.db,
            failure: OnceLock::new(),
            dir,
        }
    }

    /// The last durable state, or why there is none to trust.
    pub(crate) fn durable(&self) -> Result<Arc<Snapshot>, StoreError> {
        self.check()?;
        let durable = self.durable.read().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(&durable))
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<fjall::Slice>, StoreError> {
        Ok(self.durable()?.get(&self.objects, key)?)
    }

    /// Makes everything committed so far visible; only the writer calls this, after a sync.
    pub(crate) fn publish(&self) {
        let latest = Arc::new(self.db.snapshot());
        *self.durable.write().unwrap_or_else(PoisonError::into_inner) = latest;
    }

    /// An error once the store has stopped.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.failure.get() {
            None => Ok(()),
            Some(_) => Err(self.stopped()),
        }
    }

    /// Stops the store for good; the first reason stays.
    pub(crate) fn stop(&self, reason: &str) {
        self.failure.get_or_init(|| reason.to_owned());
    }

    pub(crate) fn stopped(&self) -> StoreError {
        let reason = self.failure.get().map_or("it is closing", String::as_str);
        StoreError::Stopped { reason: reason.to_owned() }
    }
}
