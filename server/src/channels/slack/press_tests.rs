//! Presses as Slack tells of them, and what is none.

use hitl_core::{EventId, Value};
use serde_json::{Value as Json, json};

use super::*;
use crate::channels::digest::tests::{event, spec};

fn payload() -> Json {
    let id = EventId::from_bytes([7; 16]);
    json!({
        "type": "block_actions",
        "user": {"id": "U1", "username": "ann", "team_id": "T1"},
        "team": {"id": "T1", "domain": "example"},
        "channel": {"id": "C1", "name": "ops"},
        "container": {"type": "message", "message_ts": "1796000000.000100", "channel_id": "C1"},
        "actions": [{"type": "button", "action_id": "hitl_answer_0", "value": format!("default/{id}")}],
        "response_url": "https://hooks.slack.com/actions/x",
    })
}

fn read(payload: &Json) -> Result<Pressed, &'static str> {
    Pressed::read(&payload.to_string())
}

#[test]
fn a_press_says_who_what_and_where() {
    let Pressed::Answer(press) = read(&payload()).unwrap() else { panic!("it answers") };
    assert_eq!(press.place(), "slack:T1/C1/1796000000.000100");
    let event = event(spec());
    assert_eq!(press.key, event.request.key());
    assert_eq!(press.answer(&event), Some(Answer::Value(Value::Bool(true))));
    let no = Press { number: 1, ..press.clone() };
    assert_eq!(no.answer(&event), Some(Answer::Value(Value::Bool(false))));
    assert_eq!(Press { number: 2, ..press.clone() }.answer(&event), None);
    assert_ne!(no.answer_id(), press.answer_id());
    assert_ne!(Press { user: "U2".to_owned(), ..press.clone() }.answer_id(), press.answer_id());
    assert_eq!(press.clone().answer_id(), press.answer_id());
}

#[test]
fn whatever_is_no_press_of_an_answer_asks_for_nothing() {
    let mut link = payload();
    link["actions"][0]["action_id"] = json!("hitl_open");
    let mut other = payload();
    other["type"] = json!("view_submission");
    for payload in [link, other] {
        assert_eq!(read(&payload), Ok(Pressed::Nothing));
    }
}

#[test]
fn a_press_of_which_something_is_not_as_slack_sends_it_is_refused() {
    for (pointer, value) in [
        ("/user/id", json!("u1")),
        ("/user/id", json!("")),
        ("/user/team_id", json!("T2")),
        ("/team/id", json!("")),
        ("/channel/id", json!("../C1")),
        ("/container/message_ts", json!("1'; drop")),
        ("/container/message_ts", json!("1".repeat(33))),
        ("/actions/0/value", json!("default")),
        ("/actions/0/action_id", json!("hitl_answer_-1")),
        ("/actions/0/action_id", json!("hitl_answer_99999999999999999999")),
        ("/actions", json!([])),
        ("/actions/0/value", json!({})),
        ("/user", json!(null)),
    ] {
        let mut payload = payload();
        *payload.pointer_mut(pointer).unwrap() = value.clone();
        assert!(read(&payload).is_err(), "{pointer}: {value}");
    }
    for text in ["", "{}", "[]", "null", &"[".repeat(100_000)] {
        assert!(Pressed::read(text).is_err());
    }
    let deep = format!(
        r#"{{"type":"block_actions","message":{}{}}}"#,
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    assert!(Pressed::read(&deep).is_err());
}
