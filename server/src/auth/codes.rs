//! Codes that sign a browser in once: the command line, which has the token of this machine's user, gets one and hands
//! it to a browser, so that the token itself never stands in an address.

use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use hitl_store::clock::Monotonic;
use hitl_store::random::{self, Random};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How long a code works: a minute.
const LASTS_MS: i64 = 60_000;

/// Most codes at a time. The oldest makes room.
const CODES_MAX: usize = 16;

/// The codes that were made and not used yet, by their hashes.
#[derive(Default)]
pub struct Codes(Mutex<Vec<([u8; 32], Monotonic)>>);

impl std::fmt::Debug for Codes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Codes(secret)")
    }
}

impl Codes {
    /// A new code.
    pub fn make(&self, now: Monotonic, random: &dyn Random) -> String {
        let code = BASE64.encode(random::bytes::<32>(random));
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|(_, made)| now.ms_since(*made) < LASTS_MS);
        if codes.len() >= CODES_MAX {
            codes.remove(0);
        }
        codes.push((hash(&code), now));
        code
    }

    /// Whether `code` is one of them. It is not any more afterwards.
    pub fn redeem(&self, code: &str, now: Monotonic) -> bool {
        let hash = hash(code);
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|(_, made)| now.ms_since(*made) < LASTS_MS);
        let before = codes.len();
        codes.retain(|(known, _)| !bool::from(known.ct_eq(&hash)));
        codes.len() < before
    }
}

fn hash(code: &str) -> [u8; 32] {
    Sha256::digest(code).into()
}

#[cfg(test)]
mod tests {
    use hitl_store::random::SystemRandom;

    use super::*;

    #[test]
    fn a_code_works_once_and_within_a_minute() {
        let (codes, at) = (Codes::default(), Monotonic::from_ms);
        let (one, other) = (codes.make(at(0), &SystemRandom), codes.make(at(0), &SystemRandom));
        assert!(!codes.redeem("", at(1)));
        assert!(codes.redeem(&one, at(1)));
        assert!(!codes.redeem(&one, at(1)));
        assert!(!codes.redeem(&other, at(LASTS_MS)));
    }

    #[test]
    fn only_so_many_codes_are_kept() {
        let (codes, now) = (Codes::default(), Monotonic::from_ms(0));
        let all: Vec<_> = (0..CODES_MAX + 3).map(|_| codes.make(now, &SystemRandom)).collect();
        let good = all.iter().filter(|code| codes.redeem(code, now)).count();
        assert_eq!(good, CODES_MAX);
    }
}
