//! The questions of the inbox, in groups by when they are due or by their runs, and those that are alike as one.

use hitl_core::{Event, Input, Request, Risk, Timestamp};
use hitl_service::Sort;

use crate::http::form::{When, plain_title, short_span, time_left, when};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Fewest questions that are shown as one because they are alike.
const ALIKE_MIN: usize = 3;

/// Questions that belong together.
pub(super) struct Group {
    pub(in crate::http) title: String,
    pub(super) count: usize,
    pub(super) rows: Vec<Row>,
}

/// One question, or several that are alike.
pub(in crate::http) struct Row {
    pub(super) namespace: String,
    pub(super) id: String,
    /// What it asks.
    pub(in crate::http) title: String,
    /// Where it comes from: namespace, run, name, as far as they say anything.
    pub(in crate::http) origin: String,
    /// What kind of answer it wants.
    pub(super) wants: String,
    pub(super) risk: Risk,
    pub(in crate::http) left: String,
    pub(super) tone: &'static str,
    pub(super) asked: When,
    pub(super) deadline: When,
    /// The others that are alike, as `namespace/id`; empty if it stands alone.
    pub(super) alike: Vec<String>,
}

impl Row {
    /// How many questions it is.
    pub(super) fn count(&self) -> usize {
        1 + self.alike.len()
    }

    /// What it is called in forms and in what the page is told.
    pub(in crate::http) fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.id)
    }

    /// Whether it may be answered together with others.
    pub(super) fn can_be_ticked(&self) -> bool {
        self.risk != Risk::High && self.alike.is_empty()
    }
}

/// `events`, which are in the order of `sort`, in groups.
pub(super) fn group(events: &[Event], sort: Sort, by_run: bool, now: Timestamp) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let first = first_alike(&events[..index], event);
        let is_many = is_among_many(events, event);
        let request = &*event.request;
        let title = title(request, sort, by_run, now);
        let place = groups.iter().position(|group| group.title == title).unwrap_or_else(|| {
            groups.push(Group { title, count: 0, rows: Vec::new() });
            groups.len() - 1
        });
        let into = first.filter(|_| is_many).and_then(|first| {
            let key = format!("{}/{}", first.request.namespace, first.request.id);
            groups.iter_mut().find_map(|group| {
                let row = group.rows.iter_mut().find(|row| row.key() == key)?;
                group.count += 1;
                Some(row)
            })
        });
        match into {
            Some(row) => row.alike.push(format!("{}/{}", request.namespace, request.id)),
            None => {
                groups[place].count += 1;
                groups[place].rows.push(Row::of(request, now));
            }
        }
    }
    groups.retain(|group| group.count > 0);
    groups
}

/// Whether two questions may be answered by one: same program, name and input, and little at stake. An action that is
/// reviewed is looked at by itself.
pub(in crate::http) fn are_alike(one: &Request, other: &Request) -> bool {
    let program = |request: &Request| request.created_by.as_ref().map(|proof| proof.id.clone());
    one.risk != Risk::High
        && other.risk != Risk::High
        && !one.require_confirmation
        && !other.require_confirmation
        && one.name == other.name
        && one.namespace == other.namespace
        && one.input == other.input
        && !matches!(one.input, Input::Review(_))
        && program(one) == program(other)
}

fn first_alike<'a>(before: &'a [Event], event: &Event) -> Option<&'a Event> {
    before.iter().find(|other| are_alike(&other.request, &event.request))
}

fn is_among_many(events: &[Event], event: &Event) -> bool {
    let alike = events.iter().filter(|other| are_alike(&other.request, &event.request));
    alike.take(ALIKE_MIN).count() == ALIKE_MIN
}

/// What the group of a question is called.
fn title(request: &Request, sort: Sort, by_run: bool, now: Timestamp) -> String {
    if by_run {
        return match request.scope.as_str() {
            "run" => "Without a run".to_owned(),
            scope => format!("Run {scope}"),
        };
    }
    let title = match sort {
        Sort::Deadline => match request.deadline.ms_since(now) {
            ..HOUR_MS => "Within the hour",
            HOUR_MS..DAY_MS => "Within a day",
            _ => "Later",
        },
        Sort::Age => match now.ms_since(request.create_time) {
            ..HOUR_MS => "Asked within the hour",
            HOUR_MS..DAY_MS => "Asked within a day",
            _ => "Asked before",
        },
        Sort::Risk => match request.risk {
            Risk::High => "High risk",
            Risk::Medium => "Medium risk",
            Risk::Low => "The rest",
        },
    };
    title.to_owned()
}

impl Row {
    pub(in crate::http) fn of(request: &Request, now: Timestamp) -> Self {
        let time = time_left(request.create_time, request.deadline, now);
        let namespace = request.namespace.to_string();
        let title = plain_title(request);
        let program = request.created_by.as_ref().map(|proof| proof.name.as_str());
        let parts = [
            match request.risk {
                Risk::Low => None,
                Risk::Medium => Some("Medium risk"),
                Risk::High => Some("High risk"),
            },
            program.filter(|program| !program.is_empty()),
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
            risk: request.risk,
            left: short_span(request.deadline.ms_since(now)),
            tone: time.tone,
            asked: when(request.create_time),
            deadline: when(request.deadline),
            namespace,
            alike: Vec::new(),
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

#[cfg(test)]
#[path = "row_tests.rs"]
mod tests;
