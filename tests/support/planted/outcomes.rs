//! Outcomes that are there and are not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetResult, ObjectStore, PutOptions, PutPayload, PutResult, Result,
};
use tokio::time::Instant;

use super::{Twist, keys};

/// Longer than the announcement of an end is listed.
pub(super) const OUT_OF_SIGHT: Duration = Duration::from_secs(25);

/// See [`super::Fault::RememberPending`].
#[derive(Debug, Default)]
pub(super) struct RememberPending {
    /// Where there was no outcome.
    pending: Mutex<BTreeSet<Path>>,
}

impl RememberPending {
    fn pending(&self) -> MutexGuard<'_, BTreeSet<Path>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Twist for RememberPending {
    async fn put(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.pending().remove(path);
        store.put_opts(path, payload, options).await
    }

    async fn get(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        options: GetOptions,
    ) -> Result<GetResult> {
        if self.pending().contains(path) {
            return Err(unseen(path));
        }
        let found = store.get_opts(path, options).await;
        if keys::outcome(path).is_some() && matches!(found, Err(Error::NotFound { .. })) {
            self.pending().insert(path.clone());
        }
        found
    }
}

/// See [`super::Fault::LostWakeUp`].
#[derive(Debug, Default)]
pub(super) struct LostWakeUp {
    outcomes: Mutex<Outcomes>,
}

#[derive(Debug, Default)]
struct Outcomes {
    /// What this process wrote, or tried to.
    own: BTreeSet<Path>,
    /// When each of the others was first there when this process looked.
    found: BTreeMap<Path, Instant>,
}

impl LostWakeUp {
    fn outcomes(&self) -> MutexGuard<'_, Outcomes> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the outcome at `path`, which is there, is seen.
    fn is_in_sight(&self, path: &Path) -> bool {
        let mut outcomes = self.outcomes();
        let found = *outcomes.found.entry(path.clone()).or_insert_with(Instant::now);
        outcomes.own.contains(path) || found.elapsed() >= OUT_OF_SIGHT
    }
}

#[async_trait]
impl Twist for LostWakeUp {
    async fn put(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if keys::outcome(path).is_some() {
            self.outcomes().own.insert(path.clone());
        }
        store.put_opts(path, payload, options).await
    }

    async fn get(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        options: GetOptions,
    ) -> Result<GetResult> {
        let found = store.get_opts(path, options).await?;
        if keys::outcome(path).is_some() && !self.is_in_sight(path) {
            return Err(unseen(path));
        }
        Ok(found)
    }
}

fn unseen(path: &Path) -> Error {
    Error::NotFound { path: path.to_string(), source: "it is not seen".into() }
}
