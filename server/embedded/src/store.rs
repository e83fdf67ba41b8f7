//! The store itself: opening, closing, and the `ObjectStore` trait, which only converts and
//! delegates.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    RenameTargetMode, Result,
};

use crate::batch::{Answer, Op};
use crate::commit::{Commit, EngineCommit};
use crate::dir::LockedDir;
use crate::engine::Work;
use crate::error::{OpenError, StoreError};
use crate::multipart::Upload;
use crate::options::{Options, Purpose};
use crate::queue::Queue;
use crate::reclaim::Reclaimer;
use crate::reserve::{NewWork, Reserve, Room, Usage};
use crate::shared::Shared;
use crate::versions::Versions;
use crate::writer::Writer;
use crate::{damage, engine, key, list, read, record};

/// How many deletes of one `delete_stream` are under way at a time; they share syncs.
const CONCURRENT_DELETES: usize = 256;

/// An [`ObjectStore`] in a directory, with every write durable before it is acknowledged. See the
/// [crate] for what it promises.
///
/// A clone is another handle to the same store. When the last handle (and the last stream or
/// upload made from one) is gone, what is queued is still written and the directory is unlocked;
/// that drop blocks for about one sync.
///
/// A write whose future is dropped may or may not happen. Listings need a tokio runtime.
#[derive(Clone)]
pub struct EmbeddedStore {
    inner: Arc<Inner>,
}

struct Inner {
    /// `None` only while dropping: it ends the writer thread.
    queue: Option<Queue>,
    writer: Option<JoinHandle<()>>,
    reclaimer: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
    losses: Vec<(std::path::PathBuf, String)>,
    max_object_bytes: usize,
    max_key_bytes: usize,
}

impl EmbeddedStore {
    /// Opens the store in the directory `path`, creating both if needed. Blocks: after a crash,
    /// for as long as it takes to read at most about 100 MB of journal.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]; in each case nothing in the directory has been changed.
    pub fn open(path: impl AsRef<std::path::Path>, options: Options) -> Result<Self, OpenError> {
        Self::open_with(path.as_ref(), options, |commit| Box::new(commit))
    }

