//! Copies a whole store into an empty one of any kind: how a user outgrows one machine, and comes back.
//!
//! Every object is read back and compared. A copy that was cut short goes on where it was when it is begun again, and
//! until it is whole the target says so and no server opens it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt, PutMode};

use crate::error::Error;
use crate::store::keys::{self, Index};
use crate::store::objects::Objects;
use crate::store::open::{self, OpenError, Options};
use crate::store::url::StoreUrl;
use crate::store::{Skew, probe};

/// Objects under way at a time.
const COPYING_MAX: usize = 64;

/// Why a store was not copied, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the two stores cannot be used.
    #[error("{store}: {source}")]
    Store {
        /// Which.
        store: StoreUrl,
        /// Why.
        source: Box<OpenError>,
    },
    /// Both are the same.
    #[error("a store cannot be copied into itself")]
    Same,
    /// The source is no store.
    #[error("{0} holds no hitl store: is the name right?")]
    NoSource(StoreUrl),
    /// The target holds something else.
    #[error("{0} holds a store already: give an empty place")]
    TargetInUse(StoreUrl),
    /// The target is half a copy of another store.
    #[error("{target} is an unfinished copy of {other}: finish that one, or empty it")]
    OtherCopy {
        /// The target.
        target: StoreUrl,
        /// Of what it is a copy.
        other: String,
    },
    /// The target says something else than was written.
    #[error(
        "{target} holds something else at {key} than was copied there: empty it and begin again"
    )]
    Differs {
        /// The target.
        target: StoreUrl,
        /// The object.
        key: String,
    },
    /// The source was in use.
    #[error(
        "{0} has changed while it was copied: stop its servers, and run the same command again"
    )]
    SourceChanged(StoreUrl),
    /// One of the stores failed.
    #[error("the copy was cut short; run the same command again to go on ({0})")]
    CutShort(#[from] Error),
}

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Objects that are in the target now, each compared with the source.
    pub objects: u64,
    /// Those of them that an earlier attempt had copied.
    pub before: u64,
}

/// Copies the store at `from` into the empty place `to`. `progress` is told how many objects are done, of how many.
///
/// # Errors
/// [`CopyError`].
pub async fn copy(
    from: &StoreUrl,
    to: &StoreUrl,
    options: Options,
    progress: impl Fn(u64, u64) + Send + Sync,
) -> Result<Copied, CopyError> {
    if from == to {
        return Err(CopyError::Same);
    }
    let of = |url: &StoreUrl| {
        let url = url.clone();
        move |source: OpenError| CopyError::Store { store: url, source: source.into() }
    };
    let connect = |url: &StoreUrl| {
        let store =
            open::connect(url, options.clock.clone(), Arc::<Skew>::default(), Box::new(|_| ()));
        store.map_err(of(url))
    };
    let (source, target) = (connect(from)?, connect(to)?);
    let copy =
        Copy { from, to, source, target, done: AtomicU64::new(0), before: AtomicU64::new(0) };
    let format = copy.source_format().await?;
    copy.claim_target().await?;
    let objects = Objects::new(copy.target.clone(), options.metrics.clone());
    let probed = probe::probe(&objects, &*options.random).await;
    probed.map_err(|error| of(to)(open::explain(error, to)))?;
    copy.all(progress).await?;
    copy.drop_settled_timers().await?;
    copy.finish(format).await?;
    let [objects, before] = [copy.done, copy.before].map(AtomicU64::into_inner);
    Ok(Copied { objects, before })
}

struct Copy<'a> {
    from: &'a StoreUrl,
    to: &'a StoreUrl,
    source: Arc<dyn ObjectStore>,
    target: Arc<dyn ObjectStore>,
    done: AtomicU64,
    before: AtomicU64,
}

/// What is copied: everything but what says how far the copy is.
fn parts() -> [Path; 4] {
    [Path::from("events"), Index::Resolved.root(), Index::Timers.root(), keys::link_key()]
}

