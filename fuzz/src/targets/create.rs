//! `CreateEvent` by protobuf: whatever decodes is created or refused, and what was created is read back as it is.

use hitl_proto::v1;
use hitl_server::json;
use prost::Message;

use crate::world::{World, caller, wait};

pub(super) fn run(input: &[u8]) {
    let Ok(request) = v1::CreateEventRequest::decode(input) else { return };
    let world = World::new();
    let Ok(created) = wait(world.api.create_event(request.clone(), &caller())) else { return };
    let event = created.event.expect("a created event");
    let key =
        v1::GetEventRequest { namespace: event.namespace.clone(), event_id: event.id.clone() };
    let read = wait(world.api.get_event(key, &caller())).expect("it was created").event;
    assert_eq!(read.as_ref(), Some(&event));
    let text = json::to_json(&event).to_string();
    assert_eq!(json::from_json::<v1::Event>(text.as_bytes()).as_ref(), Ok(&event));
    if !request.idempotency_key.is_empty() {
        let again = wait(world.api.create_event(request, &caller())).expect("it was right");
        assert!(again.existed);
    }
}
