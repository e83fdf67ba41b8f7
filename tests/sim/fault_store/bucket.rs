//! The store that all processes share: what really happened to it, and what it looked like a moment ago.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{
    ListResult, ObjectMeta, ObjectStore, ObjectStoreExt, PutOptions, PutPayload, PutResult, Result,
};
use tokio::time::Instant;

use super::fault::{Fault, Operation, Tally};
use crate::trace::Trace;
use support::history::{Recorder, Stamp};

/// How old a listing may be.
pub(crate) const STALE_MAX: Duration = Duration::from_secs(3);

/// See the module.
#[derive(Debug)]
pub(crate) struct Bucket {
    store: Arc<dyn ObjectStore>,
    trace: Arc<Trace>,
    recorder: Arc<Recorder>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What came and went lately, oldest first.
    changes: VecDeque<Change>,
    tally: Tally,
    /// What was ever created, and when that was done.
    created: Vec<(Path, Stamp)>,
}

#[derive(Debug)]
struct Change {
    when: Instant,
    object: ObjectMeta,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Came,
    Went,
}

/// A change that is asked for. It may arrive more than once.
#[derive(Debug, Clone)]
pub(crate) enum Write {
    Put(Path, PutPayload, PutOptions),
    Delete(Path),
}

impl Write {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Put(path, ..) | Self::Delete(path) => path,
        }
    }
}

impl Bucket {
    pub(crate) fn new(
        store: Arc<dyn ObjectStore>,
        trace: Arc<Trace>,
        recorder: Arc<Recorder>,
    ) -> Self {
        Self { store, trace, recorder, state: Mutex::default() }
    }

    /// The store itself, in which nothing goes wrong.
    pub(crate) fn store(&self) -> &dyn ObjectStore {
        &*self.store
    }

    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    pub(crate) fn recorder(&self) -> Arc<Recorder> {
        self.recorder.clone()
    }

    pub(crate) fn count(&self, operation: Operation, fault: Option<Fault>) {
        self.state().tally.count(operation, fault);
    }

    /// Takes what was ever created, and when that was done.
    pub(crate) fn take_created(&self) -> Vec<(Path, Stamp)> {
        std::mem::take(&mut self.state().created)
    }

    pub(crate) fn tally(&self) -> Tally {
        self.state().tally.clone()
    }

    /// Does what is asked.
    pub(crate) async fn apply(&self, write: &Write) -> Result<PutResult> {
        let path = write.path();
        let before = self.store.head(path).await.ok();
        let result = match write.clone() {
            Write::Put(path, payload, options) => {
                self.store.put_opts(&path, payload, options).await
            }
            Write::Delete(path) => self.store.delete(&path).await.map(|()| done()),
        };
        let after = self.store.head(path).await.ok();
        match (before, after) {
            (None, Some(object)) => {
                self.state().created.push((object.location.clone(), self.recorder.stamp()));
                self.remember(object, Kind::Came);
            }
            (Some(object), None) => self.remember(object, Kind::Went),
            _ => {}
        }
        self.trace.note(format_args!("store {write} {}", word(&result)));
        result
    }

    /// What was below `prefix`, so long `ago`.
    pub(crate) async fn list(
        &self,
        prefix: Option<&Path>,
        ago: Duration,
    ) -> Result<Vec<ObjectMeta>> {
        let mut objects: Vec<_> = self.store.list(prefix).try_collect().await?;
        if ago.is_zero() {
            return Ok(objects);
        }
        let state = self.state();
        let then = Instant::now() - ago;
        let later = state.changes.iter().rev().take_while(|change| change.when > then);
        for change in later {
            let path = &change.object.location;
            let is_below = prefix.is_none_or(|prefix| path.prefix_matches(prefix));
            match change.kind {
                Kind::Came => objects.retain(|object| object.location != *path),
                Kind::Went if is_below => objects.push(change.object.clone()),
                Kind::Went => {}
            }
        }
        Ok(objects)
    }

    /// The next level below `prefix`, so long `ago`.
    pub(crate) async fn children(
        &self,
        prefix: Option<&Path>,
        ago: Duration,
    ) -> Result<ListResult> {
        if ago.is_zero() {
            return self.store.list_with_delimiter(prefix).await;
        }
        let root = Path::default();
        let prefix = prefix.unwrap_or(&root);
        let (mut objects, mut below) = (Vec::new(), BTreeSet::new());
        for object in self.list(Some(prefix), ago).await? {
            let mut parts = object.location.prefix_match(prefix).into_iter().flatten();
            let child = parts.next().map(|part| prefix.clone().join(part));
            if parts.next().is_some() {
                below.extend(child);
            } else {
                drop(parts);
                objects.push(object);
            }
        }
        let common_prefixes = below.into_iter().collect();
        Ok(ListResult { common_prefixes, objects, extensions: Default::default() })
    }

    fn remember(&self, object: ObjectMeta, kind: Kind) {
        let now = Instant::now();
        let mut state = self.state();
        state.changes.push_back(Change { when: now, object, kind });
        while state.changes.front().is_some_and(|change| change.when + STALE_MAX < now) {
            state.changes.pop_front();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Display for Write {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Put(path, _, options) => write!(f, "put {path} {:?}", options.mode),
            Self::Delete(path) => write!(f, "delete {path}"),
        }
    }
}

fn done() -> PutResult {
    PutResult { e_tag: None, version: None, extensions: Default::default() }
}

/// What came of an operation, in a word that is the same in every run.
pub(crate) fn word<T>(result: &Result<T>) -> &'static str {
    use object_store::Error;
    match result {
        Ok(_) => "ok",
        Err(Error::NotFound { .. }) => "not found",
        Err(Error::AlreadyExists { .. }) => "exists",
        Err(Error::Precondition { .. }) => "precondition",
        Err(Error::PermissionDenied { .. }) => "denied",
        Err(_) => "error",
    }
}
