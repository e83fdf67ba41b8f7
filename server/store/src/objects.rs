//! Create-once that knows whether it won, whatever the store says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use hitl_embedded::{EmbeddedStore, NewWork, Write};
use object_store::path::Path;
use object_store::{
    Error as StoreError, Extensions, GetResult, GetResultPayload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutOptions,
};
use tokio::time::Instant;

use crate::disk;
use crate::error::Error;
use crate::index::Listed;
use crate::metrics::{Operation, StoreMetrics};
use crate::record::{self, Nonce, Record};
use crate::{paging, unreadable};

/// How often a create is tried that the store refuses although nothing is there, as it does while another is under way.
const REFUSALS_MAX: u32 = 6;
/// How often one is tried that fails otherwise: the store's client has asked several times by then, and whoever asks a
/// store again that has too much to do gives it more.
const FAILURES_MAX: u32 = 2;
/// Pause before the first repetition; each later one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// After so long a create is not repeated any more: whoever waits is told that the outcome is unknown.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most bytes of an object that is read: several times the largest event, as it is written. Whatever is larger is none
/// of ours, and is not taken into memory.
const OBJECT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Most pages of a listing of one minute, of a thousand keys each.
const MINUTE_PAGES_MAX: usize = 10_000;
/// Most pages of a listing of one level, of a thousand each: the hours of a hundred years.
const LEVEL_PAGES_MAX: usize = 1_000;

/// What became of a create-once.
#[derive(Debug)]
pub(crate) enum CreateOnce<R> {
    /// This write is the one that counts.
    Ours,
    /// Another write came first, and says this.
    Theirs(R),
}

/// Objects by key, in any kind of store. Every operation on the store goes through here, and is counted and timed.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    metrics: StoreMetrics,
    /// Go with every write.
    extensions: Extensions,
    /// The same store, if it can do several writes as one.
    together: Option<EmbeddedStore>,
}

