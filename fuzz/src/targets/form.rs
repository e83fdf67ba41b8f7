//! What a browser could send as the form: it is recorded, or comes back on a page that holds nothing but text of it.

use super::{choice, questions};
use crate::page;
use crate::world::{World, path};

const KIND: &str = "application/x-www-form-urlencoded";

pub(super) fn run(input: &[u8]) {
    let Some((question, body)) = choice(input, questions::COUNT) else { return };
    let world = World::new();
    let event = world.ask(questions::question(question));
    let form = path(&event.form_url);
    let reply = world.post(form, KIND, body).expect("the address is right");
    page::check(&reply.text, &[page::PROMPT, page::PAGE]);
    if let Some(location) = reply.headers.get("location") {
        let location = location.to_str().expect("our addresses are ASCII");
        let (above, _) = form.rsplit_once('/').expect("a path");
        let shown = world.get(&format!("{above}/{location}")).expect("the address is right");
        page::check(&shown.text, &[page::PROMPT, page::PAGE]);
    }
}
