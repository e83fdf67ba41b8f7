//! Copies a whole store into an empty one of any kind: how a user outgrows one machine, and comes back.
//!
//! Every object is read back and compared. A copy that was cut short goes on where it was when it is begun again, and
//! until it is whole the target says so and no server opens it.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use object_store::path::Path;

use crate::store::keys::{self, Index};
use crate::store::open::{OpenError, Options};
use crate::store::probe;
use crate::store::side::Side;
use crate::store::url::StoreUrl;

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
    #[error(
        "{0}. The copy was cut short: see to that and run the same command again, which goes on where it was"
    )]
    CutShort(#[source] Box<OpenError>),
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
    let (source, target) = (Side::connect(from, &options)?, Side::connect(to, &options)?);
    let copy = Copy { source, target, done: AtomicU64::new(0), before: AtomicU64::new(0) };
    let format = copy.source_format().await?;
    copy.claim_target().await?;
    let probed = probe::probe(&copy.target.objects, &*options.random).await;
    probed.map_err(|error| copy.target.unusable(error))?;
    copy.all(progress).await?;
    copy.drop_settled_timers().await?;
    copy.finish(format).await?;
    let [objects, before] = [copy.done, copy.before].map(AtomicU64::into_inner);
    Ok(Copied { objects, before })
}

struct Copy<'a> {
    source: Side<'a>,
    target: Side<'a>,
    done: AtomicU64,
    before: AtomicU64,
}

/// What is copied: everything but what says how far the copy is.
fn parts() -> [Path; 4] {
    [Path::from("events"), Index::Resolved.root(), Index::Timers.root(), keys::link_key()]
}

impl Copy<'_> {
    async fn source_format(&self) -> Result<Bytes, CopyError> {
        if let Some(other) = self.source.bytes(&keys::copying()).await? {
            let other = String::from_utf8_lossy(&other).into_owned();
            return Err(self.source.unusable(OpenError::UnfinishedCopy(other)));
        }
        let format = self.source.bytes(&keys::format()).await?;
        format.ok_or_else(|| CopyError::NoSource(self.source.url.clone()))
    }

    /// Says in the target that it is half a copy of the source.
    async fn claim_target(&self) -> Result<(), CopyError> {
        let (ours, target) = (self.source.url.to_string(), self.target.url);
        if let Some(marker) = self.target.bytes(&keys::copying()).await? {
            return match String::from_utf8_lossy(&marker).into_owned() {
                other if other == ours => Ok(()),
                other => Err(CopyError::OtherCopy { target: target.clone(), other }),
            };
        }
        if pin!(self.target.keys(None)).try_next().await?.is_some() {
            return Err(CopyError::TargetInUse(target.clone()));
        }
        self.target.put(&keys::copying(), ours.into()).await
    }

    async fn all(&self, progress: impl Fn(u64, u64) + Send + Sync) -> Result<(), CopyError> {
        let mut total = 0;
        for part in parts() {
            total += count(&self.source, &part).await?;
        }
        progress(0, total);
        for part in parts() {
            let keys = keys(&self.source, &part);
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
        let Some(wanted) = self.source.bytes(key).await? else {
            return Err(self.source_changed());
        };
        let found = match self.target.create_or_find(key, &wanted).await? {
            Some(found) => {
                // An earlier attempt's, or this one's if a reply was lost.
                self.before.fetch_add(1, Ordering::Relaxed);
                Some(found)
            }
            None => self.target.bytes(key).await?,
        };
        match found {
            Some(found) if found == wanted => Ok(()),
            Some(_) => {
                let target = self.target.url.clone();
                Err(CopyError::Differs { target, key: key.to_string() })
            }
            None => {
                let lost = format!("it does not have {key}, which it had just taken");
                Err(self.target.unusable(OpenError::Unfit(lost)))
            }
        }
    }

    /// Between two attempts servers of the source may have removed timers; nothing else ever goes. An hour at a time,
    /// since there may be millions.
    async fn drop_settled_timers(&self) -> Result<(), CopyError> {
        for hour in self.target.children(&Index::Timers.root()).await? {
            let wanted: BTreeSet<Path> = keys(&self.source, &hour).try_collect().await?;
            let copied: Vec<Path> = keys(&self.target, &hour).try_collect().await?;
            for settled in copied.iter().filter(|timer| !wanted.contains(timer)) {
                self.target.delete(settled).await?;
            }
        }
        Ok(())
    }

    async fn finish(&self, format: Bytes) -> Result<(), CopyError> {
        for part in parts() {
            if count(&self.source, &part).await? != count(&self.target, &part).await? {
                return Err(self.source_changed());
            }
        }
        self.target.put(&keys::format(), format).await?;
        self.target.delete(&keys::copying()).await
    }

    fn source_changed(&self) -> CopyError {
        CopyError::SourceChanged(self.source.url.clone())
    }
}

/// The keys at and below `part`.
fn keys(side: &Side<'_>, part: &Path) -> impl Stream<Item = Result<Path, CopyError>> {
    // A listing has what is below a prefix; the one object that stands alone is below its parent.
    let alone = part.filename().is_some_and(|name| name.contains('.')).then(|| part.clone());
    let prefix = if alone.is_some() { Path::from("meta") } else { part.clone() };
    let is_meant = move |key: &Path| alone.as_ref().is_none_or(|alone| alone == key);
    side.keys(Some(&prefix)).try_filter(move |key| std::future::ready(is_meant(key)))
}

async fn count(side: &Side<'_>, part: &Path) -> Result<u64, CopyError> {
    keys(side, part).try_fold(0, |count, _| async move { Ok(count + 1) }).await
}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;