    /// Opens with another way to commit than the engine's own.
    pub(crate) fn open_with(
        path: &std::path::Path,
        options: Options,
        commit: impl FnOnce(EngineCommit) -> Box<dyn Commit>,
    ) -> Result<Self, OpenError> {
        options.validate()?;
        let dir = LockedDir::acquire(path)?;
        let reserve = Arc::new(Reserve::new(path, dir.reserve(), options.reserve_bytes));
        let mut engine = engine::open(&dir, options.purpose, &reserve)?;
        let losses = std::mem::take(&mut engine.losses);
        let unusable = |source| OpenError::Unusable { dir: path.to_owned(), source };
        let place = dir.place().map_err(unusable)?;
        let versions = Versions::after(engine.first_version);
        let shared = Arc::new(Shared::new(engine, dir, place, reserve, options.on_fatal));
        if options.purpose == Purpose::Serve {
            shared.tend();
        }
        let (queue, requests) = Queue::new(options.max_queued_ops, options.max_object_bytes);
        let engine_commit = EngineCommit {
            db: shared.db.clone(),
            objects: shared.objects.clone(),
            durability: options.durability,
            work: shared.work,
        };
        let writer = Writer {
            was_first: false,
            commit: commit(engine_commit),
            shared: Arc::clone(&shared),
            versions,
            clock: options.clock,
        };
        let writer = writer
            .spawn(requests)
            .map_err(|source| OpenError::Unusable { dir: path.to_owned(), source })?;
        let reclaimer = (options.purpose == Purpose::Serve && shared.work == Work::All)
            .then(|| Reclaimer::new(Arc::clone(&shared), queue.aside()).spawn())
            .transpose();
        let reclaimer =
            reclaimer.map_err(|source| OpenError::Unusable { dir: path.to_owned(), source })?;
        let inner = Inner {
            queue: Some(queue),
            writer: Some(writer),
            reclaimer,
            shared,
            losses,
            max_object_bytes: options.max_object_bytes,
            max_key_bytes: options.max_key_bytes,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether the directory is still the one that was opened. If it is not, the store has stopped.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub fn check_place(&self) -> Result<(), StoreError> {
        self.inner.shared.check_place()
    }

    /// To be called every few seconds: makes the reserve whole again when there is room.
    pub fn tend(&self) {
        self.inner.shared.tend();
    }

    /// The disk in numbers, unless it cannot be looked at.
    pub fn usage(&self) -> Option<Usage> {
        self.inner.shared.reserve.usage()
    }

    /// How much may be written before the disk is full, if the reserve is used for what it is kept for. Each write
    /// takes it twice.
    pub fn room_at_most(&self) -> Room {
        self.inner.shared.room_at_most()
    }

    /// How much of the disk the engine's files take.
    pub fn disk_bytes(&self) -> Option<u64> {
        self.inner.shared.disk_bytes()
    }

    pub(crate) fn check_size(&self, bytes: usize) -> Result<(), StoreError> {
        let max = self.inner.max_object_bytes;
        if bytes > max {
            return Err(StoreError::ObjectTooLarge { bytes, max });
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    #[cfg(test)]
    pub(crate) fn reclaimer(&self) -> Reclaimer {
        let queue = self.inner.queue.as_ref().unwrap();
        Reclaimer::new(Arc::clone(&self.inner.shared), queue.aside())
    }

    pub(crate) fn key(&self, location: &Path) -> Result<key::Key, StoreError> {
        let bytes = location.as_ref().len();
        let max = self.inner.max_key_bytes;
        if !(1..=max).contains(&bytes) {
            return Err(StoreError::PathLength { bytes, max });
        }
        Ok(key::of(location))
    }

    /// What was gone on without, of a store that was opened to be saved: files, and what is wrong with them.
    pub fn losses(&self) -> &[(std::path::PathBuf, String)] {
        &self.inner.losses
    }

    /// The files of the store of which something cannot be read, with what the engine says. Reads all of the store.
    pub async fn damaged_files(&self) -> Result<Vec<(std::path::PathBuf, String)>> {
        let shared = self.inner.shared.clone();
        let work = move || {
            let all = (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded);
            let mut found = std::collections::BTreeMap::new();
            for place in damage::places(&shared.objects, &all) {
                found.entry(place.file).or_insert(place.reason);
            }
            found.into_iter().collect()
        };
        Ok(tokio::task::spawn_blocking(work).await?)
    }

    pub(crate) async fn submit(&self, op: Op) -> Answer {
        self.inner.shared.check_takes_writes()?;
        let queue = self.inner.queue.as_ref();
        let queue = queue.expect("the queue is taken only when the last handle drops");
        queue.submit(op, &self.inner.shared).await
    }

    async fn copy_or_move(&self, from: &Path, to: &Path, create: bool, take: bool) -> Result<()> {
        let op = Op::Copy { from: self.key(from)?, to: self.key(to)?, create, take };
        self.submit(op).await.map(drop)
    }

    fn list_range(&self, range: key::KeyRange) -> BoxStream<'static, Result<ObjectMeta>> {
        list::list(Arc::clone(&self.inner.shared), range)
    }
}

#[async_trait]
impl ObjectStore for EmbeddedStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        self.check_size(payload.content_length())?;
        let op = Op::Put {
            key: self.key(location)?,
            record: record::encode(&opts.attributes, &payload)?,
            mode: opts.mode,
            is_new_work: opts.extensions.get::<NewWork>().is_some(),
        };
        let version = self.submit(op).await?;
        Ok(PutResult {
            e_tag: version.map(record::etag),
            version: None,
            extensions: Default::default(),
        })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.key(location)?;
        let upload = Upload::new(self.clone(), location.clone(), opts.attributes);
        Ok(Box::new(upload))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        read::get(&self.inner.shared, location, options)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        read::get_ranges(&self.inner.shared, location, ranges)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        locations
            .map(move |location| {
                let store = store.clone();
                async move {
                    let location = location?;
                    let key = store.key(&location)?;
                    store.submit(Op::Delete { key }).await?;
                    Ok(location)
                }
            })
            .buffered(CONCURRENT_DELETES)
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.list_range(key::starting_with(&key::directory(prefix)))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let range = key::starting_with(&key::directory(prefix));
        self.list_range(key::after_offset(range, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        list::list_with_delimiter(Arc::clone(&self.inner.shared), prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let create = matches!(options.mode, CopyMode::Create);
        self.copy_or_move(from, to, create, false).await
    }

    /// One step, unlike the trait's default: nobody sees both names or neither.
    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let create = matches!(options.target_mode, RenameTargetMode::Create);
        self.copy_or_move(from, to, create, true).await
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.queue.take());
        self.shared.close();
        for thread in [self.writer.take(), self.reclaimer.take()].into_iter().flatten() {
            // The hook of `Options` runs on one of these threads and may hold the last handle.
            if thread.thread().id() != thread::current().id() {
                // A panic of the writer has already stopped the store and called the hook.
                let _ = thread.join();
            }
        }
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore")
            .field("dir", &self.inner.shared.dir.path())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmbeddedStore({})", self.inner.shared.dir.path().display())
    }
}
