//! Which actions may be asked about, how decisions are read by every door, and what is recorded of them.

use serde_json::{Value as Json, json};

use super::*;
use crate::input::Input;
use crate::parse;
use crate::value::Value;

const SCHEMA: &str = r#"{
    "type": "object", "required": ["amount"], "additionalProperties": false,
    "properties": {
        "amount": {"type": "number", "exclusiveMinimum": 0, "maximum": 500},
        "to": {"type": "string", "minLength": 1},
        "notify": {"type": "boolean"}
    }}"#;

fn review() -> ReviewInput {
    ReviewInput {
        action: "refund".into(),
        arguments: r#"{"to": "Ada", "amount": 120, "notify": true}"#.into(),
        json_schema: SCHEMA.into(),
        allow: ReviewDecision::ALL.into(),
    }
}

fn answer(text: &str) -> Result<ReviewValue, Vec<(String, String)>> {
    answer_to(review(), text)
}

fn answer_to(input: ReviewInput, text: &str) -> Result<ReviewValue, Vec<(String, String)>> {
    let input = Input::Review(input);
    judged(&input, parse::text(&input, text))
}

fn judged(
    input: &Input,
    read: Result<Value, Vec<Violation>>,
) -> Result<ReviewValue, Vec<(String, String)>> {
    match read.and_then(|value| input.check(&value)) {
        Ok(Value::Review(value)) => Ok(value),
        Ok(other) => panic!("{other:?}"),
        Err(broken) => Err(broken.into_iter().map(|v| (v.field, v.message)).collect()),
    }
}

fn form(pairs: &[(&str, &str)]) -> Result<ReviewValue, Vec<(String, String)>> {
    let pairs: Vec<_> =
        pairs.iter().map(|(name, value)| (format!("value.{name}"), (*value).to_owned())).collect();
    let input = Input::Review(review());
    judged(&input, parse::form(&input, &pairs))
}

fn broken_fields(input: &ReviewInput) -> Vec<String> {
    Input::Review(input.clone()).check_self().into_iter().map(|v| v.field).collect()
}

/// `printf '{"action":"refund","arguments":{"amount":120,"notify":true,"to":"Ada"}}' | sha256sum`
const DIGEST: &str = "6e754bf35ee93590a88fc501983653a2da86e76841c678157cd4aec356b9ffd5";

#[test]
fn the_digest_is_of_the_canonical_form_of_action_and_arguments() {
    let digest = review().digest();
    assert_eq!(digest, DIGEST);
    let spaced = r#" { "notify" : true, "amount" : 1.2e2, "to" : "\u0041da" } "#;
    assert_eq!(super::digest("refund", spaced).unwrap(), digest);
    for (action, arguments) in [
        ("refund ", review().arguments),
        ("refund", review().arguments.replace("120", "121")),
        ("refund", review().arguments.replace("Ada", "ada")),
        ("refund", format!("[{}]", review().arguments)),
    ] {
        assert_ne!(super::digest(action, &arguments).unwrap(), digest, "{action} {arguments}");
    }
}

#[test]
fn an_approval_has_what_was_shown_and_its_digest_twice() {
    for text in ["approve", " Approve ", r#""approve""#, r#"{"decision": "approve"}"#] {
        let value = answer(text).unwrap();
        assert_eq!(value.decision, ReviewDecision::Approve, "{text}");
        assert_eq!(value.arguments, review().arguments);
        assert_eq!(
            (&value.shown_digest, &value.approved_digest),
            (&review().digest(), &review().digest())
        );
        // What is recorded may be judged again, and no answer says what was approved.
        let forged = ReviewValue { approved_digest: "00".into(), ..value.clone() };
        let input = Input::Review(review());
        assert_eq!(input.check(&Value::Review(value.clone())), Ok(Value::Review(value.clone())));
        assert_eq!(input.check(&Value::Review(forged)).unwrap(), Value::Review(value));
    }
}

