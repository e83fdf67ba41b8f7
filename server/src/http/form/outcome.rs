//! The pages without a question: what became of it, and what went wrong.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use hitl_core::{Channel, CredentialKind, Event, Outcome, Proof, Request, State, parse};

use super::asked::Prompt;
use super::detail::Detail;
use super::entry::Entry;
use super::evidence;
use super::moment;
use super::reader::Reader;
use super::thread;
use super::values::{self, Shown, When};
use super::view::is_named_after_prompt;
use crate::http::error::{Failure, retry_after};
use crate::http::page;
use hitl_service::error::Error;

#[derive(Template)]
#[template(path = "outcome.html")]
struct Ended<'a> {
    request: &'a Request,
    has_inbox: bool,
    is_named_after_prompt: bool,
    prompt: Prompt<'a>,
    evidence: Option<evidence::Shown<'a>>,
    title: &'static str,
    /// Says what happened, for the colour of the page.
    tone: &'static str,
    value: Vec<Shown>,
    reason: &'a str,
    /// Whether somebody has said what is not shown here.
    is_kept_back: bool,
    /// What the person said beside the value.
    comment: &'a str,
    /// Who voted, and what they said.
    votes: Vec<(String, String)>,
    when: When,
    /// By what way the response came; empty if the deadline ended it.
    way: &'static str,
    /// The name that came with it, whoever gave it; may be empty.
    by: &'a str,
    /// How that name was proved; empty if it was not.
    proof: &'static str,
    /// Why the reader's own answer was not recorded; empty if there was none.
    lost: &'static str,
    /// What that was.
    sent: Vec<String>,
    /// How it went; none for whoever has a link.
    detail: Option<Detail>,
}

#[derive(Template)]
#[template(path = "failed.html")]
struct Failed<'a> {
    title: &'static str,
    message: &'static str,
    /// What was typed, to be read and copied.
    written: Vec<&'a str>,
    /// All of it, to be sent again as it was.
    again: &'a [(String, String)],
}

/// What became of the event.
pub(super) fn ended(event: &Event, reader: &Reader) -> Response {
    render(StatusCode::OK, event, reader, "", Vec::new())
}

/// What became of the event, to a person whose answer came second.
pub(super) fn lost(event: &Event, reader: &Reader, entry: &Entry) -> Response {
    let lost = match event.state() {
        State::TimedOut => "It came after the deadline.",
        State::Cancelled => "The question had been withdrawn before it came.",
        State::Answered | State::Declined | State::Pending => {
            "Somebody else's response came first."
        }
    };
    let sent = match parse::form(&event.request.input, &moment::joined(entry)) {
        Ok(value) if !entry.declines() => {
            let parts = values::shown(&event.request.input, &value);
            parts.into_iter().flat_map(|part| part.lines).collect()
        }
        _ => entry.written().map(str::to_owned).collect(),
    };
    render(StatusCode::CONFLICT, event, reader, lost, sent)
}

