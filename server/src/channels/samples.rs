//! Messages for the tests of channels.

use std::sync::Arc;

use hitl_core::{
    Channel, CredentialKind, Event, EventId, Outcome, Proof, Responder, Response, Spec, Timestamp,
    Value,
};

use super::{Message, Told};

/// A message about a question that waits.
pub(super) fn message(told: Told) -> Message {
    let at = Timestamp::from_ms(1_795_354_620_123).unwrap();
    let spec = Spec {
        title: "Ship it?".to_owned(),
        prompt: "Version 7 is ready.\nGo on?".to_owned(),
        ..hitl_testing::spec(600_000)
    };
    let namespace = "prod".parse().unwrap();
    let request = hitl_core::create(spec, namespace, EventId::from_bytes([0xab; 16]), at).unwrap();
    Message {
        id: hitl_service::deliveries::DeliveryId::of_test([7; 16]),
        told,
        event: Event { request: Arc::new(request), response: None },
        recipient: String::new(),
        link: "https://hitl.example/q/CANARY".to_owned(),
        note: String::new(),
        time: at,
        sequence: 0,
        attempts_before: 0,
        earlier: Vec::new(),
    }
}

/// A message about the end of that question.
pub(super) fn ended_message() -> Message {
    let mut message = message(Told::Ended);
    let proof =
        Proof { known_by: CredentialKind::Person, id: "1".to_owned(), name: "ann".to_owned() };
    let mut responder = Responder::claimed(String::new(), Channel::Form, String::new());
    responder.proof = Some(proof);
    message.event.response = Some(Arc::new(Response {
        outcome: Outcome::Answered { value: Value::Bool(true) },
        time: message.time.plus_ms(1_000),
        responder: Some(responder),
        answer_id: None,
        comment: "go".to_owned(),
        votes: Vec::new(),
        weight: hitl_core::Weight::default(),
    }));
    message.link = String::new();
    message
}
