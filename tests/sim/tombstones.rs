//! Faults planted in the removal of events: a store that does its steps in another order, or leaves one out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    /// The response goes first, and the request is overwritten when the response should go.
    RequestGoesLast,
    /// The request is deleted, and nothing says that it was removed.
    TombstoneForgotten,
}

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Tombstones {
    inner: Arc<dyn ObjectStore>,
    planted: Planted,
    /// What is to be written once the response should go, by where that stands.
    held: Arc<Mutex<BTreeMap<Path, PutPayload>>>,
}

impl Tombstones {
    pub(crate) fn over(inner: Arc<dyn ObjectStore>, planted: Planted) -> Self {
        Self { inner, planted, held: Arc::default() }
    }

    async fn remove(&self, path: Path) -> Result<Path> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&path);
        match held {
            Some(payload) => drop(self.inner.put(&other(&path, "request.json"), payload).await?),
            None => self.inner.delete(&path).await?,
        }
        Ok(path)
    }
}

fn other(path: &Path, name: &'static str) -> Path {
    let mut parts: Vec<_> = path.parts().collect();
    parts.pop();
    parts.into_iter().collect::<Path>().join(name)
}

#[async_trait]
impl ObjectStore for Tombstones {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        // Nothing else overwrites a request.
        let is_removal =
            path.filename() == Some("request.json") && matches!(options.mode, PutMode::Overwrite);
        if is_removal {
            let done = PutResult { e_tag: None, version: None, extensions: options.extensions };
            match self.planted {
                Planted::RequestGoesLast => {
                    let response = other(path, "response.json");
                    self.inner.delete(&response).await?;
                    let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
                    held.insert(response, payload);
                }
                Planted::TombstoneForgotten => self.inner.delete(path).await?,
            }
            return Ok(done);
        }
        self.inner.put_opts(path, payload, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(path, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let remove = move |path| {
            let store = store.clone();
            async move { store.remove(path).await }
        };
        paths.and_then(remove).boxed()
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

impl fmt::Display for Tombstones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tombstones({:?}, {})", self.planted, self.inner)
    }
}
