//! Opening the engine, and its tuning.
//!
//! All objects share one keyspace. With several, one that is seldom written would keep every
//! journal since its last flush, and opening would replay them all.
//!
//! What the numbers are for:
//! * the memtable bounds what opening after a crash replays: a journal is dropped once the
//!   memtables it fed are on disk, and it rotates at the first flush after 64 MB.
//!   With half of it 64 and 512 callers got a quarter less done on two cores;
//! * the table size bounds what deletes leave behind: four tables of deletions may wait in the
//!   first level before compaction meets them with what they delete;
//! * two workers: one only flushes, so that a long compaction never stalls writers;
//! * memory: the cache, one memtable being written and at most three waiting to be flushed
//!   (`commit` lets no more build up): 80 MiB at worst, besides the filters and indexes of the
//!   upper tables.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fjall::compaction::Leveled;
use fjall::config::CompressionPolicy;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use crate::compaction::{Filters, Gate};
use crate::damage;
use crate::dir::LockedDir;
use crate::error::OpenError;
use crate::journal::{self, Journal};
use crate::key;
use crate::options::Purpose;
use crate::reserve::{Floor, Reserve};

const FORMAT: u32 = 1;
const OBJECTS: &str = "objects";
const CACHE_BYTES: u64 = 16 << 20;
const MEMTABLE_BYTES: u64 = 16 << 20;
pub(crate) const TABLE_BYTES: u64 = 16 << 20;
/// The least the engine allows; only reached if flushing falls far behind.
const MAX_JOURNAL_BYTES: u64 = 64 << 20;
const WORKERS: usize = 2;
/// With 30 tables in its first level the engine takes no writes until a compaction has been there.
pub(crate) const MAX_WAITING_TABLES: usize = 24;
/// What must stay free besides what is in memory: for the ends of tables, the engine's lists of them, and the blocks of
/// directories.
const SLACK_BYTES: u64 = 512 << 10;
/// What must stay free while only the journal is written.
const JOURNAL_BYTES: u64 = 64 << 10;

/// What to do about a damaged file.
pub(crate) const REMEDY: &str = "stop the server, save what can be read with `hitl store copy --skip-unreadable`, and \
    serve the copy";

/// What the engine does by itself while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// It moves what was written from memory to tables, and merges those.
    All,
    /// Nothing: a merge that meets a damaged table ends all writing. What is written stays in memory and in the
    /// journal.
    None,
}

/// An open engine whose content is durable.
pub(crate) struct Engine {
    pub(crate) gate: Arc<Gate>,
    pub(crate) work: Work,
    /// What is gone on without: files, and what is wrong with them.
    pub(crate) losses: Vec<(PathBuf, String)>,
    pub(crate) objects: Keyspace,
    pub(crate) db: Database,
    /// The first version that was never given out.
    pub(crate) first_version: u64,
}

/// Opens what is in `dir`, creating it on the first start.
///
/// If damage was met since it was last looked for, it is looked for first: over damaged tables the engine does no work
/// of its own, so that all that can be read is served. To look at a store, or to save it, nothing is merged either; and
/// whoever saves it goes on without what of the journal cannot be read.
pub(crate) fn open(
    dir: &LockedDir,
    purpose: Purpose,
    reserve: &Arc<Reserve>,
) -> Result<Engine, OpenError> {
    let unused = Gate::new(Arc::clone(reserve));
    dir.create_database(|path| create(path, &unused).map_err(|error| explain(dir.path(), &error)))?;
    let unusable = |source| OpenError::Unusable { dir: dir.path().to_owned(), source };
    let mut losses = Vec::new();
    match (dir.check_whole(), purpose) {
        (Err(OpenError::Missing { file, what, .. }), Purpose::Salvage) if dir.has_tables() => {
            losses.push((file, format!("it is missing: {what}")));
            if journal::all(&dir.database()).map_err(unusable)?.is_empty() {
                dir.replace_journal().map_err(unusable)?;
            }
        }
        (whole, _) => whole?,
    }
    let look = || journal::all(&dir.database()).map_err(unusable);
    let mut journals = look()?;
    if purpose == Purpose::Salvage {
        losses.extend(journal::mend(&journals).map_err(unusable)?);
        journals = look()?;
    } else {
        journal::check(dir.path(), &journals)?;
    }
    if purpose != Purpose::Serve {
        return Ok(Engine { losses, ..load(dir, Work::None, reserve, &journals)? });
    }
    if dir.is_suspect() {
        let engine = load(dir, Work::None, reserve, &journals)?;
        let places = damage::places(&engine.objects, &(Bound::Unbounded, Bound::Unbounded));
        for file in damage::files(&places) {
            let file = file.display().to_string();
            tracing::error!(
                file,
                "a file of the store is damaged, and nothing is merged any more: {REMEDY}"
            );
        }
        if !places.is_empty() {
            return Ok(engine);
        }
        dir.trust();
        drop(engine);
        journals = look()?;
    }
    load(dir, Work::All, reserve, &journals)
}

