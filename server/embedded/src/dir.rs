//! The directory: who may use it, and how it comes into being.
//!
//! ```text
//! DIR/LOCK         locked by the operating system while a store is open, so never left stale
//! DIR/db           the engine's files
//! DIR/db/reserve   room that is kept for what must be written when the disk is full
//! DIR/db/suspect   damage was met: the next start looks for it before anything else
//! DIR/db.new       an unfinished first start; thrown away by the next one
//! ```
//!
//! All of it is for its owner alone. A directory that others could open is closed to them first, and so is the lock
//! file, since whoever can open that can hold the lock.
//!
//! The engine's files are made under another name and renamed when they are complete and synced:
//! a first start that is killed halfway leaves nothing that looks like a damaged store.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::OpenError;
use crate::place::Place;
use crate::private;
use crate::reserve::BLOCK_BYTES;

const LOCK: &str = "LOCK";
const DATABASE: &str = "db";
const UNFINISHED: &str = "db.new";
/// Among the engine's files, which it tells by their endings: other versions know no other name beside them.
const RESERVE: &str = "reserve";
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
            .mode(private::FILE)
            .open(path.join(LOCK))
            .map_err(unusable)?;
        close_lock(&lock, &path.join(LOCK))?;
        close(path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { dir: path.to_owned(), holder: holder(&mut lock) });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        match write_holder(&mut lock) {
            // It is for a message only, and a full disk is no reason not to read what is there.
            Err(error) if crate::error::is_full(&error) => {}
            written => written.map_err(unusable)?,
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the engine's files are, once [`create_database`](Self::create_database) has run.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// The file that keeps room.
    pub(crate) fn reserve(&self) -> PathBuf {
        self.database().join(RESERVE)
    }

    /// What is to be there as long as the store is open, once the engine has.
    pub(crate) fn place(&self) -> io::Result<Place> {
        let paths = [self.path.clone(), self.path.join(LOCK), self.database()];
        Place::of(paths)?.with_journal(&self.database())
    }

    /// How much the engine may write at once when it opens: what is in journals that it has done with, and not yet in
    /// its tables.
    pub(crate) fn unflushed_bytes_max(&self) -> io::Result<u64> {
        let mut journals = self.journals()?;
        journals.sort_unstable();
        // The newest goes on as it is.
        journals.pop();
        Ok(journals.iter().map(|(_, bytes)| bytes).sum())
    }

    /// What the journals take of the disk, which is less than their length.
    pub(crate) fn journal_bytes(&self) -> io::Result<u64> {
        Ok(self.journals()?.iter().map(|(_, bytes)| bytes).sum())
    }

    /// The number of each journal, and the bytes that it takes.
    fn journals(&self) -> io::Result<Vec<(u64, u64)>> {
        let mut journals = Vec::new();
        for entry in fs::read_dir(self.database())? {
            let entry = entry?;
            let path = entry.path();
            let is_journal = path.extension().is_some_and(|extension| extension == "jnl");
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            if let Some(number) = number.filter(|_| is_journal) {
                journals.push((number, entry.metadata()?.blocks() * BLOCK_BYTES));
            }
        }
        Ok(journals)
    }

    /// Has the next start look for damage before anything else.
    pub(crate) fn suspect_damage(&self) {
        // A disk that does not take it is found out by whoever meets the damage again.
        let mut create = File::options();
        create.write(true).create(true).mode(private::FILE);
        let _ = create.open(self.database().join(SUSPECT));
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

    /// An empty journal in place of one that is gone. If the engine makes the journal by itself it also begins to count
    /// anew, and then sees nothing of what is in the tables.
    pub(crate) fn replace_journal(&self) -> io::Result<()> {
        let mut create = File::options();
        create.write(true).create_new(true).mode(private::FILE);
        create.open(self.database().join("0.jnl"))?.sync_all()
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
                "the engine writes it first and never removes it. Restore the directory from a backup; if \
                 nothing else was lost, write the file again: printf 'FJL\\003' > {}",
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
                "the journal, a numbered file that has every write since the last table was made. Restore the \
                 directory from a backup; or go on without those writes: hitl store copy --skip-unreadable {} NEW",
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
        private::create_dir_all(&unfinished).map_err(unusable)?;
        create(&unfinished)?;
        sync_tree(&unfinished).map_err(unusable)?;
        fs::rename(&unfinished, self.database()).map_err(unusable)?;
        sync_dir(&self.path).map_err(unusable)
    }
}

/// Whoever can open the lock file can hold the lock, and nobody could use the store.
fn close_lock(lock: &File, path: &Path) -> Result<(), OpenError> {
    let unusable = |source| OpenError::Unusable { dir: path.to_owned(), source };
    if lock.metadata().map_err(unusable)?.mode() & 0o077 == 0 {
        return Ok(());
    }
    let closed = lock.set_permissions(Permissions::from_mode(private::FILE));
    closed.map_err(|_| OpenError::Exposed { path: path.to_owned(), mode: private::FILE })
}

/// A mount point may belong to another user, who lets us write there; what is in it is ours all the same.
fn close(path: &Path) -> Result<(), OpenError> {
    match private::close(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let database = path.join(DATABASE);
            let is_there = database.try_exists().unwrap_or(false);
            if is_there && private::close(&database).is_err() {
                return Err(OpenError::Exposed { path: database, mode: 0o700 });
            }
            tracing::warn!(
                "{} belongs to another user and others may list it: run `chmod 700` on it as that user",
                path.display()
            );
            Ok(())
        }
        Err(source) => Err(OpenError::Unusable { dir: path.to_owned(), source }),
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
    private::create_dir_all(&path)?;
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

fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
