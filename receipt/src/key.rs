//! The two halves of a key, and its name.

use std::fmt;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD as BASE64, BASE64_URL_SAFE_NO_PAD as BASE64URL};
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::receipt::Seal;

/// Before the hash of what is signed: says what it is, and ends where no other use of the key does.
const DOMAIN: &[u8] = b"hitl receipt v1\0";

/// Bytes of a public key, of the secret that it belongs to, and half of those of a signature.
pub(crate) const KEY_BYTES: usize = 32;

/// What a server signs its receipts with.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
    id: String,
}

/// What receipts are verified with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; KEY_BYTES]);

/// A key as JSON (RFC 8037).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Jwk {
    pub(crate) kty: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) crv: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) x: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alg: Option<String>,
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub(crate) used_for: Option<String>,
}

impl SigningKey {
    /// The key that these 32 secret bytes make.
    pub fn from_seed(seed: &[u8; KEY_BYTES]) -> Self {
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed).expect("a seed of any 32 bytes makes a key");
        let public: [u8; KEY_BYTES] =
            pair.public_key().as_ref().try_into().expect("a public key has 32 bytes");
        let public = PublicKey(public);
        Self { pair, public, id: public.id() }
    }

    /// What its signatures are verified with.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// The name of the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The signature of `text`, which has this `format`.
    pub fn seal(&self, format: u32, text: &str) -> Seal {
        let signature = BASE64.encode(self.pair.sign(&signed(text)));
        Seal { format, key_id: self.id.clone(), signature }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl PublicKey {
    /// The key of these bytes, if they are as many as a key has.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The key in the form of a JWK's member `x`: base64url.
    pub fn from_x(x: &str) -> Option<Self> {
        Self::from_bytes(&BASE64URL.decode(x).ok()?)
    }

    /// The key in the form of a JWK's member `x`.
    pub fn x(&self) -> String {
        BASE64URL.encode(self.0)
    }

    /// The bytes of the key, as RFC 8032 encodes it.
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// The name of the key: its JWK thumbprint (RFC 7638), 43 characters of base64url.
    pub fn id(&self) -> String {
        let required = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.x());
        BASE64URL.encode(digest(&SHA256, required.as_bytes()))
    }

    /// Whether `signature` is one of `text` with this key.
    pub(crate) fn has_signed(&self, text: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(&signed(text), signature).is_ok()
    }

    /// The key as JSON.
    pub(crate) fn jwk(&self) -> Jwk {
        Jwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x: self.x(),
            kid: Some(self.id()),
            alg: Some("EdDSA".to_owned()),
            used_for: Some("sig".to_owned()),
        }
    }
}

/// What is signed for `text`.
fn signed(text: &str) -> Vec<u8> {
    [DOMAIN, digest(&SHA256, text.as_bytes()).as_ref()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendices A.1 to A.3.
    #[test]
    fn a_key_has_the_name_that_the_rfc_gives_it() {
        let seed = BASE64URL.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = SigningKey::from_seed(&seed.try_into().unwrap());
        assert_eq!(key.public().x(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(key.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn no_debug_output_shows_a_secret() {
        let shown = format!("{:?}", SigningKey::from_seed(&[0xab; 32]));
        assert!(!shown.contains("171") && !shown.to_lowercase().contains("abab"), "{shown}");
    }
}
