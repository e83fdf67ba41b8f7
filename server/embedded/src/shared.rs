//! What readers and the writer share: the engine, the last durable snapshot, the room on the disk, and whether the
//! store still works.
//!
//! Readers see the snapshot that the writer published after its last sync, never the engine's
//! latest state. The engine applies a batch to memory only after the sync, but promises that
//! nowhere; with the snapshot it does not have to, and a listing sees whole batches.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use fjall::{AbstractTree, Database, Keyspace, Readable, Snapshot};

use crate::compaction::Gate;
use crate::damage;
use crate::dir::LockedDir;
use crate::engine::{self, Engine, REMEDY, Work};
use crate::error::StoreError;
use crate::key::{self, KeyRange};
use crate::options::OnFatal;
use crate::place::Place;
use crate::reserve::{Floor, Reserve, Room};

/// Most bytes that are written to a damaged store, which stay in memory.
const UNMOVED_BYTES_MAX: u64 = 64 << 20;
/// With four the engine stalls.
const UNMOVED_MEMTABLES_MAX: usize = 2;
/// From 20 tables on that are not merged the engine slows writers down, and with 30 it stops them.
const UNMERGED_TABLES_MAX: usize = 18;

// Fields drop in this order: the engine closes before the directory is unlocked.
pub(crate) struct Shared {
    durable: RwLock<Arc<Snapshot>>,
    pub(crate) objects: Keyspace,
    pub(crate) db: Database,
    pub(crate) gate: Arc<Gate>,
    failure: OnceLock<String>,
    on_fatal: OnFatal,
    pub(crate) reserve: Arc<Reserve>,
    place: Place,
    /// Files that were found to be damaged, each of which is logged once.
    damaged: Mutex<BTreeSet<PathBuf>>,
    pub(crate) work: Work,
    pub(crate) dir: LockedDir,
}

impl Shared {
    pub(crate) fn new(
        engine: Engine,
        dir: LockedDir,
        place: Place,
        reserve: Arc<Reserve>,
        on_fatal: OnFatal,
    ) -> Self {
        Self {
            durable: RwLock::new(Arc::new(engine.db.snapshot())),
            objects: engine.objects,
            db: engine.db,
            gate: engine.gate,
            failure: OnceLock::new(),
            on_fatal,
            reserve,
            place,
            damaged: Mutex::default(),
            work: engine.work,
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
        let found = self.durable()?.get(&self.objects, key);
        found.map_err(|error| {
            let what =
                key::path(key).map_or_else(|_| "an entry".to_owned(), |path| path.to_string());
            let range = (Bound::Included(key.to_vec()), Bound::Included(key.to_vec()));
            self.explain(error, what, &range)
        })
    }

    /// What it means that the engine could not read `what`, which stands in `range`.
    pub(crate) fn explain(
        &self,
        error: fjall::Error,
        what: String,
        range: &KeyRange,
    ) -> StoreError {
        if !damage::is_damage(&error) {
            return error.into();
        }
        let files = damage::files(&damage::places(&self.objects, range));
        self.damaged(&error, what, files)
    }

    /// Logs each damaged file once, and has the next start look for damage before anything is compacted.
    pub(crate) fn damaged(
        &self,
        error: &fjall::Error,
        what: String,
        files: impl IntoIterator<Item = PathBuf>,
    ) -> StoreError {
        let reason = error.to_string();
        let mut first = None;
        for file in files {
            let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
            if damaged.insert(file.clone()) {
                let file = file.display().to_string();
                tracing::error!(file, what, reason, "a file of the store is damaged: {REMEDY}");
            }
            first.get_or_insert(file);
        }
        self.dir.suspect_damage();
        StoreError::Damaged { what, file: first, reason }
    }

    /// Makes everything committed so far visible; only the writer calls this, after a sync.
    pub(crate) fn publish(&self) {
        let latest = Arc::new(self.db.snapshot());
        *self.durable.write().unwrap_or_else(PoisonError::into_inner) = latest;
    }

    /// How much may be written, if that is about `wanted` bytes of what is no new work and `batch` in all.
    pub(crate) fn room(&self, wanted: u64, batch: u64) -> Room {
        if self.is_stalled() {
            return Room { new_work: 0, rest: 0 };
        }
        self.reserve.room(wanted.saturating_mul(2), self.floor(batch))
    }

    pub(crate) fn room_at_most(&self) -> Room {
        if self.is_stalled() {
            return Room { new_work: 0, rest: 0 };
        }
        self.reserve.room_at_most(self.floor(0))
    }

    /// Whether so many tables wait to be compacted, which a full disk prevents, that the engine would soon wait for
    /// that with every write.
    fn is_stalled(&self) -> bool {
        self.objects.l0_table_count() >= engine::MAX_WAITING_TABLES
    }

    /// What the engine needs of the disk for all that is in memory, and has yet to be written to tables.
    fn floor(&self, batch: u64) -> Floor {
        let is_flushing = self.objects.sealed_memtable_count() > 0;
        let floor = engine::floor(self.db.write_buffer_size(), batch, is_flushing);
        self.gate.set_floor(floor);
        floor
    }

    /// Makes the reserve whole again when there is room.
    pub(crate) fn tend(&self) {
        if self.check().is_ok() {
            self.reserve.grow(self.floor(0));
        }
    }

    /// Lets the reserve grow with what is in memory.
    pub(crate) fn keep_up(&self) {
        self.reserve.keep_up(self.floor(0));
    }

    /// What the engine's files take of the disk.
    pub(crate) fn disk_bytes(&self) -> Option<u64> {
        let journals = self.dir.journal_bytes().ok()?;
        Some(journals + self.objects.disk_space())
    }

    /// Stops the store if its directory is gone.
    pub(crate) fn check_place(&self) -> Result<(), StoreError> {
        self.place.check().map_err(|gone| {
            if self.stop(&gone) {
                self.tell_fatal();
            }
            self.stopped()
        })
    }

    /// Whether the directory is still the one that was opened.
    pub(crate) fn is_in_place(&self) -> Result<(), String> {
        self.place.check()
    }

    /// Over a damaged store, what is written stays in memory and in the journal, which has to end somewhere.
    pub(crate) fn check_takes_writes(&self) -> Result<(), StoreError> {
        if self.work == Work::All {
            return Ok(());
        }
        let is_full = self.objects.tree.active_memtable().size() > UNMOVED_BYTES_MAX
            // Beyond these the engine would wait for what never comes.
            || self.objects.sealed_memtable_count() > UNMOVED_MEMTABLES_MAX
            || self.objects.l0_table_count() > UNMERGED_TABLES_MAX;
        if is_full { Err(StoreError::NoMoreWrites) } else { Ok(()) }
    }

    /// An error once the store has stopped.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.failure.get() {
            None => Ok(()),
            Some(_) => Err(self.stopped()),
        }
    }

    /// Stops the store for good; the first reason stays. Says whether this is the first.
    pub(crate) fn stop(&self, reason: &str) -> bool {
        let first = self.failure.set(reason.to_owned()).is_ok();
        self.gate.close();
        first
    }

    /// Tells whoever opened the store why it has stopped. To be called once, by whoever stopped it.
    pub(crate) fn tell_fatal(&self) {
        if let Some(reason) = self.failure.get() {
            (self.on_fatal)(reason);
        }
    }

    /// Lets the engine end what it would do for as long as the disk is full.
    pub(crate) fn close(&self) {
        self.gate.close();
    }

    pub(crate) fn stopped(&self) -> StoreError {
        let reason = self.failure.get().map_or("it is closing", String::as_str);
        StoreError::Stopped { reason: reason.to_owned() }
    }
}
