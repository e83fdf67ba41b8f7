//! Copies a whole store into an empty one of any kind: how a user outgrows one machine, and comes back.
//!
//! Every object is read back and compared. A copy that was cut short goes on where it was when it is begun again, and
//! until it is whole the target says so and no server opens it. What cannot be read of a damaged source is left out if
//! the caller says so, with all else of the same event: an event without its end would wait for one once more.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::path::Path;

use crate::jobs::JobIndex;
use crate::keys::{self, Index};
use crate::left::Left;
use crate::open::{self, OpenError, Options, Purpose};
use crate::probe;
use crate::record::{self, FormatRecord, VERSION};
use crate::side::Side;
use crate::url::StoreUrl;

/// Objects under way at a time.
const COPYING_MAX: usize = 64;
/// Most keys of the target that are held because the source has them no more.
const GONE_MAX: usize = 10_000;

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
    /// The source is damaged.
    #[error(
        "{store}: the object {key} cannot be read: {message}. With --skip-unreadable everything else is copied, \
         and what is left out is listed"
    )]
    Unreadable {
        /// The store.
        store: StoreUrl,
        /// The object, or the part of a listing.
        key: String,
        /// What is wrong with it.
        message: String,
    },
    /// One of the stores failed.
    #[error(
        "{0}. The copy was cut short: see to that and run the same command again, which goes on where it was"
    )]
    CutShort(#[source] Box<OpenError>),
}

/// What to do about what cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The copy fails, and names it.
    Fails,
    /// It is left out, and listed.
    IsLeftOut,
}

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Objects that are in the target now, each compared with the source.
    pub objects: u64,
    /// Those of them that an earlier attempt had copied.
    pub before: u64,
    /// What was left out, each with what is wrong with it; the first of many.
    pub left: Vec<(String, String)>,
    /// How much was left out.
    pub left_count: u64,
}

/// Copies the store at `from` into the empty place `to`. `progress` is told how many objects are done, of how many.
///
/// # Errors
/// [`CopyError`].
pub async fn copy(
    from: &StoreUrl,
    to: &StoreUrl,
    unreadable: Unreadable,
    options: Options,
    progress: impl Fn(u64, u64) + Send + Sync,
) -> Result<Copied, CopyError> {
    if from == to {
        return Err(CopyError::Same);
    }
    let purpose = match unreadable {
        Unreadable::Fails => Purpose::Serve,
        Unreadable::IsLeftOut => Purpose::Salvage,
    };
    let source = Side::connect(from, purpose, &options)?;
    let target = Side::connect(to, Purpose::Serve, &options)?;
    Copy::new(source, target, unreadable).run(&options, progress).await
}

struct Copy<'a> {
    source: Side<'a>,
    target: Side<'a>,
    unreadable: Unreadable,
    done: AtomicU64,
    before: AtomicU64,
    left: Left,
}

/// Everything is copied but the record of the copy itself; and no tokens and no links that were made if something may
/// be left out, since that could be the record that one was revoked. The link that each event has of itself needs no
/// record, so the revocations that are left are copied in any case.
fn parts(unreadable: Unreadable) -> impl Iterator<Item = Path> {
    let [pending, jobs] = JobIndex::ALL.map(JobIndex::root);
    let [created, updated, resolved] =
        [Index::Created, Index::Updated, Index::Resolved].map(Index::root);
    let is_whole = unreadable == Unreadable::Fails;
    let revocable = is_whole.then(|| [keys::tokens(), keys::links()]);
    let [events, revocations, link_key, receipt_keys, audit, channels, deliveries, dead_letters] = [
        keys::events(),
        keys::revocations(),
        keys::link_key(),
        keys::receipt_keys(),
        keys::audit(),
        keys::channels(),
        keys::deliveries(),
        keys::dead_letters(),
    ];
    let others = [
        events,
        created,
        updated,
        resolved,
        pending,
        jobs,
        revocations,
        link_key,
        receipt_keys,
        audit,
        channels,
        deliveries,
        dead_letters,
    ];
    others.into_iter().chain(revocable.into_iter().flatten())
}

impl<'a> Copy<'a> {
    fn new(source: Side<'a>, target: Side<'a>, unreadable: Unreadable) -> Self {
        let [done, before] = [0, 0].map(AtomicU64::new);
        Self { source, target, unreadable, done, before, left: Left::default() }
    }

    async fn run(
        self,
        options: &Options,
        progress: impl Fn(u64, u64) + Send + Sync,
    ) -> Result<Copied, CopyError> {
        for (file, what) in &self.source.losses {
            self.left.add(file.display().to_string(), what.clone());
        }
        let format = self.source_format().await?;
        self.claim_target().await?;
        let probed = probe::probe(&self.target.objects, &*options.random).await;
        probed.map_err(|error| self.target.unusable(error))?;
        self.all(progress).await?;
        self.drop_what_has_gone().await?;
        self.finish(format).await?;
        let [objects, before] = [self.done, self.before].map(AtomicU64::into_inner);
        let (left, left_count) = self.left.into_parts();
        Ok(Copied { objects, before, left, left_count })
    }

