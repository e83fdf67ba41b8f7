//! What a schema asks for of a struct whose fields hold less than it would let through.

use std::collections::HashMap;
use std::num::{NonZeroI8, NonZeroU64, NonZeroUsize};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use crate::bounds::narrowed;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Narrow {
    a: i8,
    b: i16,
    c: i32,
    d: i64,
    e: u8,
    f: u16,
    g: u32,
    h: u64,
    i: f32,
    j: f64,
    k: Option<u16>,
    l: Wrapped,
    #[serde(rename = "em")]
    m: u8,
    n: NonZeroI8,
    o: NonZeroU64,
    p: Option<NonZeroUsize>,
    q: char,
    r: Box<Option<Wrapped>>,
    s: u128,
    t: i128,
    u: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Wrapped(i16);

fn property<T: DeserializeOwned>(name: &str, property: &Json) -> Json {
    let schema = json!({"type": "object", "properties": {name: property}});
    let narrow: Json = serde_json::from_str(&narrowed::<T>(schema.to_string())).unwrap();
    narrow["properties"][name].clone()
}

#[test]
fn numbers_are_asked_for_within_what_a_field_holds() {
    let unbounded = i64::MIN..=i64::MAX;
    for (name, range) in [
        ("a", -128..=127),
        ("b", -32768..=32767),
        ("c", i64::from(i32::MIN)..=i64::from(i32::MAX)),
        ("d", unbounded.clone()),
        ("e", 0..=255),
        ("f", 0..=65535),
        ("g", 0..=i64::from(u32::MAX)),
        ("h", 0..=i64::MAX),
        ("k", 0..=65535),
        ("l", -32768..=32767),
        ("em", 0..=255),
        ("n", -128..=127),
        ("o", 1..=i64::MAX),
        ("p", 1..=i64::MAX),
        ("r", -32768..=32767),
        ("s", 0..=i64::MAX),
        ("t", unbounded),
    ] {
        let mut expected = json!({"type": "integer"});
        if *range.start() > i64::MIN {
            expected["minimum"] = (*range.start()).into();
        }
        if *range.end() < i64::MAX {
            expected["maximum"] = (*range.end()).into();
        }
        assert_eq!(property::<Narrow>(name, &json!({"type": "integer"})), expected, "{name}");
    }
    let single = json!({"type": "number", "minimum": f32::MIN, "maximum": f32::MAX});
    assert_eq!(property::<Narrow>("i", &json!({"type": "number"})), single);
    assert_eq!(property::<Narrow>("j", &json!({"type": "number"})), json!({"type": "number"}));
    let one = json!({"type": "string", "minLength": 1, "maxLength": 1});
    assert_eq!(property::<Narrow>("q", &json!({"type": "string"})), one);
    assert_eq!(property::<Narrow>("u", &json!({"type": "string"})), json!({"type": "string"}));
    let of_map = property::<HashMap<String, u8>>("any", &json!({"type": "integer"}));
    assert_eq!(of_map["maximum"], 255);
}

#[test]
fn tighter_bounds_stay_and_wider_ones_do_not() {
    for (given, narrow) in [
        (json!([1, 9]), json!([1, 9])),
        (json!([-5, 70_000]), json!([0, 255])),
        (json!([0, 255]), json!([0, 255])),
        (json!([300, 9]), json!([300, 9])),
        (json!(["x", true]), json!(["x", true])),
        (json!([-1.5, 1e300]), json!([0, 255])),
    ] {
        let asked = json!({"type": "integer", "minimum": given[0], "maximum": given[1]});
        let found = property::<Narrow>("e", &asked);
        assert_eq!(json!([found["minimum"], found["maximum"]]), narrow, "{given}");
    }
}

#[test]
fn a_schema_that_fits_is_left_as_it_was_written() {
    for schema in [
        r#"{ "type":"object", "properties":{ "d": {"type" : "integer"}, "u": {"type":"string"} } }"#,
        r#"{"properties":{"e":{"type":"integer","minimum":1,"maximum":2},"x":{"type":"integer"}}}"#,
        r#"{"properties":{"e":7}}"#,
        r#"{"properties":[]}"#,
        "[]",
        "no JSON",
        "",
    ] {
        assert_eq!(narrowed::<Narrow>(schema.to_owned()), schema);
        assert_eq!(narrowed::<Json>(schema.to_owned()), schema);
    }
}
