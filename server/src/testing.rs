//! What tests of several modules ask and answer.

use std::sync::Arc;

use hitl_core::{
    Answer, Channel, Command, Expiration, Identity, Input, IntInput, OnTimeout, PromptFormat,
    Responder, Spec, Value,
};

use crate::clock::Clock;
use crate::random::SystemRandom;
use crate::store::{Options, StoreMetrics};

/// What a store needs, with `clock` for its time.
pub(crate) fn store_options(clock: Arc<dyn Clock>) -> Options {
    Options {
        clock,
        random: Arc::new(SystemRandom),
        metrics: StoreMetrics::default(),
        on_fatal: Box::new(|_| ()),
        disk_reserve: Some(0),
        signs: Vec::new(),
    }
}

/// A question for a whole number from 0, which times out after `ttl_ms`.
pub(crate) fn spec(ttl_ms: i64) -> Spec {
    Spec {
        name: "n".into(),
        prompt: "p".into(),
        prompt_format: PromptFormat::Text,
        input: Input::Int(IntInput { min: Some(0), max: None }),
        scope: "run".into(),
        labels: [].into(),
        expiration: Expiration::TtlMs(ttl_ms),
        on_timeout: OnTimeout::Fail,
        idempotency_key: None,
    }
}

/// An answer to it.
pub(crate) fn answer(number: i64, answer_id: &str) -> Command {
    let responder =
        Responder { name: String::new(), channel: Channel::Grpc, address: String::new() };
    let identity = Identity { responder, answer_id: Some(answer_id.to_owned()) };
    Command::Answer { answer: Answer::Value(Value::Int(number)), identity }
}
