//! What the end of a call means: the server's own errors, and the many faces of a lost connection.

use std::io;

use hitl_proto::{v1, visible};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::error::{Error, ErrorKind, FieldViolation, Inner};
use crate::tls_trouble;

/// How tonic says that a reply is no message of the API. It keeps no source of that.
const UNREADABLE: &str = "failed to decode Protobuf message";

impl Error {
    /// Reads what a call to `endpoint` ended with.
    pub(crate) fn from_status(status: &Status, endpoint: &str) -> Self {
        let info =
            status.get_details_error_info().filter(|info| info.domain == hitl_proto::ERROR_DOMAIN);
        let Some(info) = info else {
            return Self::not_ours(status, endpoint);
        };
        let kind = kind(status.code());
        let bad_request = status.get_details_bad_request();
        let retry_info = status.get_details_retry_info();
        Self(Box::new(Inner {
            kind,
            retryable: matches!(kind, ErrorKind::Unavailable | ErrorKind::Exhausted),
            nobody: false,
            reason: info.reason,
            message: visible::line(status.message()).into_owned(),
            metadata: info.metadata,
            field_violations: bad_request
                .into_iter()
                .flat_map(|bad_request| bad_request.field_violations)
                .map(|v| FieldViolation {
                    field: v.field,
                    description: visible::line(&v.description).into_owned(),
                })
                .collect(),
            retry_delay: retry_info.and_then(|info| info.retry_delay),
            response: None,
        }))
    }

    /// Reads why one part of a call failed.
    pub(crate) fn from_failure(failure: v1::Failure) -> Self {
        let kind = kind(Code::from_i32(failure.code));
        let reason = v1::ErrorReason::try_from(failure.reason);
        Self(Box::new(Inner {
            kind,
            retryable: matches!(kind, ErrorKind::Unavailable | ErrorKind::Exhausted),
            nobody: false,
            reason: reason.map(|reason| reason.as_str_name().to_owned()).unwrap_or_default(),
            message: visible::line(&failure.message).into_owned(),
            metadata: failure.metadata.into_iter().collect(),
            field_violations: failure
                .field_violations
                .into_iter()
                .map(|v| FieldViolation {
                    field: v.field,
                    description: visible::line(&v.description).into_owned(),
                })
                .collect(),
            retry_delay: failure.retry_after.and_then(|delay| delay.try_into().ok()),
            response: None,
        }))
    }

    /// An error that no hitl server made: the connection, a proxy, or some other server. Each code
    /// that a connection lost midway can show as is worth another attempt.
    fn not_ours(status: &Status, endpoint: &str) -> Self {
        let mut cause = std::error::Error::source(status);
        let mut root = status.message().to_owned();
        let mut nobody = false;
        while let Some(error) = cause {
            if let Some(ours) = error.downcast_ref::<Self>() {
                return ours.clone();
            }
            let io = error.downcast_ref::<io::Error>();
            nobody |= io.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
            root = error.to_string();
            cause = error.source();
        }
        if let Some(trouble) = tls_trouble::explain_later(endpoint, &root) {
            return trouble;
        }
        let mut told = match status.code() {
            // It has arrived, so that to ask again would give the same.
            Code::Internal if status.message().starts_with(UNREADABLE) => Self::internal(format!(
                "{endpoint}: the server sent a reply that cannot be read: {root}"
            )),
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
        };
        told.0.nobody = nobody;
        told
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::time::Duration;
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
        let status =
            status(Code::FailedPrecondition, "ERROR_REASON_EVENT_ALREADY_FINAL", "hitl.v1");
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
    fn what_a_server_says_can_neither_forge_a_line_nor_hide() {
        let evil = "no\nhitl: answered\u{202E}";
        let mut details = ErrorDetails::with_error_info("R", "hitl.v1", HashMap::new());
        details.add_bad_request_violation("value", evil);
        for status in [
            Status::with_error_details(Code::InvalidArgument, evil, details),
            Status::permission_denied(evil),
            Status::unavailable(evil),
        ] {
            let error = Error::from_status(&status, "http://x");
            let descriptions = error.field_violations().iter().map(|v| v.description.as_str());
            for text in descriptions.chain([error.message()]) {
                assert!(text.contains("no\\u{A}hitl: answered\\u{202E}"), "{text}");
            }
        }
    }

    #[test]
    fn an_internal_error_of_the_server_is_not_a_lost_connection() {
        let ours = Error::from_status(&status(Code::Internal, "R", "hitl.v1"), "http://x");
        assert_eq!((ours.kind(), ours.is_retryable()), (ErrorKind::Internal, false));
        let lost = Error::from_status(&status(Code::Internal, "R", "proxy"), "http://x");
        assert_eq!((lost.kind(), lost.is_retryable()), (ErrorKind::Unavailable, true));
    }

    #[test]
    fn a_reply_that_cannot_be_read_is_not_a_lost_connection() {
        use prost::Message;
        // The name, which is no text.
        let garbled: &[u8] = b"\x1a\x01\xff";
        let unreadable = v1::Event::decode(garbled).unwrap_err().to_string();
        let error = Error::from_status(&Status::internal(unreadable), "http://x");
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Internal, false));
        assert!(error.message().contains("cannot be read"), "{error}");
    }

    #[test]
    fn an_error_of_the_connector_comes_through() {
        let mut status = Status::unavailable("tcp");
        status.set_source(std::sync::Arc::new(Error::no_server("install it".to_owned())));
        let error = Error::from_status(&status, "http://x");
        assert_eq!((error.message(), error.is_retryable()), ("install it", false));
    }
}
