//! One error type with a few kinds: as many as a caller would handle differently.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use hitl_proto::v1;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// What every call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the terms of what a caller can do about it.
///
/// More kinds may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no such event in this namespace.
    NotFound,
    /// The request, an answer, or the configuration breaks a rule: correct it.
    Invalid,
    /// The event has ended, or the idempotency key belongs to a different request.
    Conflict,
    /// The server does not know who calls.
    Unauthenticated,
    /// The caller may not do this.
    Denied,
    /// The server is doing as much as it may: call again later.
    Exhausted,
    /// The server cannot be reached or cannot serve now; whether the call took effect is unknown.
    Unavailable,
    /// A fault of the server or of this crate.
    Internal,
    /// A person declined the event being waited for.
    Declined,
    /// The event being waited for was cancelled by whoever asked.
    Cancelled,
    /// Nobody answered the event being waited for before its deadline, and it has no default.
    TimedOut,
}

/// A field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path of the field, such as `value` or `input.int.min`.
    pub field: String,
    /// The rule that it breaks.
    pub description: String,
}

/// Why a call failed, or why a wait ended without a value.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    retryable: bool,
    reason: String,
    message: String,
    metadata: HashMap<String, String>,
    field_violations: Vec<FieldViolation>,
    retry_delay: Option<Duration>,
    response: Option<v1::Response>,
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same call may succeed later. This crate has repeated it for a while already.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Full name of the server's [`v1::ErrorReason`], such as `ERROR_REASON_EVENT_NOT_FOUND`. Empty if
    /// the error is not the server's.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// What happened and what to do, for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The values that the message mentions, by the names that [`v1::ErrorReason`] documents.
    pub fn metadata(&self) -> &HashMap<String, String> {
        &self.0.metadata
    }

    /// The fields that break a rule, if the kind is [`ErrorKind::Invalid`].
    pub fn field_violations(&self) -> &[FieldViolation] {
        &self.0.field_violations
    }

    /// How the event ended (its time, the reason given, by whom), if the kind is
    /// [`ErrorKind::Declined`], [`ErrorKind::Cancelled`] or [`ErrorKind::TimedOut`].
    pub fn response(&self) -> Option<&v1::Response> {
        self.0.response.as_ref()
    }

    /// How long the server asks to wait before the next attempt.
    pub(crate) fn retry_delay(&self) -> Option<Duration> {
        self.0.retry_delay
    }

    fn new(kind: ErrorKind, message: String) -> Self {
        Self(Box::new(Inner {
            kind,
            retryable: false,
            reason: String::new(),
            message,
            metadata: HashMap::new(),
            field_violations: Vec::new(),
            retry_delay: None,
            response: None,
        }))
    }

    pub(crate) fn config(message: String) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    pub(crate) fn internal(message: String) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// No local server, and repeating the call would not start one.
    pub(crate) fn no_server(message: String) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    pub(crate) fn unavailable(message: String) -> Self {
        let mut error = Self::new(ErrorKind::Unavailable, message);
        error.0.retryable = true;
        error
    }

    pub(crate) fn silent(limit: Duration) -> Self {
        Self::unavailable(format!("the server sent nothing for {} s", limit.as_secs()))
    }

    /// An event that ended without a value.
    pub(crate) fn outcome(kind: ErrorKind, event: &v1::Event) -> Self {
        let response = event.response.clone().unwrap_or_default();
        let mut message = format!("{:?} was ", event.name);
        message.push_str(match kind {
            ErrorKind::Declined => "declined",
            ErrorKind::Cancelled => "cancelled",
            _ => "not answered before its deadline",
        });
        let responder = response.responder.as_ref();
        if let Some(name) = responder.map(|r| &r.name).filter(|name| !name.is_empty()) {
            message.push_str(&format!(" by {name}"));
        }
        if let Some(time) = &response.time {
            message.push_str(&format!(" ({time})"));
        }
        if !response.reason.is_empty() {
            message.push_str(&format!(": {}", response.reason));
        }
        let mut error = Self::new(kind, message);
        error.0.response = Some(response);
        error
    }

    /// Reads what a call to `endpoint` ended with.
    pub(crate) fn from_status(status: &Status, endpoint: &str) -> Self {
        let info = status
            .get_details_error_info()
            .filter(|info| info.domain == hitl_proto::ERROR_DOMAIN);
        let Some(info) = info else {
            return Self::not_ours(status, endpoint);
        };
        let kind = kind(status.code());
        let bad_request = status.get_details_bad_request();
        let retry_info = status.get_details_retry_info();
        Self(Box::new(Inner {
            kind,
            retryable: matches!(kind, ErrorKind::Unavailable | ErrorKind::Exhausted),
            reason: info.reason,
            message: status.message().to_owned(),
            metadata: info.metadata,
            field_violations: bad_request
                .into_iter()
                .flat_map(|bad_request| bad_request.field_violations)
                .map(|v| FieldViolation {
                    field: v.field,
                    description: v.description,
                })
                .collect(),
            retry_delay: retry_info.and_then(|info| info.retry_delay),
            response: None,
        }))
    }

    /// An error that no hitl server made: the connection, a proxy, or some other server. Each code
    /// that a connection lost midway can show as is worth another attempt.
    fn not_ours(status: &Status, endpoint: &str) -> Self {
        let mut cause = std::error::Error::source(status);
        let mut root = status.message().to_owned();
        while let Some(error) = cause {
            if let Some(ours) = error.downcast_ref::<Self>() {
                return ours.clone();
            }
            root = error.to_string();
            cause = error.source();
        }
        match status.code() {
            Code::Unavailable
            | Code::Unknown
            | Code::Internal
            | Code::Cancelled
            | Code::Aborted
            | Code::DeadlineExceeded
            | Code::ResourceExhausted => Self::unavailable(format!(
                "cannot reach the hitl server at {endpoint}: {root}. Check that it runs there, or \
                 set HITL_ENDPOINT to where it does"
            )),
            Code::Unimplemented => Self::internal(format!(
                "{endpoint} is not a hitl server, or one too old for this call: {root}"
            )),
            code => Self::new(kind(code), format!("{endpoint} refused the call: {root}")),
        }
    }
}