impl Objects {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, metrics: StoreMetrics) -> Self {
        Self { store, metrics, extensions: Extensions::new(), together: None }
    }

    /// The same objects, in a store that can do several writes as one.
    pub(crate) fn together(self, store: Option<EmbeddedStore>) -> Self {
        Self { together: store, ..self }
    }

    /// The same objects, for writes that are refused first when the disk fills up.
    pub(crate) fn for_new_work(&self) -> Self {
        let mut objects = self.clone();
        objects.extensions.insert(NewWork);
        objects
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> Arc<dyn ObjectStore> {
        self.store.clone()
    }

    pub(crate) fn metrics(&self) -> &StoreMetrics {
        &self.metrics
    }

    /// Writes `bytes`, a record with `nonce`, if nothing is at `path` yet.
    ///
    /// The store's word is taken only for success. A store may report a failure, or that something
    /// exists already, for a write of ours that it did take, and may report a conflict although
    /// there is nothing; so on any error the record is read back, and its nonce tells. Only then is
    /// it known, and if it cannot be read the outcome is unknown.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown, [`Error::RecordUnreadable`] if what
    /// is there cannot be read.
    pub(crate) async fn create_once<R: Record>(
        &self,
        path: &Path,
        nonce: Nonce,
        bytes: Bytes,
    ) -> Result<CreateOnce<R>, Error> {
        let found = self.create_or_find(path, bytes, || self.read::<R>(path)).await?;
        Ok(CreateOnce::of(found, nonce))
    }

    /// Does the same, and with it puts a marker at each of `marks` and deletes what is at `gone`: all of it, or nothing
    /// if something is at `path`. `None` if this store can only do one after the other.
    pub(crate) async fn create_together<R: Record>(
        &self,
        path: &Path,
        nonce: Nonce,
        bytes: Bytes,
        marks: &[Path],
        gone: Option<&Path>,
    ) -> Result<Option<CreateOnce<R>>, Error> {
        let Some(store) = &self.together else { return Ok(None) };
        let new_work = self.extensions.get::<NewWork>().map(|_| NewWork);
        let write = || async {
            let create = std::iter::once(Write::Create(path.clone(), bytes.clone()));
            let marks = marks.iter().map(|mark| Write::Put(mark.clone(), Bytes::new()));
            let gone = gone.map(|path| Write::Delete(path.clone()));
            let writes = create.chain(marks).chain(gone).collect();
            self.metrics.time(Operation::Put, store.write(writes, new_work)).await
        };
        let found = create_or_find(write, || self.read::<R>(path)).await?;
        Ok(Some(CreateOnce::of(found, nonce)))
    }

    /// Writes `bytes` if nothing is at `path` yet. `None` if the store says that it took them; else what `read` finds
    /// there.
    ///
    /// # Errors
    /// Those of `read`, and [`Error::StoreUnavailable`] if it finds nothing however often the write is repeated.
    pub(crate) async fn create_or_find<T, Read>(
        &self,
        path: &Path,
        bytes: Bytes,
        read: impl Fn() -> Read,
    ) -> Result<Option<T>, Error>
    where
        Read: Future<Output = Result<Option<T>, Error>>,
    {
        create_or_find(|| self.put(path, bytes.clone(), PutMode::Create), read).await
    }

    /// The record at `path`, if there is one.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`]; neither is ever taken for absence.
    pub(crate) async fn read<R: Record>(&self, path: &Path) -> Result<Option<R>, Error> {
        let Some(bytes) = self.bytes(path).await? else {
            return Ok(None);
        };
        record::decode(path, &bytes).map(Some).map_err(|message| not_ours(path, message))
    }

    /// The bytes of the object at `path`, if there is one.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`], and [`Error::RecordUnreadable`] if it is damaged, or larger than any of ours.
    pub(crate) async fn bytes(&self, path: &Path) -> Result<Option<Bytes>, Error> {
        let get = async { bounded(self.store.get(path).await?).await };
        match found(path, self.metrics.time(Operation::Get, get).await)? {
            None => Ok(None),
            Some(Some(bytes)) => Ok(Some(bytes)),
            Some(None) => {
                let large = format!(
                    "it is larger than any record, which has {OBJECT_BYTES_MAX} bytes at most"
                );
                Err(not_ours(path, large))
            }
        }
    }

    /// Puts a marker, whose key says all, whether it is there already or not.
    pub(crate) async fn mark(&self, path: &Path) -> Result<(), Error> {
        Ok(self.put(path, Bytes::new(), PutMode::Overwrite).await?)
    }

    pub(crate) async fn exists(&self, path: &Path) -> Result<bool, Error> {
        let head = self.metrics.time(Operation::Head, self.store.head(path)).await;
        found(path, head).map(|there| there.is_some())
    }

    /// Deletes what is at `path`, if anything is.
    pub(crate) async fn delete(&self, path: &Path) -> Result<(), Error> {
        found(path, self.metrics.time(Operation::Delete, self.store.delete(path)).await).map(drop)
    }

    /// The keys below `prefix`, in no order.
    pub(crate) async fn list(&self, prefix: &Path) -> Result<Listed<Path>, Error> {
        self.collect(prefix, self.store.list(Some(prefix))).await
    }

    /// The keys below `prefix` that come after `offset`, in no order.
    pub(crate) async fn list_after(
        &self,
        prefix: &Path,
        offset: &Path,
    ) -> Result<Listed<Path>, Error> {
        self.collect(prefix, self.store.list_with_offset(Some(prefix), offset)).await
    }

    /// The parts of the next level below `prefix`, in no order.
    pub(crate) async fn children(&self, prefix: &Path) -> Result<Listed<Path>, Error> {
        let list = paging::bounded(LEVEL_PAGES_MAX, self.store.list_with_delimiter(Some(prefix)));
        match self.metrics.time(Operation::List, list).await {
            Ok(listed) => Ok(Listed { found: listed.common_prefixes, damaged: Vec::new() }),
            Err(error) => match unreadable::explain(Some(prefix), error) {
                // Whatever is listed one by one is listed around what is damaged.
                Error::RecordUnreadable { .. } => self.children_one_by_one(prefix).await,
                error => Err(error),
            },
        }
    }

    async fn children_one_by_one(&self, prefix: &Path) -> Result<Listed<Path>, Error> {
        let mut children = BTreeSet::new();
        let mut damaged = Vec::new();
        let mut listing =
            Box::pin(paging::watched(paging::PAGES_MAX, self.store.list(Some(prefix))));
        while let Some(object) = listing.next().await {
            match object.map_err(|error| unreadable::explain(Some(prefix), error)) {
                Ok(object) => {
                    let mut below = object.location.prefix_match(prefix).into_iter().flatten();
                    children.extend(below.next().map(|child| prefix.clone().join(child)));
                }
                Err(Error::RecordUnreadable { path, .. }) => damaged.push(path),
                Err(error) => return Err(error),
            }
        }
        damaged.dedup();
        Ok(Listed { found: children.into_iter().collect(), damaged })
    }

    async fn collect(
        &self,
        prefix: &Path,
        listing: BoxStream<'_, Result<ObjectMeta, StoreError>>,
    ) -> Result<Listed<Path>, Error> {
        let mut damaged = Vec::new();
        let listed = paging::watched(MINUTE_PAGES_MAX, listing);
        let readable = listed.filter_map(|object| {
            let kept = match object {
                Ok(object) => Some(Ok(object.location)),
                Err(error) if unreadable::is_damage(&error) => {
                    damaged.push(prefix.to_string());
                    None
                }
                Err(error) => Some(Err(error)),
            };
            std::future::ready(kept)
        });
        let paths = readable.try_collect();
        let paths = self.metrics.time(Operation::List, paths).await?;
        damaged.dedup();
        Ok(Listed { found: paths, damaged })
    }

    pub(crate) async fn put(
        &self,
        path: &Path,
        bytes: Bytes,
        mode: PutMode,
    ) -> Result<(), StoreError> {
        let extensions = self.extensions.clone();
        let options = PutOptions { mode, extensions, ..PutOptions::default() };
        let put = self.store.put_opts(path, bytes.into(), options);
        self.metrics.time(Operation::Put, put).await.map(drop)
    }
}

