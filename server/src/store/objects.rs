//! Create-once that knows whether it won, whatever the store says.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt, PutMode};

use crate::error::Error;
use crate::store::record::{self, Nonce, Record};

/// How often a create is repeated when the store refuses it although nothing is there.
const ATTEMPTS_MAX: u32 = 6;
/// Pause before the first repetition; each later one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(10);

/// What became of a create-once.
#[derive(Debug)]
pub(crate) enum Created<R> {
    /// This write is the one that counts.
    Ours,
    /// Another write came first, and says this.
    Theirs(R),
}

/// Objects by key, in any kind of store.
#[derive(Clone, Debug)]
pub(crate) struct Objects(Arc<dyn ObjectStore>);

impl Objects {
    pub(crate) fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self(store)
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> Arc<dyn ObjectStore> {
        self.0.clone()
    }

    pub(crate) fn store(&self) -> &dyn ObjectStore {
        &*self.0
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
        let mut pause = PAUSE_MIN;
        for attempt in 1.. {
            let Err(error) = self.put(path, bytes.clone(), PutMode::Create).await else {
                return Ok(Created::Ours);
            };
            match self.read::<R>(path).await? {
                Some(found) if found.nonce() == nonce => return Ok(Created::Ours),
                Some(found) => return Ok(Created::Theirs(found)),
                None if attempt == ATTEMPTS_MAX => return Err(error.into()),
                None => tokio::time::sleep(pause).await,
            }
            pause *= 2;
        }
        unreachable!("the loop returns at the last attempt")
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
        match self.0.get(path).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a marker, whose key says all, whether it is there already or not.
    pub(crate) async fn mark(&self, path: &Path) -> Result<(), Error> {
        Ok(self.put(path, Bytes::new(), PutMode::Overwrite).await?)
    }

    pub(crate) async fn exists(&self, path: &Path) -> Result<bool, Error> {
        match self.0.head(path).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes what is at `path`, if anything is.
    pub(crate) async fn delete(&self, path: &Path) -> Result<(), Error> {
        match self.0.delete(path).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn put(
        &self,
        path: &Path,
        bytes: Bytes,
        mode: PutMode,
    ) -> Result<(), StoreError> {
        self.0.put_opts(path, bytes.into(), mode.into()).await.map(drop)
    }
}

#[cfg(test)]
#[path = "objects_tests.rs"]
mod tests;
