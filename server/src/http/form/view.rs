//! The page with the question on it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use hitl_core::{Event, OnTimeout, Request, Timestamp, Violation};

use super::asked::{Asked, Prompt, Title};
use super::entry::Entry;
use super::fields::{self, Control, Field};
use super::reader::Reader;
use super::values::{self, TimeLeft, When};
use crate::http::page;

/// The scope of an event whose creator named none. It is not shown.
const SCOPE_DEFAULT: &str = "run";
/// The namespace of an event whose creator named none. It is not shown beside the question.
const NAMESPACE_DEFAULT: &str = "default";
/// Most labels beside the question.
const LABELS_SHOWN: usize = 4;

#[derive(Template)]
#[template(path = "question.html")]
struct Question<'a> {
    request: &'a Request,
    has_inbox: bool,
    /// Who asks, if that was proved; empty if not.
    asker: &'a str,
    /// Whether the name is only the beginning of the prompt, as `hitl ask` makes it. Then it is not shown.
    is_named_after_prompt: bool,
    question: Asked<'a>,
    chips: Vec<String>,
    /// The run that asks, if it has a name.
    run: Option<&'a str>,
    about: Vec<(&'static str, String)>,
    asked: When,
    time: TimeLeft,
    deadline: When,
    default: Option<String>,
    /// Whom an answer comes from; empty if that is for the reader to say.
    named: &'a str,
    /// What the form has in it so that no other site can send it; empty where the address is a secret.
    form_token: &'a str,
    answer_id: &'a str,
    fields: Vec<Field>,
    responder: Field,
    reason: Field,
    /// What is wrong, in sentences, each with the id of the control at fault if there is one.
    complaints: Vec<(String, String)>,
}

/// The page with the question, filled in from `entry`, with `violations` beside the fields at fault.
pub(super) fn question(
    status: StatusCode,
    event: &Event,
    reader: &Reader,
    entry: &Entry,
    violations: &[Violation],
    now: Timestamp,
) -> Response {
    let request = &*event.request;
    let mut fields = fields::fields(&request.input, entry, violations);
    let mut responder = fields::responder(entry, violations);
    let mut reason = fields::reason(entry, violations);
    let mut all: Vec<&mut Field> = fields.iter_mut().collect();
    all.extend([&mut responder, &mut reason]);
    let complaints = complaints(&all, violations);
    if let Some(first) = all.iter_mut().find(|field| !field.error.is_empty()) {
        first.focus = true;
    }
    let page = Question {
        request,
        has_inbox: reader.has_inbox,
        asker: request.created_by.as_ref().map_or("", |proof| proof.name.as_str()),
        is_named_after_prompt: is_named_after_prompt(request),
        question: Asked::of(request),
        chips: chips(request),
        run: Some(request.scope.as_str()).filter(|scope| *scope != SCOPE_DEFAULT),
        about: about(request),
        asked: values::when(request.create_time),
        time: values::time_left(request.create_time, request.deadline, now),
        deadline: values::when(request.deadline),
        default: match &request.on_timeout {
            OnTimeout::Fail => None,
            OnTimeout::Default(value) => Some(values::summary(&request.input, value)),
        },
        named: &reader.named,
        form_token: &reader.form_token,
        answer_id: entry.text("answer_id"),
        fields,
        responder,
        reason,
        complaints,
    };
    page::html(status, &page)
}

/// Whether the name of `request` says nothing that its prompt does not.
pub(super) fn is_named_after_prompt(request: &Request) -> bool {
    let words = request.prompt.split_whitespace().collect::<Vec<_>>().join(" ");
    words.starts_with(request.name.trim_end_matches('…'))
}

/// What is wrong: first what has a field, then what has none.
fn complaints(fields: &[&mut Field], violations: &[Violation]) -> Vec<(String, String)> {
    let at_fault = fields.iter().filter(|field| !field.error.is_empty());
    let mut complaints: Vec<_> =
        at_fault.map(|field| (field.id.clone(), field.complaint())).collect();
    let homeless = |violation: &&Violation| {
        let at_field = |field: &&mut Field| field.name == violation.field;
        !fields.iter().any(at_field) && violation.field != "answer_id"
    };
    let rest = violations.iter().filter(homeless);
    complaints.extend(rest.map(|v| (String::new(), format!("{} {}.", v.field, v.message))));
    complaints
}

/// What a reader goes by at first sight: the namespace if it is not the usual one, and some labels. The rest is further
/// down.
fn chips(request: &Request) -> Vec<String> {
    let namespace = request.namespace.to_string();
    let namespace = Some(namespace).filter(|namespace| namespace != NAMESPACE_DEFAULT);
    let labels = request.labels.iter().map(|(key, value)| format!("{key}: {value}"));
    namespace.into_iter().chain(labels.take(LABELS_SHOWN)).collect()
}

/// Where the question comes from, for whoever wants to know before answering.
fn about(request: &Request) -> Vec<(&'static str, String)> {
    let mut about = vec![("Event", request.id.to_string())];
    if request.scope != SCOPE_DEFAULT {
        about.push(("Run", request.scope.clone()));
    }
    about.push(("Namespace", request.namespace.to_string()));
    about.push(("Asked", values::when(request.create_time).human));
    about.extend(request.labels.iter().map(|(key, value)| ("Label", format!("{key}: {value}"))));
    about
}
