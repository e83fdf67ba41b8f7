//! Multipart uploads: parts are kept in memory and stored with one put when the upload is
//! complete. One upload is bounded by the object size limit; there is nothing to clean up after
//! one that is never completed.

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use object_store::path::Path;
use object_store::{
    Attributes, MultipartUpload, ObjectStore, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

use crate::error::StoreError;
use crate::store::EmbeddedStore;

#[derive(Debug)]
pub(crate) struct Upload {
    store: EmbeddedStore,
    location: Path,
    attributes: Attributes,
    /// `None` once completed, aborted or failed.
    parts: Option<Vec<Bytes>>,
    bytes: usize,
}

impl Upload {
    pub(crate) fn new(store: EmbeddedStore, location: Path, attributes: Attributes) -> Self {
        Self { store, location, attributes, parts: Some(Vec::new()), bytes: 0 }
    }

    fn add(&mut self, part: PutPayload) -> Result<()> {
        self.bytes += part.content_length();
        if let Err(error) = self.store.check_size(self.bytes) {
            self.parts = None;
            return Err(error.into());
        }
        let parts = self.parts.as_mut().ok_or(StoreError::UploadEnded)?;
        parts.extend(part);
        Ok(())
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    /// The part's place is that of this call, whenever its future is polled.
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        let added = self.add(part);
        async move { added }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let parts = self.parts.take().ok_or(StoreError::UploadEnded)?;
        let options = PutOptions::from(std::mem::take(&mut self.attributes));
        self.store.put_opts(&self.location, parts.into_iter().collect(), options).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.parts = None;
        Ok(())
    }
}
