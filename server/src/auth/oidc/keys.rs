//! The public keys of an issuer, as its JWKS document lists them.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// Most keys that are read: a token without a key id is tried with every one that fits.
const KEYS_MAX: usize = 64;

/// See the module.
pub(super) struct KeySet(Vec<Key>);

struct Key {
    id: Option<String>,
    /// The only algorithm that the issuer uses it for, if it says so.
    algorithm: Option<String>,
    curve: Option<EllipticCurve>,
    key: DecodingKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// The keys in a JWKS document. What is not a public key for signatures is left out, as others may use the same
    /// document.
    ///
    /// # Errors
    /// It is no such document, or has no key that can be used.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let document: Document =
            serde_json::from_slice(text).map_err(|error| format!("they are no JWKS: {error}"))?;
        let keys = document.keys.into_iter().filter_map(Key::parse).take(KEYS_MAX);
        let keys: Vec<Key> = keys.collect();
        if keys.is_empty() {
            return Err("there is no key among them that signatures are made with".to_owned());
        }
        Ok(Self(keys))
    }

    /// The keys that a token with this header may be signed with.
    pub(super) fn fitting<'a>(
        &'a self,
        id: Option<&'a str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'a DecodingKey> {
        let fits =
            move |key: &&Key| (id.is_none() || id == key.id.as_deref()) && key.serves(algorithm);
        self.0.iter().filter(fits).map(|key| &key.key)
    }

    /// Whether a key has this id.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }
}

impl Key {
    fn parse(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
            return None;
        }
        let curve = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => None,
            AlgorithmParameters::EllipticCurve(parameters) => Some(parameters.curve.clone()),
            AlgorithmParameters::OctetKeyPair(parameters) => Some(parameters.curve.clone()),
            // A shared secret in a public document is none.
            _ => return None,
        };
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        let algorithm = jwk.common.key_algorithm.map(|algorithm| format!("{algorithm:?}"));
        Some(Self { id: jwk.common.key_id, algorithm, curve, key })
    }

    fn serves(&self, algorithm: Algorithm) -> bool {
        let is_named = self.algorithm.as_ref().is_none_or(|own| *own == format!("{algorithm:?}"));
        let fits = match algorithm.family() {
            AlgorithmFamily::Rsa => self.curve.is_none(),
            AlgorithmFamily::Ec if algorithm == Algorithm::ES256 => {
                self.curve == Some(EllipticCurve::P256)
            }
            AlgorithmFamily::Ec => self.curve == Some(EllipticCurve::P384),
            AlgorithmFamily::Ed => self.curve == Some(EllipticCurve::Ed25519),
            AlgorithmFamily::Hmac => false,
        };
        is_named && fits && self.key.family() == algorithm.family()
    }
}
