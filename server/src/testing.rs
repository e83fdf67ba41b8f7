//! What tests of several modules ask and answer.

use hitl_core::{Expiration, Input, IntInput, OnTimeout, PromptFormat, Spec};

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
