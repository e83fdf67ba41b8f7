//! Failures on the wire: JSON as AIP-193 describes it, with the HTTP status of Google's mapping.
//!
//! One status departs from the mapping: an event that has ended already is 409 Conflict, not 400,
//! because the request was fine and only came second. What HTTP itself refuses (a body too large, a
//! type nobody reads, a path nobody serves) keeps HTTP's own status, in the same shape.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hitl_core::Violation;
use hitl_proto::v1::ErrorReason;
use hitl_proto::visible;
use serde_json::{Value, json};

use super::page;
use super::refusals::{NO_CREDENTIAL, NO_LINK};
use crate::api::Problem;
use crate::json::to_text;
use hitl_service::error::Error;

/// Why a request got no result.
#[derive(Debug)]
pub(super) enum Failure {
    /// The API refused the call.
    Api(Error),
    /// HTTP refused the request before it became a call.
    Http(StatusCode, String),
}

impl Failure {
    /// A field of the request that breaks a rule.
    pub(super) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Api(Error::invalid(field, message))
    }

    /// All the fields of the request that break rules.
    pub(super) fn all(broken: Vec<Violation>) -> Self {
        Self::Api(Error::invalid_fields(broken))
    }

    /// The status, and the body that says the same in full.
    pub(super) fn status_and_body(&self) -> (StatusCode, Value) {
        let problem = match self {
            Self::Api(error) => Problem::from(error),
            Self::Http(status, message) => {
                return (*status, body(*status, http_name(*status), message, &plain_details()));
            }
        };
        let (name, status) = mapping(problem.code);
        let status = match problem.reason {
            ErrorReason::EventAlreadyFinal
            | ErrorReason::EventRemoved
            | ErrorReason::NoReceipt
            | ErrorReason::AlreadyVoted
            | ErrorReason::Claimed => StatusCode::CONFLICT,
            _ => status,
        };
        (status, body(status, name, &problem.message, &details(&problem)))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Api(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, body) = self.status_and_body();
        let mut response = json(status, &body);
        if let Self::Api(error) = &self {
            retry_after(error, response.headers_mut());
        }
        match &self {
            Self::Api(Error::Unauthenticated) => response = NO_CREDENTIAL.with(response),
            Self::Api(Error::LinkInvalid) => response = NO_LINK.with(response),
            _ => {}
        }
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// `value` as a JSON response.
pub(super) fn json(status: StatusCode, value: &Value) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    (status, content_type, value.to_string()).into_response()
}

/// `message` as a JSON response.
pub(super) fn message<M: prost::Message + prost::Name>(message: &M) -> Response {
    text(to_text(message))
}

/// What is JSON already as a response.
pub(super) fn text(text: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// Says in a header when to try again, if that can help.
pub(super) fn retry_after(error: &Error, headers: &mut HeaderMap) {
    if let Some(wait) = error.retry_after() {
        let whole_seconds = wait.as_millis().div_ceil(1000);
        let value = HeaderValue::from_str(&whole_seconds.to_string());
        headers.insert(header::RETRY_AFTER, value.expect("digits make a header"));
    }
}

/// Tells of `error` whoever sent these headers: browsers by a page, others by JSON.
pub(super) fn refusal(error: Error, headers: &HeaderMap) -> Response {
    let is_busy = "The server has as much to do as it may. Try again in a few seconds.";
    let message = match &error {
        Error::OverQuota(_) | Error::IssuerUnavailable => {
            visible::line(&error.to_string()).into_owned()
        }
        _ => is_busy.to_owned(),
    };
    let failure = Failure::Api(error);
    let mut response = failure.into_response();
    if page::is_wanted(headers) {
        let mut page = page::notice(response.status(), "Too busy just now", &message);
        if let Some(wait) = response.headers_mut().remove(header::RETRY_AFTER) {
            page.headers_mut().insert(header::RETRY_AFTER, wait);
        }
        return page;
    }
    response
}

/// Answers what no route serves: gRPC callers by a status, browsers by a page, others by JSON.
pub(super) async fn no_such_route(uri: Uri, headers: HeaderMap) -> Response {
    if content_type(&headers).starts_with("application/grpc") {
        return grpc_unimplemented(&headers);
    }
    // An old or broken link looks like any other bad one.
    if uri.path().starts_with("/q/") || uri.path().starts_with("/form/") {
        return page::no_such_link();
    }
    if page::is_wanted(&headers) {
        return page::nothing_here();
    }
    Failure::Http(StatusCode::NOT_FOUND, "there is no such path".to_owned()).into_response()
}

/// Answers a method that the route does not serve.
pub(super) async fn no_such_method(method: Method) -> Response {
    let message = format!("this path does not take {method}");
    Failure::Http(StatusCode::METHOD_NOT_ALLOWED, message).into_response()
}

/// The media type of a request without its parameters, in lower case.
pub(super) fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.unwrap_or_default().split(';').next().unwrap_or_default();
    media_type.trim().to_ascii_lowercase()
}

