//! Why a call of a tool came to nothing, in words that tell a model what to do.

use std::borrow::Cow;

use hitl_proto::v1::ErrorReason;
use hitl_service::Error;
use rmcp::model::{CallToolResult, ContentBlock};

use crate::api::Problem;

/// A call that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) why: Why,
    message: String,
}

/// As far as the tools go on differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// There is no such event.
    NotFound,
    /// The answer does not fit.
    InvalidAnswer,
    /// The event has ended already.
    Ended,
    /// The event of this key is removed.
    Removed,
    /// Anything else.
    Other,
}

impl Refused {
    /// An argument of the call that is wrong.
    pub(super) fn argument(name: &str, message: &str) -> Self {
        Self { why: Why::Other, message: format!("{name}: {message}") }
    }

    /// What is wrong, as `message` says.
    pub(super) fn other(message: impl Into<String>) -> Self {
        Self { why: Why::Other, message: message.into() }
    }

    /// What went wrong and what to do, for a model.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// The same, with how to go on beside it.
    pub(super) fn followed_by(self, advice: &str) -> Self {
        Self { message: format!("{}. {advice}", self.message.trim_end_matches('.')), ..self }
    }

    /// Of the API: its reason, its message, and the fields that break a rule.
    fn of<'a>(
        reason: ErrorReason,
        message: &str,
        broken: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let why = match reason {
            ErrorReason::EventNotFound => Why::NotFound,
            ErrorReason::InvalidAnswer => Why::InvalidAnswer,
            ErrorReason::EventAlreadyFinal => Why::Ended,
            ErrorReason::EventRemoved => Why::Removed,
            _ => Why::Other,
        };
        let broken: Vec<_> =
            broken.map(|(field, rule)| format!("{}: {rule}", argument(field))).collect();
        let message = if broken.is_empty() { message.to_owned() } else { broken.join("; ") };
        Self { why, message }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let problem = Problem::from(&error);
        let broken = problem.violations.iter();
        let broken = broken.map(|rule| (rule.field.as_str(), rule.message.as_str()));
        Self::of(problem.reason, &problem.message, broken)
    }
}

impl From<hitl::Error> for Refused {
    fn from(error: hitl::Error) -> Self {
        let reason = ErrorReason::from_str_name(error.reason()).unwrap_or_default();
        let broken = error.field_violations().iter();
        let broken = broken.map(|rule| (rule.field.as_str(), rule.description.as_str()));
        Self::of(reason, error.message(), broken)
    }
}

/// The call is answered, so that the model can read it; errors of the protocol it may never see.
impl From<Refused> for CallToolResult {
    fn from(refused: Refused) -> Self {
        Self::error(vec![ContentBlock::text(refused.message)])
    }
}

/// What a field of the API is called among the arguments of the tools.
fn argument(field: &str) -> Cow<'_, str> {
    if let Some(below) = field.strip_prefix("input.object.json_schema") {
        return Cow::Owned(format!("schema{below}"));
    }
    let head = field.split('.').next().unwrap_or_default();
    Cow::Borrowed(match (head, field) {
        ("name", _) => "title",
        ("ttl" | "deadline", _) => "timeout_seconds",
        ("event_id", _) => "id",
        ("on_timeout", _) => "default",
        (_, "input.choice.options") => "options",
        (_, "input.choice.min_selected") => "min",
        (_, "input.choice.max_selected") => "max",
        ("input", _) => field.rsplit_once('.').map_or(field, |(_, last)| match last {
            "min_length" => "min",
            "max_length" => "max",
            last => last,
        }),
        _ => field,
    })
}

#[cfg(test)]
mod tests {
    use hitl_core::Violation;

    use super::*;

    #[test]
    fn a_broken_rule_is_told_by_the_name_of_the_argument() {
        for (field, argument) in [
            ("name", "title"),
            ("prompt", "prompt"),
            ("ttl", "timeout_seconds"),
            ("on_timeout.default_value", "default"),
            ("input.int.min", "min"),
            ("input.str.max_length", "max"),
            ("input.choice.options", "options"),
            ("input.object.json_schema", "schema"),
            ("input.object.json_schema.properties", "schema.properties"),
            ("event_id", "id"),
        ] {
            let broken = vec![Violation::new(field.to_owned(), "is wrong".to_owned())];
            let refused = Refused::from(Error::invalid_fields(broken));
            assert_eq!(refused.message(), format!("{argument}: is wrong"));
        }
    }
}
