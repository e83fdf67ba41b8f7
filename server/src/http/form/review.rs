//! The fields of a review: what is decided, the arguments to be changed, and what is said with it.

use hitl_core::review::Flat;
use hitl_core::{ReviewDecision, ReviewInput, ReviewValue, StrInput, Violation};
use serde_json::Value as Json;

use super::entry::Entry;
use super::fields::{self, Choice, Control, Field, choice_id};
use super::values::Shown;

/// Name of the field that says what the person was shown.
pub(super) const SHOWN: &str = "value.shown_digest";
/// Name of the arguments where they are changed as a whole, and the beginning of the names of their members.
pub(super) const ARGUMENTS: &str = "value.arguments";
const DECISION: &str = "value.decision";

/// The decision, and what is said with it.
pub(super) fn fields(input: &ReviewInput, entry: &Entry, violations: &[Violation]) -> Vec<Field> {
    let picked = entry.text(DECISION);
    let options = input.allow.iter().enumerate().map(|(index, decision)| Choice {
        id: choice_id("f", index),
        value: decision.name().to_owned(),
        label: label(*decision).to_owned(),
        help: meaning(*decision).to_owned(),
        picked: picked == decision.name(),
    });
    let control = Control::Pick { multiple: false, options: options.collect() };
    let decision = Field::new("f", DECISION, "Your decision", control);
    let mut fields = vec![decision.judged(DECISION, violations)];
    let words =
        [ReviewDecision::Reject, ReviewDecision::Respond].map(|it| input.allow.contains(&it));
    if let Some((label, help)) = match words {
        [true, true] => Some((
            "Reason or response",
            "Why it is rejected, or what the program is to go on with.",
        )),
        [true, false] => Some(("Reason", "Why it is rejected. The program gets it.")),
        [false, true] => Some(("Response", "What the program is to go on with instead.")),
        [false, false] => None,
    } {
        let control = Control::Area { value: entry.text("value.message").to_owned() };
        let mut message = Field::new("message", "value.message", label, control);
        message.help = help.to_owned();
        message.required = false;
        fields.push(message.judged("value.message", violations));
    }
    fields
}

/// The arguments to be changed: a field for each where they are flat, else all of them as JSON. None where they may
/// not be changed.
pub(super) fn edits(input: &ReviewInput, entry: &Entry, violations: &[Violation]) -> Vec<Field> {
    if !input.allow.contains(&ReviewDecision::Edit) {
        return Vec::new();
    }
    let Some(members) = input.flat_arguments() else {
        return vec![whole(input, entry, violations)];
    };
    let fields = members.into_iter().enumerate().map(|(index, (label, value))| {
        let (id, name) = (format!("a{index}"), format!("{ARGUMENTS}.{label}"));
        let control = member(&id, &value, given(entry, &name));
        let mut field = Field::new(&id, &name, &label, control);
        field.is_filled = true;
        field.judged(&name, violations)
    });
    fields.collect()
}

/// Whether the person means to approve something else than what is shown.
pub(super) fn is_edited(entry: &Entry) -> bool {
    entry.text(DECISION) == ReviewDecision::Edit.name()
}

/// Whether `path` is a place of the arguments.
pub(super) fn is_within(path: &str) -> bool {
    path.strip_prefix(ARGUMENTS).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// What was decided, for a page.
pub(super) fn shown(value: &ReviewValue) -> Vec<Shown> {
    let part = |title: &str, line: String| Shown { title: title.to_owned(), lines: vec![line] };
    let mut parts = vec![part("Decision", label(value.decision).to_owned())];
    if value.decision == ReviewDecision::Edit {
        parts.push(part("Arguments", spread(&value.arguments)));
    }
    if !value.message.is_empty() {
        let title = if value.decision == ReviewDecision::Reject { "Reason" } else { "Response" };
        parts.push(part(title, value.message.clone()));
    }
    parts
}

fn whole(input: &ReviewInput, entry: &Entry, violations: &[Violation]) -> Field {
    let value = given(entry, ARGUMENTS).unwrap_or_else(|| spread(&input.arguments));
    let mut field =
        Field::new("arguments", ARGUMENTS, "Arguments, as JSON", Control::Area { value });
    field.is_filled = true;
    let own = violations.iter().filter(|violation| is_within(&violation.field));
    let own = own.map(|Violation { field, message }| {
        let place = field[ARGUMENTS.len()..].trim_start_matches('.');
        if place.is_empty() {
            format!("The JSON {message}.")
        } else {
            format!("{place} {message}.")
        }
    });
    field.error = own.collect::<Vec<_>>().join(" ");
    field
}

fn member(id: &str, value: &Flat, given: Option<String>) -> Control {
    match value {
        Flat::Text(text) => {
            let value = given.unwrap_or_else(|| text.clone());
            // What has lines keeps a box with lines, whatever is in it now.
            let multiline = text.contains('\n');
            fields::text(&StrInput { multiline, ..StrInput::default() }, value)
        }
        Flat::Number(number) => {
            fields::number(false, "decimal", given.unwrap_or_else(|| number.to_string()))
        }
        Flat::Bool(truth) => {
            let now = given.unwrap_or_else(|| truth.to_string());
            let choice = |index: usize, label: &str| Choice {
                id: choice_id(id, index),
                value: label.to_owned(),
                label: label.to_owned(),
                help: String::new(),
                picked: now == label,
            };
            Control::Pick { multiple: false, options: vec![choice(0, "true"), choice(1, "false")] }
        }
    }
}

/// What the person has put there; none if the form was not sent yet.
fn given(entry: &Entry, name: &str) -> Option<String> {
    entry.all(name).next().map(str::to_owned)
}

/// JSON with a line for each value. What has lines already stays as it was written.
fn spread(text: &str) -> String {
    if text.trim().contains('\n') {
        return text.to_owned();
    }
    let read: Option<Json> = serde_json::from_str(text).ok();
    read.map_or_else(|| text.to_owned(), |json| format!("{json:#}"))
}

fn label(decision: ReviewDecision) -> &'static str {
    match decision {
        ReviewDecision::Approve => "Approve",
        ReviewDecision::Edit => "Approve with changes",
        ReviewDecision::Reject => "Reject",
        ReviewDecision::Respond => "Respond",
    }
}

fn meaning(decision: ReviewDecision) -> &'static str {
    match decision {
        ReviewDecision::Approve => "It is done exactly as shown.",
        ReviewDecision::Edit => "It is done with the arguments as you change them.",
        ReviewDecision::Reject => "It is not done.",
        ReviewDecision::Respond => "It is not done; the program goes on with what you write.",
    }
}
