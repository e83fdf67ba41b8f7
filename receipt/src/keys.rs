//! The public keys of a deployment, as a JWK set (RFC 7517).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::key::{Jwk, PublicKey};

/// Most keys of one deployment: a new one each day for a year and more.
pub const KEYS_MAX: usize = 500;

/// Public keys by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet(BTreeMap<String, PublicKey>);

/// Why a text is no set of keys.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// It is no JWK set at all.
    #[error(
        "these are no public keys of receipts: a JWK set is wanted, as `hitl receipt-key list` prints it ({0})"
    )]
    NotASet(#[from] serde_json::Error),
    /// A key is not what its name says.
    #[error("the key that is called {named} is another one, {found}: somebody has changed it")]
    OtherKey {
        /// What it is called.
        named: String,
        /// The name that it has.
        found: String,
    },
    /// A key does not have 32 bytes.
    #[error("the key {0} is damaged: it must be 32 bytes in base64url")]
    Damaged(String),
    /// There are more than any deployment has.
    #[error("there are more than {KEYS_MAX} keys")]
    TooMany,
}

#[derive(Serialize, Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

impl KeySet {
    /// The keys in a JWK set. Keys of other kinds are passed over.
    ///
    /// # Errors
    /// [`KeySetError`].
    pub fn from_json(text: &str) -> Result<Self, KeySetError> {
        let Jwks { keys } = serde_json::from_str(text)?;
        if keys.len() > KEYS_MAX {
            return Err(KeySetError::TooMany);
        }
        let ours = keys.into_iter().filter(|jwk| jwk.kty == "OKP" && jwk.crv == "Ed25519");
        ours.map(|jwk| {
            let named = jwk.kid.unwrap_or_default();
            let key = PublicKey::from_x(&jwk.x);
            let key = key.ok_or_else(|| KeySetError::Damaged(named.clone()))?;
            let found = key.id();
            if !named.is_empty() && named != found {
                return Err(KeySetError::OtherKey { named, found });
            }
            Ok((found, key))
        })
        .collect::<Result<_, _>>()
        .map(Self)
    }

    /// The keys as a JWK set.
    pub fn to_json(&self) -> String {
        let keys = self.0.values().map(PublicKey::jwk).collect();
        serde_json::to_string(&Jwks { keys }).expect("keys are text")
    }

    /// The key of this name.
    pub fn get(&self, id: &str) -> Option<&PublicKey> {
        self.0.get(id)
    }

    /// All keys, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PublicKey)> {
        self.0.iter().map(|(id, key)| (id.as_str(), key))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<PublicKey> for KeySet {
    fn from_iter<T: IntoIterator<Item = PublicKey>>(keys: T) -> Self {
        Self(keys.into_iter().map(|key| (key.id(), key)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;

    #[test]
    fn keys_survive_their_json_and_others_are_passed_over() {
        let keys: KeySet =
            [1, 2].map(|n| SigningKey::from_seed(&[n; 32]).public()).into_iter().collect();
        assert_eq!(KeySet::from_json(&keys.to_json()).unwrap(), keys);
        let other =
            r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"OKP","crv":"X25519","x":""}]}"#;
        assert!(KeySet::from_json(other).unwrap().is_empty());
    }

    #[test]
    fn a_key_under_another_name_is_refused() {
        let one = SigningKey::from_seed(&[1; 32]);
        let json = [one.public()].into_iter().collect::<KeySet>().to_json();
        let other = SigningKey::from_seed(&[2; 32]);
        let forged = json.replace(one.id(), other.id());
        let refused = KeySet::from_json(&forged).unwrap_err();
        assert!(matches!(refused, KeySetError::OtherKey { .. }), "{refused}");
        for damaged in [json.replace("\"x\":\"", "\"x\":\"A"), json[..json.len() - 1].to_owned()] {
            KeySet::from_json(&damaged).unwrap_err();
        }
    }
}
