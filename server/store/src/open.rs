//! From the value of `--store` to an [`EventStore`] that can be trusted.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use hitl_embedded::{Durability, EmbeddedStore};
use object_store::memory::InMemory;
use object_store::{ObjectStore, PutMode};

use crate::clock::{Clock, SystemClock};
use crate::disk::Disk;
use crate::error::Error;
use crate::files::Files;
use crate::metrics::StoreMetrics;
use crate::objects::Objects;
use crate::random::{Random, SystemRandom};
use crate::record::{self, FormatRecord, VERSION};
use crate::url::{Bucket, StoreUrl};
use crate::{EventStore, Retention, Skew, keys, marker, probe, remote};

/// Told why a store can be used no more.
pub(crate) type OnFatal = Box<dyn Fn(&str) + Send + Sync>;

/// What is used of a store in its place.
pub type Layer = Box<dyn FnOnce(Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore> + Send>;

/// What a store needs of its surroundings.
pub struct Options {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Names what the probe writes.
    pub random: Arc<dyn Random>,
    /// Where the store's operations are noted.
    pub metrics: StoreMetrics,
    /// Called, from any thread, when the store has failed in a way after which nothing it holds in memory can be
    /// trusted; the process must then end.
    pub on_fatal: Box<dyn Fn(&str) + Send + Sync>,
    /// How much of the disk is kept for the end of what is open, if not what is kept by default.
    pub disk_reserve: Option<u64>,
    /// Files that are there only where a store was, besides its own marker.
    pub signs: Vec<PathBuf>,
    /// For how long what has ended is kept.
    pub retention: Retention,
    /// For how long the audit is kept, in milliseconds; `None` is for ever.
    pub audit_kept_ms: Option<i64>,
    /// When a write to the embedded store counts as done.
    pub durability: Durability,
    /// Laid around the store, so that everything goes through it.
    pub layer: Layer,
}

/// The machine's own clock and randomness, nobody to tell of a failure, and the store as it is.
impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            metrics: StoreMetrics::default(),
            on_fatal: Box::new(|_| ()),
            disk_reserve: None,
            signs: Vec::new(),
            retention: Retention::default(),
            audit_kept_ms: None,
            durability: Durability::Synced,
            layer: Box::new(|store| store),
        }
    }
}

/// Why a store was not opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The embedded store refuses.
    #[error(transparent)]
    Embedded(#[from] hitl_embedded::OpenError),
    /// The directory of a store cannot be used.
    #[error(
        "cannot use the directory {path}: {message}. May this program read and write all of it?"
    )]
    Directory {
        /// The directory.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// There was a store here.
    #[error(
        "there is no store in {}, and {} says that there was one: was it deleted or moved, or is its disk not mounted? \
         Bring it back, or restore it from a backup. To begin anew without it, delete {}",
        directory.display(), sign.display(), sign.display()
    )]
    Gone {
        /// The directory.
        directory: PathBuf,
        /// What says so.
        sign: PathBuf,
    },
    /// The bucket cannot be reached, or not with these credentials.
    #[error(
        "the bucket {bucket} cannot be used: {message}. Is there such a bucket, and may this program read, write, \
         list and delete in it? Credentials come from the environment: {hint}"
    )]
    Bucket {
        /// The bucket.
        bucket: Bucket,
        /// What is wrong.
        message: String,
        /// Where credentials usually come from.
        hint: &'static str,
    },
    /// What is there was written by a newer version.
    #[error(
        "a newer hitl wrote this store (layout version {found}, and this program knows up to \
         {VERSION}): upgrade hitl"
    )]
    NewerFormat {
        /// The version found.
        found: u32,
    },
    /// `meta/format.json` is no layout record.
    #[error("meta/format.json cannot be read ({0}): is this a hitl store?")]
    UnreadableFormat(String),
    /// A copy into this store was begun and not finished.
    #[error(
        "this store is an unfinished copy of {0}: finish it with `hitl store copy`, or empty it"
    )]
    UnfinishedCopy(String),
    /// The links of this store are signed with another key.
    #[error(
        "the links of this store are signed with another key than the one given: give every server of this store the \
         same with --link-key-file, as `hitl link-key rotate` has left it (or delete meta/link-key.json in the store, \
         and all links made so far are void)"
    )]
    OtherLinkKey,
    /// So many keys that servers must be making them anew at each start.
    #[error(
        "this store has {} keys of receipts, and this server would add another: give every server of this store the \
         same with --receipt-key-file",
        hitl_receipt::KEYS_MAX
    )]
    TooManyReceiptKeys,
    /// The store does not keep the promises that everything rests on.
    #[error("the store cannot be trusted: {0}")]
    Unfit(String),
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Opens the store at `url`, checks its layout version and that it keeps the promises that everything rests on.
///
/// # Errors
/// [`OpenError`].
pub async fn open(url: &StoreUrl, options: Options) -> Result<EventStore, OpenError> {
    let Options { clock, random, metrics, on_fatal, disk_reserve, signs, retention, .. } = options;
    let audit_kept_ms = options.audit_kept_ms;
    marker::check(url, &signs)?;
    let skew = Arc::new(Skew::default());
    let on_disk = hitl_embedded::Options {
        durability: options.durability,
        ..on_disk(Purpose::Serve, disk_reserve, on_fatal)
    };
    let (store, disk) = attach(url, clock.clone(), skew.clone(), on_disk)?;
    let bare = store.clone();
    let layered = (options.layer)(store);
    // What is laid around the store has to see each write by itself.
    let together = match &disk {
        Some(Disk::Embedded(store)) if Arc::ptr_eq(&layered, &bare) => Some(store.clone()),
        _ => None,
    };
    drop(bare);
    let objects = Objects::new(layered, metrics).together(together);
    // First of all, since it is the first to show whether the store can be reached at all.
    check_format(&objects).await.map_err(|error| explain(error, url))?;
    if !matches!(url, StoreUrl::Embedded(_)) {
        probe::probe(&objects, &*random).await.map_err(|error| explain(error, url))?;
    }
    marker::leave(url);
    if let Some(disk) = &disk {
        disk.tend();
    }
    let store = EventStore::with(objects, url.is_shared(), clock, skew);
    Ok(store.on(disk).retaining(retention).keeping_audit(audit_kept_ms))
}

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be used.
    Serve,
    /// To be looked at.
    Check,
    /// To read what can be read of it, however damaged it is.
    Salvage,
}