#[test]
fn an_approval_of_anything_else_than_what_was_shown_is_refused() {
    for (text, field) in [
        (r#"approve {"amount": 121}"#, "value.arguments"),
        (r#"{"decision": "approve", "arguments": {}}"#, "value.arguments"),
        (r#"{"decision": "approve", "shown_digest": "00"}"#, "value.shown_digest"),
        (
            r#"{"decision": "edit", "arguments": {"amount": 1}, "shown_digest": "00"}"#,
            "value.shown_digest",
        ),
        ("approve: but quickly", "value.arguments"),
        ("maybe", "value.decision"),
        ("", "value.decision"),
        (r#"{"decision": "approve", "message": "ok"}"#, "value.message"),
    ] {
        assert_eq!(answer(text).unwrap_err()[0].0, field, "{text}");
    }
    assert!(answer(r#"{"decision": "approve", "because": "x"}"#).is_err());
}

#[test]
fn an_edit_is_checked_by_the_schema_and_has_a_digest_of_its_own() {
    let value = answer(r#"edit {"amount": 80.5}"#).unwrap();
    assert_eq!(value.arguments, r#"{"amount": 80.5}"#);
    assert_eq!(value.shown_digest, review().digest());
    assert_eq!(value.approved_digest, digest("refund", r#"{"amount":80.5}"#).unwrap());
    for (arguments, field) in [
        ("", "value.arguments"),
        ("{", "value.arguments"),
        (r#"{"amount": 501}"#, "value.arguments.amount"),
        (r#"{"amount": "80"}"#, "value.arguments.amount"),
        (r#"{"amount": 1, "amount": 2}"#, "value.arguments"),
        (r#"{"amount": 1, "fee": 2}"#, "value.arguments.fee"),
        (r#"{"to": "Ada"}"#, "value.arguments.amount"),
        (r#"{"amount": 1.00000000000000000001}"#, "value.arguments"),
    ] {
        assert_eq!(answer(&format!("edit {arguments}")).unwrap_err()[0].0, field, "{arguments}");
    }
}

#[test]
fn a_rejection_may_say_why_and_a_response_must_say_what() {
    let value = answer("reject: too much").unwrap();
    assert_eq!((value.message.as_str(), value.arguments.as_str()), ("too much", ""));
    assert_eq!((value.shown_digest, value.approved_digest), (review().digest(), String::new()));
    assert!(answer("reject").is_ok());
    assert_eq!(answer("respond ask Bob first").unwrap().message, "ask Bob first");
    assert_eq!(answer("respond").unwrap_err()[0].0, "value.message");
    assert!(answer(&format!("reject: {}", "x".repeat(5000))).is_err());
    let json = r#"{"decision": "reject", "arguments": {"amount": 1}}"#;
    assert_eq!(answer(json).unwrap_err()[0].0, "value.arguments");
}

#[test]
fn only_what_is_allowed_may_be_decided() {
    let input =
        ReviewInput { allow: vec![ReviewDecision::Approve, ReviewDecision::Reject], ..review() };
    assert!(answer_to(input.clone(), "reject").is_ok());
    for text in ["respond: x", r#"edit {"amount": 1}"#] {
        let broken = answer_to(input.clone(), text).unwrap_err();
        assert_eq!(broken[0].0, "value.decision");
        assert!(broken[0].1.contains("approve, reject"), "{broken:?}");
    }
}

#[test]
fn a_review_that_makes_no_sense_is_refused_when_it_is_asked() {
    assert_eq!(broken_fields(&review()), Vec::<String>::new());
    let with = |arguments: &str| ReviewInput { arguments: arguments.into(), ..review() };
    let schema = |json_schema: &str| ReviewInput { json_schema: json_schema.into(), ..review() };
    for (input, field) in [
        (ReviewInput { action: String::new(), ..review() }, "input.review.action"),
        (ReviewInput { action: "a\nb".into(), ..review() }, "input.review.action"),
        (ReviewInput { allow: vec![], ..review() }, "input.review.allow"),
        (ReviewInput { allow: vec![ReviewDecision::Edit; 2], ..review() }, "input.review.allow[1]"),
        (with(""), "input.review.arguments"),
        (with("{\"a\":1,\"a\":1}"), "input.review.arguments"),
        (with("9007199254740993"), "input.review.arguments"),
        (
            with(&format!("\"{}\"", "x".repeat(limits::ARGUMENTS_BYTES_MAX))),
            "input.review.arguments",
        ),
        (with(r#"{"amount": 0}"#), "input.review.arguments.amount"),
        (schema("{"), "input.review.json_schema"),
        (schema("[]"), "input.review.json_schema"),
        (schema(r#"{"type": "integre"}"#), "input.review.json_schema.type"),
        (schema(r#"{"$ref": "https://a.example/schema"}"#), "input.review.json_schema.$ref"),
        (schema(r##"{"$ref": "#/$defs/none"}"##), "input.review.json_schema.$ref"),
        (
            schema(r#"{"unevaluatedProperties": false}"#),
            "input.review.json_schema.unevaluatedProperties",
        ),
        (schema(r#"{"pattern": "("}"#), "input.review.json_schema.pattern"),
    ] {
        assert_eq!(broken_fields(&input).first().map(String::as_str), Some(field), "{input:?}");
    }
    for any in ["null", "[1, [2, {\"a\": null}]]", "\"text\"", "-0.5"] {
        assert!(
            broken_fields(&ReviewInput { json_schema: String::new(), ..with(any) }).is_empty(),
            "{any}"
        );
    }
}

#[test]
fn nobody_approves_by_not_answering() {
    let input = Input::Review(review());
    for decision in ReviewDecision::ALL {
        let value = ReviewValue {
            message: match decision {
                ReviewDecision::Respond => "wait".into(),
                _ => String::new(),
            },
            ..ReviewValue::of(decision)
        };
        let broken = input.check_default(&Value::Review(value));
        assert_eq!(broken.is_empty(), !decision.approves(), "{decision:?}: {broken:?}");
    }
    let digest = review().digest();
    for (shown_digest, approved_digest) in
        [(digest.clone(), String::new()), (String::new(), digest)]
    {
        let rejection = ReviewValue::of(ReviewDecision::Reject);
        let value = ReviewValue { shown_digest, approved_digest, ..rejection };
        assert_eq!(input.check_default(&Value::Review(value)).len(), 1);
    }
}

#[test]
fn a_form_edits_flat_arguments_field_by_field() {
    let shown =
        [("arguments.to", "Ada"), ("arguments.amount", "120"), ("arguments.notify", "true")];
    let with = |decision, pairs: &[(&'static str, &'static str)]| {
        let mut all = vec![("decision", decision)];
        for (name, value) in shown {
            let typed = pairs.iter().find(|(given, _)| *given == name);
            all.push((name, typed.map_or(value, |(_, typed)| *typed)));
        }
        form(&all)
    };
    assert_eq!(with("approve", &[]).unwrap().arguments, review().arguments);
    let edited =
        with("edit", &[("arguments.amount", " 100,5\u{a0}"), ("arguments.notify", "false")]);
    let edited: Json = serde_json::from_str(&edited.unwrap().arguments).unwrap();
    assert_eq!(edited, json!({"to": "Ada", "amount": 100.5, "notify": false}));
    for (typed, field) in [
        (("arguments.amount", "lots"), "value.arguments.amount"),
        (("arguments.amount", ""), "value.arguments.amount"),
        (("arguments.amount", "501"), "value.arguments.amount"),
        (("arguments.to", ""), "value.arguments.to"),
        (("arguments.notify", "perhaps"), "value.arguments.notify"),
    ] {
        assert_eq!(with("edit", &[typed]).unwrap_err()[0].0, field, "{typed:?}");
    }
    // What was changed is not approved as it was, and not silently left out.
    let broken = with("approve", &[("arguments.amount", "12")]).unwrap_err();
    assert_eq!(broken[0].0, "value.decision");
    assert!(broken[0].1.contains("put them back"), "{broken:?}");
    assert!(with("reject", &[("arguments.amount", "lots")]).is_ok());
    assert_eq!(
        form(&[("message", "x")]).unwrap_err()[0],
        ("value.decision".into(), "is required".into())
    );
}

#[test]
fn a_form_edits_nested_arguments_as_json() {
    let whole = |decision, text| form(&[("decision", decision), ("arguments", text)]);
    let same = "{\r\n  \"amount\": 120, \"notify\": true,\r\n  \"to\": \"Ada\"\r\n}";
    assert_eq!(whole("approve", same).unwrap().arguments, review().arguments);
    assert_eq!(whole("edit", r#"{"amount": 7}"#).unwrap().arguments, r#"{"amount": 7}"#);
    assert_eq!(whole("edit", "{").unwrap_err()[0].0, "value.arguments");
    assert_eq!(whole("approve", r#"{"amount": 7}"#).unwrap_err()[0].0, "value.decision");
    assert_eq!(
        form(&[("decision", "approve"), ("shown_digest", "00")]).unwrap_err()[0].0,
        "value.shown_digest"
    );
}

#[test]
fn arguments_are_flat_if_a_form_can_carry_each_of_them() {
    let flat = |arguments: &str| {
        ReviewInput { arguments: arguments.into(), ..review() }.flat_arguments().is_some()
    };
    assert!(flat(r#"{"a": 1, "b": "x\ny", "c": false}"#));
    for nested in
        ["[]", "{}", r#"{"a": null}"#, r#"{"a": []}"#, r#"{"a": "\u0000"}"#, r#"{"a": "\r"}"#]
    {
        assert!(!flat(nested), "{nested}");
    }
}

#[test]
fn records_are_read_as_they_were_written() {
    let value = Value::Review(answer(r#"edit {"amount": 1}"#).unwrap());
    let text = serde_json::to_string(&value).unwrap();
    assert!(
        text.starts_with(
            r#"{"review":{"decision":"edit","arguments":"{\"amount\": 1}","shown_digest":""#
        ),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    let input = Input::Review(review());
    let text = serde_json::to_string(&input).unwrap();
    assert_eq!(serde_json::from_str::<Input>(&text).unwrap(), input);
}
