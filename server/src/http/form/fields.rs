//! The controls of the form, one for each thing that the input asks for.
//!
//! Text boxes are plain text even for numbers: a browser's number box throws away what it cannot
//! read, and what a person typed must survive a refusal. Lists are radio buttons and checkboxes as
//! long as that is bearable, since all options are then in sight, and nothing is ever picked that
//! the person did not pick (but for defaults that the schema of an object names).

use std::collections::HashSet;

use hitl_core::schema::Field as Property;
use hitl_core::{ChoiceInput, FloatInput, Input, IntInput, StrFormat, StrInput, Value, Violation};

use super::entry::Entry;
use super::{hints, moment, review, wording};

/// Most options that are shown as radio buttons.
const RADIOS_MAX: usize = 20;
/// Most whole numbers that are shown to pick from.
const TILES_MAX: i64 = 11;
/// Most characters of an option that has many beside it.
const TILE_CHARS_MAX: usize = 4;
/// Most characters of an option that has another one beside it.
const PAIRED_CHARS_MAX: usize = 24;

/// One control with its label, help and error.
pub(super) struct Field {
    /// Id of the control, or of the first of its group.
    pub(super) id: String,
    /// Name under which it is sent.
    pub(super) name: String,
    pub(super) label: String,
    /// What whoever asked says about it.
    pub(super) help: String,
    /// What would be accepted.
    pub(super) hint: String,
    pub(super) required: bool,
    /// Whether it is neither needed nor said to be optional, since it is filled in already.
    pub(super) is_filled: bool,
    /// What is wrong with what was entered; empty if nothing.
    pub(super) error: String,
    pub(super) focus: bool,
    pub(super) control: Control,
}

/// How something is entered.
pub(super) enum Control {
    Line {
        kind: &'static str,
        keyboard: &'static str,
        autocomplete: &'static str,
        value: String,
    },
    Area {
        value: String,
    },
    Pick {
        multiple: bool,
        options: Vec<Choice>,
    },
    Select {
        options: Vec<Choice>,
    },
    /// A day, a time, and by how much the time is ahead of UTC: one of `offsets`, each with what it is called.
    Moment {
        day: String,
        time: String,
        offset: String,
        offsets: Vec<(String, String)>,
    },
}

/// One thing to pick.
pub(super) struct Choice {
    pub(super) id: String,
    pub(super) value: String,
    pub(super) label: String,
    pub(super) help: String,
    pub(super) picked: bool,
}

impl Field {
    /// Ids of the texts that describe the control, for `aria-describedby`.
    pub(super) fn described_by(&self) -> String {
        let texts = [("help", &self.help), ("hint", &self.hint), ("error", &self.error)];
        let ids = texts.iter().filter(|(_, text)| !text.is_empty());
        ids.map(|(part, _)| format!("{}-{part}", self.id)).collect::<Vec<_>>().join(" ")
    }

    /// Whether the control is several, held together by a legend.
    pub(super) fn is_group(&self) -> bool {
        matches!(self.control, Control::Pick { .. } | Control::Moment { .. })
    }

    /// Whether what is entered is short, as numbers are.
    pub(super) fn is_short(&self) -> bool {
        matches!(
            &self.control,
            Control::Line { kind: "date", .. } | Control::Line { autocomplete: "off", .. }
        )
    }

    /// How much room the control takes, in rows.
    pub(super) fn rows(&self) -> usize {
        match &self.control {
            Control::Pick { options, .. } => options.len(),
            Control::Area { .. } => 3,
            Control::Line { .. } | Control::Select { .. } | Control::Moment { .. } => 1,
        }
    }

    /// Whether the options fit beside each other.
    pub(super) fn is_paired(&self) -> bool {
        let Control::Pick { options, .. } = &self.control else {
            return false;
        };
        let is_short = |option: &Choice| {
            option.help.is_empty() && option.label.chars().count() <= PAIRED_CHARS_MAX
        };
        (options.len() == 2 || options.len() >= 4) && options.iter().all(is_short)
    }

    /// Whether the options are so short that many fit beside each other.
    pub(super) fn is_tiled(&self) -> bool {
        let Control::Pick { options, .. } = &self.control else {
            return false;
        };
        let is_tile = |option: &Choice| {
            option.help.is_empty() && option.label.chars().count() <= TILE_CHARS_MAX
        };
        options.len() > 2 && options.iter().all(is_tile)
    }

