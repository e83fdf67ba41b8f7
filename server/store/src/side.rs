//! One of the two stores of a copy. Whatever fails says which of them it was, and what there is to do about it.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, PutMode};

use crate::Skew;
use crate::copy::CopyError;
use crate::error::Error;
use crate::objects::Objects;
use crate::open::{self, OpenError, Options, Purpose};
use crate::paging;
use crate::url::StoreUrl;

/// See the module.
pub(super) struct Side<'a> {
    pub(super) url: &'a StoreUrl,
    pub(super) objects: Objects,
    store: Arc<dyn ObjectStore>,
    /// Files that the store is opened without, and what is wrong with them.
    pub(super) losses: Vec<(PathBuf, String)>,
}

impl<'a> Side<'a> {
    pub(super) fn connect(
        url: &'a StoreUrl,
        purpose: Purpose,
        options: &Options,
    ) -> Result<Self, CopyError> {
        if let StoreUrl::Embedded(path) = url {
            let store = open::embedded(path, purpose, Box::new(|_| ()));
            let store = store.map_err(|source| unusable(url, source))?;
            let losses = store.losses().to_vec();
            return Ok(Self { losses, ..Self::over(url, Arc::new(store), options) });
        }
        let skew = Arc::<Skew>::default();
        let store = open::connect(url, purpose, options.clock.clone(), skew, Box::new(|_| ()));
        let store = store.map_err(|source| unusable(url, source))?;
        Ok(Self::over(url, store, options))
    }

    pub(super) fn over(url: &'a StoreUrl, store: Arc<dyn ObjectStore>, options: &Options) -> Self {
        let objects = Objects::new(store.clone(), options.metrics.clone());
        Self { url, objects, store, losses: Vec::new() }
    }

    pub(super) async fn bytes(&self, key: &Path) -> Result<Option<Bytes>, CopyError> {
        self.objects.bytes(key).await.map_err(|error| self.failed(error))
    }

    /// Creates an object of these `bytes` at `key`. `None` if the store says that it took them, else what is there.
    pub(super) async fn create_or_find(
        &self,
        key: &Path,
        bytes: &Bytes,
    ) -> Result<Option<Bytes>, CopyError> {
        let find = || self.objects.bytes(key);
        let found = self.objects.create_or_find(key, bytes.clone(), find).await;
        found.map_err(|error| self.failed(error))
    }

    pub(super) async fn put(&self, key: &Path, bytes: Bytes) -> Result<(), CopyError> {
        let put = self.objects.put(key, bytes, PutMode::Overwrite).await;
        put.map_err(|error| self.failed(error.into()))
    }

    pub(super) async fn delete(&self, key: &Path) -> Result<(), CopyError> {
        self.objects.delete(key).await.map_err(|error| self.failed(error))
    }

    /// The keys below `prefix`, or all of them.
    pub(super) fn keys<'s>(
        &'s self,
        prefix: Option<&Path>,
    ) -> impl Stream<Item = Result<Path, CopyError>> + use<'s, 'a> {
        let listed = paging::watched(paging::PAGES_MAX, self.store.list(prefix));
        listed.map_ok(|object| object.location).map_err(|error| self.failed(error.into()))
    }

    /// What it means for the copy that this store cannot be used as it is.
    pub(super) fn unusable(&self, source: OpenError) -> CopyError {
        unusable(self.url, source)
    }

    fn failed(&self, error: Error) -> CopyError {
        if let Error::RecordUnreadable { path, message } = error {
            return CopyError::Unreadable { store: self.url.clone(), key: path, message };
        }
        CopyError::CutShort(Box::new(open::explain(error.into(), self.url)))
    }
}

fn unusable(url: &StoreUrl, source: OpenError) -> CopyError {
    CopyError::Store { store: url.clone(), source: Box::new(open::explain(source, url)) }
}
