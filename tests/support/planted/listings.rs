//! Listings that lack what others have written.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutOptions, PutPayload, PutResult, Result};

use super::Twist;

/// Below one prefix only what this process wrote itself is listed. See [`super::Fault::DropTimersAtRestart`] and
/// [`super::Fault::DeafToReplicas`].
#[derive(Debug)]
pub(super) struct OwnOnly {
    prefix: Path,
    own: Mutex<BTreeSet<Path>>,
}

impl OwnOnly {
    pub(super) fn below(prefix: &'static str) -> Self {
        Self { prefix: prefix.into(), own: Mutex::default() }
    }
}

#[async_trait]
impl Twist for OwnOnly {
    async fn put(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if path.prefix_matches(&self.prefix) {
            self.own.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone());
        }
        store.put_opts(path, payload, options).await
    }

    async fn delete(&self, store: &Arc<dyn ObjectStore>, path: &Path) -> Result<()> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
        store.delete(path).await
    }

    fn lists(&self, path: &Path) -> bool {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        // All parts of keys that stand beside each other are of one length, so what is below `path` comes next.
        !path.prefix_matches(&self.prefix)
            || own.range(path..).next().is_some_and(|own| own.prefix_matches(path))
    }
}
