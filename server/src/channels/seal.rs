//! Secrets of channels, sealed for the store: whoever reads the store, or a copy of it, has none of them.
//!
//! They are sealed with a key that is made of the key of links, which every server of a store has beside it. While that
//! is changed there are two; what the one before has sealed is sealed anew before it is forgotten.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use hitl_store::random::{self, Random};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

use super::config::Secrets;
use crate::auth::Links;

/// For which use the keys are made.
const PURPOSE: &[u8] = b"channel secrets";
/// Longest text that is looked at.
const SEALED_CHARS_MAX: usize = 64 * 1024;
/// Digits of the name of a key.
const NAME_CHARS: usize = 16;

/// Seals secrets, and opens them. The first key seals.
pub(crate) struct Seal(Vec<(String, LessSafeKey)>);

/// The secrets were sealed with a key that this server does not have.
#[derive(Debug, thiserror::Error)]
#[error(
    "its secrets were sealed with another link key: give every server of the store the same --link-key-file, or make \
     the channel anew"
)]
pub(crate) struct Unreadable;

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(secret)")
    }
}

impl Seal {
    pub(crate) fn new(links: &Links) -> Self {
        let key = |bytes: [u8; 32]| {
            let name: String = Sha256::digest(bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .take(NAME_CHARS / 2)
                .collect();
            let key = UnboundKey::new(&AES_256_GCM, &bytes).expect("the key has 32 bytes");
            (name, LessSafeKey::new(key))
        };
        Self(links.derived_keys(PURPOSE).into_iter().map(key).collect())
    }

    /// `secrets` of a channel of this `kind`, as they are stored; empty if there are none.
    pub(crate) fn seal(&self, kind: &str, secrets: &Secrets, random: &dyn Random) -> String {
        if secrets.is_empty() {
            return String::new();
        }
        let (name, key) = &self.0[0];
        let nonce: [u8; NONCE_LEN] = random::bytes(random);
        let mut sealed = serde_json::to_vec(secrets).expect("secrets are JSON");
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(kind),
            &mut sealed,
        )
        .expect("secrets are short");
        format!("{name}.{}", BASE64.encode([&nonce[..], &sealed].concat()))
    }

    /// What was sealed.
    ///
    /// # Errors
    /// It was sealed with a key that this server does not have, or for another kind of channel.
    pub(crate) fn open(&self, kind: &str, sealed: &str) -> Result<Secrets, Unreadable> {
        if sealed.is_empty() {
            return Ok(Secrets::default());
        }
        let (name, text) = sealed.split_once('.').ok_or(Unreadable)?;
        let key = self.0.iter().find(|(known, _)| known == name).map(|(_, key)| key);
        let bytes = (text.len() <= SEALED_CHARS_MAX).then(|| BASE64.decode(text).ok()).flatten();
        let (Some(key), Some(mut bytes)) = (key, bytes) else { return Err(Unreadable) };
        let (nonce, secret) = bytes.split_at_mut_checked(NONCE_LEN).ok_or(Unreadable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unreadable)?;
        let opened = key.open_in_place(nonce, Aad::from(kind), secret).map_err(|_| Unreadable)?;
        serde_json::from_slice(opened).map_err(|_| Unreadable)
    }

    /// Whether this was sealed with a key that seals no more.
    pub(crate) fn is_old(&self, sealed: &str) -> bool {
        !sealed.is_empty() && sealed.split_once('.').is_none_or(|(name, _)| name != self.0[0].0)
    }
}

#[cfg(test)]
mod tests {
    use hitl_store::random::SystemRandom;

    use super::*;
    use crate::auth::{LinkKey, LinkKeys};

    fn seal(key: u8) -> Seal {
        Seal::new(&Links::new(&LinkKeys::one(LinkKey::new([key; 32])), "http://h:1"))
    }

    #[test]
    fn secrets_open_with_their_key_and_kind_and_are_in_no_stored_byte() {
        let secrets = Secrets::default().with("token", "tk_canary".to_owned());
        let sealed = seal(7).seal("ntfy", &secrets, &SystemRandom);
        assert!(!sealed.contains("canary") && !sealed.contains(&BASE64.encode("tk_canary")));
        assert_eq!(seal(7).open("ntfy", &sealed).unwrap(), secrets);
        assert!(!seal(7).is_old(&sealed) && seal(8).is_old(&sealed));
        assert!(seal(8).open("ntfy", &sealed).is_err());
        assert!(seal(7).open("webhook", &sealed).is_err());
        assert_ne!(sealed, seal(7).seal("ntfy", &secrets, &SystemRandom));
        assert_eq!(seal(7).seal("exec", &Secrets::default(), &SystemRandom), "");
        assert!(seal(7).open("exec", "").unwrap().is_empty());
    }

    #[test]
    fn what_was_changed_does_not_open() {
        let secrets = Secrets::default().with("token", "tk".to_owned());
        let sealed = seal(7).seal("ntfy", &secrets, &SystemRandom);
        let (name, text) = sealed.split_once('.').unwrap();
        let bytes = BASE64.decode(text).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let forged = format!("{name}.{}", BASE64.encode(forged));
            assert!(seal(7).open("ntfy", &forged).is_err(), "bit {bit}");
        }
        for junk in ["x", ".", &format!("{name}."), &format!("{name}.AAAA"), &format!("{name}.!")] {
            assert!(seal(7).open("ntfy", junk).is_err(), "{junk}");
        }
    }
}
