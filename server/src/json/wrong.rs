//! Says which fields of a message have a form that they cannot have, and how to write them.
//!
//! It is asked before a message is read: the reader stops at the first thing it does not understand, in
//! words about types and columns, and whoever wrote the JSON needs names.

use hitl_core::Violation;
use hitl_proto::visible;
use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

/// Most fields that are named; whoever mends these hears of the rest.
const NAMED_MAX: usize = 20;
/// How much is shown of a name that no field has.
const NAME_CHARS_SHOWN: usize = 100;

/// The fields of `json`, as a message of `descriptor`, whose form is wrong.
pub(super) fn fields(descriptor: &MessageDescriptor, json: &Value) -> Vec<Violation> {
    let mut broken = Vec::new();
    message(&mut broken, "", descriptor, json);
    broken.truncate(NAMED_MAX);
    broken
}

fn message(broken: &mut Vec<Violation>, at: &str, descriptor: &MessageDescriptor, json: &Value) {
    match descriptor.full_name() {
        "google.protobuf.Duration" => well_known(
            broken,
            at,
            descriptor,
            json,
            "must be text with a number of seconds and an s, such as \"3600s\" for an hour or \"1.5s\"",
        ),
        "google.protobuf.Timestamp" => well_known(
            broken,
            at,
            descriptor,
            json,
            "must be text with a date and a time, such as \"2026-11-22T13:37:00Z\" or \
             \"2026-11-22T13:37:00.250+01:00\"",
        ),
        _ => match json.as_object() {
            Some(given) => members(broken, at, descriptor, given),
            None => refuse(broken, at, "an object", json),
        },
    }
}

fn well_known(
    broken: &mut Vec<Violation>,
    at: &str,
    descriptor: &MessageDescriptor,
    json: &Value,
    message: &str,
) {
    if DynamicMessage::deserialize(descriptor.clone(), json).is_err() {
        broken.push(Violation::new(at, message));
    }
}

fn members(
    broken: &mut Vec<Violation>,
    at: &str,
    descriptor: &MessageDescriptor,
    given: &Map<String, Value>,
) {
    let mut seen: Vec<FieldDescriptor> = Vec::new();
    for (name, value) in given {
        let known = descriptor.get_field_by_json_name(name);
        let Some(known) = known.or_else(|| descriptor.get_field_by_name(name)) else {
            let names: Vec<_> = descriptor.fields().map(|f| f.json_name().to_owned()).collect();
            let message = format!("is no field here; there are {}", names.join(", "));
            let name = visible::cut_line(name, NAME_CHARS_SHOWN);
            broken.push(Violation::new(below(at, &name), message));
            continue;
        };
        let path = below(at, known.name());
        if seen.contains(&known) {
            let (json_name, name) = (known.json_name(), known.name());
            let message = format!("must be given once, as {json_name} or as {name}");
            broken.push(Violation::new(&*path, message));
        }
        // Null is how some writers say that a field is not there.
        if !value.is_null() {
            let rival = seen.iter().find(|seen| are_rivals(seen, &known));
            if let Some(rival) = rival {
                let message =
                    format!("must not be given beside {}: give one of them", rival.name());
                broken.push(Violation::new(&*path, message));
            }
            field(broken, &path, &known, value);
            seen.push(known);
        }
    }
}

/// Whether only one of the two can be given.
fn are_rivals(a: &FieldDescriptor, b: &FieldDescriptor) -> bool {
    a != b && a.containing_oneof().is_some_and(|oneof| Some(oneof) == b.containing_oneof())
}

fn field(broken: &mut Vec<Violation>, at: &str, field: &FieldDescriptor, json: &Value) {
    if field.is_map() {
        let Some(entries) = json.as_object() else {
            return refuse(broken, at, "an object of names and values", json);
        };
        if let Kind::Message(entry) = field.kind() {
            let kind = entry.map_entry_value_field().kind();
            for (key, value) in entries {
                scalar(broken, &format!("{at}[{key:?}]"), &kind, value);
            }
        }
    } else if field.is_list() {
        let Some(items) = json.as_array() else {
            return refuse(broken, at, "an array", json);
        };
        for (index, item) in items.iter().enumerate() {
            scalar(broken, &format!("{at}[{index}]"), &field.kind(), item);
        }
    } else {
        scalar(broken, at, &field.kind(), json);
    }
}

