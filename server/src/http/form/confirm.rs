//! What a page wants besides the answer before it is sent: at high risk the person's word that this is known, and where
//! the event says so a second step or a typed word.
//!
//! It is a matter of pages. A program that answers for a person confirms nothing, and a decline needs no confirmation.

use hitl_core::{Event, Risk, Value, Violation, parse};
use sha2::{Digest, Sha256};

use super::entry::Entry;
use super::fields::{Control, Field};
use super::moment;
use super::values::{self, Shown};

/// Name of what confirms in the form, and of what is wrong with it.
pub(super) const NAME: &str = "confirm";
/// What has to be typed.
const WORD: &str = "confirm";

/// What the page asks for.
pub(super) enum Confirm {
    Nothing,
    /// A box to tick.
    Tick {
        field: Field,
    },
    /// A word to type.
    Word {
        field: Field,
    },
    /// The same answer sent again, once it was shown.
    Step {
        /// Stands for the answer; empty before it was sent once.
        digest: String,
        /// The answer; empty before.
        value: Vec<Shown>,
    },
}

impl Confirm {
    /// What the page of `event`, filled in from `entry`, asks for, with what is wrong with it.
    pub(super) fn of(event: &Event, entry: &Entry, violations: &[Violation]) -> Self {
        let request = &*event.request;
        let is_refused = violations.iter().any(|violation| violation.field == NAME);
        match (request.risk, request.require_confirmation) {
            (Risk::High, false) => {
                let label =
                    "I have looked at what this rests on, and know that it is hard to undo.";
                let control = Control::Pick { multiple: true, options: Vec::new() };
                Self::Tick { field: field(label, control, violations) }
            }
            (Risk::High, true) => {
                let control = Control::Line {
                    kind: "text",
                    keyboard: "text",
                    autocomplete: "off",
                    value: entry.text(NAME).to_owned(),
                };
                let label = format!("Type \u{201c}{WORD}\u{201d} to answer");
                let mut field = field(&label, control, violations);
                field.help = "This is of high risk, and hard to undo.".to_owned();
                Self::Word { field }
            }
            (_, true) => match read(event, entry) {
                Ok(value) if is_refused => Self::Step {
                    digest: digest(&value),
                    value: values::shown(&request.input, &value),
                },
                _ => Self::Step { digest: String::new(), value: Vec::new() },
            },
            (_, false) => Self::Nothing,
        }
    }

    /// Whether anything is asked for besides the answer.
    pub(super) fn is_wanted(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// Whether the answer was sent once, and has to be sent again.
    pub(super) fn is_asked(&self) -> bool {
        matches!(self, Self::Step { digest, .. } if !digest.is_empty())
    }

    /// The field of it, if it is one.
    pub(super) fn field_mut(&mut self) -> Option<&mut Field> {
        match self {
            Self::Tick { field } | Self::Word { field } => Some(field),
            Self::Nothing | Self::Step { .. } => None,
        }
    }
}

fn field(label: &str, control: Control, violations: &[Violation]) -> Field {
    let mut field = Field::new(NAME, NAME, label, control);
    let own = violations.iter().find(|violation| violation.field == NAME);
    field.error = own.map(|violation| violation.message.clone()).unwrap_or_default();
    field
}

/// Whether `event` takes an answer of the form only with a confirmation.
pub(super) fn is_needed(event: &Event) -> bool {
    event.response.is_none()
        && (event.request.require_confirmation || event.request.risk == Risk::High)
}

/// What is wrong with the answer in `entry` and its confirmation; empty if it may be sent. What is wrong with the
/// answer alone is left to whoever takes it.
pub(super) fn check(event: &Event, entry: &Entry) -> Vec<Violation> {
    let read = read(event, entry);
    let message = match (event.request.risk, event.request.require_confirmation, &read) {
        (Risk::High, false, _) if entry.text(NAME) == "yes" => None,
        (Risk::High, false, _) => Some("Tick this first: nothing is sent without it."),
        (Risk::High, true, _) if entry.text(NAME).trim().eq_ignore_ascii_case(WORD) => None,
        (Risk::High, true, _) => Some("Type the word: nothing is sent without it."),
        (_, _, Ok(value)) if entry.text(NAME) != digest(value) => Some("Confirm it."),
        _ => None,
    };
    let Some(message) = message else { return Vec::new() };
    let mut wrong = read.err().unwrap_or_default();
    wrong.push(Violation::new(NAME, message));
    wrong
}

fn read(event: &Event, entry: &Entry) -> Result<Value, Vec<Violation>> {
    let input = &event.request.input;
    parse::form(input, &moment::joined(entry)).and_then(|value| input.check(&value))
}

/// Stands for `value`: another has another.
fn digest(value: &Value) -> String {
    let hash = Sha256::digest(value.to_json().to_string());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "confirm_tests.rs"]
mod tests;
