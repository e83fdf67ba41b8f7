//! Drafts: what comes in an address is shown only if it was sealed here, and then as text.

use super::{choice, questions};
use crate::page;
use crate::world::{World, path};

pub(super) fn run(input: &[u8]) {
    let Some((question, draft)) = choice(input, questions::COUNT) else { return };
    let world = World::new();
    let event = world.ask(questions::question(question));
    let form = path(&event.form_url);
    let (_, token) = form.rsplit_once('/').expect("a path");
    let sealed = world.links.seal(token, draft);
    if let Some(opened) = world.links.unseal(token, &sealed) {
        assert_eq!(opened, draft);
    }
    let shown = world.get(&format!("{form}?draft={sealed}")).expect("the address is right");
    page::check(&shown.text, &[page::PROMPT, page::PAGE]);
    // The seal with the first bit of what it seals turned over.
    let mut forged = sealed.into_bytes();
    forged[0] ^= 1;
    let forged = String::from_utf8(forged).expect("base64 is ASCII");
    assert!(world.links.unseal(token, &forged).is_none());
}
