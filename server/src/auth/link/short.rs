//! The text of a link: 16 bytes that name something and 16 that prove it, as 43 characters of base64url.
//!
//! What names an event has no room for its namespace, and the proof is over both. So that not every namespace has to be
//! tried, the last two bytes of the proof are a hint to the namespace, hidden by two bytes that the key makes of the
//! id. Whoever does not have the key knows none of the 16.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use hitl_core::{EventId, EventKey, Namespace};
use hitl_service::{NamespaceHint, namespace_hint};
use hitl_store::LinkId;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::mac;

/// What each proof is for, and in which version of the form.
const OF_EVENT: &[u8] = b"hitl link of an event v2\0";
const OF_MADE: &[u8] = b"hitl link that was made v2\0";
const HINT: &[u8] = b"hitl hint to a namespace v2\0";

/// Characters of the text.
const CHARS: usize = 43;
/// Bytes of the name, and of the proof.
const HALF: usize = 16;
/// Where the hint begins in the proof of an event.
const HINT_AT: usize = HALF - 2;

/// A link that was taken apart, and not judged yet.
pub(super) struct Short {
    pub(super) id: [u8; HALF],
    proof: [u8; HALF],
}

impl Short {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() != CHARS {
            return None;
        }
        let bytes = BASE64.decode(text).ok()?;
        let (id, proof) = bytes.split_at_checked(HALF)?;
        Some(Self { id: id.try_into().ok()?, proof: proof.try_into().ok()? })
    }

    pub(super) fn text(&self) -> String {
        BASE64.encode([self.id, self.proof].concat())
    }

    /// The link that the event at `key` has of itself.
    pub(super) fn of_event(keyed: &Hmac<Sha256>, key: &EventKey) -> Self {
        let id = key.id.bytes();
        let mut proof = half(mac(keyed, [OF_EVENT, &id, key.namespace.as_str().as_bytes()]));
        proof[HINT_AT..].copy_from_slice(&xor(namespace_hint(&key.namespace), mask(keyed, &id)));
        Self { id, proof }
    }

    /// The link that is recorded under this id.
    pub(super) fn of_made(keyed: &Hmac<Sha256>, id: LinkId) -> Self {
        let id = id.bytes();
        Self { id, proof: half(mac(keyed, [OF_MADE, &id, b""])) }
    }

    /// Whether it is that, signed with this key.
    pub(super) fn is_of_made(&self, keyed: &Hmac<Sha256>) -> bool {
        mac(keyed, [OF_MADE, &self.id, b""]).verify_truncated_left(&self.proof).is_ok()
    }

    /// The hint to the namespace of the event, if it is the link of one and signed with this key.
    pub(super) fn hint(&self, keyed: &Hmac<Sha256>) -> NamespaceHint {
        xor([self.proof[HINT_AT], self.proof[HINT_AT + 1]], mask(keyed, &self.id))
    }

    /// Whether it is the link of the event with this id in this namespace, signed with this key.
    pub(super) fn is_of_event(&self, keyed: &Hmac<Sha256>, namespace: &Namespace) -> bool {
        let proof = mac(keyed, [OF_EVENT, &self.id, namespace.as_str().as_bytes()]);
        proof.verify_truncated_left(&self.proof[..HINT_AT]).is_ok()
            && self.hint(keyed) == namespace_hint(namespace)
    }

    /// The event that it is the link of, if it is.
    pub(super) fn event_id(&self) -> EventId {
        EventId::from_bytes(self.id)
    }
}

fn half(proof: Hmac<Sha256>) -> [u8; HALF] {
    *proof.finalize().into_bytes().first_chunk().expect("a proof has 32 bytes")
}

fn mask(keyed: &Hmac<Sha256>, id: &[u8]) -> NamespaceHint {
    let [first, second, ..] = half(mac(keyed, [HINT, id, b""]));
    [first, second]
}

fn xor(a: NamespaceHint, b: NamespaceHint) -> NamespaceHint {
    [a[0] ^ b[0], a[1] ^ b[1]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::KeyInit;

    fn keyed(key: u8) -> Hmac<Sha256> {
        Hmac::new_from_slice(&[key; 32]).unwrap()
    }

    fn event(namespace: &str) -> EventKey {
        EventKey { namespace: namespace.parse().unwrap(), id: EventId::from_bytes([1; 16]) }
    }

    #[test]
    fn a_link_is_43_characters_and_says_what_it_was_made_for() {
        for namespace in ["default", "team-1", &"a".repeat(63)] {
            let key = event(namespace);
            let link = Short::parse(&Short::of_event(&keyed(7), &key).text()).unwrap();
            assert_eq!(link.text().len(), 43);
            assert_eq!(link.event_id(), key.id);
            assert_eq!(link.hint(&keyed(7)), namespace_hint(&key.namespace));
            assert!(link.is_of_event(&keyed(7), &key.namespace));
            assert!(!link.is_of_made(&keyed(7)));
            assert!(!link.is_of_event(&keyed(7), &"other".parse().unwrap()));
            assert!(!link.is_of_event(&keyed(8), &key.namespace));
        }
        let id = LinkId::from_bytes([2; 16]);
        let link = Short::parse(&Short::of_made(&keyed(7), id).text()).unwrap();
        assert!(link.is_of_made(&keyed(7)) && link.id == id.bytes());
        assert!(!link.is_of_made(&keyed(8)) && !link.is_of_event(&keyed(7), &Namespace::default()));
    }

    #[test]
    fn a_link_with_any_bit_changed_is_none() {
        let key = event("team-1");
        let links = [
            Short::of_event(&keyed(7), &key),
            Short::of_made(&keyed(7), LinkId::from_bytes(key.id.bytes())),
        ];
        for link in links {
            for bit in 0..2 * HALF * 8 {
                let mut bytes = [link.id, link.proof].concat();
                bytes[bit / 8] ^= 1 << (bit % 8);
                let forged = Short::parse(&BASE64.encode(bytes)).unwrap();
                let is_good =
                    forged.is_of_made(&keyed(7)) || forged.is_of_event(&keyed(7), &key.namespace);
                assert!(!is_good, "bit {bit}");
            }
        }
    }

    #[test]
    fn text_of_any_other_form_is_no_link() {
        let text = Short::of_event(&keyed(7), &event("default")).text();
        let same = Short::parse(&text).unwrap();
        assert_eq!(same.text(), text);
        let others = [
            String::new(),
            text[1..].to_owned(),
            text[..42].to_owned(),
            format!("{text}A"),
            format!("{text}="),
            "!".repeat(43),
            "+".repeat(43),
            "/".repeat(43),
            "ü".repeat(21) + "A",
            // The last character has two bits to spare, which have to be zero.
            "A".repeat(42) + "B",
        ];
        for other in others {
            assert!(Short::parse(&other).is_none(), "{other}");
        }
    }
}