fn scalar(broken: &mut Vec<Violation>, at: &str, kind: &Kind, json: &Value) {
    let (fits, wanted) = match kind {
        Kind::Message(descriptor) => return message(broken, at, descriptor, json),
        Kind::Enum(values) => return enumeration(broken, at, values, json),
        Kind::Bool => (json.is_boolean(), "true or false, without quotes"),
        Kind::String => (json.is_string(), "text in quotes, such as \"text\""),
        Kind::Bytes => (json.is_string(), "bytes in base64, such as \"aGl0bA==\""),
        Kind::Double | Kind::Float => {
            (is_number(json), "a number, such as 1.5, that 64 bits can hold")
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => (
            is_whole::<i64>(json),
            "a whole number from -9223372036854775808 to 9223372036854775807, such as 42 or \"42\"",
        ),
        Kind::Uint64 | Kind::Fixed64 => (
            is_whole::<u64>(json),
            "a whole number from 0 to 18446744073709551615, such as 42 or \"42\"",
        ),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            (is_whole::<i32>(json), "a whole number from -2147483648 to 2147483647, such as 42")
        }
        Kind::Uint32 | Kind::Fixed32 => {
            (is_whole::<u32>(json), "a whole number from 0 to 4294967295, such as 42")
        }
    };
    if !fits {
        refuse(broken, at, wanted, json);
    }
}

fn enumeration(broken: &mut Vec<Violation>, at: &str, values: &EnumDescriptor, json: &Value) {
    let fits = match json {
        Value::String(name) => values.get_value_by_name(name).is_some(),
        // A number that is not known here may be one of a newer version.
        other => is_whole::<i32>(other),
    };
    if !fits {
        let names: Vec<_> = values.values().map(|value| format!("\"{}\"", value.name())).collect();
        refuse(broken, at, &format!("one of {}", names.join(", ")), json);
    }
}

fn is_number(json: &Value) -> bool {
    match json {
        Value::Number(_) => true,
        Value::String(text) => text.parse::<f64>().is_ok(),
        _ => false,
    }
}

fn is_whole<N: TryFrom<i128> + std::str::FromStr>(json: &Value) -> bool {
    match json {
        Value::Number(number) => match (number.as_i128(), number.as_f64()) {
            (Some(whole), _) => N::try_from(whole).is_ok(),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "only whole numbers come here, and a cast saturates"
            )]
            (None, Some(double)) => double.fract() == 0.0 && N::try_from(double as i128).is_ok(),
            (None, None) => false,
        },
        Value::String(text) => text.parse::<N>().is_ok(),
        _ => false,
    }
}

