//! Links: capability URLs that let one responder answer one event.
//!
//! A link's path is `{event id}/{token}`. The token says for whom, for which namespace and until
//! when, and proves it with HMAC-SHA-256 over all of that and the event id, so that a replica needs
//! nothing but the key to judge one. The same link is made whenever the same event is shown;
//! nothing is stored.

use std::path::Path;
use std::{fmt, io};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use hitl_core::{EventId, EventKey, LinkHolder, Namespace, Principal, Request, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::auth::key_file;
use hitl_service::error::Error;
use hitl_store::random::Random;

/// Says what the key is used for, and in which version of the format.
const DOMAIN: &[u8] = b"hitl link v1\0";

/// Keeps the hash of the key apart from every other use of it.
const FINGERPRINT_DOMAIN: &[u8] = b"hitl link key fingerprint v1\0";

/// How long after the deadline of its event a link still shows how the event ended: 30 days.
const VIEW_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Longest token that is looked at: the longest namespace and responder fit.
const TOKEN_CHARS_MAX: usize = 1536;

/// Bytes of the proof.
const PROOF_BYTES: usize = 32;

/// The secret that all links of a deployment are signed with.
#[derive(Clone)]
pub struct LinkKey([u8; 32]);

impl LinkKey {
    /// A key of 32 secret bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key in `file`: 64 hexadecimal digits. If there is no such file it is made, readable by its owner alone.
    ///
    /// # Errors
    /// The file cannot be read or made, can be read by others, or holds no key.
    pub fn load_or_make(file: &Path, random: &dyn Random) -> io::Result<Self> {
        key_file::load_or_make(file, random).map(Self)
    }

    /// A hash of the key, by which another key is told from it.
    pub fn fingerprint(&self) -> String {
        let hash = Sha256::new().chain_update(FINGERPRINT_DOMAIN).chain_update(self.0).finalize();
        BASE64.encode(hash)
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

impl fmt::Debug for Urls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Urls(secret)")
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(secret)")
    }
}

/// Makes links and judges them.
#[derive(Clone)]
pub struct Links {
    /// HMAC with the key taken in, to be cloned for each link.
    keyed: Hmac<Sha256>,
    public_url: String,
}

/// The two URLs of one link.
#[derive(Clone, PartialEq, Eq)]
pub struct Urls {
    /// The page where a person answers.
    pub form: String,
    /// Where a program answers with plain JSON.
    pub api: String,
}

/// What a valid link allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The one event it reaches.
    pub key: EventKey,
    /// Whom it was made for; empty if for whoever holds it.
    pub responder: String,
}

impl Grant {
    /// Whoever holds the link.
    pub fn principal(&self) -> Principal {
        Principal::Link(LinkHolder { key: self.key.clone(), responder: self.responder.clone() })
    }
}

impl Links {
    /// Links below `public_url`, such as `http://127.0.0.1:4485`, signed with `key`.
    pub fn new(key: &LinkKey, public_url: &str) -> Self {
        let keyed = Hmac::new_from_slice(&key.0).expect("HMAC takes keys of any length");
        Self { keyed, public_url: public_url.trim_end_matches('/').to_owned() }
    }

    /// Where the server is reached from outside, without a slash at the end.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// The page where a person answers, and where a program answers with plain JSON.
    pub fn urls(&self, request: &Request) -> Urls {
        let (base, id, token) = (&self.public_url, request.id, self.token(request));
        Urls {
            form: format!("{base}/form/{id}/{token}"),
            api: format!("{base}/v1/links/{id}/{token}"),
        }
    }

    fn token(&self, request: &Request) -> String {
        self.sign(&Claims {
            expiry_s: request.deadline.plus_ms(VIEW_MS).ms() / 1000,
            namespace: request.namespace.clone(),
            responder: String::new(),
            id: request.id,
        })
    }

    /// What the link `{id}/{token}` allows at the instant `now`.
    ///
    /// # Errors
    /// [`Error::LinkInvalid`], the same whatever is wrong.
    pub fn verify(&self, id: &str, token: &str, now: Timestamp) -> Result<Grant, Error> {
        self.claims(id, token, now).ok_or(Error::LinkInvalid)
    }

    fn claims(&self, id: &str, token: &str, now: Timestamp) -> Option<Grant> {
        if token.len() > TOKEN_CHARS_MAX {
            return None;
        }
        let bytes = BASE64.decode(token).ok()?;
        let (body, proof) = bytes.split_at_checked(bytes.len().checked_sub(PROOF_BYTES)?)?;
        let id: EventId = id.parse().ok()?;
        self.mac(id, body).verify_slice(proof).ok()?;
        let claims = Claims::decode(id, body)?;
        (now.ms() / 1000 < claims.expiry_s).then_some(Grant {
            key: EventKey { namespace: claims.namespace, id },
            responder: claims.responder,
        })
    }

