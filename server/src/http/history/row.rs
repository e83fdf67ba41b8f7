//! The events of the history, by day.

use hitl_core::{Channel, CredentialKind, Event, Outcome, Proof, Responder, Response};
use hitl_proto::visible;

use crate::http::form::{When, plain_title, short_span, summary};

/// Most characters of an answer in a list.
const SAID_CHARS_MAX: usize = 120;

/// What ended on one day.
pub(super) struct Day {
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
}

/// One event that has ended.
pub(super) struct Row {
    pub(super) key: String,
    pub(super) ended: When,
    pub(super) title: String,
    /// Where it comes from: who asked, namespace, run, name, as far as they say anything.
    pub(super) origin: String,
    /// How it ended, as a class of the style sheet.
    pub(super) tone: &'static str,
    /// The same in words, with what was said.
    pub(super) said: String,
    pub(super) by: String,
    pub(super) way: &'static str,
    pub(super) took: String,
}

/// `events`, latest first, by the day of their ends in UTC.
pub(super) fn days(events: &[Event]) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for event in events {
        let Some(response) = &event.response else { continue };
        let title = response.time.utc().format("%A, %-d %B %Y").to_string();
        if days.last().is_none_or(|day| day.title != title) {
            days.push(Day { title, rows: Vec::new() });
        }
        if let Some(day) = days.last_mut() {
            day.rows.push(Row::of(event, response));
        }
    }
    days
}

/// How an event ended, in a word that is also what addresses say.
pub(super) fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Answered { .. } => "answered",
        Outcome::Declined { .. } => "declined",
        Outcome::Cancelled { .. } => "withdrawn",
        Outcome::TimedOut { .. } => "timed-out",
    }
}

/// What was said, in one line.
pub(super) fn said(event: &Event, response: &Response) -> String {
    let input = &event.request.input;
    match &response.outcome {
        Outcome::Answered { value } => summary(input, value),
        Outcome::Declined { reason } if reason.is_empty() => "Declined".to_owned(),
        Outcome::Declined { reason } => format!("Declined: {reason}"),
        Outcome::Cancelled { reason } if reason.is_empty() => "Withdrawn".to_owned(),
        Outcome::Cancelled { reason } => format!("Withdrawn: {reason}"),
        Outcome::TimedOut { default: Some(value) } => {
            format!("Nobody: default {}", summary(input, value))
        }
        Outcome::TimedOut { default: None } => "Nobody".to_owned(),
    }
}

/// Who ended it: the name that was proved, or else the one that was given.
pub(super) fn by(responder: Option<&Responder>) -> String {
    match responder {
        None => "the deadline".to_owned(),
        Some(Responder { proof: Some(Proof { known_by: CredentialKind::Owner, .. }), .. }) => {
            "the user of the machine".to_owned()
        }
        Some(Responder { proof: Some(proof), .. }) if !proof.name.is_empty() => proof.name.clone(),
        Some(responder) if responder.name.is_empty() => "somebody".to_owned(),
        Some(responder) => responder.name.clone(),
    }
}

/// The door through which a response came.
pub(super) fn way(channel: Channel) -> &'static str {
    match channel {
        Channel::Form => "page",
        Channel::Http => "HTTP",
        Channel::Grpc => "gRPC",
        Channel::Mcp => "MCP",
        Channel::Slack => "Slack",
    }
}

impl Row {
    fn of(event: &Event, response: &Response) -> Self {
        let request = &*event.request;
        let title = plain_title(request);
        let namespace = request.namespace.as_str();
        let program = request.created_by.as_ref().map(|proof| proof.name.as_str());
        let parts = [
            program.filter(|program| !program.is_empty()),
            Some(namespace).filter(|namespace| *namespace != "default"),
            Some(request.scope.as_str()).filter(|scope| *scope != "run"),
            Some(request.name.as_str())
                .filter(|name| !title.starts_with(name.trim_end_matches('…'))),
        ];
        let human = response.time.utc().format("%H:%M:%S").to_string();
        Self {
            key: format!("{namespace}/{}", request.id),
            ended: When { machine: response.time.to_string(), human },
            origin: parts.into_iter().flatten().collect::<Vec<_>>().join(" · "),
            title,
            tone: word(&response.outcome),
            said: visible::cut_line(&said(event, response), SAID_CHARS_MAX),
            by: by(response.responder.as_ref()),
            way: response.responder.as_ref().map_or("", |responder| way(responder.channel)),
            took: short_span(response.time.ms_since(request.create_time)),
        }
    }
}
