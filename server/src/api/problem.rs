//! An [`Error`] in the words of the API: a canonical code, a reason, and details.

use std::collections::BTreeMap;
use std::time::Duration;

use hitl_core::Violation;
use hitl_proto::v1::{self, ErrorReason};
use hitl_proto::visible;

use crate::api::to_proto;
use hitl_service::error::Error;
use hitl_service::quotas::Measure;

/// Numbers of `google.rpc.Code` that hitl sends.
pub mod grpc_code {
    /// A field breaks a rule.
    pub const INVALID_ARGUMENT: i32 = 3;
    /// There is no such thing.
    pub const NOT_FOUND: i32 = 5;
    /// The key is taken.
    pub const ALREADY_EXISTS: i32 = 6;
    /// Not allowed.
    pub const PERMISSION_DENIED: i32 = 7;
    /// A limit is reached.
    pub const RESOURCE_EXHAUSTED: i32 = 8;
    /// The state does not allow it.
    pub const FAILED_PRECONDITION: i32 = 9;
    /// Too old.
    pub const OUT_OF_RANGE: i32 = 11;
    /// A fault of the server.
    pub const INTERNAL: i32 = 13;
    /// Not now.
    pub const UNAVAILABLE: i32 = 14;
    /// Something that was stored cannot be read.
    pub const DATA_LOSS: i32 = 15;
    /// No good credential.
    pub const UNAUTHENTICATED: i32 = 16;
}

/// What a caller is told of an [`Error`], whatever the transport.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Number of the `google.rpc.Code`.
    pub code: i32,
    /// The reason of the `google.rpc.ErrorInfo`.
    pub reason: ErrorReason,
    /// For a person.
    pub message: String,
    /// The metadata of the `google.rpc.ErrorInfo`: the moving parts of the message.
    pub metadata: BTreeMap<String, String>,
    /// For `google.rpc.BadRequest`.
    pub violations: Vec<Violation>,
    /// For `google.rpc.RetryInfo`.
    pub retry_after: Option<Duration>,
    /// For `google.rpc.ResourceInfo`: type and name.
    pub resource: Option<(String, String)>,
}

impl From<&Error> for Problem {
    #[expect(clippy::too_many_lines, reason = "it is a table")]
    fn from(error: &Error) -> Self {
        use grpc_code as code;
        if matches!(
            error,
            Error::StoreUnavailable(_) | Error::RecordUnreadable { .. } | Error::Internal(_)
        ) {
            tracing::error!(%error, "a call failed");
        }
        let (code, reason) = match error {
            Error::InvalidRequest(_) => (code::INVALID_ARGUMENT, ErrorReason::InvalidRequest),
            Error::InvalidAnswer(_) => (code::INVALID_ARGUMENT, ErrorReason::InvalidAnswer),
            Error::NotFound(_) => (code::NOT_FOUND, ErrorReason::EventNotFound),
            Error::AlreadyFinal { .. } => {
                (code::FAILED_PRECONDITION, ErrorReason::EventAlreadyFinal)
            }
            Error::IdempotencyKeyReused { .. } => {
                (code::ALREADY_EXISTS, ErrorReason::IdempotencyKeyReused)
            }
            Error::Removed(_) => (code::FAILED_PRECONDITION, ErrorReason::EventRemoved),
            Error::NoReceipt { .. } => (code::FAILED_PRECONDITION, ErrorReason::NoReceipt),
            Error::ResumeTokenExpired => (code::OUT_OF_RANGE, ErrorReason::ResumeTokenExpired),
            Error::LinkInvalid => (code::PERMISSION_DENIED, ErrorReason::LinkInvalid),
            Error::Unauthenticated => (code::UNAUTHENTICATED, ErrorReason::Unauthenticated),
            Error::IssuerUnavailable => (code::UNAVAILABLE, ErrorReason::Unauthenticated),
            Error::PermissionDenied(_) => (code::PERMISSION_DENIED, ErrorReason::PermissionDenied),
            Error::SelfAnswer => (code::PERMISSION_DENIED, ErrorReason::SelfAnswer),
            Error::NotAssigned(_) | Error::NobodyInParticular(_) => {
                (code::PERMISSION_DENIED, ErrorReason::NotAssigned)
            }
            Error::AlreadyVoted { .. } => (code::FAILED_PRECONDITION, ErrorReason::AlreadyVoted),
            Error::Claimed { .. } => (code::FAILED_PRECONDITION, ErrorReason::Claimed),
            Error::Full { .. } => (code::RESOURCE_EXHAUSTED, ErrorReason::Full),
            Error::TokenNotFound(_) => (code::NOT_FOUND, ErrorReason::TokenNotFound),
            Error::ChannelNotFound(_) => (code::NOT_FOUND, ErrorReason::ChannelNotFound),
            Error::ChannelExists(_) => (code::ALREADY_EXISTS, ErrorReason::ChannelExists),
            Error::DeliveryNotFound(_) => (code::NOT_FOUND, ErrorReason::DeliveryNotFound),
            Error::OriginRefused(_) => (code::PERMISSION_DENIED, ErrorReason::OriginRefused),
            Error::TooManyWaiters => (code::RESOURCE_EXHAUSTED, ErrorReason::TooManyWaiters),
            Error::Overloaded => (code::RESOURCE_EXHAUSTED, ErrorReason::Overloaded),
            Error::OverQuota(over) => {
                let reason = match over.quota.measure {
                    Measure::Waits | Measure::Watches => ErrorReason::TooManyWaiters,
                    _ => ErrorReason::Overloaded,
                };
                (code::RESOURCE_EXHAUSTED, reason)
            }
            Error::RemindedRecently { .. } => {
                (code::RESOURCE_EXHAUSTED, ErrorReason::RemindedRecently)
            }
            Error::DiskFull => (code::RESOURCE_EXHAUSTED, ErrorReason::DiskFull),
            Error::StoreUnavailable(_) | Error::StoreGone(_) => {
                (code::UNAVAILABLE, ErrorReason::StoreUnavailable)
            }
            Error::RecordUnreadable { .. } => (code::DATA_LOSS, ErrorReason::RecordUnreadable),
            Error::ClockOff { .. } => (code::UNAVAILABLE, ErrorReason::ClockOff),
            Error::ShuttingDown => (code::UNAVAILABLE, ErrorReason::ShuttingDown),
            Error::Internal(_) => (code::INTERNAL, ErrorReason::Internal),
        };
        Self {
            code,
            reason,
            message: visible::line(&message(error)).into_owned(),
            metadata: metadata(error),
            violations: error.violations().iter().map(shown).collect(),
            retry_after: error.retry_after(),
            resource: match error {
                Error::NotFound(key) => Some(("hitl.v1.Event".to_owned(), key.id.to_string())),
                Error::TokenNotFound(id) => Some(("hitl.v1.Token".to_owned(), id.clone())),
                Error::ChannelNotFound(name) | Error::ChannelExists(name) => {
                    Some(("hitl.v1.NotificationChannel".to_owned(), name.clone()))
                }
                Error::DeliveryNotFound(id) => Some(("hitl.v1.Delivery".to_owned(), id.clone())),
                _ => None,
            },
        }
    }
}

