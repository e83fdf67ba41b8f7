//! Statuses as Connect says them.

use ::http::StatusCode;
use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};
use prost::Message;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::pb;

/// The error in JSON, with its details in binary form.
pub(super) fn json(status: &Status) -> Value {
    let details = pb::Status::decode(status.details()).unwrap_or_default().details;
    let details: Vec<Value> = details
        .iter()
        .map(|detail| {
            let name = detail.type_url.rsplit('/').next().unwrap_or_default();
            json!({"type": name, "value": BASE64_STANDARD_NO_PAD.encode(&detail.value)})
        })
        .collect();
    let mut said = json!({"code": name(status.code()), "message": status.message()});
    if !details.is_empty() {
        said["details"] = details.into();
    }
    said
}

/// The status of HTTP with which a unary call fails.
pub(super) fn http(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::Cancelled => StatusCode::from_u16(499).expect("it has three digits"),
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => {
            StatusCode::BAD_REQUEST
        }
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::Cancelled => "canceled",
        Code::Unknown => "unknown",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::{ErrorDetails, StatusExt};

    use super::*;

    #[test]
    fn an_error_keeps_its_code_message_and_details() {
        let details =
            ErrorDetails::with_error_info("REASON", "hitl.dev", [("a".to_owned(), "b".to_owned())]);
        let status = Status::with_error_details(Code::NotFound, "no such event", details);
        let said = json(&status);
        assert_eq!(
            (&said["code"], &said["message"]),
            (&json!("not_found"), &json!("no such event"))
        );
        assert_eq!(said["details"][0]["type"], "google.rpc.ErrorInfo");
        let value = said["details"][0]["value"].as_str().unwrap();
        let value = BASE64_STANDARD_NO_PAD.decode(value).unwrap();
        assert_eq!(pb::ErrorInfo::decode(value.as_slice()).unwrap().reason, "REASON");
        assert_eq!(http(status.code()), StatusCode::NOT_FOUND);
    }
}
