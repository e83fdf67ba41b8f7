//! What stands in the header of a credential: no text but one that was made is a token, none is shown, and nobody is
//! known by what the store does not have.

use axum::http::{HeaderMap, HeaderValue, header};
use hitl_core::TokenText;
use hitl_server::auth::{Access, Looked, Who};

use crate::world::{World, wait};

/// What stands before a token.
const BEARER: &[u8] = b"Bearer ";

pub(super) fn run(input: &[u8]) {
    let token = std::str::from_utf8(input).ok().and_then(TokenText::parse);
    if let (Some(token), Ok(text)) = (&token, std::str::from_utf8(input)) {
        assert_eq!(token.reveal(), text, "a token is written in one way");
        assert!(!format!("{token:?}").contains(&text[text.len() - 40..]), "it is shown");
    }
    let world = World::new();
    let access = Access::closed(world.service, Vec::new(), None);
    for value in [input.to_vec(), [BEARER, input].concat()] {
        let Ok(value) = HeaderValue::from_bytes(&value) else { continue };
        let looked = access.look(&HeaderMap::from_iter([(header::AUTHORIZATION, value)]));
        let who = match looked {
            Looked::Who(who) => who,
            Looked::Ask(token) => wait(access.ask(&token)).expect("the store is there"),
        };
        assert!(matches!(who, Who::Unknown));
    }
}
