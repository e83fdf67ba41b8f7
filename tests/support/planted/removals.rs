//! Removals of events whose steps come in another order, or lack one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use object_store::path::Path;
use object_store::{
    ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, PutResult, Result,
};

use super::{Twist, done, keys};

/// See [`super::Fault::RequestGoesLast`].
#[derive(Debug, Default)]
pub(super) struct RequestGoesLast {
    /// What is to be written once the response should go, by where that stands.
    held: Mutex<BTreeMap<Path, PutPayload>>,
}

#[async_trait]
impl Twist for RequestGoesLast {
    async fn put(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if !is_removal(path, &options) {
            return store.put_opts(path, payload, options).await;
        }
        let response = keys::beside(path, "response.json");
        store.delete(&response).await?;
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(response, payload);
        Ok(done())
    }

    async fn delete(&self, store: &Arc<dyn ObjectStore>, path: &Path) -> Result<()> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
        match held {
            Some(payload) => {
                store.put(&keys::beside(path, "request.json"), payload).await.map(drop)
            }
            None => store.delete(path).await,
        }
    }
}

/// See [`super::Fault::TombstoneForgotten`].
#[derive(Debug)]
pub(super) struct TombstoneForgotten;

#[async_trait]
impl Twist for TombstoneForgotten {
    async fn put(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if !is_removal(path, &options) {
            return store.put_opts(path, payload, options).await;
        }
        store.delete(path).await.map(|()| done())
    }
}

/// Nothing else overwrites a request.
fn is_removal(path: &Path, options: &PutOptions) -> bool {
    path.filename() == Some("request.json") && matches!(options.mode, PutMode::Overwrite)
}
