//! The stores that the faults are laid around.

use std::fmt;
use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};
use hitl_embedded::{EmbeddedStore, Options};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tokio::runtime::Handle;

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Does the same for the same seed.
    Memory,
    /// A directory of plain files.
    Files,
    /// A directory of the embedded store.
    Embedded,
}

impl Kind {
    /// An empty store, which may keep files in `dir`.
    pub(crate) fn open(self, dir: &FilePath) -> Arc<dyn ObjectStore> {
        match self {
            Self::Memory => Arc::new(InMemory::new()),
            Self::Files => {
                let files = LocalFileSystem::new_with_prefix(dir).expect("the directory is there");
                Arc::new(files.with_automatic_cleanup(true))
            }
            Self::Embedded => {
                let store = EmbeddedStore::open(dir, Options::default());
                Arc::new(Timeless(Arc::new(store.expect("the directory is empty"))))
            }
        }
    }
}

/// Makes of an empty store one that a server has opened.
pub(crate) async fn format(store: &dyn ObjectStore) {
    let path = "meta/format.json".into();
    let put = store.put(&path, r#"{"version": 1}"#.into()).await;
    put.expect("nothing goes wrong with the store itself");
}

/// A store with threads of its own. Virtual time stands still while it works, which it would not by itself: the runtime
/// knows of no work but its own.
#[derive(Debug)]
struct Timeless<S>(Arc<S>);

impl<S: ObjectStore> Timeless<S> {
    async fn still<T, W>(&self, work: impl FnOnce(Arc<S>) -> W + Send + 'static) -> T
    where
        W: Future<Output = T>,
        T: Send + 'static,
    {
        let (runtime, store) = (Handle::current(), self.0.clone());
        let done = tokio::task::spawn_blocking(move || runtime.block_on(work(store)));
        done.await.expect("the store does not panic")
    }
}

#[async_trait]
impl<S: ObjectStore> ObjectStore for Timeless<S> {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let location = location.clone();
        self.still(async move |store| store.put_opts(&location, payload, options).await).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let location = location.clone();
        self.still(async move |store| store.get_opts(&location, options).await).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let ours = Self(self.0.clone());
        let work = async move |store: Arc<S>| store.delete_stream(locations).collect().await;
        let deleted = async move { ours.still::<Vec<_>, _>(work).await };
        deleted.map(stream::iter).flatten_stream().boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (ours, prefix) = (Self(self.0.clone()), prefix.cloned());
        let work = async move |store: Arc<S>| store.list(prefix.as_ref()).collect().await;
        let listed = async move { ours.still::<Vec<_>, _>(work).await };
        listed.map(stream::iter).flatten_stream().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let prefix = prefix.cloned();
        self.still(async move |store| store.list_with_delimiter(prefix.as_ref()).await).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.0.get_ranges(location, ranges).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}

impl<S: ObjectStore> fmt::Display for Timeless<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timeless({})", self.0)
    }
}