    fn sign(&self, claims: &Claims) -> String {
        let mut bytes = claims.encode();
        let proof = self.mac(claims.id, &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&proof);
        BASE64.encode(bytes)
    }

    fn mac(&self, id: EventId, body: &[u8]) -> Hmac<Sha256> {
        self.proof([DOMAIN, id.to_string().as_bytes(), body])
    }

    /// Proves `parts` with the key. The first names the use, and ends where no other's does.
    pub(super) fn proof(&self, parts: [&[u8]; 3]) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

/// What a token says: the expiry in 5 bytes, the length of the namespace in 1, the namespace, the responder.
struct Claims {
    expiry_s: i64,
    namespace: Namespace,
    responder: String,
    id: EventId,
}

impl Claims {
    fn encode(&self) -> Vec<u8> {
        let namespace = match self.namespace.as_str() {
            Namespace::DEFAULT => "",
            other => other,
        };
        let length = u8::try_from(namespace.len()).expect("a namespace has at most 63 characters");
        let mut bytes = self.expiry_s.to_be_bytes()[3..].to_vec();
        bytes.push(length);
        bytes.extend_from_slice(namespace.as_bytes());
        bytes.extend_from_slice(self.responder.as_bytes());
        bytes
    }

    fn decode(id: EventId, bytes: &[u8]) -> Option<Self> {
        let (expiry, rest) = bytes.split_at_checked(5)?;
        let (length, rest) = rest.split_first()?;
        let (namespace, responder) = rest.split_at_checked(usize::from(*length))?;
        let expiry_s = expiry.iter().fold(0, |seconds, byte| seconds << 8 | i64::from(*byte));
        let namespace = match std::str::from_utf8(namespace).ok()? {
            "" => Namespace::default(),
            other => other.parse().ok()?,
        };
        Some(Self {
            expiry_s,
            namespace,
            responder: String::from_utf8(responder.to_vec()).ok()?,
            id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hitl_store::random;

    fn links() -> Links {
        Links::new(&LinkKey::new([7; 32]), "http://h:1/")
    }

    fn claims(namespace: &str, responder: &str) -> Claims {
        Claims {
            expiry_s: 100,
            namespace: namespace.parse().unwrap(),
            responder: responder.to_owned(),
            id: EventId::from_bytes([1; 16]),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000).unwrap()
    }

    #[test]
    fn a_link_grants_what_it_was_made_for_until_it_expires() {
        for (namespace, responder) in [("default", ""), ("default", "Ann"), ("team-1", "Ann ü")] {
            let claims = claims(namespace, responder);
            let token = links().sign(&claims);
            let grant = links().verify(&claims.id.to_string(), &token, at(99)).unwrap();
            assert_eq!(
                (grant.key.namespace.as_str(), grant.responder.as_str()),
                (namespace, responder)
            );
            assert!(links().verify(&claims.id.to_string(), &token, at(100)).is_err());
        }
    }

    #[test]
    fn a_key_is_made_once_and_then_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("deep/link.key");
        let key = LinkKey::load_or_make(&file, &random::SystemRandom).unwrap();
        assert_eq!(LinkKey::load_or_make(&file, &random::SystemRandom).unwrap().0, key.0);
        std::fs::write(&file, "short").unwrap();
        assert!(LinkKey::load_or_make(&file, &random::SystemRandom).is_err());
    }

    #[test]
    fn every_changed_bit_and_every_other_event_or_key_is_refused() {
        let claims = claims("team-1", "Ann");
        let (id, token) = (claims.id.to_string(), links().sign(&claims));
        let bytes = BASE64.decode(&token).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(links().verify(&id, &BASE64.encode(forged), at(1)).is_err(), "bit {bit}");
        }
        let other_event = EventId::from_bytes([2; 16]).to_string();
        assert!(links().verify(&other_event, &token, at(1)).is_err());
        let other_key = Links::new(&LinkKey::new([8; 32]), "http://h:1");
        assert!(other_key.verify(&id, &token, at(1)).is_err());
        for junk in ["", "a", "!!", &"A".repeat(100), &"A".repeat(5000), &token[1..]] {
            assert!(links().verify(&id, junk, at(1)).is_err());
        }
    }
}
