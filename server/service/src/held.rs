//! A store for tests, in memory: what it does can be held up, and its replies show what time it is there.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tokio::sync::watch;

use hitl_store::clock::Clock;
use hitl_store::{EventStore, Skew};

/// The way of one replica to a store that others share. See the module.
#[derive(Clone, Debug)]
pub(crate) struct HeldStore {
    inner: Arc<InMemory>,
    /// The replica's.
    clock: Arc<dyn Clock>,
    /// The store's own.
    store_clock: Arc<dyn Clock>,
    skew: Arc<Skew>,
    /// Reads and listings of what has this in its path wait.
    held: watch::Sender<Option<String>>,
}

impl HeldStore {
    /// The events in `inner`, for a replica with this `clock`.
    pub(crate) fn open(
        inner: Arc<InMemory>,
        clock: Arc<dyn Clock>,
        store_clock: Arc<dyn Clock>,
    ) -> (Arc<Self>, EventStore) {
        let (skew, held) = (Arc::<Skew>::default(), watch::Sender::new(None));
        let store = Self { inner, clock: clock.clone(), store_clock, skew: skew.clone(), held };
        let store = Arc::new(store);
        let events = EventStore::over(store.clone(), true, clock).with_skew(skew);
        (store, events)
    }

    /// From now on reads and listings of what has `part` in its path wait, until another part is given, or none.
    pub(crate) fn hold(&self, part: Option<&str>) {
        self.held.send_replace(part.map(str::to_owned));
    }

    /// Does `work` once nothing holds it up.
    async fn reply<T>(&self, path: &Path, work: impl Future<Output = Result<T>>) -> Result<T> {
        let sent = self.clock.now();
        let is_free =
            |part: &Option<String>| part.as_ref().is_none_or(|part| !path.as_ref().contains(part));
        let free = self.held.subscribe().wait_for(is_free).await.map(drop);
        free.expect("the sender lives as long as the store");
        let result = work.await;
        let date = self.store_clock.now();
        let date = date.plus_ms(-(date.ms() % 1_000));
        self.skew.observe(sent, self.clock.now(), date, self.clock.monotonic());
        result
    }
}

impl fmt::Display for HeldStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("held")
    }
}

#[async_trait]
impl ObjectStore for HeldStore {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.inner.put_opts(path, payload, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.reply(path, self.inner.get_opts(path, options)).await
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
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let store = self.clone();
        let prefix = prefix.cloned().unwrap_or_default();
        let listing = async move {
            let all = async { Ok(store.inner.list(Some(&prefix)).collect::<Vec<_>>().await) };
            store.reply(&prefix, all).await.expect("a store in memory can be listed")
        };
        listing.map(futures::stream::iter).flatten_stream().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let root = Path::default();
        let listing = self.inner.list_with_delimiter(prefix);
        self.reply(prefix.unwrap_or(&root), listing).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
