//! Faults of votes: one that counts twice, and a last one that nobody looks at.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::path::Path;
use object_store::{
    GetOptions, ObjectStore, ObjectStoreExt, PutOptions, PutPayload, PutResult, Result,
};

use super::{Twist, done};

/// Each vote is recorded once more, as that of somebody of another name.
#[derive(Debug)]
pub(super) struct VoteCountsTwice;

#[async_trait]
impl Twist for VoteCountsTwice {
    async fn put(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let put = store.put_opts(path, payload, options).await?;
        if path.as_ref().contains("/votes/") {
            let bytes = store.get_opts(path, GetOptions::default()).await?.bytes().await?;
            let text = String::from_utf8_lossy(&bytes);
            let twin = text.replacen(r#""name":""#, r#""name":"another "#, 1);
            let place = path.as_ref().replace("/votes/", "/votes/f");
            store.put(&Path::from(place), twin.into()).await?;
        }
        Ok(put)
    }
}

/// The job that looks what all votes come to is never written.
#[derive(Debug)]
pub(super) struct SettleForgotten;

#[async_trait]
impl Twist for SettleForgotten {
    async fn put(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if path.as_ref().starts_with("jobs/") && path.as_ref().contains("-settle-") {
            return Ok(done());
        }
        store.put_opts(path, payload, options).await
    }

    /// Not even what this process has set, which it would find in its memory.
    fn lists(&self, path: &Path) -> bool {
        !path.as_ref().contains("-settle-")
    }
}
