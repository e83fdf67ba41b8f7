//! From the value of `--store` to an [`EventStore`].

use std::fmt;
use std::path::{Path as FilePath, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use hitl_embedded::EmbeddedStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::{ObjectStore, PutMode};

use crate::clock::Clock;
use crate::error::Error;
use crate::store::EventStore;
use crate::store::objects::Objects;
use crate::store::record::{self, FormatRecord, VERSION};
use crate::store::{keys, probe};

/// Where events are kept: the value of `--store`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// A directory of the embedded store: a plain path.
    Embedded(PathBuf),
    /// Memory, lost with the process: `memory://`.
    Memory,
    /// A directory of plain files, each synced: `file:///path`.
    Files(PathBuf),
}

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once("://") {
            None if text.is_empty() => {
                Err("the store must not be empty: give a path, memory:// or file:///path".into())
            }
            None => Ok(Self::Embedded(text.into())),
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("file", path)) if path.starts_with('/') => Ok(Self::Files(path.into())),
            Some(("file", _)) => Err("a file store needs an absolute path: file:///path".into()),
            Some((scheme, _)) => Err(format!(
                "this version has no store of the kind {scheme}://: use a path (the embedded store), \
                 memory:// or file:///path"
            )),
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(path) => path.display().fmt(f),
            Self::Memory => f.write_str("memory://"),
            Self::Files(path) => write!(f, "file://{}", path.display()),
        }
    }
}

/// Why a store was not opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The embedded store refuses.
    #[error(transparent)]
    Embedded(#[from] hitl_embedded::OpenError),
    /// The directory of files cannot be used.
    #[error("cannot use the directory {path}: {message}")]
    Files {
        /// The directory.
        path: String,
        /// What is wrong.
        message: String,
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
    /// The store does not keep the promises that everything rests on.
    #[error("the store cannot be trusted: {0}")]
    Unfit(String),
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Opens the store at `url`, checks its layout version and that it honours create-once.
///
/// `on_fatal` is called, from any thread, when the store has failed in a way after which nothing it
/// holds in memory can be trusted; the process must then end.
///
/// # Errors
/// [`OpenError`].
pub async fn open(
    url: &StoreUrl,
    clock: Arc<dyn Clock>,
    on_fatal: impl Fn(&str) + Send + Sync + 'static,
) -> Result<EventStore, OpenError> {
    let store: Arc<dyn ObjectStore> = match url {
        StoreUrl::Embedded(path) => {
            Arc::new(EmbeddedStore::open(path, embedded_options(on_fatal))?)
        }
        StoreUrl::Memory => Arc::new(InMemory::new()),
        StoreUrl::Files(path) => Arc::new(files(path)?),
    };
    let objects = Objects::new(store.clone());
    check_format(&objects).await?;
    if !matches!(url, StoreUrl::Embedded(_)) {
        probe::create_once(&objects).await?;
    }
    Ok(EventStore::over(store, matches!(url, StoreUrl::Files(_)), clock))
}

fn embedded_options(on_fatal: impl Fn(&str) + Send + Sync + 'static) -> hitl_embedded::Options {
    #[cfg(feature = "planted-faults")]
    {
        use crate::store::PlantedFault as Fault;
        let planted = [
            (Fault::AckBeforeSync, hitl_embedded::PlantedFault::AckBeforeSync),
            (Fault::Overwrite, hitl_embedded::PlantedFault::Overwrite),
        ];
        let planted =
            planted.into_iter().find(|(fault, _)| fault.is_planted()).map(|(_, planted)| planted);
        hitl_embedded::Options {
            planted,
            on_fatal: Box::new(on_fatal),
            ..hitl_embedded::Options::default()
        }
    }
    #[cfg(not(feature = "planted-faults"))]
    hitl_embedded::Options { on_fatal: Box::new(on_fatal), ..hitl_embedded::Options::default() }
}

fn files(path: &FilePath) -> Result<LocalFileSystem, OpenError> {
    let unusable = |error: &dyn fmt::Display| OpenError::Files {
        path: path.display().to_string(),
        message: error.to_string(),
    };
    std::fs::create_dir_all(path).map_err(|error| unusable(&error))?;
    let store = LocalFileSystem::new_with_prefix(path).map_err(|error| unusable(&error))?;
    // Without the cleanup every minute that ever had an entry would leave an empty directory to be listed for ever.
    Ok(store.with_fsync(true).with_automatic_cleanup(true))
}

async fn check_format(objects: &Objects) -> Result<(), OpenError> {
    let path = keys::format();
    let ours = record::encode(&FormatRecord { version: VERSION });
    let Some(found) = objects.bytes(&path).await? else {
        // Another replica may do the same at the same time, with the same result.
        return Ok(objects.put(&path, ours, PutMode::Overwrite).await.map_err(Error::from)?);
    };
    let found: FormatRecord = serde_json::from_slice(&found)
        .map_err(|error| OpenError::UnreadableFormat(error.to_string()))?;
    if found.version > VERSION {
        Err(OpenError::NewerFormat { found: found.version })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn the_value_of_store_says_its_kind_or_what_to_write_instead() {
        assert_eq!("data".parse(), Ok(StoreUrl::Embedded("data".into())));
        assert_eq!("memory://".parse(), Ok(StoreUrl::Memory));
        assert_eq!("file:///d".parse(), Ok(StoreUrl::Files("/d".into())));
        for bad in ["", "file://d", "ftp://x", "memory://x"] {
            assert!(bad.parse::<StoreUrl>().is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_store_of_a_newer_layout_is_refused() {
        let objects = Objects::new(Arc::new(InMemory::new()));
        check_format(&objects).await.unwrap();
        check_format(&objects).await.unwrap();
        let newer = record::encode(&FormatRecord { version: VERSION + 1 });
        objects.put(&keys::format(), newer, PutMode::Overwrite).await.unwrap();
        assert!(matches!(check_format(&objects).await, Err(OpenError::NewerFormat { .. })));
    }

    #[tokio::test]
    async fn files_survive_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let url = StoreUrl::Files(directory.path().to_owned());
        assert!(open(&url, Arc::new(SystemClock), |_| ()).await.unwrap().is_shared());
        assert!(open(&url, Arc::new(SystemClock), |_| ()).await.is_ok());
    }
}
