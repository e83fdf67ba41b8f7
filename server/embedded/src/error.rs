//! Errors: why a store did not open, worded for whoever has to act on it, and why an operation
//! failed, in `object_store`'s own vocabulary so that callers need no other.

use std::io;
use std::path::PathBuf;

use object_store::Error;
use object_store::path::Path;

/// The store's name in [`object_store::Error::Generic`].
pub(crate) const STORE: &str = "embedded";

/// Why [`EmbeddedStore::open`](crate::EmbeddedStore::open) failed, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process, or another store in this process, has the directory open.
    #[error(
        "another hitl process already uses {}: {holder}; stop it, or use another directory",
        dir.display()
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// Who holds it, as far as its lock file says.
        holder: String,
    },
    /// The directory cannot be created, read or written.
    #[error(
        "cannot use {}: {source}; create it and give this user the right to write there, or use another directory",
        dir.display()
    )]
    Unusable {
        /// The directory.
        dir: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The directory holds something else.
    #[error(
        "{} is not a hitl store and not empty (it has {found:?}); use an empty or a new directory",
        dir.display()
    )]
    NotAStore {
        /// The directory.
        dir: PathBuf,
        /// One of the names found there.
        found: String,
    },
    /// Others may open what must be ours alone, and we may not change that.
    #[error(
        "others can open {}, and could keep this store from being used: run `chmod {mode:o} {}` as its owner",
        path.display(), path.display()
    )]
    Exposed {
        /// The file or directory.
        path: PathBuf,
        /// The mode it needs.
        mode: u32,
    },
    /// There is too little room on the disk for the engine to open.
    #[error(
        "the disk is full: of the {needed} bytes that opening {} takes, {free} are free; free some space there",
        dir.display()
    )]
    DiskFull {
        /// The directory.
        dir: PathBuf,
        /// How much may be written.
        free: u64,
        /// How much has to be.
        needed: u64,
    },
    /// The data was written by a later version of this program.
    #[error(
        "{} has store format {found}, this program knows formats up to {supported}; \
         start it with the newer program that wrote it",
        dir.display()
    )]
    Newer {
        /// The directory.
        dir: PathBuf,
        /// The format found.
        found: String,
        /// The latest format this program can read.
        supported: u32,
    },
    /// The data cannot be read back.
    #[error(
        "the data in {} is damaged: {reason}; keep a copy of the directory, then restore it from a backup, or \
         try to save what can be read with `hitl store copy --skip-unreadable`",
        dir.display()
    )]
    Corrupt {
        /// The directory.
        dir: PathBuf,
        /// What did not fit.
        reason: String,
    },
    /// A file is gone that every store has.
    #[error("the store in {} is not whole: {} is missing; {what}", dir.display(), file.display())]
    Missing {
        /// The directory.
        dir: PathBuf,
        /// What is missing.
        file: PathBuf,
        /// What it was, and what to do.
        what: String,
    },
    /// An option is out of its range.
    #[error("option {name} is {value}; it must be from 1 to {max}")]
    InvalidOption {
        /// The field of [`Options`](crate::Options).
        name: &'static str,
        /// Its value.
        value: usize,
        /// The largest allowed.
        max: usize,
    },
}

/// The source of an [`object_store::Error::Generic`] of this store, to tell the cases apart.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A write or sync failed, or the store is closing. Nothing works until it is opened again;
    /// whether a write that was waiting happened is unknown until then.
    #[error("the store stopped: {reason}")]
    Stopped {
        /// What failed.
        reason: String,
    },
    /// The disk has no room for the write, or only what is kept for other writes. Nothing was written, and the store
    /// goes on: the write may be repeated when there is room.
    #[error("the disk is full")]
    DiskFull,
    /// The object is larger than [`Options::max_object_bytes`](crate::Options).
    #[error("the object has {bytes} bytes, the limit is {max}")]
    ObjectTooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The path is empty or longer than [`Options::max_key_bytes`](crate::Options).
    #[error("the path has {bytes} bytes, it must have from 1 to {max}")]
    PathLength {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The engine could not read.
    #[error("reading failed: {0}")]
    Read(#[from] fjall::Error),
    /// What the disk gives back is not what was written there, or nothing at all.
    #[error(
        "{what} cannot be read: the disk holds something else than was written ({reason}){}",
        in_file(.file.as_deref())
    )]
    Damaged {
        /// The object, or the part of a listing.
        what: String,
        /// The file, if it was found.
        file: Option<PathBuf>,
        /// What the engine says.
        reason: String,
    },
    /// A stored record is not what this program writes.
    #[error("a stored record is damaged: {0}")]
    Record(&'static str),
    /// The store was opened although it is damaged, and takes no more writes.
    #[error(
        "the store is damaged and takes no more writes: stop the server and save what can be read with `hitl \
         store copy --skip-unreadable`"
    )]
    NoMoreWrites,
    /// The requested range is not inside the object.
    #[error("{0}")]
    Range(String),
    /// The upload was completed or aborted before.
    #[error("the upload has ended")]
    UploadEnded,
    /// `PutMode::Update` without an etag.
    #[error("an update needs the etag it replaces")]
    MissingEtag,
}

impl StoreError {
    /// Whether something that was stored cannot be read any more, however often it is tried.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Record(_))
    }
}

fn in_file(file: Option<&std::path::Path>) -> String {
    file.map_or_else(String::new, |file| format!(", in {}", file.display()))
}

impl From<StoreError> for Error {
    fn from(source: StoreError) -> Self {
        Self::Generic { store: STORE, source: Box::new(source) }
    }
}

/// Whether the operating system had no room for a write, on the disk or in somebody's share of it.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

pub(crate) fn already_exists(path: &Path) -> Error {
    Error::AlreadyExists { path: path.to_string(), source: "an object is there".into() }
}

pub(crate) fn not_found(path: &Path) -> Error {
    Error::NotFound { path: path.to_string(), source: "no object is there".into() }
}

pub(crate) fn precondition(path: &Path, why: String) -> Error {
    Error::Precondition { path: path.to_string(), source: why.into() }
}
