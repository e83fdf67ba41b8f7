//! What becomes of the arguments of `ask_human`.

use hitl_proto::v1::value::Kind as ValueKind;
use serde_json::json;

use super::*;

fn request(arguments: Value) -> Result<v1::CreateEventRequest, Refused> {
    serde_json::from_value::<Ask>(arguments).unwrap().request()
}

fn input(arguments: Value) -> InputKind {
    request(arguments).unwrap().input.unwrap().kind.unwrap()
}

fn default(arguments: Value) -> ValueKind {
    let Some(Action::DefaultValue(value)) = request(arguments).unwrap().on_timeout.unwrap().action
    else {
        panic!("there is a default");
    };
    value.kind.unwrap()
}

#[test]
fn the_kind_of_answer_is_what_is_said_or_what_the_arguments_are_for() {
    assert_eq!(input(json!({"prompt": "x"})), InputKind::Str(v1::StrInput::default()));
    let yes_no = json!({"prompt": "x", "kind": "yes_no"});
    assert_eq!(input(yes_no), InputKind::Bool(v1::BoolInput::default()));
    let InputKind::Choice(choice) = input(
        json!({"prompt": "x", "options": ["a", {"value": "b", "label": "B"}], "multiple": true}),
    ) else {
        panic!("options make a choice");
    };
    assert_eq!((choice.options[1].label.as_str(), choice.max_selected), ("B", Some(2)));
    let schema = json!({"type": "object", "properties": {}});
    for schema in [schema.clone(), schema.to_string().into()] {
        let InputKind::Object(object) = input(json!({"prompt": "x", "schema": schema})) else {
            panic!("a schema makes a form");
        };
        assert_eq!(object.json_schema, r#"{"type":"object","properties":{}}"#);
    }
    let InputKind::Int(int) = input(json!({"prompt": "x", "kind": "integer", "min": -3})) else {
        panic!("it is what it says");
    };
    assert_eq!(int.min, Some(-3));
}

#[test]
fn an_action_makes_a_review_of_exactly_its_arguments() {
    let asked = json!({
        "prompt": "x", "action": "refund", "arguments": {"to": "Ada", "n": [1.5]}, "schema": {"type": "object"},
        "decisions": ["approve", "reject"],
    });
    let InputKind::Review(review) = input(asked) else { panic!("an action makes a review") };
    assert_eq!(
        (review.action.as_str(), review.arguments.as_str()),
        ("refund", r#"{"to":"Ada","n":[1.5]}"#)
    );
    assert_eq!(review.json_schema, r#"{"type":"object"}"#);
    assert_eq!(
        review.allow,
        [v1::ReviewDecision::Approve as i32, v1::ReviewDecision::Reject as i32]
    );
    for wrong in [
        json!({"prompt": "x", "kind": "review"}),
        json!({"prompt": "x", "arguments": {}}),
        json!({"prompt": "x", "decisions": ["approve"]}),
        json!({"prompt": "x", "action": "a", "options": ["b"]}),
        json!({"prompt": "x", "action": "a", "kind": "text"}),
    ] {
        assert!(request(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn a_default_is_of_the_kind_of_answer() {
    let asked =
        |kind: &str, default: Value| json!({"prompt": "x", "kind": kind, "default": default});
    assert_eq!(default(asked("yes_no", json!(false))), ValueKind::Bool(false));
    assert_eq!(default(asked("integer", json!(3))), ValueKind::Int(3));
    let choice = v1::ChoiceValue { selected: vec!["a".to_owned()] };
    let one = json!({"prompt": "x", "options": ["a", "b"], "default": "a"});
    assert_eq!(default(one), ValueKind::Choice(choice));
    let wrong = request(asked("integer", json!("three"))).unwrap_err();
    assert!(wrong.message().starts_with("default: "), "{}", wrong.message());
}

#[test]
fn only_a_question_for_the_user_may_be_answered_by_who_asks() {
    assert!(!request(json!({"prompt": "x"})).unwrap().allow_self_answer);
    assert!(request(json!({"prompt": "x", "of": "user"})).unwrap().allow_self_answer);
}

#[test]
fn a_call_is_held_for_as_long_as_it_says_and_never_longer_than_clients_wait() {
    let hold = |arguments| serde_json::from_value::<Ask>(arguments).unwrap().hold();
    assert_eq!(hold(json!({"prompt": "x"})), HOLD_MAX);
    assert_eq!(hold(json!({"prompt": "x", "wait_seconds": 0})), Duration::ZERO);
    assert_eq!(hold(json!({"prompt": "x", "wait_seconds": 3_000})), HOLD_MAX);
}

#[test]
fn how_long_a_call_is_held_and_its_key_make_no_other_question() {
    let arguments = |it| serde_json::from_value::<Ask>(it).unwrap().arguments();
    let plain = arguments(json!({"prompt": "x"}));
    assert_eq!(plain, arguments(json!({"prompt": "x", "wait_seconds": 3})));
    assert_ne!(plain, arguments(json!({"prompt": "x", "timeout_seconds": 3})));
}
