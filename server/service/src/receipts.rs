//! Proof of how an event ended.

use std::sync::Arc;

use hitl_core::EventKey;
use hitl_receipt::Receipt;
use hitl_store::{PublishedKey, ReceiptOf};

use crate::Service;
use crate::error::Error;

impl Service {
    /// See [`Session::receipt`](crate::Session::receipt).
    pub(crate) async fn receipt(&self, key: &EventKey) -> Result<Receipt, Error> {
        let event = self.get(key).await?;
        let none = || Error::NoReceipt { key: key.clone(), state: event.state() };
        if event.response.is_none() {
            return Err(none());
        }
        match self.0.store.receipt(&event.request).await? {
            ReceiptOf::Event(receipt) => Ok(receipt),
            ReceiptOf::Unsigned => Err(none()),
            ReceiptOf::Removed => Err(Error::NotFound(key.clone())),
        }
    }

    /// See [`Session::receipt_keys`](crate::Session::receipt_keys).
    pub(crate) async fn receipt_keys(&self) -> Result<Arc<[PublishedKey]>, Error> {
        Ok(self.0.store.receipt_keys().await?)
    }
}
