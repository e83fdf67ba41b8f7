//! What a receipt says is what the API says, without what nobody was shown.

use hitl_core::receipt;
use hitl_core::{
    BoolInput, ChoiceOption, Content, Diff, EventId, Evidence, Expiration, Fact, FloatInput,
    IntInput, ObjectInput, Request, ReviewDecision, ReviewInput, ReviewValue, Weight,
};
use serde_json::{Value as Json, json};

use super::*;
use crate::auth::{LinkKey, LinkKeys};
use crate::json::to_json;

fn instant(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_795_354_620_000 + ms).unwrap()
}

/// One without an id, which the API does not show.
fn proof(name: &str) -> Proof {
    Proof { known_by: CredentialKind::Token, id: String::new(), name: name.to_owned() }
}

fn asked(input: Input, on_timeout: OnTimeout) -> Request {
    Request {
        id: EventId::from_bytes([7; 16]),
        namespace: "team-1".parse().unwrap(),
        name: "n".into(),
        title: "Ship?".into(),
        prompt: "p \u{7f}\u{2028}\"".into(),
        prompt_format: PromptFormat::Markdown,
        evidence: evidence_of_every_kind(),
        risk: Risk::High,
        require_confirmation: true,
        input,
        scope: "run".into(),
        labels: [("😀".into(), "a".into()), ("\u{fb33}".into(), "b".into())].into(),
        expiration: Expiration::TtlMs(60_000),
        on_timeout,
        idempotency_key: Some("secret".into()),
        allow_self_answer: true,
        assignees: vec![
            hitl_core::Assignee::Person("ada".into()),
            hitl_core::Assignee::Group("sre".into()),
        ],
        quorum: Some(hitl_core::Quorum { required: 2, decline_ends: true }),
        created_by: Some(proof("bot")),
        on_end: None,
        alarms: hitl_core::Alarms::default(),
        channels: Vec::new(),
        create_time: instant(0),
        deadline: instant(60_120),
        weight: Weight::default(),
    }
}

/// An item of each kind, bare and with all that it can have.
fn evidence_of_every_kind() -> Vec<Evidence> {
    let text = |text: &str| text.to_owned();
    let fact =
        |value: &str, url: &str| Fact { label: text("l"), value: text(value), url: text(url) };
    let texts =
        |before: &str, after: &str| Diff::Texts { before: text(before), after: text(after) };
    let contents = [
        Content::Facts(vec![fact("", ""), fact("v \u{2028}", "https://a.example/")]),
        Content::Text(text("t\n")),
        Content::Code { code: text("c"), language: String::new() },
        Content::Code { code: text("c"), language: text("sql") },
        Content::Json(text("{\"a\": 1e400}")),
        Content::Diff(texts("", "b")),
        Content::Diff(texts("a", "")),
        Content::Diff(Diff::Unified(text("+b"))),
        Content::Table { columns: vec![text("a"), text("")], rows: Vec::new() },
        Content::Table { columns: vec![text("a")], rows: vec![vec![text("1")], vec![text("")]] },
        Content::Link { url: text("https://a.example/"), label: String::new() },
        Content::Link { url: text("https://a.example/"), label: text("here") },
    ];
    let item = |(at, content): (usize, Content)| {
        let words = |word: &str| if at % 2 == 0 { word.to_owned() } else { String::new() };
        Evidence { title: words("title"), note: words("note"), content }
    };
    contents.into_iter().enumerate().map(item).collect()
}

