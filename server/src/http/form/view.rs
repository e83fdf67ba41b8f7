//! The page with the question on it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use hitl_core::{
    CredentialKind, Event, Input, OnTimeout, Proof, Request, Risk, Timestamp, Violation,
};

use super::asked::{Asked, Prompt, Title};
use super::confirm::{self, Confirm};
use super::entry::Entry;
use super::evidence;
use super::fields::{self, Control, Field};
use super::reader::Reader;
use super::review;
use super::thread::Thread;
use super::values::{self, TimeLeft, When};
use crate::http::page;

/// The scope of an event whose creator named none. It is not shown.
const SCOPE_DEFAULT: &str = "run";
/// The namespace of an event whose creator named none. It is not shown beside the question.
const NAMESPACE_DEFAULT: &str = "default";
/// Most rows of an answer that stays in sight.
const STAYING_ROWS_MAX: usize = 4;
/// Most labels beside the question.
const LABELS_SHOWN: usize = 4;

#[derive(Template)]
#[template(path = "question.html")]
struct Question<'a> {
    request: &'a Request,
    has_inbox: bool,
    /// Who asks, if that was proved; empty if not.
    asker: &'a str,
    initials: String,
    /// Whether the name is only the beginning of the prompt, as `hitl ask` makes it. Then it is not shown.
    is_named_after_prompt: bool,
    question: Asked<'a>,
    risk: Risk,
    evidence: Option<evidence::Shown<'a>>,
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
    /// Digest of the action that is reviewed; empty if none is.
    shown_digest: String,
    /// The arguments of it, to be changed.
    edits: Vec<Field>,
    edits_stand_open: bool,
    comment: Field,
    responder: Field,
    confirm: Confirm,
    reason: Field,
    /// The ready reason that is picked; empty if none is.
    ready: &'a str,
    /// Whether the answer is short enough to stay in sight beside what it rests on.
    stays: bool,
    /// Whom it is for, and what was said about it.
    thread: &'a Thread,
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
    thread: &Thread,
    now: Timestamp,
) -> Response {
    let request = &*event.request;
    let mut fields = fields::fields(&request.input, entry, violations);
    let (shown_digest, mut edits) = match &request.input {
        Input::Review(input) => (input.digest(), review::edits(input, entry, violations)),
        _ => (String::new(), Vec::new()),
    };
    let mut comment = fields::comment(entry, violations);
    let mut responder = fields::responder(entry, violations);
    let mut confirm = Confirm::of(event, entry, violations);
    let mut reason = fields::reason(entry, violations);
    let mut all: Vec<&mut Field> = fields.iter_mut().chain(&mut edits).collect();
    all.extend([&mut comment, &mut responder, &mut reason]);
    all.extend(confirm.field_mut());
    let complaints = complaints(&all, violations);
    if let Some(first) = all.iter_mut().find(|field| !field.error.is_empty()) {
        first.focus = true;
    }
    let asker = request.created_by.as_ref().map_or("", asker);
    let page = Question {
        request,
        has_inbox: reader.has_inbox,
        asker,
        initials: initials(asker),
        is_named_after_prompt: is_named_after_prompt(request),
        question: Asked::of(request),
        risk: request.risk,
        evidence: evidence::of(request),
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
        shown_digest,
        edits_stand_open: review::is_edited(entry)
            || edits.iter().any(|edit| !edit.error.is_empty()),
        edits,
        stays: fields.iter().map(Field::rows).sum::<usize>() <= STAYING_ROWS_MAX,
        fields,
        comment,
        responder,
        confirm,
        reason,
        ready: entry.text("why"),
        thread,
        complaints,
    };
    page::html(status, &page)
}

/// Whom the server knows by `proof`; empty if nobody.
fn asker(proof: &Proof) -> &str {
    match proof.known_by {
        // They have no name here: it is their server.
        CredentialKind::Owner => "The user of this machine",
        _ => &proof.name,
    }
}

/// The beginnings of the first two words of a name.
fn initials(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let initials: String = words.take(2).filter_map(|word| word.chars().next()).collect();
    if initials.is_empty() { "?".to_owned() } else { initials }
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
        let at_field = |field: &&mut Field| field.tells_of(&violation.field);
        let has_own = violation.field == "answer_id" || violation.field == confirm::NAME;
        !fields.iter().any(at_field) && !has_own
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
    about.push(("Digest", format!("sha256 {}", evidence::Digest::of(request).whole)));
    if let Input::Review(review) = &request.input {
        about.push(("Action digest", format!("sha256 {}", review.digest())));
    }
    about.extend(request.labels.iter().map(|(key, value)| ("Label", format!("{key}: {value}"))));
    about
}
