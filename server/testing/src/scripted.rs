//! A store in memory that does to single operations what a test has written down.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// The kinds of operation that can be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// A write.
    Put,
    /// A read.
    Get,
    /// A look at what is there.
    Head,
    /// A removal.
    Delete,
    /// Of either kind; its key is the prefix.
    List,
}

/// What becomes of one operation.
pub enum Step {
    /// It is done, once this has happened.
    After(BoxFuture<'static, ()>),
    /// It is done, and this is reported all the same.
    DoAndSay(fn() -> Error),
    /// It is not done, and this is reported.
    RefuseAndSay(fn() -> Error),
}

/// See the module.
pub struct Scripted {
    inner: Arc<dyn ObjectStore>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    script: Vec<(Op, &'static str, Step)>,
    absent: Option<&'static str>,
    damaged: Option<&'static str>,
    asked: Vec<(Op, Path)>,
}

/// A store that holds no event.
pub fn empty() -> Arc<InMemory> {
    let store = Arc::new(InMemory::new());
    let put = store.put(&Path::from("meta/format.json"), r#"{"version": 1}"#.into()).now_or_never();
    put.expect("memory is not waited for").expect("memory does not fail");
    store
}

/// What a store says if something is there already.
pub fn exists() -> Error {
    Error::AlreadyExists { path: "p".into(), source: "409".into() }
}

/// What others say then.
pub fn precondition() -> Error {
    Error::Precondition { path: "p".into(), source: "412".into() }
}

/// What a store says that has failed.
pub fn broken() -> Error {
    Error::Generic { store: "scripted", source: "connection reset".into() }
}

fn absent() -> Error {
    Error::NotFound { path: "p".into(), source: "404".into() }
}

fn lost() -> Error {
    let (what, reason) = ("an object".to_owned(), "checksum mismatch".to_owned());
    hitl_embedded::StoreError::Damaged { what, file: None, reason }.into()
}

fn is_look(op: Op) -> bool {
    !matches!(op, Op::Put | Op::Delete)
}

impl Scripted {
    /// The objects in `inner`, with which nothing goes wrong until a test has written it down.
    pub fn over(inner: Arc<dyn ObjectStore>) -> Arc<Self> {
        Arc::new(Self { inner, state: Arc::default() })
    }

    /// The store in which nothing goes wrong.
    pub fn inner(&self) -> Arc<dyn ObjectStore> {
        self.inner.clone()
    }

    /// The next `op` whose key contains `key_part`, and for which nothing else was written down before, meets `step`.
    pub fn next(&self, op: Op, key_part: &'static str, step: Step) {
        self.state().script.push((op, key_part, step));
    }

    /// Forgets what was written down.
    pub fn forget(&self) {
        self.state().script.clear();
    }

    /// From now on it says of every object whose key contains `key_part` that it is not there.
    pub fn hide(&self, key_part: Option<&'static str>) {
        self.state().absent = key_part;
    }

    /// From now on it cannot give any object whose key contains `key_part`, nor list it, since it has lost it.
    pub fn damage(&self, key_part: Option<&'static str>) {
        self.state().damaged = key_part;
    }

    fn has_lost(&self, path: &Path) -> bool {
        self.state().damaged.is_some_and(|part| path.as_ref().contains(part))
    }

    /// How often `op` was asked for of keys that contain `key_part`.
    pub fn asked(&self, op: Op, key_part: &str) -> usize {
        let is_meant =
            |(asked, path): &&(Op, Path)| *asked == op && path.as_ref().contains(key_part);
        self.state().asked.iter().filter(is_meant).count()
    }

    /// Notes an operation. Returns what is to be reported of it, if something is.
    async fn meet(&self, op: Op, path: &Path) -> Option<Step> {
        let step = {
            let mut state = self.state();
            state.asked.push((op, path.clone()));
            if is_look(op) && state.damaged.is_some_and(|part| path.as_ref().contains(part)) {
                return Some(Step::RefuseAndSay(lost));
            }
            if is_look(op) && state.absent.is_some_and(|part| path.as_ref().contains(part)) {
                return Some(Step::RefuseAndSay(absent));
            }
            let fits = |(wanted, part, _): &(Op, &str, Step)| {
                *wanted == op && path.as_ref().contains(part)
            };
            let at = state.script.iter().position(fits)?;
            state.script.remove(at).2
        };
        match step {
            Step::After(happened) => {
                happened.await;
                None
            }
            said => Some(said),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scripted")
    }
}

impl fmt::Display for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scripted")
    }
}

#[async_trait]
impl ObjectStore for Scripted {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        match self.meet(Op::Put, path).await {
            Some(Step::RefuseAndSay(error)) => Err(error()),
            Some(Step::DoAndSay(error)) => {
                let _ = self.inner.put_opts(path, payload, options).await;
                Err(error())
            }
            _ => self.inner.put_opts(path, payload, options).await,
        }
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let op = if options.head { Op::Head } else { Op::Get };
        match self.meet(op, path).await {
            Some(Step::RefuseAndSay(error) | Step::DoAndSay(error)) => Err(error()),
            _ => self.inner.get_opts(path, options).await,
        }
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
        let (inner, state) = (self.inner.clone(), self.state.clone());
        let delete = move |path: Path| {
            let store = Self { inner: inner.clone(), state: state.clone() };
            async move {
                match store.meet(Op::Delete, &path).await {
                    Some(Step::RefuseAndSay(error)) => return Err(error()),
                    Some(Step::DoAndSay(error)) => {
                        let _ = store.inner.delete(&path).await;
                        return Err(error());
                    }
                    _ => store.inner.delete(&path).await?,
                }
                Ok(path)
            }
        };
        paths.and_then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let at = prefix.cloned().unwrap_or_default();
        self.state().asked.push((Op::List, at));
        let damaged = self.state().damaged;
        let is_lost = move |object: &ObjectMeta| {
            damaged.is_some_and(|part| object.location.as_ref().contains(part))
        };
        let objects = self.inner.list(prefix);
        objects
            .map(move |object| {
                object.and_then(|it| if is_lost(&it) { Err(lost()) } else { Ok(it) })
            })
            .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.state().asked.push((Op::List, prefix.cloned().unwrap_or_default()));
        let below: Vec<_> = self.inner.list(prefix).try_collect().await?;
        if below.iter().any(|object| self.has_lost(&object.location)) {
            return Err(lost());
        }
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
