//! Create-once that knows whether it won, whatever the store says.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use hitl_embedded::NewWork;
use object_store::path::Path;
use object_store::{
    Error as StoreError, Extensions, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
};
use tokio::time::Instant;

use crate::error::Error;
use crate::store::disk;
use crate::store::faults::PlantedFault;
use crate::store::metrics::{Operation, StoreMetrics};
use crate::store::record::{self, Nonce, Record};

/// How often a create is tried that the store refuses although nothing is there, as it does while another is under way.
const REFUSALS_MAX: u32 = 6;
/// How often one is tried that fails otherwise: the store's client has asked several times by then, and whoever asks a
/// store again that has too much to do gives it more.
const FAILURES_MAX: u32 = 2;
/// Pause before the first repetition; each later one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// After so long a create is not repeated any more: whoever waits is told that the outcome is unknown.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of a create-once.
#[derive(Debug)]
pub(crate) enum Created<R> {
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
}

impl Objects {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, metrics: StoreMetrics) -> Self {
        Self { store, metrics, extensions: Extensions::new() }
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
    ) -> Result<Created<R>, Error> {
        let Some((found, error)) =
            self.create_or_find(path, bytes, || self.read::<R>(path)).await?
        else {
            return Ok(Created::Ours);
        };
        let is_ours = found.nonce() == nonce && !is_planted_as_lost(&error);
        Ok(if is_ours { Created::Ours } else { Created::Theirs(found) })
    }

    /// Writes `bytes` if nothing is at `path` yet. `None` if the store says that it took them; else what `read` finds
    /// there, and what the store said.
    ///
    /// # Errors
    /// Those of `read`, and [`Error::StoreUnavailable`] if it finds nothing however often the write is repeated.
    pub(crate) async fn create_or_find<T, Read>(
        &self,
        path: &Path,
        bytes: Bytes,
        read: impl Fn() -> Read,
    ) -> Result<Option<(T, StoreError)>, Error>
    where
        Read: Future<Output = Result<Option<T>, Error>>,
    {
        let begun = Instant::now();
        let (mut refusals, mut failures) = (0, 0);
        let mut pause = PAUSE_MIN;
        loop {
            let mode = if PlantedFault::Overwrite.is_planted() {
                PutMode::Overwrite
            } else {
                PutMode::Create
            };
            let Err(error) = self.put(path, bytes.clone(), mode).await else {
                return Ok(None);
            };
            if let Some(found) = read().await? {
                return Ok(Some((found, error)));
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

    /// The record at `path`, if there is one.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`]; neither is ever taken for absence.
    pub(crate) async fn read<R: Record>(&self, path: &Path) -> Result<Option<R>, Error> {
        let Some(bytes) = self.bytes(path).await? else {
            return Ok(None);
        };
        let unreadable = |message| Error::RecordUnreadable { path: path.to_string(), message };
        record::decode(&bytes).map(Some).map_err(unreadable)
    }

    pub(crate) async fn bytes(&self, path: &Path) -> Result<Option<Bytes>, Error> {
        let get = async { self.store.get(path).await?.bytes().await };
        found(self.metrics.time(Operation::Get, get).await)
    }

    /// Puts a marker, whose key says all, whether it is there already or not.
    pub(crate) async fn mark(&self, path: &Path) -> Result<(), Error> {
        Ok(self.put(path, Bytes::new(), PutMode::Overwrite).await?)
    }

    pub(crate) async fn exists(&self, path: &Path) -> Result<bool, Error> {
        let head = self.metrics.time(Operation::Head, self.store.head(path)).await;
        found(head).map(|there| there.is_some())
    }

    /// Deletes what is at `path`, if anything is.
    pub(crate) async fn delete(&self, path: &Path) -> Result<(), Error> {
        found(self.metrics.time(Operation::Delete, self.store.delete(path)).await).map(drop)
    }

    /// The keys below `prefix`, in no order.
    pub(crate) async fn list(&self, prefix: &Path) -> Result<Vec<Path>, Error> {
        self.collect(self.store.list(Some(prefix))).await
    }

    /// The keys below `prefix` that come after `offset`, in no order.
    pub(crate) async fn list_after(
        &self,
        prefix: &Path,
        offset: &Path,
    ) -> Result<Vec<Path>, Error> {
        self.collect(self.store.list_with_offset(Some(prefix), offset)).await
    }

    /// The parts of the next level below `prefix`, in no order.
    pub(crate) async fn children(&self, prefix: &Path) -> Result<Vec<Path>, Error> {
        let list = self.store.list_with_delimiter(Some(prefix));
        Ok(self.metrics.time(Operation::List, list).await?.common_prefixes)
    }

    async fn collect(
        &self,
        listing: BoxStream<'_, Result<ObjectMeta, StoreError>>,
    ) -> Result<Vec<Path>, Error> {
        let paths = listing.map_ok(|object| object.location).try_collect();
        Ok(self.metrics.time(Operation::List, paths).await?)
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

/// Whether the store says that something is there already.
pub(crate) fn is_refusal(error: &StoreError) -> bool {
    matches!(error, StoreError::AlreadyExists { .. } | StoreError::Precondition { .. })
}

/// Whether a planted fault takes this error for a loss.
fn is_planted_as_lost(error: &StoreError) -> bool {
    if is_refusal(error) {
        PlantedFault::ConflictIsLost.is_planted()
    } else {
        PlantedFault::ErrorIsLost.is_planted()
    }
}

/// An absence is no failure.
fn found<T>(result: Result<T, StoreError>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
#[path = "objects_tests.rs"]
mod tests;
