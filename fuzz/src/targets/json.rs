//! Bodies of JSON, at every route that takes one: a reply is never a fault of the server, and always JSON.

use serde_json::Value;

use super::{choice, questions};
use crate::world::{World, path};

pub(super) fn run(input: &[u8]) {
    let Some((route, body)) = choice(input, 8) else { return };
    let world = World::new();
    let event = world.ask(questions::question(body.len() % questions::COUNT));
    let id = &event.id;
    let target = match route {
        0 => "/v1/events".to_owned(),
        1 => "/v1/events:batchCreate".to_owned(),
        2 => "/v1/events:batchAnswer".to_owned(),
        3 => format!("/v1/events/{id}/answer"),
        4 => format!("/v1/events/{id}/decline"),
        5 => format!("/v1/events/{id}/cancel"),
        6 => path(&event.api_url).to_owned(),
        _ => "/submit/json".to_owned(),
    };
    let reply = world.post(&target, "application/json", body).expect("the address is right");
    serde_json::from_str::<Value>(&reply.text).expect("every reply is JSON");
}
