//! The text of a token: which one it is, a secret, and a checksum.
//!
//! `hitl_` and the checksum let scanners find tokens where they do not belong, and let a mistyped one be told from one
//! that was never made, without a look at anything.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What every token begins with.
pub const PREFIX: &str = "hitl_";
/// Bytes of the secret.
pub const SECRET_BYTES: usize = 32;

const ID_DIGITS: usize = 16;
const SECRET_CHARS: usize = 43;
const SUM_DIGITS: usize = 8;
/// Where the checksum begins, after an underscore.
const SUM_AT: usize = PREFIX.len() + ID_DIGITS + 1 + SECRET_CHARS + 1;
/// Length of the whole text.
pub const TEXT_BYTES: usize = SUM_AT + SUM_DIGITS;

/// Identifies a token: 64 bits, written as 16 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(u64);

/// A token as its holder has it. Neither printed nor compared: both are for its hash.
#[derive(Clone)]
pub struct TokenText {
    /// Which token.
    pub id: TokenId,
    /// What only its holder knows.
    pub secret: [u8; SECRET_BYTES],
}

impl TokenId {
    /// The id with these bytes, most significant first.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is not the id of a token.
#[derive(Debug, thiserror::Error)]
#[error("must be 16 lower-case hexadecimal digits")]
pub struct ParseTokenIdError;

impl FromStr for TokenId {
    type Err = ParseTokenIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex(text, ID_DIGITS).map(Self).ok_or(ParseTokenIdError)
    }
}

impl Serialize for TokenId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TokenId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl TokenText {
    /// The token that `text` is, if it is one and was not mistyped. Takes no room on the heap.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != TEXT_BYTES || !text.is_ascii() {
            return None;
        }
        let (before, sum) = text.split_at(SUM_AT);
        let before = before.strip_suffix('_')?;
        if hex(sum, SUM_DIGITS)? != u64::from(crc32(before.as_bytes())) {
            return None;
        }
        let (id, secret) = before.strip_prefix(PREFIX)?.split_at(ID_DIGITS);
        let id = id.parse().ok()?;
        let mut bytes = [0; SECRET_BYTES];
        let length = BASE64.decode_slice(secret.strip_prefix('_')?, &mut bytes).ok()?;
        (length == SECRET_BYTES).then_some(Self { id, secret: bytes })
    }

    /// The text, for its holder alone.
    pub fn reveal(&self) -> String {
        let before = format!("{PREFIX}{}_{}", self.id, BASE64.encode(self.secret));
        let sum = crc32(before.as_bytes());
        format!("{before}_{sum:08x}")
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenText({})", self.id)
    }
}

/// Exactly `digits` lower-case hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u64> {
    let canonical =
        text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    u64::from_str_radix(text, 16).ok().filter(|_| canonical)
}

/// The CRC-32 of IEEE 802.3, as zip and gzip have it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        let at = usize::from(sum.to_le_bytes()[0] ^ byte);
        CRC_TABLE[at] ^ (sum >> 8)
    })
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "it is below 256")]
        let mut sum = at as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
            bit += 1;
        }
        table[at] = sum;
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_token_survives_its_text(id: [u8; 8], secret: [u8; SECRET_BYTES]) {
            let text = TokenText { id: TokenId::from_bytes(id), secret }.reveal();
            prop_assert_eq!(text.len(), TEXT_BYTES);
            let read = TokenText::parse(&text).unwrap();
            prop_assert_eq!((read.id, read.secret), (TokenId::from_bytes(id), secret));
        }

        #[test]
        fn a_token_with_one_other_character_is_none(
            secret: [u8; SECRET_BYTES], at in 0..TEXT_BYTES, other in "[0-9A-Za-z_-]",
        ) {
            let text = TokenText { id: TokenId::from_bytes([7; 8]), secret }.reveal();
            let mut mistyped = text.clone();
            mistyped.replace_range(at..=at, &other);
            prop_assert!(mistyped == text || TokenText::parse(&mistyped).is_none());
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,100}", cut in 0..TEXT_BYTES) {
            prop_assert!(TokenText::parse(&text).is_none());
            let token = TokenText { id: TokenId::from_bytes([7; 8]), secret: [1; 32] }.reveal();
            prop_assert!(TokenText::parse(&token[..cut]).is_none());
        }
    }

    /// Tokens are kept by their holders: this test may be added to, never changed.
    #[test]
    fn tokens_look_as_they_always_have() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let token = TokenText { id: TokenId::from_bytes([0xab; 8]), secret: [0xff; 32] };
        let text = token.reveal();
        let expected = format!("hitl_abababababababab_{}8_", "_".repeat(42));
        assert!(text.starts_with(&expected), "{text}");
        assert!(!format!("{token:?}").contains("__"), "the secret is not printed");
    }
}
