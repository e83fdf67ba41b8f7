//! Which schemas are inside the subset, and how their fields judge an object.

use super::*;

fn object(json_schema: &str) -> ObjectInput {
    ObjectInput { json_schema: json_schema.into() }
}

fn broken_at(json_schema: &str) -> Vec<String> {
    object(json_schema)
        .fields()
        .expect_err("outside the subset")
        .into_iter()
        .map(|v| v.field)
        .collect()
}

const PERSON: &str = r#"{
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "title": "Name", "minLength": 1},
        "mail": {"type": "string", "format": "email"},
        "age": {"type": "integer", "minimum": 0, "maximum": 150, "default": 30},
        "score": {"type": "number"},
        "member": {"type": "boolean"},
        "colour": {"type": "string", "oneOf": [{"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}]},
        "tags": {"type": "array", "items": {"type": "string", "enum": ["x", "y", "z"]}, "maxItems": 2}
    }
}"#;

#[test]
fn each_property_becomes_a_field_with_an_input_of_its_own() {
    let fields = object(PERSON).fields().unwrap();
    let named: Vec<_> =
        fields.iter().map(|field| (field.name.as_str(), field.input.kind())).collect();
    let expected = [
        ("name", "str"),
        ("mail", "str"),
        ("age", "int"),
        ("score", "float"),
        ("member", "bool"),
        ("colour", "choice"),
        ("tags", "choice"),
    ];
    assert_eq!(named, expected);
    assert_eq!(fields[2].default, Some(Value::Int(30)));
    assert!(fields[0].required);
}

#[test]
fn an_object_is_judged_field_by_field_and_errors_name_the_field() {
    let input = Input::Object(object(PERSON));
    let judge = |json: &str| {
        parse::json(&input, json).and_then(|value| input.check(&value)).map_err(|broken| {
            broken.into_iter().map(|violation| violation.field).collect::<Vec<_>>()
        })
    };
    assert!(judge(r#"{"name": "Ann", "age": 9, "tags": ["z", "x"], "colour": "r"}"#).is_ok());
    assert_eq!(judge("{}").unwrap_err(), ["value.name"]);
    assert_eq!(judge(r#"{"name": "", "age": 151}"#).unwrap_err(), ["value.name", "value.age"]);
    assert_eq!(judge(r#"{"name": "A", "tags": ["x", "y", "z"]}"#).unwrap_err(), ["value.tags"]);
    assert_eq!(judge(r#"{"name": "A", "colour": "blue"}"#).unwrap_err(), ["value.colour"]);
    assert_eq!(judge(r#"{"name": "A", "mail": "x"}"#).unwrap_err(), ["value.mail"]);
    assert_eq!(judge(r#"{"name": "A", "extra": 1}"#).unwrap_err(), ["value.extra"]);
}

#[test]
fn what_lies_outside_the_subset_is_refused_by_name() {
    assert_eq!(broken_at("[]"), ["json_schema"]);
    assert_eq!(broken_at(r#"{"type":"object"}"#), ["json_schema.properties"]);
    let of = |property: &str| {
        broken_at(&format!(r#"{{"type":"object","properties":{{"p":{property}}}}}"#))
    };
    assert_eq!(of(r#"{"type":"object"}"#), ["json_schema.properties.p.type"]);
    assert_eq!(of(r#"{"type":"string","const":"x"}"#), ["json_schema.properties.p.const"]);
    assert_eq!(of(r#"{"type":"integer","minimum":1.5}"#), ["json_schema.properties.p.minimum"]);
    assert_eq!(
        of(r#"{"type":"array","items":{"type":"string"}}"#),
        ["json_schema.properties.p.items"]
    );
    assert_eq!(of(r#"{"type":"integer","minimum":2,"maximum":1}"#), ["json_schema.properties.p"]);
    assert_eq!(of(r#"{"type":"integer","default":"x"}"#), ["json_schema.properties.p.default"]);
    let required = r#"{"type":"object","required":["q"],"properties":{"p":{"type":"boolean"}}}"#;
    assert_eq!(broken_at(required), ["json_schema.required"]);
}
