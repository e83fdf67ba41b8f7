//! Receipts: proof of how an event ended, which is verified without the server.

use hitl_proto::v1;
use hitl_receipt::{KeySet, PublicKey, Receipt};

use crate::client::Client;
use crate::error::{Error, Result};

impl Client {
    /// Returns the signed receipt of how an event ended. [`Receipt::to_json`] is for keeping it, and
    /// [`Receipt::verify`] says what it proves.
    ///
    /// ```no_run
    /// # async fn example(client: hitl::Client, id: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// let receipt = client.receipt(id).await?;
    /// let keys = client.receipt_keys().await?; // or those that were saved before
    /// let said = receipt.verify(&keys)?;
    /// assert_eq!(said.event_id(), id);
    /// println!("{} at {}", said.state(), said.time());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] if the event is pending, or ended before its server signed receipts,
    /// [`crate::ErrorKind::NotFound`], and those of reaching the server.
    pub async fn receipt(&self, event_id: &str) -> Result<Receipt> {
        let request = v1::GetReceiptRequest {
            namespace: self.namespace().to_owned(),
            event_id: event_id.to_owned(),
        };
        let reply = self
            .call(request, |mut stub, request| async move { stub.get_receipt(request).await })
            .await?;
        let receipt = reply.receipt;
        let v1::Receipt { text, algorithm, key_id, signature } = receipt
            .ok_or_else(|| Error::internal("the server's reply has no receipt".to_owned()))?;
        Ok(Receipt { text, algorithm, key_id, signature })
    }

    /// Returns the public keys of the server's receipts. Whoever does not trust the server later saves them now, by
    /// [`KeySet::to_json`].
    ///
    /// # Errors
    /// Those of reaching the server.
    pub async fn receipt_keys(&self) -> Result<KeySet> {
        let request = v1::ListReceiptKeysRequest {};
        let reply = self
            .call(request, |mut stub, request| async move { stub.list_receipt_keys(request).await })
            .await?;
        let keys = reply.keys.iter().map(|key| PublicKey::from_bytes(&key.public_key));
        let keys: Option<KeySet> = keys.collect();
        keys.ok_or_else(|| Error::internal("the server sent a key that is none".to_owned()))
    }
}
