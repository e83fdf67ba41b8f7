//! Reads answers that come as text, JSON or form fields, guided by the input they answer.
//!
//! Only the shape is read here; whether the value fits the input's rules is [`Input::check`]'s to
//! say. A number is never passed through a type that cannot hold it, and nothing is guessed: text
//! that is not clearly a value is refused.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::choice::{ChoiceInput, ChoiceOption};
use crate::input::{Input, ObjectInput, StrInput, refuse};
use crate::literal::{self, Whole};
use crate::pattern::Work;
use crate::rejection::Violation;
use crate::review;
use crate::schema::Field;
use crate::strict_json;
use crate::typed::trimmed;
use crate::value::Value;

pub use crate::number::{float, int};

type Parsed = Result<Value, Vec<Violation>>;

/// Reads plain JSON text.
///
/// # Errors
/// What is wrong, with paths that start at `value`.
pub fn json(input: &Input, text: &str) -> Parsed {
    // Editors put a byte order mark there, and it is no part of JSON.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    strict_json::check(text.as_bytes()).map_err(refuse)?;
    from_json(input, read(text)?)
}

/// Reads text as a person would type it: a choice takes its options one a line, an object takes JSON.
///
/// # Errors
/// What is wrong, with paths that start at `value`.
pub fn text(input: &Input, text: &str) -> Parsed {
    match input {
        Input::Int(_) => int(text).map(Value::Int),
        Input::Float(_) => float(text).map(Value::Float),
        Input::Str(input) => Ok(Value::Str(words(input, text).to_owned())),
        Input::Bool(_) => bool(text),
        Input::Choice(choice) => Ok(Value::Choice(options(choice, text.lines()))),
        Input::Object(_) => json(input, text),
        Input::Review(_) if trimmed(text).starts_with(['{', '"', '\u{feff}']) => {
            json(input, trimmed(text))
        }
        Input::Review(_) => review::from_text(text).map(Value::Review),
    }
}

/// Reads the fields of a web form: those named `value`, or `value.<field>` for an object. Others are not looked at.
///
/// A form sends every text box, filled in or not, so an empty one for anything but a str counts as
/// left out, and an empty str or choice of an object counts as left out unless the schema requires
/// it. A lone str must not be empty, unless the input says that none is enough by a minimum length
/// of 0: a slip of the finger is no answer.
///
/// # Errors
/// What is wrong, with paths that start at `value`.
pub fn form(input: &Input, pairs: &[(String, String)]) -> Parsed {
    match input {
        Input::Object(object) => return form_object(object, pairs),
        Input::Review(input) => return review::form::read(input, pairs).map(Value::Review),
        _ => {}
    }
    match (input, form_field(input, "value", pairs)?) {
        (Input::Str(StrInput { min_length: None, .. }), Some(Value::Str(text)))
            if text.is_empty() =>
        {
            Err(refuse("must not be empty"))
        }
        (_, value) => value.ok_or_else(|| refuse("is required")),
    }
}

fn form_object(object: &ObjectInput, pairs: &[(String, String)]) -> Parsed {
    let known = object.fields()?;
    let mut fields = BTreeMap::new();
    let mut broken = Vec::new();
    for field in known.iter() {
        match form_field(&field.input, &format!("value.{}", field.name), pairs) {
            Ok(Some(value)) if !field.required && value.is_blank() => {}
            Ok(Some(value)) => drop(fields.insert(field.name.clone(), value)),
            Ok(None) => {}
            Err(violations) => broken.extend(at_field(violations, &field.name)),
        }
    }
    whole(&known, fields, broken)
}

/// The object, if all that was given could be read. Else every rule that it breaks, those that only
/// [`Input::check`] would find included, so that nobody has to mend an answer twice.
fn whole(known: &[Field], fields: BTreeMap<String, Value>, mut broken: Vec<Violation>) -> Parsed {
    if broken.is_empty() {
        return Ok(Value::Object(fields));
    }
    let mut work = Work::of_one_answer();
    let unreadable: Vec<_> = broken.iter().map(|violation| violation.field.clone()).collect();
    for field in known {
        let path = format!("value.{}", field.name);
        match fields.get(&field.name) {
            Some(value) => {
                let violations =
                    field.input.check_within(value, &mut work).err().unwrap_or_default();
                broken.extend(at_field(violations, &field.name));
            }
            None if field.required && !unreadable.contains(&path) => {
                broken.push(Violation::new(path, "is required"));
            }
            None => {}
        }
    }
    Err(broken)
}

fn at_field(violations: Vec<Violation>, name: &str) -> impl Iterator<Item = Violation> {
    violations.into_iter().map(move |violation| violation.at_field(name))
}

fn form_field(
    input: &Input,
    name: &str,
    pairs: &[(String, String)],
) -> Result<Option<Value>, Vec<Violation>> {
    let mut given =
        pairs.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str());
    if !matches!(input, Input::Choice(_)) && given.clone().nth(1).is_some() {
        return Err(refuse("must be given once"));
    }
    match input {
        Input::Choice(choice) => {
            let selected = options(choice, given.filter(|value| !value.is_empty()));
            let left_out = selected.is_empty() && choice.min_selected > 0;
            Ok((!left_out).then_some(Value::Choice(selected)))
        }
        // Browsers send line breaks as CR LF whatever the page's own were.
        Input::Str(input) => {
            Ok(given.next().map(|text| Value::Str(words(input, text).replace("\r\n", "\n"))))
        }
        Input::Int(_) | Input::Float(_) | Input::Bool(_) | Input::Object(_) | Input::Review(_) => {
            given
                .next()
                .filter(|value| !trimmed(value).is_empty())
                .map(|value| text(input, value))
                .transpose()
        }
    }
}

