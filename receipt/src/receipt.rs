//! A receipt: what it says, and the signature of that.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::keys::KeySet;
use crate::statement::Statement;

/// The one algorithm there is (RFC 8032).
pub const ALGORITHM: &str = "Ed25519";

/// The signature of a receipt, as it is stored beside what it is about: what it says is made of that anew. It is only
/// read when somebody wants the receipt, so that none of a newer program keeps an older one from reading how an event
/// ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The format of the text.
    pub format: u32,
    /// The name of the key.
    pub key_id: String,
    /// The signature, in base64.
    pub signature: String,
}

/// A receipt, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What it says, in canonical JSON.
    pub text: String,
    /// How it is signed.
    pub algorithm: String,
    /// The name of the key.
    pub key_id: String,
    /// The signature.
    pub signature: Vec<u8>,
}

/// A text is no receipt.
#[derive(Debug, thiserror::Error)]
#[error("this is no receipt, or not a whole one: {0}")]
pub struct NotAReceipt(#[from] serde_json::Error);

/// Why a receipt proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is signed in a way that this program does not know.
    #[error("it is signed with {0:?}, and this program knows only {ALGORITHM}")]
    UnknownAlgorithm(String),
    /// There is no key of its name.
    #[error(
        "it is signed with the key {id:?}, which is not among the {count} keys that were given: fetch the keys of the \
         deployment that it is from, or it is forged"
    )]
    UnknownKey {
        /// The name of the key.
        id: String,
        /// How many keys there are.
        count: usize,
    },
    /// The signature is not one of this text with this key.
    #[error(
        "the signature does not fit: the text, the signature or the name of the key was changed"
    )]
    WrongSignature,
    /// It is signed, and says something that this program does not understand.
    #[error(
        "its signature is right, and this program does not understand what it says ({0}): use a newer one"
    )]
    NotUnderstood(String),
}

impl Receipt {
    /// The receipt with this text and the signature of it.
    ///
    /// # Errors
    /// [`NotAReceipt`] if the signature is not in base64.
    pub fn new(text: String, seal: Seal) -> Result<Self, NotAReceipt> {
        let Seal { format: _, key_id, signature } = seal;
        Self::read(Members { text, algorithm: ALGORITHM.to_owned(), key_id, signature })
    }

    /// The receipt in a JSON text: itself, or as `GET /v1/events/{id}/receipt` answers.
    ///
    /// # Errors
    /// [`NotAReceipt`].
    pub fn from_json(text: &str) -> Result<Self, NotAReceipt> {
        let mut written: Value = serde_json::from_str(text)?;
        let inner = written.get_mut("receipt").map(Value::take);
        Self::read(serde_json::from_value(inner.unwrap_or(written))?)
    }

    /// The receipt as JSON, on one line.
    pub fn to_json(&self) -> String {
        let Self { text, algorithm, key_id, signature } = self.clone();
        let signature = BASE64.encode(signature);
        serde_json::to_string(&Members { text, algorithm, key_id, signature })
            .expect("all of it is text")
    }

    fn read(members: Members) -> Result<Self, NotAReceipt> {
        let Members { text, algorithm, key_id, signature } = members;
        let signature = BASE64.decode(signature).map_err(serde_json::Error::custom)?;
        Ok(Self { text, algorithm, key_id, signature })
    }

    /// What the receipt says, if one of `keys` has signed it.
    ///
    /// # Errors
    /// [`VerifyError`]; then it proves nothing.
    pub fn verify(&self, keys: &KeySet) -> Result<Statement, VerifyError> {
        if self.algorithm != ALGORITHM {
            return Err(VerifyError::UnknownAlgorithm(self.algorithm.clone()));
        }
        let key = keys.get(&self.key_id).ok_or_else(|| VerifyError::UnknownKey {
            id: self.key_id.clone(),
            count: keys.len(),
        })?;
        if !key.has_signed(&self.text, &self.signature) {
            return Err(VerifyError::WrongSignature);
        }
        Statement::read(&self.text).map_err(VerifyError::NotUnderstood)
    }
}

/// A receipt as it is written in JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members {
    text: String,
    algorithm: String,
    key_id: String,
    signature: String,
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
