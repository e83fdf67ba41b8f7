//! A store of plain files: each object is a file, and each write is synced. The crate `object_store` does that. Added
//! here are two checks: before a write, whether the disk has room for it, and after a write, whether the directory is
//! still there. Without the second one a directory that was deleted would be made anew, and writes into it
//! acknowledged.

use std::fmt;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures::stream::BoxStream;
use hitl_embedded::{Floor, NewWork, Place, Reserve, StoreError, private};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::keys;
use crate::open::{OnFatal, OpenError};

/// What a file takes besides its contents: a block that is not full, and up to four directories.
const FILE_BYTES: u64 = 20 << 10;
/// Keeps room for what must be written. `object_store` takes names that end like this for unfinished uploads, and does
/// not list them.
const RESERVE: &str = "reserve#0";
/// What may be in the directory of a store: ours, and what a file system puts there.
const KNOWN: [&str; 6] = ["events", "meta", "resolved", "timers", RESERVE, "lost+found"];

/// See the module.
pub struct Files {
    inner: LocalFileSystem,
    root: PathBuf,
    reserve: Reserve,
    place: Place,
    /// Whether the store was seen to be one: a new one is empty at first.
    is_store: AtomicBool,
    on_fatal: OnFatal,
    stopped: AtomicBool,
}

impl Files {
    pub(crate) fn open(
        root: &FilePath,
        reserve_bytes: Option<u64>,
        on_fatal: OnFatal,
    ) -> Result<Arc<Self>, OpenError> {
        let unusable = |error: &dyn fmt::Display| OpenError::Directory {
            path: root.display().to_string(),
            message: error.to_string(),
        };
        private::create_dir_all(root).map_err(|error| unusable(&error))?;
        refuse_foreign(root)?;
        close(root).map_err(|error| unusable(&error))?;
        let store = LocalFileSystem::new_with_prefix(root).map_err(|error| unusable(&error))?;
        // Without the cleanup every minute that ever had an entry would leave an empty directory to be listed for ever.
        let inner = store.with_fsync(true).with_automatic_cleanup(true);
        let place = Place::of([root.to_owned()]).map_err(|error| unusable(&error))?;
        Ok(Arc::new(Self {
            inner,
            root: root.to_owned(),
            reserve: Reserve::new(root, root.join(RESERVE), reserve_bytes),
            place,
            is_store: AtomicBool::new(false),
            on_fatal,
            stopped: AtomicBool::new(false),
        }))
    }

    pub(crate) fn reserve(&self) -> &Reserve {
        &self.reserve
    }

    /// What must stay free, for directories and for other servers that write at the same time.
    pub(crate) const FLOOR: Floor = Floor { kept_bytes: 64 << 10, free_bytes: 64 << 10 };

    /// Whether the directory is still the one that was opened, and still a store. If it is not, the store has stopped.
    pub(crate) fn check_place(&self) -> Result<(), StoreError> {
        let format = self.root.join(keys::format().as_ref());
        let is_there = format.try_exists().unwrap_or(false);
        let was_there = self.is_store.fetch_or(is_there, Ordering::Relaxed);
        let emptied = || format!("{} was emptied while it was in use", self.root.display());
        let checked = self.place.check();
        let checked =
            checked.and_then(|()| if was_there && !is_there { Err(emptied()) } else { Ok(()) });
        checked.map_err(|reason| {
            if !self.stopped.swap(true, Ordering::Relaxed) {
                (self.on_fatal)(&reason);
            }
            StoreError::Stopped { reason }
        })
    }

    /// Refuses a write for which the disk has no room, before it is tried.
    fn check_room(&self, bytes: usize, is_new_work: bool) -> Result<(), StoreError> {
        let wanted = bytes as u64 + FILE_BYTES;
        let from_reserve = if is_new_work { 0 } else { wanted };
        let room = self.reserve.room(from_reserve, Self::FLOOR);
        let room = if is_new_work { room.new_work } else { room.rest };
        if room < wanted { Err(StoreError::DiskFull) } else { Ok(()) }
    }
}

/// A directory of somebody else's files is more likely a mistyped path than a wish.
fn refuse_foreign(root: &FilePath) -> Result<(), OpenError> {
    let unusable = |error: std::io::Error| OpenError::Directory {
        path: root.display().to_string(),
        message: error.to_string(),
    };
    if root.join(keys::format().as_ref()).try_exists().unwrap_or(false) {
        return Ok(());
    }
    for entry in std::fs::read_dir(root).map_err(unusable)? {
        let name = entry.map_err(unusable)?.file_name();
        if !KNOWN.contains(&name.to_string_lossy().as_ref()) {
            let found = name.to_string_lossy().into_owned();
            return Err(hitl_embedded::OpenError::NotAStore { dir: root.to_owned(), found }.into());
        }
    }
    Ok(())
}

/// A mount point may belong to another user, who lets us write there; what is below is ours all the same.
fn close(root: &FilePath) -> std::io::Result<()> {
    match private::close(root) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            tracing::warn!(
                directory = %root.display(),
                "it belongs to another user and others may list it: run `chmod 700` on it as that user"
            );
            Ok(())
        }
        closed => closed,
    }
}

#[async_trait]
impl ObjectStore for Files {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let is_new_work = opts.extensions.get::<NewWork>().is_some();
        let bytes = payload.content_length();
        // An object that is there already takes no room: the store says that it exists.
        if let Err(full) = self.check_room(bytes, is_new_work) {
            if matches!(opts.mode, object_store::PutMode::Create)
                && self.inner.get_opts(location, GetOptions::new().with_head(true)).await.is_ok()
            {
                return Err(Error::AlreadyExists {
                    path: location.to_string(),
                    source: "an object is there".into(),
                });
            }
            return Err(full.into());
        }
        self.check_place()?;
        let put = self.inner.put_opts(location, payload, opts).await;
        // The directory may have been deleted meanwhile, and made anew by this very write.
        self.check_place()?;
        put
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("root", &self.root).finish_non_exhaustive()
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Files({})", self.root.display())
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
