//! Links: no text but the link itself opens an event, whatever is changed about it.

use super::{halves, questions};
use crate::world::{World, now, path};

/// The first half stands in the place of the link's, or is laid over the real one bit by bit if it begins with `^`.
pub(super) fn run(input: &[u8]) {
    let world = World::new();
    let event = world.ask(questions::question(0));
    let real = path(&event.api_url).strip_prefix("/v1/links/").expect("a link").as_bytes();
    let made = match input.strip_prefix(b"^") {
        Some(mask) => {
            let mask = mask.iter().copied().chain(std::iter::repeat(0));
            real.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
        }
        None => input.to_vec(),
    };
    let Ok(made) = std::str::from_utf8(&made) else { return };
    let is_real = made.as_bytes() == real;
    let (id, token) = made.split_once('/').unwrap_or((made, ""));
    assert_eq!(world.links.verify(id, token, now()).is_ok(), is_real, "{made}");
    for route in ["/v1/links/", "/form/"] {
        let Some(reply) = world.get(&format!("{route}{made}")) else { continue };
        // A query, a fragment and encoded characters are other ways to write the same.
        if !made.contains(['?', '#', '%']) {
            assert_eq!(reply.status.is_success(), is_real, "{route}{made}");
        }
    }
    let (first, second) = halves(input);
    let (Ok(first), Ok(second)) = (std::str::from_utf8(first), std::str::from_utf8(second)) else {
        return;
    };
    assert!(world.links.unseal(first, second).is_none());
}