impl Copy<'_> {
    async fn source_format(&self) -> Result<Bytes, CopyError> {
        if let Some(other) = bytes(&*self.source, &keys::copying()).await? {
            let other = String::from_utf8_lossy(&other).into_owned();
            let source = OpenError::UnfinishedCopy(other).into();
            return Err(CopyError::Store { store: self.from.clone(), source });
        }
        let format = bytes(&*self.source, &keys::format()).await?;
        format.ok_or_else(|| CopyError::NoSource(self.from.clone()))
    }

    /// Says in the target that it is half a copy of the source.
    async fn claim_target(&self) -> Result<(), CopyError> {
        let ours = self.from.to_string();
        if let Some(marker) = bytes(&*self.target, &keys::copying()).await? {
            return match String::from_utf8_lossy(&marker).into_owned() {
                other if other == ours => Ok(()),
                other => Err(CopyError::OtherCopy { target: self.to.clone(), other }),
            };
        }
        let is_empty = self.target.list(None).next().await.is_none();
        if !is_empty {
            return Err(CopyError::TargetInUse(self.to.clone()));
        }
        self.target.put(&keys::copying(), ours.into()).await.map_err(Error::from)?;
        Ok(())
    }

    async fn all(&self, progress: impl Fn(u64, u64) + Send + Sync) -> Result<(), CopyError> {
        let mut total = 0;
        for part in parts() {
            total += count(&*self.source, &part).await?;
        }
        progress(0, total);
        for part in parts() {
            let keys = keys(&*self.source, &part).map_err(CopyError::from);
            keys.try_for_each_concurrent(COPYING_MAX, |key| {
                let progress = &progress;
                async move {
                    self.one(&key).await?;
                    progress(self.done.fetch_add(1, Ordering::Relaxed) + 1, total);
                    Ok(())
                }
            })
            .await?;
        }
        Ok(())
    }

    async fn one(&self, key: &Path) -> Result<(), CopyError> {
        let Some(wanted) = bytes(&*self.source, key).await? else {
            return Err(CopyError::SourceChanged(self.from.clone()));
        };
        let put = self.target.put_opts(key, wanted.clone().into(), PutMode::Create.into()).await;
        match put {
            Ok(_) => {}
            // An earlier attempt's, or this one's if a reply was lost: what is there will tell.
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {
                self.before.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => return Err(Error::from(error).into()),
        }
        if bytes(&*self.target, key).await? == Some(wanted) {
            return Ok(());
        }
        Err(CopyError::Differs { target: self.to.clone(), key: key.to_string() })
    }

    /// Between two attempts servers of the source may have removed timers; nothing else ever goes.
    async fn drop_settled_timers(&self) -> Result<(), CopyError> {
        let root = Index::Timers.root();
        let wanted: BTreeSet<Path> = keys(&*self.source, &root).try_collect().await?;
        let copied: BTreeSet<Path> = keys(&*self.target, &root).try_collect().await?;
        for settled in copied.difference(&wanted) {
            self.target.delete(settled).await.map_err(Error::from)?;
        }
        Ok(())
    }

    async fn finish(&self, format: Bytes) -> Result<(), CopyError> {
        for part in parts() {
            if count(&*self.source, &part).await? != count(&*self.target, &part).await? {
                return Err(CopyError::SourceChanged(self.from.clone()));
            }
        }
        self.target.put(&keys::format(), format.into()).await.map_err(Error::from)?;
        self.target.delete(&keys::copying()).await.map_err(Error::from)?;
        Ok(())
    }
}

/// The keys at and below `part`.
fn keys<'a>(
    store: &'a dyn ObjectStore,
    part: &Path,
) -> impl futures::Stream<Item = Result<Path, Error>> + 'a {
    // A listing has what is below a prefix; the one object that stands alone is below its parent.
    let alone = part.filename().is_some_and(|name| name.contains('.')).then(|| part.clone());
    let prefix = if alone.is_some() { Path::from("meta") } else { part.clone() };
    let listed = store.list(Some(&prefix)).map_ok(|object| object.location).map_err(Error::from);
    listed
        .try_filter(move |key| std::future::ready(alone.as_ref().is_none_or(|alone| alone == key)))
}

async fn count(store: &dyn ObjectStore, part: &Path) -> Result<u64, Error> {
    keys(store, part).try_fold(0, |count, _| async move { Ok(count + 1) }).await
}

async fn bytes(store: &dyn ObjectStore, key: &Path) -> Result<Option<Bytes>, Error> {
    match store.get(key).await {
        Ok(found) => Ok(Some(found.bytes().await?)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;