fn kind(code: Code) -> ErrorKind {
    match code {
        Code::NotFound => ErrorKind::NotFound,
        Code::InvalidArgument | Code::OutOfRange => ErrorKind::Invalid,
        Code::AlreadyExists | Code::FailedPrecondition => ErrorKind::Conflict,
        Code::Unauthenticated => ErrorKind::Unauthenticated,
        Code::PermissionDenied => ErrorKind::Denied,
        Code::ResourceExhausted => ErrorKind::Exhausted,
        Code::Unavailable => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::ErrorDetails;

    fn status(code: Code, reason: &str, domain: &str) -> Status {
        let metadata = HashMap::from([("state".to_owned(), "EVENT_STATE_ANSWERED".to_owned())]);
        let mut details = ErrorDetails::with_error_info(reason, domain, metadata);
        details
            .add_bad_request_violation("value", "must be at least 0")
            .set_retry_info(Some(Duration::from_secs(3)));
        Status::with_error_details(code, "what happened", details)
    }

    #[test]
    fn the_servers_details_are_kept() {
        let status = status(
            Code::FailedPrecondition,
            "ERROR_REASON_EVENT_ALREADY_FINAL",
            "hitl.v1",
        );
        let error = Error::from_status(&status, "http://x");
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(error.reason(), "ERROR_REASON_EVENT_ALREADY_FINAL");
        assert_eq!(error.message(), "what happened");
        assert_eq!(error.metadata()["state"], "EVENT_STATE_ANSWERED");
        assert_eq!(error.field_violations()[0].field, "value");
        assert_eq!(error.retry_delay(), Some(Duration::from_secs(3)));
        assert!(!error.is_retryable());
    }

    #[test]
    fn an_internal_error_of_the_server_is_not_a_lost_connection() {
        let ours = Error::from_status(&status(Code::Internal, "R", "hitl.v1"), "http://x");
        assert_eq!(
            (ours.kind(), ours.is_retryable()),
            (ErrorKind::Internal, false)
        );
        let lost = Error::from_status(&status(Code::Internal, "R", "proxy"), "http://x");
        assert_eq!(
            (lost.kind(), lost.is_retryable()),
            (ErrorKind::Unavailable, true)
        );
    }

    #[test]
    fn an_error_of_the_connector_comes_through() {
        let mut status = Status::unavailable("tcp");
        status.set_source(std::sync::Arc::new(Error::no_server(
            "install it".to_owned(),
        )));
        let error = Error::from_status(&status, "http://x");
        assert_eq!(
            (error.message(), error.is_retryable()),
            ("install it", false)
        );
    }

    #[test]
    fn an_outcome_tells_who_when_and_why() {
        let event = v1::Event {
            name: "deploy".to_owned(),
            response: Some(v1::Response {
                reason: "not today".to_owned(),
                time: Some(prost_types::Timestamp::default()),
                responder: Some(v1::Responder {
                    name: "Ada".to_owned(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let error = Error::outcome(ErrorKind::Declined, &event);
        let message = "\"deploy\" was declined by Ada (1970-01-01T00:00:00Z): not today";
        assert_eq!(error.message(), message);
        assert_eq!(error.response().unwrap().reason, "not today");
    }
}
