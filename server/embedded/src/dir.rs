//! The directory: who may use it, and how it comes into being.
//!
//! ```text
//! DIR/LOCK     locked by the operating system while a store is open, so never left stale
//! DIR/db       the engine's files
//! DIR/db.new   an unfinished first start; thrown away by the next one
//! DIR/db/suspect  damage was met: the next start looks for it before anything else
//! ```
//!
//! The engine's files are made under another name and renamed when they are complete and synced:
//! a first start that is killed halfway leaves nothing that looks like a damaged store.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::OpenError;

const LOCK: &str = "LOCK";
const DATABASE: &str = "db";
const UNFINISHED: &str = "db.new";
/// In the engine's directory, where programs that do not know it leave it alone.
const SUSPECT: &str = "suspect";
/// What the engine writes first and never removes.
const ENGINE_VERSION: &str = "version";
const KEYSPACES: &str = "keyspaces";
/// A file system's own directory, present where DIR is a mount point.
const LOST_AND_FOUND: &str = "lost+found";

/// A directory that no other store can use while this lives.
#[derive(Debug)]
pub(crate) struct LockedDir {
    path: PathBuf,
    _lock: File,
}

impl LockedDir {
    /// Creates the directory if it is missing and takes its lock before anything else is written.
    pub(crate) fn acquire(path: &Path) -> Result<Self, OpenError> {
        let unusable = |source| OpenError::Unusable { dir: path.to_owned(), source };
        create_durably(path).map_err(unusable)?;
        refuse_foreign(path)?;
        let mut lock = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join(LOCK))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { dir: path.to_owned(), holder: holder(&mut lock) });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        write_holder(&mut lock).map_err(unusable)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the engine's files are, once [`create_database`](Self::create_database) has run.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Has the next start look for damage before anything else.
    pub(crate) fn suspect_damage(&self) {
        // A disk that does not take it is found out by whoever meets the damage again.
        let _ = fs::write(self.database().join(SUSPECT), "");
    }

    pub(crate) fn is_suspect(&self) -> bool {
        self.database().join(SUSPECT).exists()
    }

    /// There is no damage after all.
    pub(crate) fn trust(&self) {
        let _ = fs::remove_file(self.database().join(SUSPECT));
    }

    /// Whether it has at least what the tables are found by.
    pub(crate) fn has_tables(&self) -> bool {
        let database = self.database();
        database.join(ENGINE_VERSION).exists() && database.join(KEYSPACES).exists()
    }

    /// Refuses a directory without what every store has: the engine would make it anew, and all would be lost.
    pub(crate) fn check_whole(&self) -> Result<(), OpenError> {
        let unusable = |source| OpenError::Unusable { dir: self.path.clone(), source };
        let database = self.database();
        let missing = |file: PathBuf, what: &str| OpenError::Missing {
            dir: self.path.clone(),
            file,
            what: what.to_owned(),
        };
        let version = database.join(ENGINE_VERSION);
        if !version.try_exists().map_err(unusable)? {
            let again = format!(
                "the engine writes it first and never removes it. Restore the directory from a backup; if nothing else was \
                 lost, write the file again: printf 'FJL\\003' > {}",
                version.display()
            );
            return Err(missing(version, &again));
        }
        let keyspaces = database.join(KEYSPACES);
        if !keyspaces.try_exists().map_err(unusable)? {
            return Err(missing(
                keyspaces,
                "all that was stored is in it. Restore the directory from a backup",
            ));
        }
        let mut journals = fs::read_dir(&database).map_err(unusable)?.flatten();
        let is_journal =
            |entry: fs::DirEntry| entry.path().extension().is_some_and(|it| it == "jnl");
        if !journals.any(is_journal) {
            let lost = format!(
                "the journal, a numbered file that has every write since the last table was made. Restore the directory \
                 from a backup; or go on without those writes: hitl store copy --skip-unreadable {} NEW",
                self.path.display()
            );
            return Err(missing(database.join("*.jnl"), &lost));
        }
        Ok(())
    }

    /// On the first start, lets `create` make the engine's files.
    pub(crate) fn create_database(
        &self,
        create: impl FnOnce(&Path) -> Result<(), OpenError>,
    ) -> Result<(), OpenError> {
        let unusable = |source| OpenError::Unusable { dir: self.path.clone(), source };
        if self.database().try_exists().map_err(unusable)? {
            return Ok(());
        }
        let unfinished = self.path.join(UNFINISHED);
        if unfinished.try_exists().map_err(unusable)? {
            fs::remove_dir_all(&unfinished).map_err(unusable)?;
        }
        create(&unfinished)?;
        sync_tree(&unfinished).map_err(unusable)?;
        fs::rename(&unfinished, self.database()).map_err(unusable)?;
        sync_dir(&self.path).map_err(unusable)
    }
}

/// A directory of somebody else's files is more likely a mistyped path than a wish.
fn refuse_foreign(path: &Path) -> Result<(), OpenError> {
    let unusable = |source| OpenError::Unusable { dir: path.to_owned(), source };
    for entry in fs::read_dir(path).map_err(unusable)? {
        let name = entry.map_err(unusable)?.file_name();
        if ![LOCK, DATABASE, UNFINISHED, LOST_AND_FOUND].map(AsRef::as_ref).contains(&&*name) {
            return Err(OpenError::NotAStore {
                dir: path.to_owned(),
                found: name.to_string_lossy().into_owned(),
            });
        }
    }
    Ok(())
}

fn holder(lock: &mut File) -> String {
    let mut pid = String::new();
    match lock.take(64).read_to_string(&mut pid) {
        Ok(_) if !pid.trim().is_empty() => format!("process {}", pid.trim()),
        _ => "it holds the lock".to_owned(),
    }
}

/// For the message only: the lock itself is the operating system's.
fn write_holder(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    writeln!(lock, "{}", std::process::id())
}

/// Also syncs the entries of the directories it had to create.
fn create_durably(path: &Path) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    let existing = path.ancestors().find(|ancestor| ancestor.is_dir());
    if existing == Some(&*path) {
        return Ok(());
    }
    fs::create_dir_all(&path)?;
    for parent in path.ancestors().skip(1) {
        sync_dir(parent)?;
        if Some(parent) == existing {
            break;
        }
    }
    Ok(())
}

/// Syncs every directory below `path`; the engine syncs its files, but not every new directory.
fn sync_tree(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    sync_dir(path)
}

#[cfg(unix)]
fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_dir(_path: &Path) -> io::Result<()> {
    // A directory cannot be opened for syncing here; NTFS journals its entries itself.
    Ok(())
}
