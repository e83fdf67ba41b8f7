//! One property of a schema as a field.

use serde_json::{Map, Value as Json};

use super::Field;
use super::options::options;
use super::reader::Reader;
use crate::choice::ChoiceInput;
use crate::input::{BoolInput, FloatInput, Input, IntInput, StrFormat, StrInput};
use crate::limits;
use crate::parse;
use crate::value::Value;

/// The field that `property` describes; none if it cannot be read, which `schema` then holds.
pub(super) fn field(
    schema: &mut Reader<'_>,
    name: &str,
    property: &Json,
    required: bool,
) -> Option<Field> {
    let at = format!("properties.{name}");
    let Some(property) = property.as_object() else {
        schema.refuse(&at, "must be an object");
        return None;
    };
    let mut reader = schema.within(&at, property);
    let faults_before = reader.faults.count();
    if name.is_empty()
        || name.chars().count() > limits::LABEL_KEY_CHARS_MAX
        || name.chars().any(char::is_control)
    {
        let longest = limits::LABEL_KEY_CHARS_MAX;
        reader.refuse("", format!("must have a name of 1 to {longest} printable characters"));
    }
    let title = reader.string("title").unwrap_or_default();
    let description = reader.string("description").unwrap_or_default();
    judge_texts(&mut reader, &description);
    let input = input(&mut reader);
    if reader.faults.is_create() && reader.faults.count() == faults_before {
        for broken in input.check_self() {
            reader.refuse_at_create("", format!("{}: {}", broken.field, broken.message));
        }
    }
    // A default can only be judged by an input that makes sense itself.
    let default = property.get("default").filter(|_| reader.faults.count() == faults_before);
    let default = default.and_then(|json| default_of(&mut reader, &input, json));
    let is_readable = reader.faults.count() == faults_before;
    is_readable.then(|| Field {
        name: name.to_owned(),
        title,
        description,
        required,
        default,
        input,
    })
}

fn judge_texts(reader: &mut Reader<'_>, description: &str) {
    if let Some(title) = reader.members.get("title").filter(|json| json.is_string()) {
        reader.judge_title("title", title);
    }
    let longest = limits::FIELD_DESCRIPTION_CHARS_MAX;
    if description.chars().count() > longest {
        reader.refuse_at_create("description", format!("must have at most {longest} characters"));
    }
    if description.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        reader.refuse_at_create("description", "must not hold control characters");
    }
}

fn input(reader: &mut Reader<'_>) -> Input {
    let members = reader.members;
    match members.get("type").and_then(Json::as_str).unwrap_or_default() {
        "string" if members.contains_key("enum") || members.contains_key("oneOf") => {
            allow(reader, &["enum", "enumNames", "oneOf"]);
            let options = options(reader, "oneOf");
            Input::Choice(ChoiceInput { options, min_selected: 1, max_selected: 1 })
        }
        "string" => text(reader),
        "integer" => {
            allow(reader, &["minimum", "maximum"]);
            Input::Int(IntInput { min: reader.whole("minimum"), max: reader.whole("maximum") })
        }
        "number" => {
            allow(reader, &["minimum", "maximum"]);
            Input::Float(FloatInput {
                min: reader.number("minimum"),
                max: reader.number("maximum"),
            })
        }
        "boolean" => {
            allow(reader, &[]);
            Input::Bool(BoolInput::default())
        }
        "array" => array(reader),
        _ => {
            let message = "must be string, integer, number, boolean, or array of enum items";
            reader.refuse("type", message);
            Input::Bool(BoolInput::default())
        }
    }
}

fn text(reader: &mut Reader<'_>) -> Input {
    allow(reader, &["minLength", "maxLength", "pattern", "format"]);
    let format = reader.string("format").and_then(|name| {
        let format = StrFormat::from_name(&name);
        if format.is_none() {
            reader.refuse("format", "must be email, uri, date or date-time");
        }
        format
    });
    Input::Str(StrInput {
        min_length: reader.length("minLength"),
        max_length: reader.length("maxLength"),
        pattern: reader.string("pattern"),
        multiline: false,
        format,
    })
}

fn array(reader: &mut Reader<'_>) -> Input {
    allow(reader, &["items", "minItems", "maxItems", "uniqueItems"]);
    if reader.members.get("uniqueItems").is_some_and(|json| !json.is_boolean()) {
        reader.refuse_at_create("uniqueItems", "must be true or false");
    }
    let empty = Map::new();
    let items = reader.members.get("items").and_then(Json::as_object).unwrap_or(&empty);
    let mut holder = reader.within("items", items);
    holder.allow(&["type", "enum", "enumNames", "anyOf"]);
    if items.get("type").is_some_and(|kind| kind != "string") {
        holder.refuse_at_create("type", "must be \"string\" if given, as its options are");
    }
    let options = options(&mut holder, "anyOf");
    let all = u32::try_from(options.len()).unwrap_or(u32::MAX);
    let min_selected = reader.length("minItems").unwrap_or(0);
    let max_selected = reader.length("maxItems").unwrap_or(all.max(1));
    Input::Choice(ChoiceInput { options, min_selected, max_selected })
}

fn allow(reader: &mut Reader<'_>, keywords: &[&str]) {
    reader.allow(&[&["type", "title", "description", "default"], keywords].concat());
}

/// The default, if it is an answer to `input`.
fn default_of(reader: &mut Reader<'_>, input: &Input, json: &Json) -> Option<Value> {
    if reader.faults.is_create()
        && let Some(message) = unfit(reader, input, json)
    {
        reader.refuse_at_create("default", message);
        return None;
    }
    match parse::json(input, &json.to_string()).and_then(|value| input.check(&value)) {
        Ok(value) => Some(value),
        Err(broken) => {
            let messages: Vec<_> = broken.into_iter().map(|v| v.message).collect();
            reader.refuse_at_create("default", messages.join("; "));
            None
        }
    }
}

/// Why `json` is no default, although it may be read as an answer: answers may be typed, defaults are JSON.
fn unfit(reader: &Reader<'_>, input: &Input, json: &Json) -> Option<&'static str> {
    let is_array = reader.members.get("type").is_some_and(|kind| kind == "array");
    match (input, json) {
        (Input::Int(_) | Input::Float(_), Json::String(_)) => {
            Some("must be a number, not a string")
        }
        (Input::Bool(_), Json::String(_)) => Some("must be true or false, not a string"),
        (Input::Choice(_), Json::String(_)) if is_array => Some("must be an array of options"),
        (Input::Choice(_), Json::Array(_)) if !is_array => Some("must be one option, not an array"),
        (Input::Choice(choice), Json::String(_) | Json::Array(_)) => {
            let given = json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice);
            let is_value = |json: &Json| choice.options.iter().any(|option| *json == option.value);
            (!given.iter().all(is_value)).then_some("must name options by their values")
        }
        // A page cannot hold it: it would come back as another character.
        (Input::Str(_), Json::String(text)) if text.contains('\0') => {
            Some("must not hold the character U+0000")
        }
        _ => None,
    }
}
