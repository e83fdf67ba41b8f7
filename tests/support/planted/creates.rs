//! Creates that are not what they should be.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetResult, GetResultPayload, ObjectStore, ObjectStoreExt, PutMode,
    PutOptions, PutPayload, PutResult, Result,
};

use super::{Twist, done};

/// How long after its acknowledgement a write is done.
pub(super) const LATE: Duration = Duration::from_millis(30);
const NONCE: &[u8] = b"\"nonce\":\"";

/// See [`super::Fault::Overwrite`].
#[derive(Debug)]
pub(super) struct Overwrite;

#[async_trait]
impl Twist for Overwrite {
    async fn put(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let options = PutOptions { mode: PutMode::Overwrite, ..options };
        store.put_opts(path, payload, options).await
    }
}

/// See [`super::Fault::AckBeforeSync`].
#[derive(Debug, Default, Clone)]
pub(super) struct AckBeforeSync {
    /// What was acknowledged as created, and is not there yet.
    coming: Arc<Mutex<BTreeSet<Path>>>,
}

#[async_trait]
impl Twist for AckBeforeSync {
    async fn put(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if matches!(options.mode, PutMode::Create) {
            if !self.coming().insert(path.clone()) {
                return Err(exists(path));
            }
            if store.head(path).await.is_ok() {
                self.coming().remove(path);
                return Err(exists(path));
            }
        }
        let (ours, store, path) = (self.clone(), store.clone(), path.clone());
        tokio::spawn(async move {
            tokio::time::sleep(LATE).await;
            // Whoever asked for it was told that it is done.
            let _ = store.put_opts(&path, payload, options).await;
            ours.coming().remove(&path);
        });
        Ok(done())
    }
}

impl AckBeforeSync {
    fn coming(&self) -> MutexGuard<'_, BTreeSet<Path>> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`super::Fault::ConflictIsLost`] and [`super::Fault::ErrorIsLost`]: a record shows another nonce than the one
/// with which it was written, once a create of it has come to an error of the kind.
#[derive(Debug)]
pub(super) struct IsLost {
    kind: Kind,
    lost: Mutex<BTreeSet<Path>>,
}

/// A kind of error.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// Something is there already.
    Refusal,
    /// Anything else.
    Failure,
}

impl IsLost {
    pub(super) fn after_refusals() -> Self {
        Self { kind: Kind::Refusal, lost: Mutex::default() }
    }

    pub(super) fn after_failures() -> Self {
        Self { kind: Kind::Failure, lost: Mutex::default() }
    }
}

#[async_trait]
impl Twist for IsLost {
    async fn put(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let result = store.put_opts(path, payload, options).await;
        let is_lost = result.as_ref().is_err_and(|error| kind(error) == self.kind);
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        if is_lost {
            lost.insert(path.clone());
        } else {
            lost.remove(path);
        }
        result
    }

    async fn get(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        options: GetOptions,
    ) -> Result<GetResult> {
        let is_head = options.head;
        let found = store.get_opts(path, options).await?;
        if is_head || !self.lost.lock().unwrap_or_else(PoisonError::into_inner).contains(path) {
            return Ok(found);
        }
        let GetResult { meta, range, attributes, extensions, .. } = &found;
        let (meta, range) = (meta.clone(), range.clone());
        let (attributes, extensions) = (attributes.clone(), extensions.clone());
        let bytes = with_another_nonce(&found.bytes().await?);
        let payload = GetResultPayload::Stream(stream::iter([Ok(bytes)]).boxed());
        Ok(GetResult { payload, meta, range, attributes, extensions })
    }
}

fn with_another_nonce(record: &Bytes) -> Bytes {
    let mut record = record.to_vec();
    let nonce = record.windows(NONCE.len()).position(|part| part == NONCE);
    // What the store has made unreadable stays so.
    if let Some(digit) = nonce.and_then(|at| record.get_mut(at + NONCE.len())) {
        *digit = if *digit == b'0' { b'1' } else { b'0' };
    }
    record.into()
}

fn kind(error: &Error) -> Kind {
    match error {
        Error::AlreadyExists { .. } | Error::Precondition { .. } => Kind::Refusal,
        _ => Kind::Failure,
    }
}

fn exists(path: &Path) -> Error {
    Error::AlreadyExists { path: path.to_string(), source: "it is on its way".into() }
}
