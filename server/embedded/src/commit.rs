//! The one place where data becomes durable, behind a trait so that a test can make it fail or
//! stop it halfway.

use std::thread;
use std::time::Duration;

use fjall::{Database, Keyspace, PersistMode};

use crate::engine::Work;
use crate::key::Key;
use crate::options::Durability;

/// What a batch changes: one entry a key, its new record or `None` for deleted.
pub(crate) type Changes = Vec<(Key, Option<fjall::Slice>)>;

/// One less than where the engine stalls.
const MAX_SEALED_MEMTABLES: usize = 3;
const FLUSH_POLL: Duration = Duration::from_micros(500);

pub(crate) trait Commit: Send {
    /// Returns once all of `changes` are as durable as the store was opened to make them, or none of them may be relied
    /// on. Never called again after an error.
    fn commit_and_sync(&mut self, changes: Changes) -> fjall::Result<()>;
}

pub(crate) struct EngineCommit {
    pub(crate) db: Database,
    pub(crate) objects: Keyspace,
    pub(crate) durability: Durability,
    pub(crate) work: Work,
}

impl EngineCommit {
    fn persist_mode(&self) -> PersistMode {
        match self.durability {
            // `fdatasync` is enough: it also writes the size and block map that reading the journal back needs, and
            // leaves out only timestamps. The engine syncs new files and their directories itself, in full, when it
            // makes them.
            Durability::Synced => PersistMode::SyncData,
            Durability::Buffered => PersistMode::Buffer,
        }
    }

    /// Waits while flushing is behind. The engine would wait too, but from a memtable later, for
    /// 100 ms at a time, and for ever if flushing has failed.
    fn wait_for_flush(&self) -> fjall::Result<()> {
        while self.objects.sealed_memtable_count() >= MAX_SEALED_MEMTABLES {
            // Nothing is buffered here; what matters is the error after a failed flush.
            self.db.persist(PersistMode::Buffer)?;
            thread::sleep(FLUSH_POLL);
        }
        Ok(())
    }
}

impl Commit for EngineCommit {
    fn commit_and_sync(&mut self, changes: Changes) -> fjall::Result<()> {
        if self.work == Work::All {
            self.wait_for_flush()?;
        }
        let mut batch = self.db.batch().durability(Some(self.persist_mode()));
        for (key, record) in changes {
            match record {
                Some(record) => batch.insert(&self.objects, key, record),
                None => batch.remove(&self.objects, key),
            }
        }
        batch.commit()
    }
}
