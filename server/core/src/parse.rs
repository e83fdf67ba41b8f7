//! Reads answers that come as text, JSON or form fields, guided by the input they answer.
//!
//! Only the shape is read here; whether the value fits the input's rules is [`Input::check`]'s to
//! say. A number is never passed through a type that cannot hold it, and nothing is guessed: text
//! that is not clearly a value is refused.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::choice::ChoiceInput;
use crate::input::{Input, ObjectInput, StrInput, refuse};
use crate::pattern::Work;
use crate::rejection::Violation;
use crate::schema::Field;
use crate::strict_json;
use crate::value::Value;

type Parsed = Result<Value, Vec<Violation>>;

/// Largest magnitude up to which every whole number has a double of its own.
const DOUBLE_EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Reads plain JSON text.
///
/// # Errors
/// What is wrong, with paths that start at `value`.
pub fn json(input: &Input, text: &str) -> Parsed {
    strict_json::check(text.as_bytes()).map_err(refuse)?;
    let json =
        serde_json::from_str(text).map_err(|error| refuse(format!("is not JSON: {error}")))?;
    from_json(input, &json)
}

/// Reads text as a person would type it: a choice takes its options one a line, an object takes JSON.
///
/// # Errors
/// What is wrong, with paths that start at `value`.
pub fn text(input: &Input, text: &str) -> Parsed {
    match input {
        Input::Int(_) => int(text),
        Input::Float(_) => float(text),
        Input::Str(_) => Ok(Value::Str(text.to_owned())),
        Input::Bool(_) => bool(text),
        Input::Choice(choice) => Ok(Value::Choice(options(choice, text.lines()))),
        Input::Object(_) => json(input, text),
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
    if let Input::Object(object) = input {
        return form_object(object, pairs);
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
        Input::Str(_) => Ok(given.next().map(|text| Value::Str(text.replace("\r\n", "\n")))),
        Input::Int(_) | Input::Float(_) | Input::Bool(_) | Input::Object(_) => given
            .next()
            .filter(|value| !value.trim().is_empty())
            .map(|value| text(input, value))
            .transpose(),
    }
}

fn from_json(input: &Input, json: &Json) -> Parsed {
    match (input, json) {
        (Input::Int(_), Json::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(Value::Int(whole)),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole and within the exact range of a double"
            )]
            (None, Some(double)) if double.fract() == 0.0 && double.abs() <= DOUBLE_EXACT_MAX => {
                Ok(Value::Int(double as i64))
            }
            _ => Err(refuse(format!("must be a whole number of 64 bits, is {number}"))),
        },
        (Input::Float(_), Json::Number(number)) => match number.as_f64() {
            Some(double) => Ok(Value::Float(double)),
            None => Err(refuse(format!("must be a finite number, is {number}"))),
        },
        (Input::Bool(_), Json::Bool(truth)) => Ok(Value::Bool(*truth)),
        // Many clients hold 64-bit numbers as text, since JSON numbers lose digits there.
        (
            Input::Int(_) | Input::Float(_) | Input::Bool(_) | Input::Str(_),
            Json::String(string),
        ) => text(input, string),
        (Input::Choice(_), Json::String(string)) => Ok(Value::Choice(vec![string.clone()])),
        (Input::Choice(_), Json::Array(items)) => json_choice(items),
        (Input::Object(object), Json::Object(members)) => json_object(object, members),
        (input, json) => {
            Err(refuse(format!("must be {}, not {}", wanted_json(input), json_kind(json))))
        }
    }
}

fn json_choice(items: &[Json]) -> Parsed {
    let selected = items.iter().map(|item| match item {
        Json::String(value) => Ok(value.clone()),
        other => Err(refuse(format!("must hold strings only, not {}", json_kind(other)))),
    });
    selected.collect::<Result<_, _>>().map(Value::Choice)
}

fn json_object(object: &ObjectInput, members: &serde_json::Map<String, Json>) -> Parsed {
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

fn int(text: &str) -> Parsed {
    let text = text.trim();
    text.parse().map(Value::Int).map_err(|_| {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            refuse(format!("must lie between {} and {}", i64::MIN, i64::MAX))
        } else {
            refuse("must be a whole number, such as 42")
        }
    })
}

fn float(text: &str) -> Parsed {
    let text = text.trim();
    // Rust also reads "inf", "infinity" and "nan", which are no numbers that a person could mean.
    let numeric = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    match text.parse::<f64>() {
        Ok(number) if numeric && number.is_finite() => Ok(Value::Float(number)),
        Ok(_) if numeric => Err(refuse("is too large for a number of 64 bits")),
        _ => Err(refuse("must be a number, such as 1.5")),
    }
}

fn bool(text: &str) -> Parsed {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "t" => Ok(Value::Bool(true)),
        "false" | "0" | "no" | "n" | "f" => Ok(Value::Bool(false)),
        _ => Err(refuse("must be one of true, 1, yes, y, t, false, 0, no, n, f")),
    }
}

/// Options by value; one that is no value but the label of exactly one option counts as that option.
fn options<'a>(choice: &ChoiceInput, given: impl Iterator<Item = &'a str>) -> Vec<String> {
    given.map(|text| by_label(choice, text).unwrap_or(text).to_owned()).collect()
}

fn by_label<'a>(choice: &'a ChoiceInput, text: &str) -> Option<&'a str> {
    if choice.options.iter().any(|option| option.value == text) {
        return None;
    }
    let mut labelled = choice.options.iter().filter(|option| option.label == text);
    let first = labelled.next()?;
    labelled.next().is_none().then_some(first.value.as_str())
}

fn wanted_json(input: &Input) -> &'static str {
    match input {
        Input::Int(_) => "a whole number",
        Input::Float(_) => "a number",
        Input::Str(_) => "a string",
        Input::Bool(_) => "true or false",
        Input::Choice(_) => "a string or an array of strings",
        Input::Object(_) => "an object",
    }
}

fn json_kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