/// What was typed for a str. A text in a format cannot begin or end with a space, so what is there was not meant.
fn words<'a>(input: &StrInput, text: &'a str) -> &'a str {
    if input.format.is_some() { trimmed(text) } else { text }
}

fn from_json(input: &Input, json: &RawValue) -> Parsed {
    let text = json.get();
    match (input, JsonKind::of(text)) {
        (Input::Int(_), JsonKind::Number) => match literal::whole(text) {
            Whole::Is(number) => Ok(Value::Int(number)),
            Whole::TooLarge | Whole::Not => {
                let given = literal::shortened(text);
                Err(refuse(format!("must be a whole number of 64 bits, is {given}")))
            }
        },
        // By the number's own reader, since JSON's may round in another way.
        (Input::Float(_), JsonKind::Number) => float(text).map(Value::Float),
        (Input::Bool(_), JsonKind::Boolean) => Ok(Value::Bool(text == "true")),
        (Input::Str(_), JsonKind::String) => read(text).map(Value::Str),
        // Many clients hold 64-bit numbers as text, since JSON numbers lose digits there.
        (Input::Int(_) | Input::Float(_) | Input::Bool(_), JsonKind::String) => {
            self::text(input, &read::<String>(text)?)
        }
        (Input::Choice(_), JsonKind::String) => Ok(Value::Choice(vec![read(text)?])),
        (Input::Choice(_), JsonKind::Array) => json_choice(&read::<Vec<&RawValue>>(text)?),
        (Input::Object(object), JsonKind::Object) => json_object(object, &read(text)?),
        (Input::Review(_), JsonKind::Object | JsonKind::String) => {
            review::from_json(text).map(Value::Review)
        }
        (input, kind) => {
            Err(refuse(format!("must be {}, not {}", wanted_json(input), kind.name())))
        }
    }
}

fn read<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, Vec<Violation>> {
    serde_json::from_str(text).map_err(|error| refuse(format!("is not JSON: {error}")))
}

fn json_choice(items: &[&RawValue]) -> Parsed {
    let selected = items.iter().map(|item| match JsonKind::of(item.get()) {
        JsonKind::String => read(item.get()),
        other => Err(refuse(format!("must hold strings only, not {}", other.name()))),
    });
    selected.collect::<Result<_, _>>().map(Value::Choice)
}

fn json_object(object: &ObjectInput, members: &BTreeMap<String, &RawValue>) -> Parsed {
    let known = object.fields()?;
    let mut fields = BTreeMap::new();
    let mut broken = Vec::new();
    for (name, member) in members {
        let Some(field) = known.iter().find(|field| field.name == *name) else {
            broken.push(Violation::new(format!("value.{name}"), "is not a field of this event"));
            continue;
        };
        match from_json(&field.input, member) {
            Ok(value) => drop(fields.insert(name.clone(), value)),
            Err(violations) => broken.extend(at_field(violations, name)),
        }
    }
    whole(&known, fields, broken)
}

fn bool(text: &str) -> Parsed {
    match trimmed(text).to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "t" => Ok(Value::Bool(true)),
        "false" | "0" | "no" | "n" | "f" => Ok(Value::Bool(false)),
        _ => Err(refuse("must be one of true, 1, yes, y, t, false, 0, no, n, f")),
    }
}

/// Options by value; one that is no value but the label of exactly one option counts as that option, and so does one
/// that is a value or label but for what nobody sees around it.
fn options<'a>(choice: &ChoiceInput, given: impl Iterator<Item = &'a str>) -> Vec<String> {
    given.map(|text| meant(choice, text).unwrap_or(text).to_owned()).collect()
}

fn meant<'a>(choice: &'a ChoiceInput, text: &str) -> Option<&'a str> {
    if choice.options.iter().any(|option| option.value == text) {
        return None;
    }
    let only = |is_meant: &dyn Fn(&ChoiceOption) -> bool| {
        let mut meant = choice.options.iter().filter(|option| is_meant(option));
        let first = meant.next()?;
        meant.next().is_none().then_some(first.value.as_str())
    };
    only(&|option| option.label == text).or_else(|| {
        let typed = Some(trimmed(text)).filter(|typed| !typed.is_empty())?;
        only(&|option| trimmed(&option.value) == typed || trimmed(&option.label) == typed)
    })
}

fn wanted_json(input: &Input) -> &'static str {
    match input {
        Input::Int(_) => "a whole number",
        Input::Float(_) => "a number",
        Input::Str(_) => "a string",
        Input::Bool(_) => "true or false",
        Input::Choice(_) => "a string or an array of strings",
        Input::Object(_) => "an object",
        Input::Review(_) => {
            "the name of a decision, or an object with decision, arguments and message"
        }
    }
}

/// What a JSON text begins like, which says what it is.
#[derive(Clone, Copy)]
enum JsonKind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl JsonKind {
    fn of(text: &str) -> Self {
        match text.as_bytes().first() {
            Some(b'"') => Self::String,
            Some(b'[') => Self::Array,
            Some(b'{') => Self::Object,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'n') | None => Self::Null,
            Some(_) => Self::Number,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
