//! Answers to try on every way in: good ones of every kind, up to the limits, and bad ones with the field at fault.

use hitl_proto::v1::StrFormat;
use hitl_proto::v1::input::Kind as Input;
use hitl_proto::v1::value::Kind as Value;
use serde_json::{Value as Json, json};

use crate::kinds::{
    colours, fields, float, float_within, int, int_within, person, picked, text, text_between,
    text_in, text_like, yes_or_no,
};

/// An input, an answer to it, and the value that must come out.
pub(crate) struct Good {
    pub(crate) input: Input,
    pub(crate) given: Value,
    pub(crate) stored: Value,
}

fn good(input: Input, value: Value) -> Good {
    Good { input, given: value.clone(), stored: value }
}

fn str_value(text: &str) -> Value {
    Value::Str(text.to_owned())
}

pub(crate) fn good_answers() -> Vec<Good> {
    let numbers = [
        good(int(), Value::Int(i64::MIN)),
        good(int(), Value::Int(i64::MAX)),
        good(int(), Value::Int(i64::MAX - 1)),
        good(int_within(0, 0), Value::Int(0)),
        good(float(), Value::Float(f64::MAX)),
        good(float(), Value::Float(f64::MIN_POSITIVE)),
        good(float(), Value::Float(0.1)),
        good(float_within(-1.5, -1.5), Value::Float(-1.5)),
    ];
    let texts = [
        good(text(), str_value("")),
        good(text(), str_value("two\nlines\n")),
        good(text(), str_value("Grüße, 世界, \u{202e}ltr\u{202c} 👩‍👩‍👧‍👦🇺🇳 e\u{301}")),
        good(text(), str_value("<script>alert(1)</script> & \"quotes' %0d%0a + %")),
        good(text(), str_value(&"x".repeat(256 * 1024))),
        // Each of its bytes is three in a form.
        good(text(), str_value(&"ü".repeat(128 * 1024))),
        good(text_between(3, 3), str_value("👩👧👦")),
        good(text_like("^[a-z]+-[0-9]{2}$"), str_value("ab-12")),
        good(text_in(StrFormat::Email), str_value("ann@example.org")),
        good(text_in(StrFormat::Uri), str_value("https://example.org/?q=1#f")),
        good(text_in(StrFormat::Date), str_value("2024-02-29")),
        good(text_in(StrFormat::DateTime), str_value("2026-11-22T13:37:00Z")),
    ];
    let picks = [
        good(yes_or_no(), Value::Bool(true)),
        good(yes_or_no(), Value::Bool(false)),
        good(colours(1, 1), picked(&["green"])),
        Good {
            input: colours(1, 3),
            given: picked(&["blue", "red"]),
            stored: picked(&["red", "blue"]),
        },
    ];
    let objects = [good(person(), everything()), good(person(), only_what_is_required())];
    numbers.into_iter().chain(texts).chain(picks).chain(objects).collect()
}

fn everything() -> Value {
    fields([
        ("name", str_value("Zoë")),
        ("age", Value::Int(41)),
        ("height", Value::Float(1.75)),
        ("member", Value::Bool(false)),
        ("mail", str_value("zoe@example.org")),
        ("colour", picked(&["red"])),
        ("tags", picked(&["a", "c"])),
    ])
}

fn only_what_is_required() -> Value {
    fields([("name", str_value("Al")), ("age", Value::Int(0))])
}

/// An input, a plain JSON answer that does not fit it, and the path of the field at fault.
pub(crate) struct Bad {
    pub(crate) input: Input,
    pub(crate) json: Json,
    pub(crate) field: &'static str,
}

pub(crate) fn bad_answers() -> Vec<Bad> {
    let bad = |input: &Input, json: Json| Bad { input: input.clone(), json, field: "value" };
    let mut all = Vec::new();
    for json in [json!(1.5), json!("9223372036854775808"), json!(1e300), json!("1_0")] {
        all.push(bad(&int(), json));
    }
    for json in [json!(-1), json!(11), json!(true), json!([1])] {
        all.push(bad(&int_within(0, 10), json));
    }
    for json in [json!("NaN"), json!("inf"), json!("-Infinity"), json!("1,234"), json!({})] {
        all.push(bad(&float(), json));
    }
    all.push(bad(&float_within(0.0, 1.0), json!(1.0000001)));
    for json in [json!("ab"), json!("abcdef"), json!(123), json!(["abc"])] {
        all.push(bad(&text_between(3, 5), json));
    }
    all.push(bad(&text(), json!("x".repeat(256 * 1024 + 1))));
    all.push(bad(&text_like("^[a-z]+$"), json!("ABC")));
    all.push(bad(&text_in(StrFormat::Email), json!("nobody")));
    all.push(bad(&text_in(StrFormat::Uri), json!("no scheme")));
    all.push(bad(&text_in(StrFormat::Date), json!("2023-02-29")));
    all.push(bad(&text_in(StrFormat::DateTime), json!("2026-11-22 noon")));
    for json in [json!("maybe"), json!("approve"), json!("on"), json!(""), json!(1)] {
        all.push(bad(&yes_or_no(), json));
    }
    for json in [json!("pink"), json!([]), json!(["red", "green"]), json!("RED"), json!(0)] {
        all.push(bad(&colours(1, 1), json));
    }
    for json in [json!(["red"]), json!(["red", "red"]), json!(["red", "green", "pink"])] {
        all.push(bad(&colours(2, 3), json));
    }
    all.extend(bad_objects());
    all
}

fn bad_objects() -> Vec<Bad> {
    let wrong = [
        (json!({"name": "Ann"}), "value.age"),
        (json!({"name": "A", "age": 1}), "value.name"),
        (json!({"name": "Ann", "age": 151}), "value.age"),
        (json!({"name": "Ann", "age": "old"}), "value.age"),
        (json!({"name": "Ann", "age": 1, "mail": "nobody"}), "value.mail"),
        (json!({"name": "Ann", "age": 1, "colour": "pink"}), "value.colour"),
        (json!({"name": "Ann", "age": 1, "tags": ["a", "b", "c"]}), "value.tags"),
        (json!({"name": "Ann", "age": 1, "member": "perhaps"}), "value.member"),
        (json!({"name": "Ann", "age": 1, "role": "admin"}), "value.role"),
        (json!([]), "value"),
        (json!("Ann"), "value"),
    ];
    let bad = |(json, field)| Bad { input: person(), json, field };
    wrong.into_iter().map(bad).collect()
}
