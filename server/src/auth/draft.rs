//! Drafts: what was typed into a form, sealed for the way through the browser's address and back.
//!
//! A draft says nothing to whoever does not have the link, and a draft that was not made here is
//! none: else a page could be prefilled by whoever writes an address. The seal needs only the key
//! of the links, so every replica opens what any other has sealed, and none remembers anything.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use hmac::Mac;

use super::Links;

/// Keeps seals apart from links.
const DOMAIN: &[u8] = b"hitl draft v1\0";

/// Bytes of a seal. Half of a hash is more than anybody can guess, and the address stays short.
const SEAL_BYTES: usize = 16;

/// Longest text that is looked at.
const SEALED_CHARS_MAX: usize = 16 * 1024;

impl Links {
    /// `draft` as a text that can stand in the address of a page below the link with `token`.
    pub fn seal(&self, token: &str, draft: &[u8]) -> String {
        let seal = self.proof([DOMAIN, &Self::bound(token), draft]).finalize().into_bytes();
        BASE64.encode([&seal[..SEAL_BYTES], draft].concat())
    }

    /// The draft that was sealed for the link with `token`; none if `sealed` is anything else.
    pub fn unseal(&self, token: &str, sealed: &str) -> Option<Vec<u8>> {
        if sealed.len() > SEALED_CHARS_MAX {
            return None;
        }
        let bytes = BASE64.decode(sealed).ok()?;
        let (seal, draft) = bytes.split_at_checked(SEAL_BYTES)?;
        self.is_proof([DOMAIN, &Self::bound(token), draft], seal).then(|| draft.to_vec())
    }

    /// The token as a part that says where it ends. It names one event, so the seal does too.
    fn bound(token: &str) -> Vec<u8> {
        [token.as_bytes(), b"\0"].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{LinkKey, LinkKeys};

    #[test]
    fn a_draft_opens_with_the_key_and_the_link_that_it_was_sealed_for_and_no_other() {
        let links = |key| Links::new(&LinkKeys::one(LinkKey::new([key; 32])), "http://h:1");
        let sealed = links(7).seal("token", b"typed");
        assert_eq!(links(7).unseal("token", &sealed), Some(b"typed".to_vec()));
        assert_eq!(links(8).unseal("token", &sealed), None);
        assert_eq!(links(7).unseal("other", &sealed), None);
        let bytes = BASE64.decode(&sealed).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(links(7).unseal("token", &BASE64.encode(forged)), None, "bit {bit}");
        }
        for junk in ["", "AA", "!", &"A".repeat(SEALED_CHARS_MAX + 1)] {
            assert_eq!(links(7).unseal("token", junk), None, "{junk}");
        }
    }
}
