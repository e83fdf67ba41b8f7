//! Inputs and values in short spelling, and each value in the forms in which a caller can send it.

use hitl_proto::v1::input::Kind as Input;
use hitl_proto::v1::value::Kind as Value;
use hitl_proto::v1::{
    BoolInput, ChoiceInput, ChoiceOption, ChoiceValue, FloatInput, IntInput, ObjectInput,
    ObjectValue, ReviewValue, StrFormat, StrInput,
};
use serde_json::{Value as Json, json};

pub(crate) fn int() -> Input {
    Input::Int(IntInput::default())
}

pub(crate) fn int_within(min: i64, max: i64) -> Input {
    Input::Int(IntInput { min: Some(min), max: Some(max) })
}

pub(crate) fn float() -> Input {
    Input::Float(FloatInput::default())
}

pub(crate) fn float_within(min: f64, max: f64) -> Input {
    Input::Float(FloatInput { min: Some(min), max: Some(max) })
}

/// Text that may be empty.
pub(crate) fn text() -> Input {
    Input::Str(StrInput { min_length: Some(0), multiline: true, ..StrInput::default() })
}

pub(crate) fn text_between(min: u32, max: u32) -> Input {
    Input::Str(StrInput { min_length: Some(min), max_length: Some(max), ..StrInput::default() })
}

pub(crate) fn text_like(pattern: &str) -> Input {
    Input::Str(StrInput { pattern: pattern.to_owned(), ..StrInput::default() })
}

pub(crate) fn text_in(format: StrFormat) -> Input {
    Input::Str(StrInput { format: format.into(), ..StrInput::default() })
}

pub(crate) fn yes_or_no() -> Input {
    Input::Bool(BoolInput::default())
}

/// A choice of `min` to `max` of red, green and blue.
pub(crate) fn colours(min: u32, max: u32) -> Input {
    let option = |value: &str, label: &str| ChoiceOption {
        value: value.to_owned(),
        label: label.to_owned(),
        description: String::new(),
    };
    Input::Choice(ChoiceInput {
        options: vec![option("red", "Red"), option("green", ""), option("blue", "Deep blue")],
        min_selected: Some(min),
        max_selected: Some(max),
    })
}

/// An object with a field of every kind, of which `name` and `age` are required.
pub(crate) fn person() -> Input {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "title": "Full name", "minLength": 2, "maxLength": 20},
            "age": {"type": "integer", "minimum": 0, "maximum": 150},
            "height": {"type": "number", "minimum": 0.1},
            "member": {"type": "boolean"},
            "mail": {"type": "string", "format": "email"},
            "colour": {"type": "string", "enum": ["red", "green"]},
            "tags": {"type": "array", "items": {"type": "string", "enum": ["a", "b", "c"]},
                "minItems": 1, "maxItems": 2},
        },
        "required": ["name", "age"],
    });
    Input::Object(ObjectInput { json_schema: schema.to_string() })
}

pub(crate) fn picked(values: &[&str]) -> Value {
    Value::Choice(ChoiceValue { selected: values.iter().map(|&v| v.to_owned()).collect() })
}

pub(crate) fn fields<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let field =
        |(name, kind): (&str, Value)| (name.to_owned(), hitl_proto::v1::Value { kind: Some(kind) });
    Value::Object(ObjectValue { fields: fields.into_iter().map(field).collect() })
}

/// The value as the canonical JSON of a `hitl.v1.Value`.
pub(crate) fn canonical(value: &Value) -> Json {
    match value {
        Value::Int(number) => json!({"int": number.to_string()}),
        Value::Float(number) => json!({"float": number}),
        Value::Str(text) => json!({"str": text}),
        Value::Bool(truth) => json!({"bool": truth}),
        Value::Choice(choice) => json!({"choice": {"selected": choice.selected}}),
        Value::Object(object) => {
            let fields = object
                .fields
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), canonical(value.kind.as_ref()?))));
            json!({"object": {"fields": fields.collect::<serde_json::Map<_, _>>()}})
        }
        Value::Review(review) => json!({"review": {
            "decision": review.decision().as_str_name(), "arguments": review.arguments, "message": review.message,
        }}),
    }
}

/// The value as plain JSON.
pub(crate) fn plain(value: &Value) -> Json {
    match value {
        Value::Int(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Str(text) => json!(text),
        Value::Bool(truth) => json!(truth),
        Value::Choice(choice) => json!(choice.selected),
        Value::Object(object) => {
            let fields = object.fields.iter();
            let fields =
                fields.filter_map(|(name, v)| Some((name.clone(), plain(v.kind.as_ref()?))));
            Json::Object(fields.collect())
        }
        Value::Review(review) => {
            let arguments = serde_json::from_str(&review.arguments).unwrap_or(Json::Null);
            let mut plain = json!({"decision": decision(review), "message": review.message});
            if !arguments.is_null() {
                plain["arguments"] = arguments;
            }
            plain
        }
    }
}

fn decision(review: &ReviewValue) -> String {
    review.decision().as_str_name().trim_start_matches("REVIEW_DECISION_").to_lowercase()
}

/// The value as the fields of a submitted form.
pub(crate) fn form(value: &Value) -> Vec<(String, String)> {
    form_fields("value", value)
}

fn form_fields(name: &str, value: &Value) -> Vec<(String, String)> {
    let one = |text: String| vec![(name.to_owned(), text)];
    match value {
        Value::Int(number) => one(number.to_string()),
        Value::Float(number) => one(number.to_string()),
        Value::Str(text) => one(text.clone()),
        Value::Bool(truth) => one(truth.to_string()),
        Value::Choice(choice) => {
            choice.selected.iter().map(|v| (name.to_owned(), v.clone())).collect()
        }
        Value::Object(object) => {
            let fields = object.fields.iter().filter_map(|(field, value)| {
                Some(form_fields(&format!("{name}.{field}"), value.kind.as_ref()?))
            });
            fields.flatten().collect()
        }
        Value::Review(review) => vec![
            (format!("{name}.decision"), decision(review)),
            (format!("{name}.arguments"), review.arguments.clone()),
            (format!("{name}.message"), review.message.clone()),
        ],
    }
}