/// The bare store at `url`, of which no disk is kept.
pub(crate) fn connect(
    url: &StoreUrl,
    purpose: Purpose,
    clock: Arc<dyn Clock>,
    skew: Arc<Skew>,
    on_fatal: OnFatal,
) -> Result<Arc<dyn ObjectStore>, OpenError> {
    attach(url, clock, skew, on_disk(purpose, Some(0), on_fatal)).map(|(store, _)| store)
}

/// The bare store at `url`, and its disk if that is on this machine, as `on_disk` says.
fn attach(
    url: &StoreUrl,
    clock: Arc<dyn Clock>,
    skew: Arc<Skew>,
    on_disk: hitl_embedded::Options,
) -> Result<(Arc<dyn ObjectStore>, Option<Disk>), OpenError> {
    Ok(match url {
        StoreUrl::Embedded(path) => {
            let store = EmbeddedStore::open(path, on_disk)?;
            (Arc::new(store.clone()), Some(Disk::Embedded(store)))
        }
        StoreUrl::Files(path) => {
            let files = Files::open(path, on_disk.reserve_bytes, on_disk.on_fatal)?;
            (files.clone(), Some(Disk::Files(files)))
        }
        StoreUrl::Memory => (Arc::new(InMemory::new()), None),
        StoreUrl::Bucket(bucket) => {
            let store = remote::connect(bucket, clock, skew);
            (store.map_err(|error| explain(Error::from(error).into(), url))?, None)
        }
    })
}

/// The embedded store in the directory `path`, of which no disk is kept.
pub(crate) fn embedded(
    path: &FilePath,
    purpose: Purpose,
    on_fatal: OnFatal,
) -> Result<EmbeddedStore, OpenError> {
    Ok(EmbeddedStore::open(path, on_disk(purpose, Some(0), on_fatal))?)
}

fn on_disk(
    purpose: Purpose,
    reserve_bytes: Option<u64>,
    on_fatal: OnFatal,
) -> hitl_embedded::Options {
    let purpose = match purpose {
        Purpose::Serve => hitl_embedded::Purpose::Serve,
        Purpose::Check => hitl_embedded::Purpose::Check,
        Purpose::Salvage => hitl_embedded::Purpose::Salvage,
    };
    hitl_embedded::Options { purpose, reserve_bytes, on_fatal, ..Default::default() }
}

/// Says of a store that failed which one it is, and what there is to do.
pub(crate) fn explain(error: OpenError, url: &StoreUrl) -> OpenError {
    let OpenError::Failed(Error::StoreUnavailable(source)) = error else {
        return error;
    };
    let message = source.to_string();
    match url {
        StoreUrl::Bucket(bucket) => OpenError::Bucket {
            bucket: bucket.clone(),
            message,
            hint: remote::credentials_hint(bucket.cloud),
        },
        StoreUrl::Embedded(path) | StoreUrl::Files(path) => {
            OpenError::Directory { path: path.display().to_string(), message }
        }
        StoreUrl::Memory => Error::StoreUnavailable(source).into(),
    }
}

async fn check_format(objects: &Objects) -> Result<(), OpenError> {
    let path = keys::format();
    if let Some(copying) = objects.bytes(&keys::copying()).await? {
        return Err(OpenError::UnfinishedCopy(String::from_utf8_lossy(&copying).into_owned()));
    }
    let ours = record::encode(&FormatRecord { version: VERSION });
    let Some(found) = objects.bytes(&path).await? else {
        // Another replica may do the same at the same time, with the same result.
        return Ok(objects.put(&path, ours, PutMode::Overwrite).await.map_err(Error::from)?);
    };
    check_version(&found)
}

/// Refuses a store whose layout record says that this program does not know it.
pub(crate) fn check_version(format: &[u8]) -> Result<(), OpenError> {
    let found: FormatRecord = serde_json::from_slice(format)
        .map_err(|error| OpenError::UnreadableFormat(error.to_string()))?;
    if found.version > VERSION {
        Err(OpenError::NewerFormat { found: found.version })
    } else {
        Ok(())
    }
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
