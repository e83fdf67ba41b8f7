//! Looks at a store as a server does at its start, or at all that is in it, and says what it found.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{StreamExt, TryStreamExt};
use hitl_receipt::KeySet;
use object_store::ObjectStore;
use object_store::path::Path;

use crate::error::Error;
use crate::jobs::JobIndex;
use crate::keys::{Index, OfEvent};
use crate::left::Left;
use crate::objects::Objects;
use crate::open::{self, OpenError, Options, Purpose};
use crate::record::{RequestRecord, ResponseRecord, ThreadRecord, VoteRecord};
use crate::url::StoreUrl;
use crate::{Skew, audit, keys, paging, probe, receipts, unreadable};

/// Objects read at a time.
const READING_MAX: usize = 64;

/// What a check found beside errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// How far this machine's clock is ahead of the store's, in milliseconds, if that is too far.
    pub off_ms: Option<i64>,
}

/// What reading all of a store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deep {
    /// Objects that were read and are whole.
    pub objects: u64,
    /// The first damaged objects, parts of listings and files, each with what is wrong with it.
    pub damaged: Vec<(String, String)>,
    /// How many are damaged.
    pub damaged_count: u64,
}

/// Probes the store at `url`, whatever it holds. The objects that this writes are removed again.
///
/// # Errors
/// [`OpenError`].
pub async fn check(url: &StoreUrl, options: Options) -> Result<Checked, OpenError> {
    let skew = Arc::new(Skew::default());
    let store = open::connect(url, Purpose::Serve, options.clock, skew.clone(), options.on_fatal)?;
    let objects = Objects::new(store, options.metrics);
    probe::probe(&objects, &*options.random).await.map_err(|error| open::explain(error, url))?;
    Ok(Checked { off_ms: skew.off_ms() })
}

/// Reads every object of the store at `url`, and changes nothing. `progress` is told how many are done.
///
/// # Errors
/// [`OpenError`].
pub async fn check_deep(
    url: &StoreUrl,
    options: Options,
    progress: impl Fn(u64) + Send + Sync,
) -> Result<Deep, OpenError> {
    let left = Left::default();
    let store: Arc<dyn ObjectStore> = if let StoreUrl::Embedded(path) = url {
        let store = open::embedded(path, Purpose::Check, options.on_fatal)?;
        // A damaged block may hold nothing that is still needed. That is no loss, but a merge of its table would fail.
        let files = store.damaged_files().await.map_err(Error::from)?;
        for (file, reason) in files {
            left.add(file.display().to_string(), reason);
        }
        Arc::new(store)
    } else {
        let skew = Arc::<Skew>::default();
        open::connect(url, Purpose::Check, options.clock, skew, options.on_fatal)?
    };
    let objects = Objects::new(store.clone(), options.metrics);
    let keys =
        receipts::key_set(&objects).await.map_err(|error| open::explain(error.into(), url))?;
    let done = AtomicU64::new(0);
    let listing = paging::watched(paging::PAGES_MAX, store.list(None));
    let read = listing.map(Ok::<_, Error>).try_for_each_concurrent(READING_MAX, |object| {
        let (objects, keys) = (&objects, &keys);
        let (left, done, progress) = (&left, &done, &progress);
        async move {
            let looked = match object.map_err(Error::from) {
                Ok(object) => look(objects, keys, &object.location).await,
                Err(error) => Err(error),
            };
            match looked {
                Ok(()) => progress(done.fetch_add(1, Ordering::Relaxed) + 1),
                Err(Error::RecordUnreadable { path, message }) => left.add(path, message),
                Err(error) => return Err(error),
            }
            Ok(())
        }
    });
    read.await.map_err(|error| open::explain(error.into(), url))?;
    let (damaged, damaged_count) = left.into_parts();
    Ok(Deep { objects: done.into_inner(), damaged, damaged_count })
}

/// Reads the object at `path`, and whether it is what belongs there.
async fn look(objects: &Objects, keys: &KeySet, path: &Path) -> Result<(), Error> {
    if let Some(is_entry) = is_entry(path) {
        return if is_entry { Ok(()) } else { Err(unreadable::foreign(path)) };
    }
    match keys::of_event_at(path) {
        Some(OfEvent::Request) => return objects.read::<RequestRecord>(path).await.map(drop),
        Some(OfEvent::Response) => {
            return match objects.read::<ResponseRecord>(path).await? {
                Some(record) => receipts::check_receipt(objects, keys, path, record).await,
                None => Ok(()),
            };
        }
        Some(OfEvent::Vote) => return objects.read::<VoteRecord>(path).await.map(drop),
        Some(OfEvent::ThreadEntry) => return objects.read::<ThreadRecord>(path).await.map(drop),
        None => {}
    }
    match path {
        _ if path.prefix_matches(&keys::audit()) => match objects.bytes(path).await? {
            Some(bytes) => audit::check(path, &bytes),
            None => Ok(()),
        },
        _ if keys::receipt_key_id(path).is_some() => match objects.bytes(path).await? {
            Some(bytes) => receipts::check_key(path, &bytes),
            None => Ok(()),
        },
        _ => objects.bytes(path).await.map(drop),
    }
}

/// Whether what stands at `path` is an entry of the index or the place of jobs that it is in. `None` if it is in none.
fn is_entry(path: &Path) -> Option<bool> {
    let mut indexes = [Index::Created, Index::Updated, Index::Resolved].into_iter();
    if let Some(index) = indexes.find(|index| path.prefix_matches(&index.root())) {
        return Some(index.parse(path).is_some());
    }
    let place = JobIndex::ALL.into_iter().find(|place| path.prefix_matches(&place.root()))?;
    Some(place.parse(path).is_some())
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