fn below(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

fn refuse(broken: &mut Vec<Violation>, at: &str, wanted: &str, json: &Value) {
    /// Longest part of what was given that is said back.
    const GIVEN_CHARS_MAX: usize = 40;
    let text = json.to_string();
    let given = match json {
        Value::Object(_) => "an object",
        Value::Array(_) => "an array",
        _ if text.chars().count() <= GIVEN_CHARS_MAX => text.as_str(),
        _ => "something longer",
    };
    let field = if at.is_empty() { "body" } else { at };
    broken.push(Violation::new(field, format!("must be {wanted}, not {given}")));
}

#[cfg(test)]
mod tests {
    use hitl_proto::v1;

    use super::super::from_json;
    use super::*;

    fn wrong<M: prost::Message + prost::Name + Default>(json: &str) -> Vec<(String, String)> {
        let broken = from_json::<M>(json.as_bytes()).err().expect(json);
        broken.into_iter().map(|v| (v.field, v.message)).collect()
    }

    #[test]
    fn a_field_whose_form_is_wrong_is_named_with_how_to_write_it() {
        for (json, field, how) in [
            (r#"{"ttl": "1h"}"#, "ttl", "\"3600s\""),
            (r#"{"ttl": "3600"}"#, "ttl", "\"3600s\""),
            (r#"{"ttl": 3600}"#, "ttl", "\"3600s\""),
            (r#"{"ttl": {"seconds": 3600}}"#, "ttl", "\"3600s\""),
            (r#"{"deadline": "tomorrow"}"#, "deadline", "\"2026-11-22T13:37:00Z\""),
            (r#"{"deadline": "2026-11-22 13:37"}"#, "deadline", "\"2026-11-22T13:37:00Z\""),
            (r#"{"deadline": 1795354620}"#, "deadline", "\"2026-11-22T13:37:00Z\""),
            (r#"{"promptFormat": "markdown"}"#, "prompt_format", "\"PROMPT_FORMAT_MARKDOWN\""),
            (r#"{"prompt_format": true}"#, "prompt_format", "\"PROMPT_FORMAT_TEXT\""),
            (r#"{"name": 5}"#, "name", "text in quotes"),
            (r#"{"labels": ["a"]}"#, "labels", "an object"),
            (r#"{"labels": {"a": 1}}"#, "labels[\"a\"]", "text in quotes"),
            (r#"{"labels": {"a": null}}"#, "labels[\"a\"]", "text in quotes"),
            (r#"{"input": "int"}"#, "input", "an object"),
            (r#"{"input": {"int": {"min": "one"}}}"#, "input.int.min", "\"42\""),
            (r#"{"input": {"int": {"max": 1.5}}}"#, "input.int.max", "whole number"),
            (r#"{"input": {"int": {"max": 9223372036854775808}}}"#, "input.int.max", "whole"),
            (r#"{"input": {"float": {"min": "low"}}}"#, "input.float.min", "1.5"),
            (r#"{"input": {"str": {"minLength": -1}}}"#, "input.str.min_length", "from 0"),
            (r#"{"input": {"str": {"multiline": "yes"}}}"#, "input.str.multiline", "true or false"),
            (r#"{"input": {"str": {"format": "email"}}}"#, "input.str.format", "STR_FORMAT_EMAIL"),
            (r#"{"input": {"choice": {"options": {}}}}"#, "input.choice.options", "an array"),
            (
                r#"{"input": {"choice": {"options": ["a"]}}}"#,
                "input.choice.options[0]",
                "an object",
            ),
            (
                r#"{"input": {"choice": {"options": [{}, {"value": 1}]}}}"#,
                "input.choice.options[1].value",
                "text in quotes",
            ),
            (r#"{"onTimeout": {"fail": 1}}"#, "on_timeout.fail", "an object"),
            (
                r#"{"onTimeout": {"defaultValue": {"object": {"fields": {"a": {"int": "x"}}}}}}"#,
                "on_timeout.default_value.object.fields[\"a\"].int",
                "whole number",
            ),
            (r#"{"input": {"int": {"mni": 1}}}"#, "input.int.mni", "min, max"),
            (r#"{"input": {"int": {}, "str": {}}}"#, "input.str", "beside int"),
            (r#"{"ttl": "1s", "deadline": "2026-11-22T13:37:00Z"}"#, "deadline", "beside ttl"),
            (r#"{"idempotencyKey": "a", "idempotency_key": "b"}"#, "idempotency_key", "once"),
            ("[]", "body", "an object"),
        ] {
            let broken = wrong::<v1::CreateEventRequest>(json);
            assert_eq!(broken.len(), 1, "{json}: {broken:?}");
            assert_eq!(broken[0].0, field, "{json}: {broken:?}");
            assert!(broken[0].1.contains(how), "{json}: {broken:?}");
        }
    }

    #[test]
    fn all_fields_at_fault_are_named_at_once() {
        let broken = wrong::<v1::CreateEventRequest>(r#"{"name": 1, "prompt": [], "ttl": "1h"}"#);
        let fields: Vec<_> = broken.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["name", "prompt", "ttl"]);
    }

    #[test]
    fn a_message_that_can_be_read_has_no_field_at_fault() {
        let json = serde_json::json!({
            "name": "n", "prompt": null, "promptFormat": 2, "ttl": "0.5s", "labels": {"a": "b"},
            "input": {"choice": {"options": [{"value": "a"}], "minSelected": 1.0, "maxSelected": "1"}},
            "onTimeout": {"defaultValue": {"float": "1.5"}},
        });
        let descriptor = super::super::descriptor::<v1::CreateEventRequest>();
        assert_eq!(fields(&descriptor, &json), []);
        assert!(from_json::<v1::CreateEventRequest>(json.to_string().as_bytes()).is_ok());
    }
}