/// The same for one part of a call while others go on.
impl From<Problem> for v1::Failure {
    fn from(problem: Problem) -> Self {
        let violation =
            |v: Violation| v1::FieldViolation { field: v.field, description: v.message };
        let retry_after = |delay: Duration| delay.try_into().expect("delays are of seconds");
        Self {
            code: problem.code,
            reason: problem.reason.into(),
            message: problem.message,
            metadata: problem.metadata,
            field_violations: problem.violations.into_iter().map(violation).collect(),
            retry_after: problem.retry_after.map(retry_after),
        }
    }
}

/// The description is for people; the field is for programs, and stays as it is.
fn shown(violation: &Violation) -> Violation {
    Violation::new(violation.field.clone(), visible::line(&violation.message))
}

/// What went wrong inside is for the log: a caller can do nothing with it, and may not be allowed to see it.
fn message(error: &Error) -> String {
    match error {
        Error::StoreUnavailable(_) => {
            "the store failed, and whether the call took effect is unknown; repeat it".to_owned()
        }
        Error::StoreGone(_) => {
            "the directory of the store was deleted, moved or replaced: nothing more is written, and the server ends"
                .to_owned()
        }
        Error::RecordUnreadable { path, .. } => {
            format!(
                "the stored record {path} is damaged and cannot be read; the server's log says more"
            )
        }
        Error::Internal(_) => "the server failed; its log says why".to_owned(),
        other => other.to_string(),
    }
}

fn metadata(error: &Error) -> BTreeMap<String, String> {
    let pairs: Vec<(&str, String)> = match error {
        Error::NotFound(key) => vec![("event_id", key.id.to_string())],
        Error::AlreadyFinal { key, state, time } => vec![
            ("event_id", key.id.to_string()),
            ("state", to_proto::state(*state).as_str_name().to_owned()),
            ("time", time.to_string()),
        ],
        Error::RecordUnreadable { path, .. } => vec![("record", path.clone())],
        Error::NoReceipt { key, state } => vec![
            ("event_id", key.id.to_string()),
            ("state", to_proto::state(*state).as_str_name().to_owned()),
        ],
        Error::Removed(key)
        | Error::NotAssigned(key)
        | Error::NobodyInParticular(key)
        | Error::Full { key, .. } => vec![("event_id", key.id.to_string())],
        Error::AlreadyVoted { key, time } | Error::Claimed { key, until: time } => {
            vec![("event_id", key.id.to_string()), ("time", time.to_string())]
        }
        Error::OverQuota(over) => {
            vec![("quota", over.quota.to_string()), ("max", over.max.to_string())]
        }
        Error::IdempotencyKeyReused { key, fields } => {
            vec![("event_id", key.id.to_string()), ("fields", fields.join(","))]
        }
        _ => Vec::new(),
    };
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_cannot_be_judged_is_to_be_tried_again_and_is_no_matter_of_load() {
        let problem = Problem::from(&Error::IssuerUnavailable);
        assert_eq!(problem.code, grpc_code::UNAVAILABLE);
        assert!(problem.retry_after.is_some());
    }

    #[test]
    fn a_damaged_record_is_a_loss_that_is_named_and_not_to_be_tried_again() {
        let path = "events/default/0192f0c1d2e37f00a1b2c3d4e5f60718/request.json".to_owned();
        let message =
            "checksum mismatch, in /var/lib/hitl/store/db/keyspaces/1/tables/7".to_owned();
        let problem = Problem::from(&Error::RecordUnreadable { path: path.clone(), message });
        assert_eq!(problem.code, grpc_code::DATA_LOSS);
        assert_eq!(problem.reason, ErrorReason::RecordUnreadable);
        assert_eq!(problem.retry_after, None);
        assert!(problem.message.contains(&path), "{}", problem.message);
        assert!(!problem.message.contains("/var/lib"), "where the store lies is for the log");
        assert_eq!(problem.metadata.get("record"), Some(&path));
    }
}
