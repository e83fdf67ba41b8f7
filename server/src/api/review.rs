//! Reviews, from messages to the domain and back.

use hitl_core::{ReviewDecision, ReviewInput, ReviewValue};
use hitl_proto::v1;

use hitl_service::error::Error;

/// The input as the domain has it.
pub(super) fn of_input(input: v1::ReviewInput) -> Result<ReviewInput, Error> {
    let v1::ReviewInput { action, arguments, json_schema, allow, digest: _ } = input;
    let mut allowed = Vec::with_capacity(allow.len());
    for (at, decision) in allow.into_iter().enumerate() {
        allowed.push(of_decision(decision, &format!("input.review.allow[{at}]"))?);
    }
    if allowed.is_empty() {
        allowed = ReviewDecision::ALL.to_vec();
    }
    // A byte order mark is no part of JSON, and those who read it later may not know it.
    let unmarked = |text: String| text.trim_start_matches('\u{feff}').to_owned();
    Ok(ReviewInput {
        action,
        arguments: unmarked(arguments),
        json_schema: unmarked(json_schema),
        allow: allowed,
    })
}

/// The answer in `field` as the domain has it.
pub(super) fn of_value(value: v1::ReviewValue, field: &str) -> Result<ReviewValue, Error> {
    let v1::ReviewValue { decision, arguments, message, shown_digest, approved_digest } = value;
    let decision = of_decision(decision, &format!("{field}.decision"))?;
    Ok(ReviewValue { decision, arguments, message, shown_digest, approved_digest })
}

fn of_decision(decision: i32, field: &str) -> Result<ReviewDecision, Error> {
    match v1::ReviewDecision::try_from(decision) {
        Ok(v1::ReviewDecision::Approve) => Ok(ReviewDecision::Approve),
        Ok(v1::ReviewDecision::Edit) => Ok(ReviewDecision::Edit),
        Ok(v1::ReviewDecision::Reject) => Ok(ReviewDecision::Reject),
        Ok(v1::ReviewDecision::Respond) => Ok(ReviewDecision::Respond),
        Ok(v1::ReviewDecision::Unspecified) => Err(Error::invalid(field, "is required")),
        Err(_) => Err(Error::invalid(field, "must be a known decision")),
    }
}

/// The input as a message, with its digest.
pub(super) fn input(input: &ReviewInput) -> v1::ReviewInput {
    v1::ReviewInput {
        action: input.action.clone(),
        arguments: input.arguments.clone(),
        json_schema: input.json_schema.clone(),
        allow: input.allow.iter().map(|it| decision(*it).into()).collect(),
        digest: input.digest(),
    }
}

/// The value as a message.
pub(super) fn value(value: &ReviewValue) -> v1::ReviewValue {
    v1::ReviewValue {
        decision: decision(value.decision).into(),
        arguments: value.arguments.clone(),
        message: value.message.clone(),
        shown_digest: value.shown_digest.clone(),
        approved_digest: value.approved_digest.clone(),
    }
}

fn decision(decision: ReviewDecision) -> v1::ReviewDecision {
    match decision {
        ReviewDecision::Approve => v1::ReviewDecision::Approve,
        ReviewDecision::Edit => v1::ReviewDecision::Edit,
        ReviewDecision::Reject => v1::ReviewDecision::Reject,
        ReviewDecision::Respond => v1::ReviewDecision::Respond,
    }
}