fn render(
    status: StatusCode,
    event: &Event,
    reader: &Reader,
    lost: &'static str,
    sent: Vec<String>,
) -> Response {
    let request = &*event.request;
    let Some(response) = &event.response else {
        return failed(Error::Internal("a pending event has no outcome".to_owned()), None);
    };
    let is_told_all = reader.is_told_all(response);
    let (title, tone, value, reason) = match &response.outcome {
        Outcome::Answered { value } => ("Answered", "good", Some(value), ""),
        Outcome::Declined { .. } if !is_told_all => ("Declined", "neutral", None, ""),
        Outcome::Declined { reason } => ("Declined", "neutral", None, reason.as_str()),
        Outcome::Cancelled { reason } => ("Withdrawn", "neutral", None, reason.as_str()),
        Outcome::TimedOut { default: Some(value) } => {
            ("Not answered in time: the default was used", "neutral", Some(value), "")
        }
        Outcome::TimedOut { default: None } => ("Not answered in time", "neutral", None, ""),
    };
    let by = response.responder.as_ref().map(|responder| {
        let way = match responder.channel {
            Channel::Form => "On this page",
            Channel::Http => "Over HTTP",
            Channel::Grpc => "Over gRPC",
            Channel::Mcp => "In a client of MCP",
            Channel::Slack => "In Slack",
        };
        match &responder.proof {
            Some(Proof { known_by: CredentialKind::Person, name, .. }) => {
                (way, name.as_str(), "who had signed in")
            }
            Some(Proof { known_by: CredentialKind::Token, name, .. }) => {
                (way, name.as_str(), "by a token")
            }
            Some(Proof { known_by: CredentialKind::ClientCertificate, name, .. }) => {
                (way, name.as_str(), "by a certificate")
            }
            Some(Proof { known_by: CredentialKind::Owner, .. }) => {
                (way, "the user of the machine", "who had signed in")
            }
            Some(Proof { known_by: CredentialKind::Link, name, .. }) if !name.is_empty() => {
                (way, name.as_str(), "by a link made for that name")
            }
            _ => (way, responder.name.as_str(), ""),
        }
    });
    let (way, by, proof) = by.unwrap_or_default();
    let page = Ended {
        request,
        has_inbox: reader.has_inbox,
        is_named_after_prompt: is_named_after_prompt(request),
        prompt: Prompt::of(request),
        evidence: evidence::of(request),
        title,
        tone,
        value: value
            .filter(|_| is_told_all)
            .map(|value| values::shown(&request.input, value))
            .unwrap_or_default(),
        reason,
        is_kept_back: !is_told_all
            && matches!(response.outcome, Outcome::Answered { .. } | Outcome::Declined { .. }),
        comment: if is_told_all { &response.comment } else { "" },
        votes: if reader.has_inbox { thread::votes(request, &response.votes) } else { Vec::new() },
        when: values::when(response.time),
        way,
        by,
        proof,
        lost,
        sent,
        detail: reader.has_inbox.then(|| Detail::of(event, response)),
    };
    page::html(status, &page)
}

/// Something is wrong on our side: what was typed comes back, ready to be sent again.
pub(super) fn failed(error: Error, entry: Option<&Entry>) -> Response {
    if matches!(error, Error::LinkInvalid) {
        return page::no_such_link();
    }
    let written = entry.map(|entry| entry.written().collect()).unwrap_or_default();
    let page = Failed {
        title: if entry.is_some() { "That did not work" } else { "Not just now" },
        message: match entry {
            Some(_) => {
                "As far as we know nothing was recorded. Sending it again is safe: it counts once."
            }
            None => "The question cannot be shown at the moment. Nothing was changed.",
        },
        written,
        again: entry.map(|entry| &*entry.0).unwrap_or_default(),
    };
    let failure = Failure::Api(error);
    let (status, _) = failure.status_and_body();
    let mut response = page::html(status, &page);
    if let Failure::Api(error) = &failure {
        retry_after(error, response.headers_mut());
    }
    response
}

/// A question that the reader may see and not answer.
pub(super) fn not_yours() -> Response {
    let message = "It waits for an answer, and your roles do not let you give one. Whoever runs this server can \
                   change that.";
    page::notice(StatusCode::FORBIDDEN, "This question is not yours to answer", message)
}

/// Whoever asks does not answer.
pub(super) fn own_question() -> Response {
    let message = "You have asked this yourself, so somebody else has to answer it.";
    page::notice(StatusCode::FORBIDDEN, "Nothing was recorded", message)
}

/// What came has more fields than any form of ours.
pub(super) fn too_many_fields() -> Response {
    let message = "It has more fields than the form. Go back and send it again.";
    page::notice(StatusCode::PAYLOAD_TOO_LARGE, "Nothing was recorded", message)
}

/// What came is no form of ours.
pub(super) fn unreadable(failure: &Failure) -> Response {
    let (status, _) = failure.status_and_body();
    let message = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "It is too long. Go back, shorten it, and send it again.",
        _ => "It did not arrive whole. Go back and send it again.",
    };
    page::notice(status, "Nothing was recorded", message)
}
