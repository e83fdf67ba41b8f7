//! The links that earlier versions made: `{event id}/{token}`.
//!
//! The token says for whom, for which namespace and until when, and proves it with HMAC-SHA-256 over all of that and
//! the event id. None is made any more; those that were sent lead to their events until these are forgotten.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use hitl_core::{EventId, EventKey, LinkHolder, Namespace, Timestamp};

use super::Links;

/// Says what the key is used for, and in which version of the form.
const DOMAIN: &[u8] = b"hitl link v1\0";
/// Longest token that is looked at: the longest namespace and responder fit.
const TOKEN_CHARS_MAX: usize = 1536;
/// Bytes of the proof.
const PROOF_BYTES: usize = 32;

/// Whom the link `{id}/{token}` is for, if it is one of ours and has not expired at `now`.
pub(super) fn holder(links: &Links, id: &str, token: &str, now: Timestamp) -> Option<LinkHolder> {
    if token.len() > TOKEN_CHARS_MAX {
        return None;
    }
    let bytes = BASE64.decode(token).ok()?;
    let (body, proof) = bytes.split_at_checked(bytes.len().checked_sub(PROOF_BYTES)?)?;
    let id: EventId = id.parse().ok()?;
    if !links.is_proof([DOMAIN, id.to_string().as_bytes(), body], proof) {
        return None;
    }
    let (expiry_s, namespace, responder) = claims(body)?;
    let holder = LinkHolder { key: EventKey { namespace, id }, responder };
    (now.ms() / 1000 < expiry_s).then_some(holder)
}

/// What a token says: the expiry in 5 bytes, the length of the namespace in 1, the namespace, the responder.
fn claims(bytes: &[u8]) -> Option<(i64, Namespace, String)> {
    let (expiry, rest) = bytes.split_at_checked(5)?;
    let (length, rest) = rest.split_first()?;
    let (namespace, responder) = rest.split_at_checked(usize::from(*length))?;
    let expiry_s = expiry.iter().fold(0, |seconds, byte| seconds << 8 | i64::from(*byte));
    let namespace = match std::str::from_utf8(namespace).ok()? {
        "" => Namespace::default(),
        other => other.parse().ok()?,
    };
    Some((expiry_s, namespace, String::from_utf8(responder.to_vec()).ok()?))
}

#[cfg(test)]
mod tests {
    use hmac::Mac;

    use super::*;
    use crate::auth::{LinkKey, LinkKeys};

    fn links(key: u8) -> Links {
        Links::new(&LinkKeys::one(LinkKey::new([key; 32])), "http://h:1/")
    }

    fn id() -> EventId {
        EventId::from_bytes([1; 16])
    }

    /// A token as earlier versions made it.
    fn token(expiry_s: i64, namespace: &str, responder: &str) -> String {
        let mut bytes = expiry_s.to_be_bytes()[3..].to_vec();
        bytes.push(u8::try_from(namespace.len()).unwrap());
        bytes.extend_from_slice(namespace.as_bytes());
        bytes.extend_from_slice(responder.as_bytes());
        let proof = links(7).proof([DOMAIN, id().to_string().as_bytes(), &bytes]);
        bytes.extend_from_slice(&proof.finalize().into_bytes());
        BASE64.encode(bytes)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000).unwrap()
    }

    #[test]
    fn a_link_that_an_earlier_version_has_made_is_read_as_it_was_then() {
        // Made by version 0.1: it must never stop to work.
        const GOLDEN: &str = "AAAAAGQApTpieANs5pu_gPlXqzWMkMXp1A3ubgAsPK91q7fc4TQ";
        assert_eq!(token(100, "", ""), GOLDEN);
        let holder = holder(&links(7), &id().to_string(), GOLDEN, at(99)).unwrap();
        assert_eq!(holder.key, EventKey { namespace: Namespace::default(), id: id() });
    }

    #[test]
    fn a_link_grants_what_it_was_made_for_until_it_expires() {
        for (namespace, responder) in [("", ""), ("", "Ann"), ("team-1", "Ann ü")] {
            let token = token(100, namespace, responder);
            let found = holder(&links(7), &id().to_string(), &token, at(99)).unwrap();
            let expected = if namespace.is_empty() { "default" } else { namespace };
            assert_eq!(found.key.namespace.as_str(), expected);
            assert_eq!(found.responder, responder);
            assert!(holder(&links(7), &id().to_string(), &token, at(100)).is_none());
        }
    }

    #[test]
    fn every_changed_bit_and_every_other_event_or_key_is_refused() {
        let (id, token) = (id().to_string(), token(100, "team-1", "Ann"));
        let is_good =
            |links: &Links, id: &str, token: &str| holder(links, id, token, at(1)).is_some();
        assert!(is_good(&links(7), &id, &token));
        let bytes = BASE64.decode(&token).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_good(&links(7), &id, &BASE64.encode(forged)), "bit {bit}");
        }
        assert!(!is_good(&links(7), &EventId::from_bytes([2; 16]).to_string(), &token));
        assert!(!is_good(&links(8), &id, &token));
        for junk in ["", "a", "!!", &"A".repeat(100), &"A".repeat(5000), &token[1..]] {
            assert!(!is_good(&links(7), &id, junk));
        }
    }
}
