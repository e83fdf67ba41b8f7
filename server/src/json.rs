//! Canonical proto JSON, for everything that speaks it: the HTTP routes and the command line.
//!
//! It comes from the descriptors at run time, not from derived code: the protos stay the only
//! description of a message, and an enum value that a newer peer sends stays a number instead of an
//! error. That costs some 15 µs a message, where a call to the store costs a hundred times that.
//!
//! What is canonical here: names are lowerCamelCase (and proto names are read too), 64-bit numbers
//! are written as strings and read as either, exactly or not at all, fields at their default are left out (a bool of a
//! oneof or an optional field is not), and a name that no field has is an error, so that a slip in
//! a name cannot silently drop what it was meant to say.

mod wrong;

use std::sync::LazyLock;

use hitl_core::{Violation, literal, strict_json};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::Value;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(hitl_proto::FILE_DESCRIPTOR_SET)
        .expect("the descriptors were compiled together with the messages")
});

/// Every descriptor of the API.
pub fn descriptors() -> &'static DescriptorPool {
    &POOL
}

/// `message` as canonical proto JSON.
pub fn to_json<M: prost::Message + prost::Name>(message: &M) -> Value {
    let mut dynamic = DynamicMessage::new(descriptor::<M>());
    dynamic.transcode_from(message).expect("a message fits its own descriptor");
    serde_json::to_value(dynamic).expect("proto JSON has only strings as keys")
}

/// The text of [`to_json`], without its tree: that of a long list takes ten times the text.
pub fn to_text<M: prost::Message + prost::Name>(message: &M) -> Vec<u8> {
    let mut dynamic = DynamicMessage::new(descriptor::<M>());
    dynamic.transcode_from(message).expect("a message fits its own descriptor");
    serde_json::to_vec(&dynamic).expect("proto JSON has only strings as keys")
}

/// The message that `bytes` describe in canonical proto JSON.
///
/// # Errors
/// What is wrong with which field, in words for whoever wrote the JSON; or with the body, if it is no JSON.
pub fn from_json<M: prost::Message + prost::Name + Default>(
    bytes: &[u8],
) -> Result<M, Vec<Violation>> {
    let message = read(&descriptor::<M>(), bytes)?;
    message.transcode_to().map_err(|error| {
        vec![Violation::new("body", format!("is not a {} in JSON: {error}", M::NAME))]
    })
}

/// The message of that kind which `bytes` describe in canonical proto JSON.
///
/// # Errors
/// Those of [`from_json`].
pub fn read(kind: &MessageDescriptor, bytes: &[u8]) -> Result<DynamicMessage, Vec<Violation>> {
    let refuse = |message| vec![Violation::new("body", message)];
    let text = std::str::from_utf8(bytes)
        .map_err(|error| refuse(format!("is not UTF-8 at byte {}", error.valid_up_to() + 1)))?;
    // A byte order mark is no part of JSON, and some programs write one.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    strict_json::check(text.as_bytes()).map_err(refuse)?;
    let exact = literal::exact(text).map_err(refuse)?;
    let no_message = |error: String| refuse(format!("is not a {} in JSON: {error}", kind.name()));
    let json: Value =
        serde_json::from_str(&exact).map_err(|error| no_message(error.to_string()))?;
    // First of all, since the reader takes the second of two names for one field, and names nothing else either.
    let broken = wrong::fields(kind, &json);
    if !broken.is_empty() {
        return Err(broken);
    }
    DynamicMessage::deserialize(kind.clone(), &json).map_err(|error| no_message(error.to_string()))
}