/// Every kind of input, bare and with all that it can have, and a value of it.
fn kinds() -> Vec<(Input, Value)> {
    let option = |value: &str| ChoiceOption { value: value.into(), ..ChoiceOption::default() };
    let full =
        ChoiceOption { value: "b".into(), label: "B".into(), description: "the second".into() };
    let options = vec![option("a"), full];
    let fields = [("n".to_owned(), Value::Int(-1)), ("b".to_owned(), Value::Bool(false))];
    let object = ObjectInput { json_schema: r#"{"type":"object"}"#.into() };
    let review = ReviewInput {
        action: "refund".into(),
        arguments: r#"{"n": 1.0}"#.into(),
        json_schema: "{}".into(),
        allow: ReviewDecision::ALL.into(),
    };
    let edited = ReviewValue {
        arguments: r#"{"n": 2}"#.into(),
        message: "m".into(),
        shown_digest: review.digest(),
        approved_digest: "00".into(),
        ..ReviewValue::of(ReviewDecision::Edit)
    };
    vec![
        (Input::Int(IntInput::default()), Value::Int(0)),
        (Input::Int(IntInput { min: Some(i64::MIN), max: Some(0) }), Value::Int(i64::MIN)),
        (Input::Float(FloatInput::default()), Value::Float(1e21)),
        (Input::Float(FloatInput { min: Some(0.0), max: Some(0.1) }), Value::Float(5e-324)),
        (Input::Str(StrInput::default()), Value::Str(String::new())),
        (
            Input::Str(StrInput {
                min_length: Some(0),
                max_length: Some(u32::MAX),
                pattern: Some("^a".into()),
                multiline: true,
                format: Some(StrFormat::DateTime),
            }),
            Value::Str("a\n".into()),
        ),
        (Input::Bool(BoolInput::default()), Value::Bool(false)),
        (
            Input::Bool(BoolInput { true_label: "Go".into(), false_label: "Stay".into() }),
            Value::Bool(true),
        ),
        (
            Input::Choice(ChoiceInput { options, min_selected: 0, max_selected: 2 }),
            Value::Choice(vec![]),
        ),
        (Input::Object(object.clone()), Value::Object(fields.into())),
        (Input::Object(object), Value::Object([].into())),
        (Input::Review(review.clone()), Value::Review(edited)),
        (
            Input::Review(ReviewInput { json_schema: String::new(), ..review }),
            Value::Review(ReviewValue::of(ReviewDecision::Reject)),
        ),
    ]
}

fn ends(value: &Value) -> Vec<Response> {
    let responder = |name: &str, address: &str| Responder {
        proof: Some(proof(name)),
        ..Responder::claimed(name.into(), Channel::Form, address.into())
    };
    let ends = [
        (Outcome::Answered { value: value.clone() }, Some(responder("Ann", "127.0.0.1"))),
        (Outcome::Declined { reason: "no".into() }, Some(responder("", ""))),
        (Outcome::Cancelled { reason: String::new() }, Some(responder("", "::1"))),
        (Outcome::TimedOut { default: None }, None),
        (Outcome::TimedOut { default: Some(value.clone()) }, None),
    ];
    ends.map(|(outcome, responder)| Response {
        outcome,
        time: instant(1_000),
        answer_id: responder.as_ref().map(|_| "a".to_owned()),
        comment: "with \u{2028} care".into(),
        votes: votes(value, &responder),
        responder,
        weight: Weight::default(),
    })
    .into()
}

/// One vote of each kind, if somebody has ended it.
fn votes(value: &Value, responder: &Option<Responder>) -> Vec<hitl_core::Vote> {
    use hitl_core::{Ballot, Vote};
    let ballots = [
        Ballot::Answer { value: value.clone(), comment: "with care".into() },
        Ballot::Decline { reason: "no".into() },
        Ballot::Decline { reason: String::new() },
    ];
    let vote = |ballot| Vote {
        ballot,
        time: instant(900),
        responder: responder.clone().expect("somebody has"),
        answer_id: Some("a".into()),
    };
    responder.iter().flat_map(|_| ballots.clone().map(vote)).collect()
}

/// All numbers of canonical JSON are doubles.
fn as_doubles(json: Json) -> Json {
    match json {
        Json::Number(number) => json!(number.as_f64()),
        Json::Array(items) => items.into_iter().map(as_doubles).collect(),
        Json::Object(members) => {
            members.into_iter().map(|(name, value)| (name, as_doubles(value))).collect()
        }
        other => other,
    }
}

#[test]
fn a_receipt_says_what_the_api_says_of_an_event() {
    let links = Links::new(&LinkKeys::one(LinkKey::new([7; 32])), "http://h:1");
    for (input, value) in kinds() {
        for on_timeout in [OnTimeout::Fail, OnTimeout::Default(value.clone())] {
            for response in ends(&value) {
                let request = asked(input.clone(), on_timeout.clone());
                let text = receipt::text(receipt::FORMAT, &request, &response).unwrap();
                let said: Json = serde_json::from_str(&text).unwrap();
                let ended = Event {
                    request: std::sync::Arc::new(request),
                    response: Some(std::sync::Arc::new(response)),
                };
                let mut shown = to_json(&event(&ended, Some(&links)));
                let members = shown.as_object_mut().unwrap();
                let response = members.remove("response").unwrap();
                for hidden in ["idempotencyKey", "state", "formUrl", "apiUrl"] {
                    members.remove(hidden).unwrap();
                }
                let shown = json!({
                    "format": "hitl.receipt.v3", "question": shown, "response": response,
                });
                assert_eq!(as_doubles(said), as_doubles(shown));
            }
        }
    }
}
