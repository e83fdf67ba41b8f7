//! What a refused call says, in one shape for gRPC and for HTTP.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// The parts of an error that callers may rely on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) reason: String,
    pub(crate) metadata: BTreeMap<String, String>,
    /// Paths of the fields at fault.
    pub(crate) fields: Vec<String>,
    /// Whether it says when to try again.
    pub(crate) retry: bool,
    /// What could not be found.
    pub(crate) resource: String,
}

impl Failure {
    pub(crate) fn of(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        let info = info.unwrap_or_else(|| panic!("every error has an ErrorInfo: {status:?}"));
        assert_eq!(info.domain, "hitl.v1");
        assert!(!status.message().is_empty());
        let broken = details.bad_request().map(|bad| bad.field_violations.as_slice());
        Self {
            code: status.code(),
            reason: info.reason.clone(),
            metadata: info.metadata.clone().into_iter().collect(),
            fields: broken.unwrap_or_default().iter().map(|v| v.field.clone()).collect(),
            retry: details.retry_info().is_some_and(|retry| retry.retry_delay.is_some()),
            resource: details.resource_info().map_or(String::new(), |r| r.resource_name.clone()),
        }
    }

    /// Reads an error body of the JSON API.
    pub(crate) fn of_json(body: &Json) -> Self {
        let error = &body["error"];
        assert!(error["message"].is_string(), "every error has a message: {body}");
        let detail = |name: &str| {
            let wanted = format!("type.googleapis.com/google.rpc.{name}");
            let details = error["details"].as_array().into_iter().flatten();
            details.into_iter().find(|detail| detail["@type"] == *wanted)
        };
        let info = detail("ErrorInfo").unwrap_or_else(|| panic!("no ErrorInfo: {body}"));
        assert_eq!(info["domain"], "hitl.v1");
        let metadata = info["metadata"].as_object().into_iter().flatten();
        let broken = detail("BadRequest").and_then(|bad| bad["fieldViolations"].as_array());
        Self {
            code: code_of(text(&error["status"])),
            reason: text(&info["reason"]).to_owned(),
            metadata: metadata.map(|(k, v)| (k.clone(), text(v).to_owned())).collect(),
            fields: broken.into_iter().flatten().map(|v| text(&v["field"]).to_owned()).collect(),
            retry: detail("RetryInfo").is_some_and(|retry| retry["retryDelay"].is_string()),
            resource: detail("ResourceInfo").map_or("", |r| text(&r["resourceName"])).to_owned(),
        }
    }

    /// Reads the whole error response of the JSON API, and checks that its HTTP status fits.
    pub(crate) async fn of_reply(reply: reqwest::Response) -> Self {
        let status = reply.status().as_u16();
        let body: Json = reply.json().await.expect("errors are JSON");
        assert_eq!(body["error"]["code"], status, "{body}");
        let failure = Self::of_json(&body);
        assert_eq!(status, http_status(failure.code), "{body}");
        failure
    }

    pub(crate) fn is(&self, code: Code, reason: &str) -> bool {
        self.code == code && self.reason == format!("ERROR_REASON_{reason}")
    }
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}

fn code_of(status: &str) -> Code {
    match status {
        "INVALID_ARGUMENT" => Code::InvalidArgument,
        "NOT_FOUND" => Code::NotFound,
        "ALREADY_EXISTS" => Code::AlreadyExists,
        "PERMISSION_DENIED" => Code::PermissionDenied,
        "FAILED_PRECONDITION" => Code::FailedPrecondition,
        "RESOURCE_EXHAUSTED" => Code::ResourceExhausted,
        "UNAVAILABLE" => Code::Unavailable,
        "UNIMPLEMENTED" => Code::Unimplemented,
        other => panic!("unexpected status {other:?}"),
    }
}

/// The HTTP status of a canonical code, as google.rpc.Code documents it, but for the conflicts: those are 409.
fn http_status(code: Code) -> u16 {
    match code {
        Code::InvalidArgument => 400,
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::FailedPrecondition => 409,
        Code::ResourceExhausted => 429,
        Code::Unavailable => 503,
        other => panic!("unexpected code {other:?}"),
    }
}