fn descriptor<M: prost::Name>() -> MessageDescriptor {
    POOL.get_message_by_name(&M::full_name())
        .expect("every message of the API is among the descriptors")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hitl_proto::v1::{self, input, value};
    use serde_json::json;

    use super::*;

    fn read<M: prost::Message + prost::Name + Default>(json: &Value) -> Result<M, Vec<Violation>> {
        from_json(json.to_string().as_bytes())
    }

    fn said(broken: Vec<Violation>) -> String {
        broken.into_iter().map(|v| format!("{} {};", v.field, v.message)).collect()
    }

    fn value(kind: value::Kind) -> v1::Value {
        v1::Value { kind: Some(kind) }
    }

    #[test]
    fn every_kind_of_value_survives_its_json() {
        let fields = BTreeMap::from([("a".to_owned(), value(value::Kind::Int(i64::MIN)))]);
        let selected = vec!["x".to_owned(), "ü".to_owned()];
        let cases = [
            (value::Kind::Int(i64::MAX), json!({"int": "9223372036854775807"})),
            (value::Kind::Int(0), json!({"int": "0"})),
            (value::Kind::Float(0.1), json!({"float": 0.1})),
            (value::Kind::Str(String::new()), json!({"str": ""})),
            (value::Kind::Bool(false), json!({"bool": false})),
            (
                value::Kind::Choice(v1::ChoiceValue { selected }),
                json!({"choice": {"selected": ["x", "ü"]}}),
            ),
            (
                value::Kind::Object(v1::ObjectValue { fields }),
                json!({"object": {"fields": {"a": {"int": "-9223372036854775808"}}}}),
            ),
        ];
        for (kind, expected) in cases {
            let message = value(kind);
            assert_eq!(to_json(&message), expected);
            assert_eq!(read(&expected), Ok(message));
        }
    }

    #[test]
    fn a_whole_number_is_read_from_a_number_and_from_a_string() {
        let max = value(value::Kind::Int(i64::MAX));
        for text in [r#"{"int": 9223372036854775807}"#, r#"{"int": "9223372036854775807"}"#] {
            assert_eq!(from_json(text.as_bytes()), Ok(max.clone()));
        }
        assert!(from_json::<v1::Value>(br#"{"int": 9223372036854775808}"#).is_err());
    }

    #[test]
    fn a_whole_number_is_exact_or_refused() {
        let int = |number| value(value::Kind::Int(number));
        for (text, number) in [
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("1e3", 1_000),
            ("-9223372036854775808.0", i64::MIN),
        ] {
            assert_eq!(from_json(format!(r#"{{"int": {text}}}"#).as_bytes()), Ok(int(number)));
        }
        for text in [
            "4503599627370497.5",
            "1.00000000000000001",
            "9223372036854775808.0",
            "-9223372036854775809",
            "1e-400",
        ] {
            let read = from_json::<v1::Value>(format!(r#"{{"int": {text}}}"#).as_bytes());
            assert!(read.is_err(), "{text}: {read:?}");
        }
        let float = from_json(br#"{"float": 9223372036854775808.0}"#);
        assert_eq!(float, Ok(value(value::Kind::Float(9_223_372_036_854_775_808.0))));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_json_and_bytes_that_are_no_text_are_refused() {
        assert_eq!(from_json(b"\xEF\xBB\xBF{\"int\": 1}"), Ok(value(value::Kind::Int(1))));
        for bytes in [&b"{\"str\": \"\xE9\"}"[..], b"{\"\xFF\": 1}", b"{\"str\": \"\\ud800\"}"] {
            assert!(from_json::<v1::Value>(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn times_enums_and_durations_are_in_their_canonical_forms() {
        let request: v1::CreateEventRequest = read(&json!({
            "name": "n", "prompt": "p", "promptFormat": "PROMPT_FORMAT_MARKDOWN",
            "input": {"int": {"min": -1}}, "ttl": "1.500s", "idempotency_key": "k",
        }))
        .unwrap();
        assert_eq!(request.prompt_format(), v1::PromptFormat::Markdown);
        assert_eq!(request.idempotency_key, "k", "proto names are read too");
        let min = Some(input::Kind::Int(v1::IntInput { min: Some(-1), max: None }));
        assert_eq!(request.input.clone().unwrap().kind, min);
        let json = to_json(&request);
        assert_eq!(json["ttl"], "1.500s");
        assert_eq!(json["idempotencyKey"], "k");
        assert_eq!(json.get("scope"), None, "defaults are left out");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_words() {
        let cases = [
            (r#"{"nmae": "x"}"#, "nmae"),
            (r#"{"name": 1}"#, "name must be text"),
            (r#"{"name": "x", "name": "x"}"#, "two members named \"name\""),
            (r#"{"labels": {"a": "x", "\u0061": "y"}}"#, "two members named \"a\""),
            (r#"{"name": "x""#, "line 1"),
            (r#"{"name": "x"} {}"#, "trailing"),
            (r#"{"ttl": "1s", "deadline": "2026-11-22T13:37:00Z"}"#, "deadline must not be given"),
            ("", "EOF"),
            ("[]", "object"),
        ];
        for (text, word) in cases {
            let message = said(from_json::<v1::CreateEventRequest>(text.as_bytes()).unwrap_err());
            assert!(message.contains(word), "{text}: {message}");
        }
    }

    #[test]
    fn nesting_is_bounded_before_it_is_followed() {
        let deep = |n: usize| {
            let open = r#"{"object": {"fields": {"a": "#.repeat(n);
            format!(r#"{open}{{"int": 1}}{}"#, "}}}".repeat(n))
        };
        assert!(from_json::<v1::Value>(deep(1).as_bytes()).is_ok());
        assert!(from_json::<v1::Value>(deep(10).as_bytes()).is_ok());
        for n in [11, 1000, 100_000] {
            let message = said(from_json::<v1::Value>(deep(n).as_bytes()).unwrap_err());
            assert!(message.contains("32 deep"), "{message}");
        }
        let brackets_in_text = format!(r#"{{"str": "{}\""}}"#, "[".repeat(100));
        assert!(from_json::<v1::Value>(brackets_in_text.as_bytes()).is_ok());
    }
}
