//! An error as a gRPC status with its details.

use std::collections::HashMap;

use hitl_proto::ERROR_DOMAIN;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::api::Problem;
use hitl_service::error::Error;

/// The status that tells a caller of `error`.
pub(super) fn status(error: &Error) -> Status {
    let problem = Problem::from(error);
    let mut details = ErrorDetails::new();
    let metadata: HashMap<_, _> = problem.metadata.into_iter().collect();
    details.set_error_info(problem.reason.as_str_name(), ERROR_DOMAIN, metadata);
    for violation in problem.violations {
        details.add_bad_request_violation(violation.field, violation.message);
    }
    if let Some(delay) = problem.retry_after {
        details.set_retry_info(Some(delay));
    }
    if let Some((kind, name)) = problem.resource {
        details.set_resource_info(kind, name, "", "there is no such thing");
    }
    Status::with_error_details(Code::from_i32(problem.code), problem.message, details)
}

/// The reply that tells a caller of `error` before the call has reached any service.
pub(super) fn reply(error: &Error) -> http::Response<()> {
    status(error).into_http::<()>()
}

#[cfg(test)]
mod tests {
    use hitl_core::Violation;

    use super::*;

    #[test]
    fn an_error_carries_its_reason_and_details() {
        let error =
            Error::InvalidAnswer(vec![Violation::new("value.age", "must be at most 150, is 151")]);
        let status = status(&error);
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("ERROR_REASON_INVALID_ANSWER", ERROR_DOMAIN)
        );
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "value.age");
        let retry = super::status(&Error::ShuttingDown);
        assert_eq!(retry.code(), Code::Unavailable);
        assert!(retry.get_error_details().retry_info().unwrap().retry_delay.is_some());
    }
}