/// This router's fallback takes the place of gRPC's own when the two are merged, so it speaks for both.
fn grpc_unimplemented(headers: &HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    let content_type = headers.get(header::CONTENT_TYPE).cloned();
    let content_type = content_type.unwrap_or(HeaderValue::from_static("application/grpc"));
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response.headers_mut().insert("grpc-status", HeaderValue::from_static("12"));
    response
}

fn body(status: StatusCode, name: &str, message: &str, details: &[Value]) -> Value {
    json!({"error": {
        "code": status.as_u16(),
        "status": name,
        "message": visible::line(message),
        "details": details,
    }})
}

fn plain_details() -> Vec<Value> {
    vec![error_info(ErrorReason::InvalidRequest, &json!({}))]
}

fn details(problem: &Problem) -> Vec<Value> {
    let mut details = vec![error_info(problem.reason, &json!(problem.metadata))];
    if !problem.violations.is_empty() {
        let violations = problem.violations.iter().map(violation).collect::<Vec<_>>();
        details.push(detail("BadRequest", json!({"fieldViolations": violations})));
    }
    if let Some(wait) = problem.retry_after {
        let delay = format!("{}.{:03}s", wait.as_secs(), wait.subsec_millis());
        details.push(detail("RetryInfo", json!({"retryDelay": delay})));
    }
    if let Some((kind, name)) = &problem.resource {
        let resource = json!({"resourceType": kind, "resourceName": name});
        details.push(detail("ResourceInfo", resource));
    }
    details
}

fn error_info(reason: ErrorReason, metadata: &Value) -> Value {
    let info = json!({
        "reason": reason.as_str_name(),
        "domain": hitl_proto::ERROR_DOMAIN,
        "metadata": metadata,
    });
    detail("ErrorInfo", info)
}

fn violation(violation: &Violation) -> Value {
    json!({"field": violation.field, "description": violation.message})
}

fn detail(kind: &str, mut members: Value) -> Value {
    let mut tagged = json!({"@type": format!("type.googleapis.com/google.rpc.{kind}")});
    if let (Some(tagged), Some(members)) = (tagged.as_object_mut(), members.as_object_mut()) {
        tagged.append(members);
    }
    tagged
}

/// Name and HTTP status of a google.rpc.Code, as google/rpc/code.proto maps them.
fn mapping(code: i32) -> (&'static str, StatusCode) {
    match code {
        3 => ("INVALID_ARGUMENT", StatusCode::BAD_REQUEST),
        5 => ("NOT_FOUND", StatusCode::NOT_FOUND),
        6 => ("ALREADY_EXISTS", StatusCode::CONFLICT),
        7 => ("PERMISSION_DENIED", StatusCode::FORBIDDEN),
        8 => ("RESOURCE_EXHAUSTED", StatusCode::TOO_MANY_REQUESTS),
        9 => ("FAILED_PRECONDITION", StatusCode::BAD_REQUEST),
        11 => ("OUT_OF_RANGE", StatusCode::BAD_REQUEST),
        14 => ("UNAVAILABLE", StatusCode::SERVICE_UNAVAILABLE),
        15 => ("DATA_LOSS", StatusCode::INTERNAL_SERVER_ERROR),
        16 => ("UNAUTHENTICATED", StatusCode::UNAUTHORIZED),
        _ => ("INTERNAL", StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn http_name(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "NOT_FOUND",
        StatusCode::METHOD_NOT_ALLOWED => "UNIMPLEMENTED",
        _ => "INVALID_ARGUMENT",
    }
}
