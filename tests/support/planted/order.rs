//! The writes of an end, in another order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::StreamExt;
use object_store::path::Path;
use object_store::{
    GetOptions, GetResult, ObjectStore, ObjectStoreExt, PutOptions, PutPayload, PutResult, Result,
};

use super::{Twist, done, keys};

/// Timers that are looked through at most: a broken listing may have no end.
const TIMERS_MAX: usize = 10_000;

/// See [`super::Fault::RecordBeforeAnnouncement`].
#[derive(Debug, Default)]
pub(super) struct RecordBeforeAnnouncement {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Events that this process knows to have ended.
    ended: BTreeSet<String>,
    /// What is announced of the others once they have.
    held: BTreeMap<String, Vec<Announcement>>,
}

type Announcement = (Path, PutPayload, PutOptions);

impl RecordBeforeAnnouncement {
    /// Announces the end of `event`, which is recorded.
    async fn announce(&self, store: &Arc<dyn ObjectStore>, event: String) {
        let held = {
            let mut state = self.state();
            let held = state.held.remove(&event);
            state.ended.insert(event);
            held
        };
        for (path, payload, options) in held.into_iter().flatten() {
            // Whoever asked for it was told that it is done.
            let _ = store.put_opts(&path, payload, options).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Twist for RecordBeforeAnnouncement {
    async fn put(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if let Some(event) = keys::announced(path) {
            let mut state = self.state();
            if !state.ended.contains(event) {
                let held = state.held.entry(event.to_owned()).or_default();
                held.push((path.clone(), payload, options));
                return Ok(done());
            }
        }
        let put = store.put_opts(path, payload, options).await?;
        if let Some(event) = keys::outcome(path) {
            self.announce(store, event).await;
        }
        Ok(put)
    }

    /// A write of which the store said that it failed is read back, and may be there.
    async fn get(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        options: GetOptions,
    ) -> Result<GetResult> {
        let found = store.get_opts(path, options).await?;
        if let Some(event) = keys::outcome(path) {
            self.announce(store, event).await;
        }
        Ok(found)
    }

    async fn delete(&self, store: &Arc<dyn ObjectStore>, path: &Path) -> Result<()> {
        if let Some(event) = keys::announced(path)
            && let Some(held) = self.state().held.get_mut(event)
        {
            held.retain(|(held, ..)| held != path);
        }
        store.delete(path).await
    }
}

/// See [`super::Fault::TimerGoesFirst`].
#[derive(Debug)]
pub(super) struct TimerGoesFirst;

#[async_trait]
impl Twist for TimerGoesFirst {
    async fn put(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if let Some(event) = keys::outcome(path) {
            let mut timers = store.list(Some(&"timers".into())).take(TIMERS_MAX);
            // A store that fails here keeps the timer, as one does with which nothing is wrong.
            while let Some(Ok(timer)) = timers.next().await {
                if keys::timed(&timer.location) == Some(event.as_str()) {
                    let _ = store.delete(&timer.location).await;
                    break;
                }
            }
        }
        store.put_opts(path, payload, options).await
    }
}
