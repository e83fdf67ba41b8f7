//! Which schemas are inside the subset, and how their fields judge an object.

use super::*;
use crate::parse;

fn object(json_schema: &str) -> ObjectInput {
    ObjectInput { json_schema: json_schema.into() }
}

fn broken_at(json_schema: &str) -> Vec<String> {
    object(json_schema).check_self().into_iter().map(|v| v.field).collect()
}

/// What a new schema whose one property is `property` breaks.
fn of(property: &str) -> Vec<String> {
    broken_at(&format!(r#"{{"type":"object","properties":{{"p":{property}}}}}"#))
}

/// The same, if it is broken at one place alone, without the path of the property.
fn keyword(property: &str) -> String {
    let broken = of(property);
    assert_eq!(broken.len(), 1, "{property}: {broken:?}");
    let at = broken[0].strip_prefix("json_schema.properties.p").expect("it is the property");
    at.strip_prefix('.').unwrap_or(at).to_owned()
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

#[test]
fn what_a_keyword_holds_is_checked_as_well_as_its_name() {
    for (property, at) in [
        (r#"{"type":["string"]}"#, "type"),
        (r#"{"title":5,"type":"string"}"#, "title"),
        (r#"{"title":"","type":"string"}"#, "title"),
        (r#"{"title":" \u200b","type":"string"}"#, "title"),
        (r#"{"title":"a\nb","type":"string"}"#, "title"),
        (r#"{"description":{},"type":"string"}"#, "description"),
        (r#"{"description":"\u0000","type":"string"}"#, "description"),
        (r#"{"type":"string","minLength":-1}"#, "minLength"),
        (r#"{"type":"string","minLength":"1"}"#, "minLength"),
        (r#"{"type":"string","maxLength":4294967296}"#, "maxLength"),
        (r#"{"type":"string","minLength":3,"maxLength":2}"#, ""),
        (r#"{"type":"string","pattern":5}"#, "pattern"),
        (r#"{"type":"string","pattern":"("}"#, ""),
        (r#"{"type":"string","format":"ipv4"}"#, "format"),
        (r#"{"type":"string","format":["date"]}"#, "format"),
        (r#"{"type":"integer","format":"date"}"#, "format"),
        (r#"{"type":"string","minimum":1}"#, "minimum"),
        (r#"{"type":"integer","maximum":9223372036854775808}"#, "maximum"),
        (r#"{"type":"number","minimum":"0"}"#, "minimum"),
        (r#"{"type":"number","minimum":1,"maximum":0.5}"#, ""),
        (r#"{"type":"string","enumNames":["A"]}"#, "enumNames"),
        (r#"{"type":"string","enum":["a"],"oneOf":[{"const":"a"}]}"#, "oneOf"),
        (r#"{"type":"string","enum":["a",1]}"#, ""),
        (r#"{"type":"string","enum":["a","a"]}"#, ""),
        (r#"{"type":"string","enum":"a"}"#, ""),
        (r#"{"type":"string","enum":["a","b"],"enumNames":["A"]}"#, "enumNames"),
        (r#"{"type":"string","enum":["a"],"enumNames":["A","B"]}"#, "enumNames"),
        (r#"{"type":"string","enum":["a"],"enumNames":"A"}"#, "enumNames"),
        (r#"{"type":"string","enum":["a"],"enumNames":[1]}"#, "enumNames[0]"),
        (r#"{"type":"string","enum":["a"],"enumNames":[" "]}"#, "enumNames[0]"),
        (r#"{"type":"string","oneOf":[{"const":"a"}],"enumNames":["A"]}"#, "enumNames"),
        (r#"{"type":"string","oneOf":[{"const":"a","pattern":"x"}]}"#, "oneOf[0].pattern"),
        (r#"{"type":"string","oneOf":[{"const":"a","type":"integer"}]}"#, "oneOf[0].type"),
        (r#"{"type":"string","oneOf":[{"const":"a","title":""}]}"#, "oneOf[0].title"),
        (r#"{"type":"string","oneOf":[{"const":"a","description":1}]}"#, "oneOf[0].description"),
        (r#"{"type":"array","items":{"enum":["a"]},"uniqueItems":"maybe"}"#, "uniqueItems"),
        (r#"{"type":"array","items":{"enum":["a"]},"minItems":1.5}"#, "minItems"),
        (r#"{"type":"array","items":{"enum":["a"]},"minItems":2,"maxItems":2}"#, ""),
        (r#"{"type":"array","items":{"enum":["a","b"]},"minItems":2,"maxItems":1}"#, ""),
        (r#"{"type":"array","items":{"enum":["a"]},"maxItems":0}"#, ""),
        (r#"{"type":"array","items":{"type":"integer","enum":["a"]}}"#, "items.type"),
        (r#"{"type":"array","items":{"enum":["a"],"anyOf":[{"const":"a"}]}}"#, "items.anyOf"),
        (r#"{"type":"array","items":{"anyOf":[{"const":"a","if":{}}]}}"#, "items.anyOf[0].if"),
        (r#"{"type":"array","items":{"enum":["a"],"enumNames":[]}}"#, "items.enumNames"),
        (r#"{"type":"array","items":[{"enum":["a"]}]}"#, "items"),
    ] {
        assert_eq!(keyword(property), at, "{property}");
    }
    let long = format!(r#"{{"type":"string","title":"{}"}}"#, "x".repeat(201));
    assert_eq!(keyword(&long), "title");
}

#[test]
fn a_default_is_a_value_of_its_field_in_json() {
    for property in [
        r#"{"type":"integer","default":"30"}"#,
        r#"{"type":"integer","default":1.5}"#,
        r#"{"type":"integer","default":null}"#,
        r#"{"type":"integer","minimum":5,"default":4}"#,
        r#"{"type":"number","default":"1"}"#,
        r#"{"type":"boolean","default":"yes"}"#,
        r#"{"type":"boolean","default":1}"#,
        r#"{"type":"string","default":5}"#,
        r#"{"type":"string","maxLength":2,"default":"abc"}"#,
        r#"{"type":"string","format":"date","default":"soon"}"#,
        r#"{"type":"string","default":"a\u0000b"}"#,
        r#"{"type":"string","enum":["a"],"enumNames":["A"],"default":"A"}"#,
        r#"{"type":"string","enum":["a"],"default":["a"]}"#,
        r#"{"type":"array","items":{"enum":["a"]},"default":"a"}"#,
        r#"{"type":"array","items":{"enum":["a","b"]},"maxItems":1,"default":["a","b"]}"#,
    ] {
        let broken = of(property);
        assert!(!broken.is_empty(), "{property}");
        assert!(broken.iter().all(|at| at == "json_schema.properties.p.default"), "{broken:?}");
    }
    for property in [
        r#"{"type":"integer","default":-3}"#,
        r#"{"type":"number","default":1}"#,
        r#"{"type":"boolean","default":false}"#,
        r#"{"type":"string","default":"a\nb"}"#,
        r#"{"type":"string","default":""}"#,
        r#"{"type":"string","oneOf":[{"const":"a","title":"A","type":"string"}],"default":"a"}"#,
        r#"{"type":"array","items":{"enum":["a","b"]},"uniqueItems":true,"default":["b","a"]}"#,
    ] {
        assert_eq!(of(property), Vec::<String>::new(), "{property}");
    }
}

#[test]
fn what_surrounds_the_properties_is_checked_too() {
    let with = |members: &str| {
        broken_at(&format!(
            r#"{{"type":"object","properties":{{"p":{{"type":"string"}}}},{members}}}"#
        ))
    };
    for (members, at) in [
        (r#""title":7"#, "title"),
        (r#""title":"""#, "title"),
        (r#""description":[]"#, "description"),
        (r#""$schema":7"#, "$schema"),
        (r#""$schema":"https://example.org/mine""#, "$schema"),
        (r#""additionalProperties":true"#, "additionalProperties"),
        (r#""required":"p""#, "required"),
        (r#""required":["p","p"]"#, "required"),
        (r#""$defs":{}"#, "$defs"),
    ] {
        assert_eq!(with(members), [format!("json_schema.{at}")], "{members}");
    }
    for draft in
        ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"]
    {
        let members = format!(
            r#""$schema":"{draft}","title":"T","description":"D","additionalProperties":false"#
        );
        assert_eq!(with(&members), Vec::<String>::new());
    }
}

#[test]
fn a_schema_that_says_one_thing_twice_is_refused() {
    for text in [
        r#"{"type":"object","properties":{"a":{"type":"string"},"a":{"type":"integer"}}}"#,
        r#"{"type":"object","properties":{"a":{"type":"string","title":"X","\u0074itle":"Y"}}}"#,
        r#"{"type":"object","type":"object","properties":{"a":{"type":"string"}}}"#,
    ] {
        assert_eq!(broken_at(text), ["json_schema"], "{text}");
    }
}

#[test]
fn fields_and_options_that_look_alike_are_refused() {
    let two = |a: &str, b: &str| {
        broken_at(&format!(r#"{{"type":"object","properties":{{{a}:{{"type":"string"}},{b}}}}}"#))
    };
    assert_eq!(two(r#""a""#, r#""a ":{"type":"string"}"#), ["json_schema.properties.a "]);
    assert_eq!(
        two(r#""a""#, r#""b":{"type":"string","title":"a\u200b"}"#),
        ["json_schema.properties.b.title"]
    );
    assert_eq!(two(r#"" ""#, r#""b":{"type":"string"}"#), ["json_schema.properties. "]);
    assert_eq!(two(r#""a""#, r#""A":{"type":"string"}"#), Vec::<String>::new());
    for property in [
        r#"{"type":"string","enum":["a","a "]}"#,
        r#"{"type":"string","enum":["a","b"],"enumNames":["One","Ｏne"]}"#,
        r#"{"type":"string","oneOf":[{"const":"a","title":"b"},{"const":"b"}]}"#,
        r#"{"type":"array","items":{"enum":["x\u0301","x\u034f\u0301"]}}"#,
        r#"{"type":"string","enum":[" "]}"#,
    ] {
        assert_eq!(keyword(property), "", "{property}");
    }
}

#[test]
fn a_stored_schema_stays_readable_whatever_is_refused_at_create() {
    let stored = r#"{"type":"object","title":1,"properties":{
        "a":{"type":"string","title":" ","default":"\u0000","enum":["x","x"],"enumNames":["X"]},
        "b":{"type":"string","oneOf":[{"const":"y","pattern":"p"}],"default":"z"},
        "c":{"type":"array","items":{"type":"integer","enum":["1"]},"uniqueItems":"maybe"},
        "c ":{"type":"integer","minimum":2,"maximum":1},"d":{"type":"string"},"d":{"type":"boolean"}}}"#;
    assert!(!object(stored).check_self().is_empty());
    let kinds: Vec<_> = object(stored).fields().unwrap().iter().map(|f| f.input.kind()).collect();
    assert_eq!(kinds, ["choice", "choice", "choice", "int", "bool"]);
}

#[test]
fn an_option_has_the_description_of_its_entry() {
    let schema = r#"{"type":"object","properties":{"p":{"type":"string","oneOf":[
        {"const":"a","title":"A","description":"The first"}]}}}"#;
    let fields = object(schema).fields().unwrap();
    let Input::Choice(choice) = &fields[0].input else { panic!("a choice") };
    assert_eq!(choice.options[0].description, "The first");
}

#[test]
fn a_whole_number_in_a_schema_is_exact_or_refused() {
    let schema = |keyword: &str, number: &str| {
        let property = format!(r#"{{"type":"integer","{keyword}":{number}}}"#);
        object(&format!(r#"{{"type":"object","properties":{{"n":{property}}}}}"#))
    };
    let exact = schema("default", "9007199254740993.0");
    assert_eq!(exact.check_self(), []);
    assert_eq!(exact.fields().unwrap()[0].default, Some(Value::Int(9_007_199_254_740_993)));
    let Input::Int(bounded) = schema("maximum", "1e3").fields().unwrap()[0].input.clone() else {
        panic!("an int")
    };
    assert_eq!(bounded.max, Some(1_000));
    for number in ["4503599627370497.5", "1.00000000000000001"] {
        for keyword in ["default", "maximum"] {
            assert!(!schema(keyword, number).check_self().is_empty(), "{keyword} {number}");
        }
    }
}
