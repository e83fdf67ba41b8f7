//! What a client carries back when it repeats a call: which question it is about, sealed.
//!
//! The client may be anybody's, so what it brings counts only under a seal that is good for this caller, for these
//! arguments and for a time. Every replica has the key. That a state is used twice does no harm: a question ends once.

use std::time::Duration;

use rmcp::model::{RequestStateCodec, SealOptions};
use serde::{Deserialize, Serialize};

use super::refused::Refused;

/// Longest time from asking the user to their answer.
const TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest state that is looked at.
const CHARS_MAX: usize = 1024;

/// Seals states, and opens them. There is one for each key, and the first seals.
#[derive(Clone)]
pub(super) struct Seal(Vec<RequestStateCodec>);

/// What is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// The event.
    pub(super) id: String,
    /// How often the user has given an answer that does not fit.
    pub(super) misses: u8,
    /// Whether an earlier call had created the event.
    pub(super) repeated: bool,
}

impl Seal {
    /// Seals with the first of `keys`, and opens what any of them has sealed.
    pub(super) fn new(keys: &[[u8; 32]]) -> Self {
        let codec = |key: &[u8; 32]| RequestStateCodec::try_new(*key).expect("32 bytes are enough");
        Self(keys.iter().map(codec).collect())
    }

    /// `state`, good for whoever `bound` names and what it asks.
    pub(super) fn seal(&self, state: &State, bound: &[u8]) -> String {
        let options = SealOptions::new().associated_data(bound).ttl(TTL);
        self.0[0].seal_json_with(state, &options).expect("a state is JSON")
    }

    /// The state that was sealed for `bound`.
    ///
    /// # Errors
    /// It was not, or it is too old: the same reply whatever is wrong.
    pub(super) fn open(&self, sealed: &str, bound: &[u8]) -> Result<State, Refused> {
        let mut codecs = self.0.iter().filter(|_| sealed.len() <= CHARS_MAX);
        codecs.find_map(|codec| codec.open_json_with(sealed, bound).ok()).ok_or_else(|| {
            Refused::other(
                "the requestState is not one that this server gave for this call, or it is too old: call again \
                 without it",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_good_for_its_caller_and_its_call_on_every_replica_and_for_nobody_else() {
        let state = State { id: "1".to_owned(), misses: 1, repeated: true };
        let sealed = Seal::new(&[[7; 32]]).seal(&state, b"ann|ship it?");
        assert_eq!(Seal::new(&[[7; 32]]).open(&sealed, b"ann|ship it?"), Ok(state.clone()));
        let while_keys_change = Seal::new(&[[8; 32], [7; 32]]);
        assert_eq!(while_keys_change.open(&sealed, b"ann|ship it?"), Ok(state));
        assert!(Seal::new(&[[7; 32]]).open(&sealed, b"bob|ship it?").is_err());
        assert!(Seal::new(&[[7; 32]]).open(&sealed, b"ann|drop it?").is_err());
        assert!(Seal::new(&[[8; 32]]).open(&sealed, b"ann|ship it?").is_err());
        for junk in ["", "rs1.a.b", &"A".repeat(CHARS_MAX + 1)] {
            assert!(Seal::new(&[[7; 32]]).open(junk, b"ann|ship it?").is_err(), "{junk}");
        }
    }
}
