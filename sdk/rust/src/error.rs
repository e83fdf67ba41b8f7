//! One error type with a few kinds: as many as a caller would handle differently.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use hitl_proto::{v1, visible};

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
pub struct Error(pub(crate) Box<Inner>);

#[derive(Clone, Debug)]
pub(crate) struct Inner {
    pub(crate) kind: ErrorKind,
    pub(crate) retryable: bool,
    /// Whether the machine of the server has refused the connection.
    pub(crate) nobody: bool,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) metadata: HashMap<String, String>,
    pub(crate) field_violations: Vec<FieldViolation>,
    pub(crate) retry_delay: Option<Duration>,
    pub(crate) response: Option<v1::Response>,
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

    /// Whether it says that the server cannot be reached or cannot serve now, more than something about the call.
    pub(crate) fn is_loss(&self) -> bool {
        self.is_retryable() || self.kind() == ErrorKind::Unavailable
    }

    /// Whether the machine of the server has refused the connection.
    pub(crate) fn is_nobody(&self) -> bool {
        self.0.nobody
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

    /// The same, with these lines below its message.
    pub(crate) fn followed_by(mut self, lines: &str) -> Self {
        self.0.message.push('\n');
        self.0.message.push_str(&visible::text(lines));
        self
    }

    /// What others wrote into `message` (a reason, a name, a reply of who knows what) is on one line, and visible.
    pub(crate) fn new(kind: ErrorKind, message: String) -> Self {
        let message = match visible::line(&message) {
            Cow::Borrowed(_) => message,
            Cow::Owned(shown) => shown,
        };
        Self(Box::new(Inner {
            kind,
            retryable: false,
            nobody: false,
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

    /// No server that can be called, and repeating the call would not change that.
    pub(crate) fn no_server(message: String) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    pub(crate) fn unavailable(message: String) -> Self {
        let mut error = Self::new(ErrorKind::Unavailable, message);
        error.0.retryable = true;
        error
    }

    /// Nobody listens where the server, or what leads there, should be.
    pub(crate) fn nobody(message: String) -> Self {
        let mut error = Self::unavailable(message);
        error.0.nobody = true;
        error
    }

    /// An event that ended without a value.
    pub(crate) fn outcome(kind: ErrorKind, event: &v1::Event) -> Self {
        let response = event.response.clone().unwrap_or_default();
        let mut message = format!("\"{}\" was ", event.name);
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

    #[test]
    fn an_outcome_tells_who_when_and_why() {
        let event = v1::Event {
            name: "deploy".to_owned(),
            response: Some(v1::Response {
                reason: "not today".to_owned(),
                time: Some(prost_types::Timestamp::default()),
                responder: Some(v1::Responder { name: "Ada".to_owned(), ..Default::default() }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let error = Error::outcome(ErrorKind::Declined, &event);
        let message = "\"deploy\" was declined by Ada (1970-01-01T00:00:00Z): not today";
        assert_eq!(error.message(), message);
        assert_eq!(error.response().unwrap().reason, "not today");
    }

    #[test]
    fn what_others_wrote_can_neither_forge_a_line_nor_hide() {
        let evil = "no\nhitl: answered\u{202E}\x1b[2J\u{200B}";
        let event = v1::Event {
            name: evil.to_owned(),
            response: Some(v1::Response {
                reason: evil.to_owned(),
                responder: Some(v1::Responder { name: evil.to_owned(), ..Default::default() }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let error = Error::outcome(ErrorKind::Cancelled, &event);
        let shown = "no\\u{A}hitl: answered\\u{202E}\\u{1B}[2J\\u{200B}";
        assert_eq!(error.to_string(), format!("\"{shown}\" was cancelled by {shown}: {shown}"));
        assert_eq!(error.response().unwrap().reason, evil, "the reason itself is as it was given");
        assert!(!format!("{error:?}").contains(['\n', '\u{202E}', '\x1b', '\u{200B}']));
    }
}
