//! The questions of the inbox, in groups by when they are due.

use hitl_core::{Event, Input, Request, Risk, Timestamp};

use crate::http::form::{When, plain_title, time_left, when};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Questions that are due in the same span of time.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) rows: Vec<Row>,
}

/// One question.
pub(super) struct Row {
    pub(super) namespace: String,
    pub(super) id: String,
    /// What it asks.
    pub(super) title: String,
    /// Where it comes from: namespace, run, name, as far as they say anything.
    pub(super) origin: String,
    /// What kind of answer it wants.
    pub(super) wants: String,
    pub(super) left: String,
    pub(super) tone: &'static str,
    pub(super) asked: When,
    pub(super) deadline: When,
}

/// `events`, which are in the order of their deadlines, in groups.
pub(super) fn group(events: &[Event], now: Timestamp) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for event in events {
        let request = &*event.request;
        let title = match request.deadline.ms_since(now) {
            ..HOUR_MS => "Within the hour",
            HOUR_MS..DAY_MS => "Within a day",
            _ => "Later",
        };
        if groups.last().is_none_or(|group| group.title != title) {
            groups.push(Group { title, rows: Vec::new() });
        }
        if let Some(group) = groups.last_mut() {
            group.rows.push(Row::of(request, now));
        }
    }
    groups
}

impl Row {
    fn of(request: &Request, now: Timestamp) -> Self {
        let time = time_left(request.create_time, request.deadline, now);
        let namespace = request.namespace.to_string();
        let title = plain_title(request);
        let parts = [
            match request.risk {
                Risk::Low => None,
                Risk::Medium => Some("Medium risk"),
                Risk::High => Some("High risk"),
            },
            Some(namespace.as_str()).filter(|namespace| *namespace != "default"),
            Some(request.scope.as_str()).filter(|scope| *scope != "run"),
            Some(request.name.as_str())
                .filter(|name| !title.starts_with(name.trim_end_matches('…'))),
        ];
        let origin = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        Self {
            id: request.id.to_string(),
            title,
            origin,
            wants: wants(&request.input),
            left: time.left,
            tone: time.tone,
            asked: when(request.create_time),
            deadline: when(request.deadline),
            namespace,
        }
    }
}

/// The kind of answer in a few words.
fn wants(input: &Input) -> String {
    match input {
        Input::Int(_) | Input::Float(_) => "number".to_owned(),
        Input::Str(_) => "text".to_owned(),
        Input::Bool(input) => {
            format!("{} / {}", input.label(true), input.label(false)).to_lowercase()
        }
        Input::Choice(input) if input.is_multiple() => format!("some of {}", input.options.len()),
        Input::Choice(input) => format!("1 of {}", input.options.len()),
        Input::Object(input) => match input.fields().unwrap_or_default().len() {
            1 => "1 field".to_owned(),
            fields => format!("{fields} fields"),
        },
        Input::Review(input) => format!("decision on {}", input.action),
    }
}
