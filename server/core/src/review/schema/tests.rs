//! Each keyword, what is named of what it refuses, and the bounds of work.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn broken(schema: &Json, value: &Json) -> Vec<(String, String)> {
    let text = schema.to_string();
    let schema = check_self(&text).unwrap_or_else(|why| panic!("{text}: {why:?}")).unwrap();
    let broken = check(&schema, value, "value", &mut Work::of_one_answer());
    broken.into_iter().map(|v| (v.field, v.message)).collect()
}

/// For each keyword: a schema, what fits it, and what does not.
#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn each_keyword_restricts_as_the_draft_says() {
    let cases = [
        (json!({"type": "integer"}), json!([1, 1.0, -3]), json!([1.5, "1", true, null])),
        (json!({"type": ["null", "string"]}), json!([null, "x"]), json!([0, [], {}])),
        (
            json!({"enum": [1, "a", {"b": [2]}]}),
            json!([1.0, "a", {"b": [2]}]),
            json!(["b", {"b": [3]}]),
        ),
        (json!({"const": {"a": 1, "b": 2}}), json!([{"b": 2, "a": 1}]), json!([{"a": 1}, 0])),
        (json!({"multipleOf": 0.01}), json!([0.07, 4.35, "x"]), json!([0.075])),
        (json!({"minimum": 1, "exclusiveMaximum": 3}), json!([1, 2.9, "x"]), json!([0.9, 3])),
        (json!({"minLength": 2, "maxLength": 3}), json!(["éé", "abc", 1]), json!(["é", "abcd"])),
        (json!({"pattern": "^a+$"}), json!(["aa", 1]), json!(["ab"])),
        (json!({"format": "date"}), json!(["2026-11-22", 1]), json!(["22.11.2026"])),
        (json!({"format": "uuid"}), json!(["not one"]), json!([])),
        (json!({"minItems": 1, "maxItems": 2}), json!([[1], {}]), json!([[], [1, 2, 3]])),
        (
            json!({"uniqueItems": true}),
            json!([[1, "1", true], [[1], [2]]]),
            json!([[1, 1.0], [{"a": 1}, {"a": 1}]]),
        ),
        (
            json!({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}),
            json!([["a", 1], [], ["a"]]),
            json!([[1], ["a", "b"]]),
        ),
        (
            json!({"contains": {"const": 1}, "maxContains": 1}),
            json!([[1, 2]]),
            json!([[2], [1, 1]]),
        ),
        (json!({"contains": {"const": 1}, "minContains": 0}), json!([[2], []]), json!([])),
        (
            json!({"required": ["a"], "minProperties": 1, "maxProperties": 2}),
            json!([{"a": 1}]),
            json!([{"b": 1}, {"a": 1, "b": 2, "c": 3}]),
        ),
        (
            json!({"properties": {"a": {"type": "string"}}}),
            json!([{"a": "x", "b": 1}, 1]),
            json!([{"a": 1}]),
        ),
        (
            json!({
                "properties": {"a": true}, "patternProperties": {"^x-": {"type": "integer"}},
                "additionalProperties": false,
            }),
            json!([{"a": 1, "x-b": 2}]),
            json!([{"b": 1}, {"x-b": "2"}]),
        ),
        (
            json!({"additionalProperties": {"type": "integer"}}),
            json!([{"a": 1}]),
            json!([{"a": "1"}]),
        ),
        (json!({"propertyNames": {"maxLength": 2}}), json!([{"ab": 1}]), json!([{"abc": 1}])),
        (
            json!({"dependentRequired": {"a": ["b"]}}),
            json!([{"a": 1, "b": 2}, {"b": 1}]),
            json!([{"a": 1}]),
        ),
        (
            json!({"dependentSchemas": {"a": {"maxProperties": 1}}}),
            json!([{"a": 1}, {"b": 1, "c": 2}]),
            json!([{"a": 1, "b": 2}]),
        ),
        (json!({"allOf": [{"minimum": 1}, {"maximum": 2}]}), json!([1, 2]), json!([0, 3])),
        (json!({"anyOf": [{"type": "string"}, {"minimum": 5}]}), json!(["x", 5]), json!([4])),
        (json!({"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]}), json!([2, 3]), json!([6, 7])),
        (json!({"not": {"type": "string"}}), json!([1]), json!(["x"])),
        (
            json!({"if": {"minimum": 10}, "then": {"multipleOf": 10}, "else": {"maximum": 5}}),
            json!([20, 5]),
            json!([15, 7]),
        ),
        (
            json!({"$ref": "#/$defs/a~1b%25", "$defs": {"a/b%": {"type": "integer"}}}),
            json!([1]),
            json!(["x"]),
        ),
        (json!({"type": "array", "items": {"$ref": "#"}}), json!([[], [[[]]]]), json!([1, [[1]]])),
        (json!(false), json!([]), json!([1, null])),
        (json!(true), json!([1, null]), json!([])),
        (
            json!({"title": "x", "description": 1, "default": 1, "examples": [], "x-order": 1}),
            json!([1]),
            json!([]),
        ),
    ];
    for (schema, fitting, not) in cases {
        for value in fitting.as_array().unwrap() {
            assert_eq!(broken(&schema, value), [], "{schema} {value}");
        }
        for value in not.as_array().unwrap() {
            assert!(!broken(&schema, value).is_empty(), "{schema} {value}");
        }
    }
}

/// The cases of the JSON Schema Test Suite (draft 2020-12) that need none of the keywords that are refused here: a line
/// for each schema, with what fits it and what does not.
const SUITE: &str = include_str!("suite.jsonl");

#[test]
fn the_suite_of_all_validators_agrees() {
    let mut count = 0;
    for line in SUITE.lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        for (of, fits) in [("fits", true), ("not", false)] {
            for value in case[of].as_array().unwrap() {
                let said = broken(&case["schema"], value);
                assert_eq!(said.is_empty(), fits, "{line}: {value}: {said:?}");
                count += 1;
            }
        }
    }
    assert_eq!(count, 706);
}

#[test]
fn what_is_wrong_is_named_where_it_is_and_in_words() {
    let schema = json!({
        "type": "object", "required": ["items"],
        "properties": {
            "items": {"type": "array", "items": {"anyOf": [
                {"type": "object", "required": ["sku"], "properties": {"sku": {"pattern": "^[A-Z]+$"}}},
                {"type": "null"},
            ]}},
        },
    });
    let said = |value: Json| broken(&schema, &value).remove(0);
    let field = |field: &str, message: &str| (field.to_owned(), message.to_owned());
    assert_eq!(said(json!({})), field("value.items", "is required"));
    assert_eq!(said(json!([])), field("value", "must be an object, not an array"));
    assert_eq!(
        said(json!({"items": [null, {"sku": "a"}]})),
        field("value.items[1].sku", "must match the pattern ^[A-Z]+$")
    );
    let many = json!({"items": vec![1; 1000]});
    assert_eq!(broken(&schema, &many).len(), 20);
}

#[test]
fn a_schema_that_asks_for_too_much_is_refused_in_time() {
    // Each level asks for the next one twice: 2^40 steps.
    let level = |n: usize| {
        let next = json!({"$ref": format!("#/$defs/l{}", n + 1)});
        (format!("l{n}"), json!({"allOf": [next.clone(), next]}))
    };
    let mut levels: serde_json::Map<String, Json> = (0..40).map(level).collect();
    levels.insert("l40".to_owned(), json!(true));
    let doubling = json!({"$ref": "#/$defs/l0", "$defs": levels});
    let endless = json!({"$ref": "#"});
    let round = json!({"$ref": "#/$defs/a", "$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}});
    for schema in [doubling, endless, round] {
        let said = broken(&schema, &json!({}));
        assert!(said[0].1.contains("too much work"), "{said:?}");
    }
    let names: Vec<_> = (0..5_000).map(|n| format!("{n:010}")).collect();
    let items: Vec<_> = (0..4_000).collect();
    let wide = json!({"items": {"enum": names}});
    assert!(broken(&wide, &json!(items))[0].1.contains("too much work"));
    let deep_names = (0..31).fold(json!(1), |inner, _| json!({"x".repeat(2_000): inner}));
    let every = json!({"additionalProperties": {"$ref": "#"}});
    assert_eq!(broken(&every, &deep_names), []);
}

fn any_json() -> impl Strategy<Value = Json> {
    let word = prop_oneof![
        Just("type"),
        Just("object"),
        Just("string"),
        Just("a"),
        Just("properties"),
        Just("items"),
        Just("$ref"),
        Just("#"),
        Just("anyOf"),
        Just("not"),
        Just("minimum"),
        Just("pattern"),
        Just("required"),
        Just("enum"),
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-9_i32..9).prop_map(Json::from),
        word.clone().prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 48, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::hash_map(word.clone().prop_map(str::to_owned), inner, 0..5)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_schema_and_no_value_make_it_panic(schema in any_json(), value in any_json()) {
        if let Ok(Some(schema)) = check_self(&schema.to_string()) {
            let again = check(&schema, &value, "value", &mut Work::of_one_answer());
            prop_assert_eq!(check(&schema, &value, "value", &mut Work::of_one_answer()), again);
        }
        // One that was never accepted is read, too, where a record holds it.
        let _ = check(&schema, &value, "value", &mut Work::of_one_answer());
    }

    #[test]
    fn a_value_that_is_the_only_one_fits(value in any_json()) {
        prop_assert_eq!(broken(&json!({"const": value}), &value), []);
        prop_assert_eq!(broken(&json!({"enum": [0, value]}), &value), []);
    }
}
