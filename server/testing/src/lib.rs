//! What tests of several crates use: questions, answers, certificates, and a store that does as it is told. No program
//! links it.

pub mod certificates;
pub mod scripted;

use hitl_core::{
    Answer, Channel, Command, Expiration, Identity, Input, IntInput, OnTimeout, PromptFormat,
    Responder, Risk, Spec, Value,
};

/// A question for a whole number from 0, which times out after `ttl_ms`.
pub fn spec(ttl_ms: i64) -> Spec {
    Spec {
        name: "n".into(),
        title: String::new(),
        prompt: "p".into(),
        prompt_format: PromptFormat::Text,
        evidence: Vec::new(),
        risk: Risk::Low,
        require_confirmation: false,
        input: Input::Int(IntInput { min: Some(0), max: None }),
        scope: "run".into(),
        labels: [].into(),
        expiration: Expiration::TtlMs(ttl_ms),
        on_timeout: OnTimeout::Fail,
        idempotency_key: None,
        allow_self_answer: false,
        assignees: Vec::new(),
        quorum: None,
        created_by: None,
        on_end: None,
        alarms: hitl_core::Alarms::default(),
    }
}

/// An answer to it.
pub fn answer(number: i64, answer_id: &str) -> Command {
    let responder = Responder::claimed(String::new(), Channel::Grpc, String::new());
    let identity = Identity { responder, answer_id: Some(answer_id.to_owned()) };
    Command::Answer { answer: Answer::Value(Value::Int(number)), comment: String::new(), identity }
}
