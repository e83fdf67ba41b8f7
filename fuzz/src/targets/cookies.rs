//! Cookies: no text but the one that was made is a session, and whatever a browser sends, nobody is known by it.

use hitl_server::auth::session::{Holder, Lifetimes, Session};

use crate::world::{Counted, World, now};

const LASTS: Lifetimes = Lifetimes { idle_ms: 3_600_000, whole_ms: 12 * 3_600_000 };

/// The input stands in the place of the cookie, or is laid over the real one bit by bit if it begins with `^`.
pub(super) fn run(input: &[u8]) {
    let world = World::new();
    let session = Session::begin(Holder::Owner, now(), &Counted::default());
    let real = session.cookie(&world.links).expect("it is short");
    let made: Vec<u8> = match input.strip_prefix(b"^") {
        Some(mask) => {
            let mask = mask.iter().copied().chain(std::iter::repeat(0));
            real.bytes().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
        }
        None => input.to_vec(),
    };
    if let Ok(text) = std::str::from_utf8(&made) {
        let read = Session::read(&world.links, text, now(), LASTS);
        assert_eq!(read.is_some(), text == real, "{text}");
        assert!(read.is_none_or(|read| read == session));
    }
    // On this server nobody can sign in, so that even a real session of another is none.
    let without = world.get("/account").expect("an address");
    for cookies in [made.clone(), [b"hitl-session-4485=", &made[..]].concat()] {
        if let Some(reply) = world.get_with_cookies("/account", &cookies) {
            assert_eq!((reply.status, &reply.text), (without.status, &without.text));
        }
    }
}