impl<R: Record> CreateOnce<R> {
    /// What the record that was found says to whoever wrote one with `nonce`. None was found if that was taken.
    fn of(found: Option<R>, nonce: Nonce) -> Self {
        match found {
            Some(found) if found.nonce() != nonce => Self::Theirs(found),
            _ => Self::Ours,
        }
    }
}

/// Calls `create` until it succeeds or `read` finds what is there.
async fn create_or_find<T, Create, Read>(
    create: impl Fn() -> Create,
    read: impl Fn() -> Read,
) -> Result<Option<T>, Error>
where
    Create: Future<Output = Result<(), StoreError>>,
    Read: Future<Output = Result<Option<T>, Error>>,
{
    let begun = Instant::now();
    let (mut refusals, mut failures) = (0, 0);
    let mut pause = PAUSE_MIN;
    loop {
        let Err(error) = create().await else {
            return Ok(None);
        };
        if let Some(found) = read().await? {
            return Ok(Some(found));
        }
        // Asking again makes no room.
        if disk::is_full(&error) {
            return Err(error.into());
        }
        let count = if is_refusal(&error) { &mut refusals } else { &mut failures };
        *count += 1;
        let has_enough = refusals == REFUSALS_MAX || failures == FAILURES_MAX;
        if has_enough || begun.elapsed() >= PATIENCE {
            return Err(error.into());
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

/// Whether the store says that something is there already.
pub(crate) fn is_refusal(error: &StoreError) -> bool {
    matches!(error, StoreError::AlreadyExists { .. } | StoreError::Precondition { .. })
}

/// An absence is no failure.
fn found<T>(path: &Path, result: Result<T, StoreError>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(unreadable::explain(Some(path), error)),
    }
}

fn not_ours(path: &Path, message: String) -> Error {
    Error::RecordUnreadable { path: path.to_string(), message }
}

/// The whole of an object. `None` if it is too large, whatever it says of its size.
async fn bounded(object: GetResult) -> Result<Option<Bytes>, StoreError> {
    if object.meta.size > OBJECT_BYTES_MAX {
        return Ok(None);
    }
    if matches!(object.payload, GetResultPayload::File(..)) {
        return object.bytes().await.map(Some);
    }
    let mut stream = object.into_stream();
    let (mut parts, mut length) = (Vec::new(), 0);
    while let Some(part) = stream.try_next().await? {
        length += part.len() as u64;
        if length > OBJECT_BYTES_MAX {
            return Ok(None);
        }
        parts.push(part);
    }
    // Mostly there is one, which need not be copied.
    Ok(Some(if parts.len() == 1 { parts.remove(0) } else { parts.concat().into() }))
}

#[cfg(test)]
#[path = "objects_tests.rs"]
mod tests;
