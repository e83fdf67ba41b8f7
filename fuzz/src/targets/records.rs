//! What somebody else may have written into the bucket: it is read, or said to be unreadable, and nothing is decided
//! from what is not a record.

use hitl_proto::v1;
use hitl_server::api::Problem;
use hitl_service::Owner;

use super::{choice, halves};
use crate::world::{World, caller, wait};

const ID: &str = "0190a1b2c3d4e5f60718293a4b5c6d7e";

pub(super) fn run(input: &[u8]) {
    let Some((calls, records)) = choice(input, 4) else { return };
    let world = World::new();
    let (request, response) = halves(records);
    world.put(&format!("events/default/{ID}/request.json"), request);
    if !response.is_empty() {
        world.put(&format!("events/default/{ID}/response.json"), response);
    }
    let event_id = ID.to_owned();
    let failed = match calls {
        0 => {
            let request = v1::GetEventRequest { event_id, ..Default::default() };
            wait(world.api.get_event(request, &caller())).err()
        }
        1 => {
            let request = v1::WaitEventRequest { event_id, ..Default::default() };
            wait(world.api.wait_event(&request, &caller(), Owner::of_connection(1))).err()
        }
        2 => {
            let answer = Some(v1::answer_event_request::Answer::Text("1".to_owned()));
            let request = v1::AnswerEventRequest { event_id, answer, ..Default::default() };
            wait(world.api.answer_event(request, &caller())).err()
        }
        _ => {
            let request = v1::CancelEventRequest { event_id, ..Default::default() };
            wait(world.api.cancel_event(request, &caller())).err()
        }
    };
    let reason = failed.map(|error| Problem::from(&error).reason);
    assert_ne!(reason, Some(v1::ErrorReason::Internal));
}