fn load(
    dir: &LockedDir,
    work: Work,
    reserve: &Arc<Reserve>,
    journals: &[Journal],
) -> Result<Engine, OpenError> {
    if work == Work::All {
        look_for_room(dir, reserve)?;
    }
    let gate = Gate::new(Arc::clone(reserve));
    let failed = |error| explain(dir.path(), &error);
    let corrupt =
        |reason: &str| OpenError::Corrupt { dir: dir.path().to_owned(), reason: reason.to_owned() };
    let db = database(&dir.database(), work, &gate).map_err(failed)?;
    journal::report_cuts(journals);
    if !db.keyspace_exists(OBJECTS) {
        return Err(corrupt("it has no objects keyspace"));
    }
    let objects = db.keyspace(OBJECTS, tuning).map_err(failed)?;
    let format = objects.get(key::FORMAT).map_err(failed)?;
    check_format(dir.path(), format.as_deref())?;
    // A store of an earlier version has none.
    if work == Work::All && !objects.contains_key(key::EDGES[0]).map_err(failed)? {
        add_edges(&objects).map_err(failed)?;
    }
    // What a killed process had written but not synced is replayed too, and is about to be
    // shown to readers: from here on it has to be durable.
    db.persist(PersistMode::SyncAll).map_err(failed)?;
    let first_version = match objects.get(key::VERSIONS).map_err(failed)? {
        None => 0,
        Some(bytes) => u64::from_le_bytes(
            (*bytes).try_into().map_err(|_| corrupt("its version counter is unreadable"))?,
        ),
    };
    Ok(Engine { gate, work, losses: Vec::new(), objects, db, first_version })
}

/// What the engine needs of the disk while so much is in memory, and `batch` is about to be: it all has to go to
/// tables, which are a little larger. It goes there when the memtable is full.
pub(crate) fn floor(unflushed_bytes: u64, batch: u64, is_flushing: bool) -> Floor {
    let kept_bytes =
        unflushed_bytes.saturating_add(unflushed_bytes / 8).saturating_add(SLACK_BYTES);
    let is_due = unflushed_bytes.saturating_add(batch.saturating_mul(2)) >= MEMTABLE_BYTES;
    let free_bytes = if is_flushing || is_due { kept_bytes } else { JOURNAL_BYTES };
    Floor { kept_bytes, free_bytes }
}

/// The engine writes as soon as it is open if it was cut off behind in its work, and without room it would fail, at
/// every start anew.
fn look_for_room(dir: &LockedDir, reserve: &Reserve) -> Result<(), OpenError> {
    let unusable = |source| OpenError::Unusable { dir: dir.path().to_owned(), source };
    let unflushed = dir.unflushed_bytes_max().map_err(unusable)?;
    if unflushed == 0 {
        return Ok(());
    }
    let needed = floor(unflushed, 0, true).free_bytes;
    let free = reserve.room(needed, Floor::default()).rest;
    if free < needed {
        return Err(OpenError::DiskFull { dir: dir.path().to_owned(), free, needed });
    }
    Ok(())
}

fn create(path: &Path, gate: &Arc<Gate>) -> fjall::Result<()> {
    let db = database(path, Work::All, gate)?;
    let objects = db.keyspace(OBJECTS, tuning)?;
    objects.insert(key::FORMAT, FORMAT.to_string())?;
    add_edges(&objects)?;
    db.persist(PersistMode::SyncAll)
}

fn add_edges(objects: &Keyspace) -> fjall::Result<()> {
    key::EDGES.iter().try_for_each(|edge| objects.insert(*edge, "edge"))
}

fn database(path: &Path, work: Work, gate: &Arc<Gate>) -> fjall::Result<Database> {
    let gate = Arc::clone(gate);
    let workers = match work {
        Work::All => WORKERS,
        Work::None => 0,
    };
    Database::builder(path)
        .with_compaction_filter_factories(Arc::new(move |_| {
            Some(Arc::new(Filters(Arc::clone(&gate))))
        }))
        .cache_size(CACHE_BYTES)
        .max_journaling_size(MAX_JOURNAL_BYTES)
        // The other of this name refuses 0, which the engine's own tests open it with.
        .worker_threads_unchecked(workers)
        .open()
}

/// The engine keeps this with the keyspace: a change applies to new directories only.
fn tuning() -> KeyspaceCreateOptions {
    let compaction = Leveled::default().with_table_target_size(TABLE_BYTES);
    KeyspaceCreateOptions::default()
        .max_memtable_size(MEMTABLE_BYTES)
        .compaction_strategy(Arc::new(compaction))
        .data_block_compression_policy(CompressionPolicy::disabled())
}

fn check_format(dir: &Path, stored: Option<&[u8]>) -> Result<(), OpenError> {
    let stored = stored.and_then(|bytes| std::str::from_utf8(bytes).ok());
    match stored.map(|text| (text, text.parse::<u32>())) {
        Some((_, Ok(FORMAT))) => Ok(()),
        Some((text, _)) => {
            Err(OpenError::Newer { dir: dir.to_owned(), found: text.to_owned(), supported: FORMAT })
        }
        None => Err(OpenError::Corrupt {
            dir: dir.to_owned(),
            reason: "it does not say which format it has".to_owned(),
        }),
    }
}

fn explain(dir: &Path, error: &fjall::Error) -> OpenError {
    let dir = dir.to_owned();
    match error {
        fjall::Error::Io(source) => OpenError::Unusable {
            dir,
            source: std::io::Error::new(source.kind(), source.to_string()),
        },
        fjall::Error::Locked => {
            OpenError::InUse { dir, holder: "the engine's own lock is taken".to_owned() }
        }
        fjall::Error::InvalidVersion(Some(version)) => {
            OpenError::Newer { dir, found: format!("engine {version}"), supported: FORMAT }
        }
        fjall::Error::JournalRecovery(_) => OpenError::Corrupt {
            reason: format!(
                "a journal (a file such as 3.jnl in {}) holds something else than was written ({error})",
                dir.join("db").display()
            ),
            dir,
        },
        other => OpenError::Corrupt { dir, reason: other.to_string() },
    }
}
