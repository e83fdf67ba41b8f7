//! Page tokens and resume tokens: one that is not ours is refused as such.

use hitl_proto::v1;
use hitl_server::api::Problem;
use hitl_service::Owner;

use super::questions;
use crate::world::{World, caller, wait};

pub(super) fn run(input: &[u8]) {
    let Ok(token) = std::str::from_utf8(input) else { return };
    let world = World::new();
    world.ask(questions::question(0));
    let list = v1::ListEventsRequest { page_token: token.to_owned(), ..Default::default() };
    let listed = wait(world.api.list_events(list, &caller())).err();
    let watch = v1::WatchEventsRequest { resume_token: token.to_owned(), ..Default::default() };
    let watched =
        wait(async { world.api.watch_events(watch, &caller(), Owner::of_connection(1)).err() });
    for error in [listed, watched].into_iter().flatten() {
        let reason = Problem::from(&error).reason;
        let is_said =
            matches!(reason, v1::ErrorReason::InvalidRequest | v1::ErrorReason::ResumeTokenExpired);
        assert!(is_said, "{error}");
    }
}
