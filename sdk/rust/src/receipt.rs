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

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;

    fn listed() -> Json {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../receipts.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn every_receipt_is_judged_as_in_every_other_language() {
        let listed = listed();
        let cases = listed["cases"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let receipt = Receipt::from_json(&case["receipt"].to_string()).unwrap();
            let named = case["keys"].as_str().unwrap();
            let keys = KeySet::from_json(&listed["keys"][named].to_string()).unwrap();
            match (receipt.verify(&keys), case["refused"].as_str()) {
                (Ok(said), None) => {
                    let says = &case["says"];
                    assert_eq!(
                        (said.event_id(), said.namespace()),
                        (text(says, "eventId"), text(says, "namespace"))
                    );
                    assert_eq!(
                        (said.state(), said.time()),
                        (text(says, "state"), text(says, "time"))
                    );
                }
                (Err(error), Some(refused)) => {
                    assert!(error.to_string().contains(refused), "{}: {error}", case["name"]);
                }
                (judged, _) => panic!("{}: {judged:?}", case["name"]),
            }
        }
    }

    #[test]
    fn keys_that_are_not_what_they_say_are_refused() {
        let listed = listed();
        let cases = listed["refusedKeys"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let error = KeySet::from_json(&case["set"].to_string()).unwrap_err().to_string();
            assert!(error.contains(text(case, "refused")), "{}: {error}", case["name"]);
        }
    }

    fn text<'a>(json: &'a Json, member: &str) -> &'a str {
        json[member].as_str().unwrap()
    }
}