    /// The error with the name of the field, for a list of all errors.
    pub(super) fn complaint(&self) -> String {
        format!("{}: {}", self.label, self.error)
    }

    /// Whether what is wrong at `path` is said beside it.
    pub(super) fn tells_of(&self, path: &str) -> bool {
        self.name == path || (self.name == review::ARGUMENTS && review::is_within(path))
    }

    pub(super) fn new(id: &str, name: &str, label: &str, control: Control) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            label: label.to_owned(),
            help: String::new(),
            hint: String::new(),
            required: true,
            is_filled: false,
            error: String::new(),
            focus: false,
            control,
        }
    }

    /// With what is wrong, among `violations`, with the field at `path`.
    pub(super) fn judged(mut self, path: &str, violations: &[Violation]) -> Self {
        let own = violations.iter().filter(|violation| violation.field == path);
        let own = own.map(|violation| wording::plain(&violation.message, &self.control));
        self.error = own.collect::<Vec<_>>().join(" ");
        self
    }
}

/// The fields that `input` asks for, filled in from `entry`, with `violations` beside them.
pub(super) fn fields(input: &Input, entry: &Entry, violations: &[Violation]) -> Vec<Field> {
    if let Input::Review(review) = input {
        return review::fields(review, entry, violations);
    }
    let Input::Object(object) = input else {
        let mut field =
            Field::new("f", "value", "Your answer", control("f", "value", input, true, entry));
        field.hint = hints::hint(input);
        field.required = needs_content(input);
        return vec![field.judged("value", violations)];
    };
    let properties = object.fields().unwrap_or_default();
    let fields = properties.iter().enumerate().map(|(index, property)| {
        let (id, name) = (format!("f{index}"), format!("value.{}", property.name));
        let filled = prefilled(property, &name, entry);
        let control = control(&id, &name, &property.input, property.required, &filled);
        let mut field = Field::new(&id, &name, property.label(), control);
        field.help.clone_from(&property.description);
        field.hint = hints::hint(&property.input);
        field.required = property.required && needs_content(&property.input);
        field.judged(&name, violations)
    });
    fields.collect()
}

/// The field for the name of the person, if the link does not say it.
pub(super) fn responder(entry: &Entry, violations: &[Violation]) -> Field {
    let control = Control::Line {
        kind: "text",
        keyboard: "text",
        autocomplete: "name",
        value: entry.text("responder").to_owned(),
    };
    let mut field = Field::new("responder", "responder", "Your name", control);
    field.required = false;
    field.help = "Recorded with the answer, for whoever asked.".to_owned();
    field.judged("responder", violations)
}

/// The field for what somebody says beside the answer.
pub(super) fn comment(entry: &Entry, violations: &[Violation]) -> Field {
    let control = Control::Area { value: entry.text("comment").to_owned() };
    let mut field = Field::new("comment", "comment", "Comment", control);
    field.required = false;
    field.help = "The program gets it with your answer.".to_owned();
    field.judged("comment", violations)
}

/// The field for why somebody declines.
pub(super) fn reason(entry: &Entry, violations: &[Violation]) -> Field {
    let control = Control::Area { value: entry.text("reason").to_owned() };
    let mut field = Field::new("reason", "reason", "In other words", control);
    field.required = false;
    field.judged("reason", violations)
}

/// Whether an empty control can never be accepted.
fn needs_content(input: &Input) -> bool {
    match input {
        Input::Str(input) => input.min_length != Some(0),
        Input::Choice(input) => input.min_selected > 0,
        _ => true,
    }
}

/// The entry, or the property's default as if it had been entered, while the form is untouched.
fn prefilled(property: &Property, name: &str, entry: &Entry) -> Entry {
    let given = match &property.default {
        Some(default) if entry.is_new() => match default {
            Value::Choice(selected) => selected.clone(),
            Value::Str(text) => vec![text.clone()],
            other => vec![other.to_json().to_string()],
        },
        _ => return entry.of_field(name),
    };
    Entry(given.into_iter().map(|value| (name.to_owned(), value)).collect())
}