    async fn source_format(&self) -> Result<Bytes, CopyError> {
        if let Some(Some(other)) = self.or_left(self.source.bytes(&keys::copying()).await)? {
            let other = String::from_utf8_lossy(&other).into_owned();
            return Err(self.source.unusable(OpenError::UnfinishedCopy(other)));
        }
        let Some(format) = self.or_left(self.source.bytes(&keys::format()).await)? else {
            // A store of a newer version could not be opened as a directory either.
            return Ok(record::encode(&FormatRecord { version: VERSION }));
        };
        let format = format.ok_or_else(|| CopyError::NoSource(self.source.url.clone()))?;
        open::check_version(&format).map_err(|error| self.source.unusable(error))?;
        Ok(format)
    }

    /// The object that was read; `None` if it is damaged and is left out.
    fn or_left<T>(&self, found: Result<T, CopyError>) -> Result<Option<T>, CopyError> {
        match found {
            Ok(found) => Ok(Some(found)),
            Err(CopyError::Unreadable { key, message, store })
                if self.unreadable == Unreadable::IsLeftOut && store == *self.source.url =>
            {
                self.left.add(key, message);
                Ok(None)
            }
            Err(error) => Err(error),
        }
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
        for part in parts(self.unreadable) {
            total += self.count(&self.source, &part).await?;
        }
        progress(0, total);
        for part in parts(self.unreadable) {
            let keys = keys(&self.source, &part).map(Ok::<_, CopyError>);
            keys.try_for_each_concurrent(COPYING_MAX, |key| {
                let progress = &progress;
                async move {
                    let Some(key) = self.or_left(key)? else { return Ok(()) };
                    if self.one_if_whole(&key).await? {
                        progress(self.done.fetch_add(1, Ordering::Relaxed) + 1, total);
                    }
                    Ok(())
                }
            })
            .await?;
        }
        Ok(())
    }

    /// Copies an object, if it and what belongs to it can be read; says whether.
    async fn one_if_whole(&self, key: &Path) -> Result<bool, CopyError> {
        if self.unreadable == Unreadable::IsLeftOut
            && let Some(other) = keys::other_record(key)
            && let Err(error) = self.source.bytes(&other).await
        {
            self.or_left::<()>(Err(error))?;
            self.left.add(key.to_string(), format!("{other}, which belongs to it, cannot be read"));
        } else if self.or_left(self.one(key).await)?.is_some() {
            return Ok(true);
        }
        // An earlier attempt may have copied it that did not leave anything out.
        self.target.delete(key).await?;
        Ok(false)
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
            // Removed since an earlier attempt copied it.
            Some(_) if record::is_removed(&wanted) => self.target.put(key, wanted).await,
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

    /// Between two attempts servers of the source may have removed jobs that were done, and events whose time of
    /// retention was over.
    async fn drop_what_has_gone(&self) -> Result<(), CopyError> {
        for part in parts(self.unreadable) {
            // All that the source has is in the target, so that the target has more if anything has gone.
            let source = self.count(&self.source, &part).await?;
            while self.count(&self.target, &part).await? > source {
                let gone = self.gone(&part).await?;
                if gone.is_empty() {
                    break;
                }
                for key in gone {
                    self.target.delete(&key).await?;
                }
            }
        }
        Ok(())
    }

    /// Keys at and below `part` that only the target has: some of them, if they are many.
    async fn gone(&self, part: &Path) -> Result<Vec<Path>, CopyError> {
        let look = |key: Path| async move {
            let is_gone = matches!(self.or_left(self.source.bytes(&key).await)?, Some(None));
            Ok(is_gone.then_some(key))
        };
        let looks = keys(&self.target, part).map_ok(look).try_buffer_unordered(COPYING_MAX);
        looks.try_filter_map(async |key| Ok(key)).take(GONE_MAX).try_collect().await
    }

    async fn finish(&self, format: Bytes) -> Result<(), CopyError> {
        let is_whole = self.left.is_empty();
        for part in parts(self.unreadable) {
            let source = self.count(&self.source, &part).await?;
            let target = self.count(&self.target, &part).await?;
            if is_whole && source != target {
                return Err(self.source_changed());
            }
        }
        self.target.put(&keys::format(), format).await?;
        self.target.delete(&keys::copying()).await
    }

    /// The keys at and below `part`, but for those that are left out.
    fn readable<'s>(
        &'s self,
        side: &'s Side<'_>,
        part: &Path,
    ) -> impl Stream<Item = Result<Path, CopyError>> {
        let kept = move |key| std::future::ready(self.or_left(key).transpose());
        keys(side, part).filter_map(kept)
    }

    async fn count(&self, side: &Side<'_>, part: &Path) -> Result<u64, CopyError> {
        self.readable(side, part).try_fold(0, |count, _| async move { Ok(count + 1) }).await
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

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;