fn control(id: &str, name: &str, input: &Input, required: bool, entry: &Entry) -> Control {
    let value = entry.text(name).to_owned();
    match input {
        Input::Int(IntInput { min: Some(min), max: Some(max) }) if is_few(*min, *max, &value) => {
            let tiles = (*min..=*max).enumerate().map(|(index, number)| Choice {
                id: choice_id(id, index),
                value: number.to_string(),
                label: number.to_string(),
                help: String::new(),
                picked: value == number.to_string(),
            });
            let mut options: Vec<Choice> = tiles.collect();
            options.extend(no_answer(id, options.len(), required));
            Control::Pick { multiple: false, options }
        }
        Input::Int(IntInput { min, .. }) => {
            number(min.is_some_and(|min| min >= 0), "numeric", value)
        }
        Input::Float(FloatInput { min, .. }) => {
            number(min.is_some_and(|min| min >= 0.0), "decimal", value)
        }
        Input::Str(StrInput { format: Some(StrFormat::DateTime), .. }) if value.is_empty() => {
            moment::control(name, entry)
        }
        Input::Str(input) => text(input, value),
        Input::Bool(input) => {
            let choice = |index: usize, truth: bool| Choice {
                id: choice_id(id, index),
                value: truth.to_string(),
                label: input.label(truth).to_owned(),
                help: String::new(),
                picked: value == truth.to_string(),
            };
            let mut options = vec![choice(0, true), choice(1, false)];
            options.extend(no_answer(id, 2, required));
            Control::Pick { multiple: false, options }
        }
        Input::Choice(input) => pick(id, name, input, required, entry),
        // An object holds no objects, and a review has fields of its own.
        Input::Object(_) | Input::Review(_) => Control::Area { value },
    }
}

/// Whether all numbers from `min` to `max` are shown to pick from, and `value` is one of them or nothing.
fn is_few(min: i64, max: i64, value: &str) -> bool {
    let is_one = value.parse::<i64>().is_ok_and(|number| (min..=max).contains(&number));
    min < max && max.saturating_sub(min) < TILES_MAX && (value.is_empty() || is_one)
}

/// The keyboards that a phone shows for digits have no minus.
pub(super) fn number(is_never_negative: bool, digits: &'static str, value: String) -> Control {
    let keyboard = if is_never_negative { digits } else { "text" };
    Control::Line { kind: "text", keyboard, autocomplete: "off", value }
}

pub(super) fn text(input: &StrInput, value: String) -> Control {
    // A box of one line throws line breaks away, and a default may hold them.
    if input.multiline || value.contains(['\n', '\r']) {
        return Control::Area { value };
    }
    let (kind, keyboard, autocomplete) = match input.format {
        Some(StrFormat::Email) => ("text", "email", "email"),
        Some(StrFormat::Uri) => ("text", "url", "url"),
        // A browser's date box shows nothing but dates, so what is no date needs a plain one.
        Some(StrFormat::Date) if value.is_empty() || StrFormat::Date.accepts(&value) => {
            ("date", "text", "off")
        }
        Some(StrFormat::Date | StrFormat::DateTime) => ("text", "text", "off"),
        None => ("text", "text", "on"),
    };
    Control::Line { kind, keyboard, autocomplete, value }
}

fn pick(id: &str, name: &str, input: &ChoiceInput, required: bool, entry: &Entry) -> Control {
    let picked: HashSet<&str> = entry.all(name).collect();
    let options = input.options.iter().enumerate().map(|(index, option)| Choice {
        id: choice_id(id, index),
        value: option.value.clone(),
        label: option.title().to_owned(),
        help: option.description.clone(),
        picked: picked.contains(option.value.as_str()),
    });
    let mut options: Vec<Choice> = options.collect();
    let multiple = input.is_multiple();
    if !multiple && options.len() > RADIOS_MAX {
        return Control::Select { options };
    }
    if !multiple {
        options.extend(no_answer(id, options.len(), required && input.min_selected > 0));
    }
    Control::Pick { multiple, options }
}

/// A radio button that takes the others back, where none need be picked.
fn no_answer(id: &str, index: usize, required: bool) -> Option<Choice> {
    (!required).then(|| Choice {
        id: choice_id(id, index),
        value: String::new(),
        label: "No answer".to_owned(),
        help: String::new(),
        picked: false,
    })
}

/// The first has the id of the group, so that a link to the group leads to it.
pub(super) fn choice_id(id: &str, index: usize) -> String {
    if index == 0 { id.to_owned() } else { format!("{id}-{index}") }
}
