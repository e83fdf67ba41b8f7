//! The text of a receipt, byte for byte, and that nothing of the question or its end can change without it.

use std::collections::HashSet;

use super::*;
use crate::assignees::{Assignee, Quorum};
use crate::create::Expiration;
use crate::evidence::{Content, Diff, Evidence, Fact};
use crate::id::{EventId, Namespace};
use crate::votes::{Ballot, Vote};
use crate::weight::Weight;

fn instant(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_795_354_620_000 + ms).unwrap()
}

fn asked() -> Request {
    Request {
        id: EventId::from_bytes([7; 16]),
        namespace: Namespace::default(),
        name: "proceed".into(),
        title: "Ship it".into(),
        prompt: "Ship \"it\"?\n".into(),
        prompt_format: PromptFormat::Markdown,
        evidence: vec![evidence("the log", Content::Text("fine".into()))],
        risk: Risk::High,
        require_confirmation: true,
        input: Input::Int(IntInput { min: Some(i64::MIN), max: None }),
        scope: "run".into(),
        labels: [("zone".into(), "eu".into()), ("team".into(), "ü".into())].into(),
        expiration: Expiration::TtlMs(60_000),
        on_timeout: OnTimeout::Default(Value::Int(5)),
        idempotency_key: Some("run-7/proceed/1".into()),
        allow_self_answer: false,
        assignees: vec![Assignee::Person("ada".into()), Assignee::Group("sre".into())],
        quorum: Some(Quorum { required: 2, decline_ends: true }),
        created_by: None,
        on_end: None,
        alarms: crate::Alarms::default(),
        channels: Vec::new(),
        create_time: instant(0),
        deadline: instant(60_000),
        weight: Weight::default(),
    }
}

fn answered() -> Response {
    let responder = Responder::claimed("Ann".into(), Channel::Form, "127.0.0.1".into());
    Response {
        outcome: Outcome::Answered { value: Value::Int(i64::MAX) },
        time: instant(1_023),
        responder: Some(responder),
        answer_id: Some("a1".into()),
        comment: "gladly".into(),
        votes: vec![voted()],
        weight: Weight::default(),
    }
}

fn voted() -> Vote {
    Vote {
        ballot: Ballot::Answer { value: Value::Int(i64::MAX), comment: "gladly".into() },
        time: instant(1_023),
        responder: Responder::claimed("Ann".into(), Channel::Form, "127.0.0.1".into()),
        answer_id: Some("a1".into()),
    }
}

fn evidence(title: &str, content: Content) -> Evidence {
    Evidence { title: title.into(), note: String::new(), content }
}

/// Lists of items, each with something of its own.
fn evidence_of_every_kind() -> Vec<Vec<Evidence>> {
    let text = |text: &str| text.to_owned();
    let fact = |label: &str, value: &str, url: &str| {
        Content::Facts(vec![Fact { label: text(label), value: text(value), url: text(url) }])
    };
    let diff = |before: &str, after: &str| {
        Content::Diff(Diff::Texts { before: text(before), after: text(after) })
    };
    let table = |columns: &[&str], rows: &[&[&str]]| Content::Table {
        columns: columns.iter().map(|it| text(it)).collect(),
        rows: rows.iter().map(|row| row.iter().map(|it| text(it)).collect()).collect(),
    };
    let contents = [
        fact("a", "", ""),
        fact("a", "b", ""),
        fact("a", "", "https://a.example/"),
        Content::Text(text("a")),
        Content::Code { code: text("a"), language: text("") },
        Content::Code { code: text("a"), language: text("b") },
        Content::Json(text("1")),
        Content::Json(text("1 ")),
        diff("a", ""),
        diff("", "a"),
        Content::Diff(Diff::Unified(text("a"))),
        table(&["a", "b"], &[]),
        table(&["a"], &[]),
        table(&["a"], &[&["b"]]),
        table(&["a"], &[&["b"], &["c"]]),
        Content::Link { url: text("https://a.example/"), label: text("") },
        Content::Link { url: text("https://a.example/"), label: text("a") },
    ];
    let noted = Evidence { note: text("n"), ..evidence("", Content::Text(text("a"))) };
    let two = vec![evidence("", Content::Text(text("a"))), evidence("", Content::Text(text("b")))];
    let mut reversed = two.clone();
    reversed.reverse();
    let one_each = contents.map(|content| vec![evidence("", content)]);
    one_each.into_iter().chain([Vec::new(), vec![noted], two, reversed]).collect()
}

fn said(request: &Request, response: &Response) -> String {
    text(FORMAT, request, response).unwrap()
}

/// Receipts were signed over this: it is never changed.
#[test]
fn every_format_is_as_it_always_was() {
    let first = [
        r#"{"format":"hitl.receipt.v1","question":{"createTime":"2026-11-22T13:37:00Z","#,
        r#""deadline":"2026-11-22T13:38:00Z","id":"07070707070707070707070707070707","#,
        r#""input":{"int":{"min":"-9223372036854775808"}},"labels":{"team":"ü","zone":"eu"},"#,
        r#""name":"proceed","namespace":"default","onTimeout":{"defaultValue":{"int":"5"}},"#,
        r#""prompt":"Ship \"it\"?\n","promptFormat":"PROMPT_FORMAT_MARKDOWN","scope":"run"},"#,
        r#""response":{"answerId":"a1","#,
        r#""responder":{"address":"127.0.0.1","channel":"CHANNEL_FORM","name":"Ann"},"#,
        r#""state":"EVENT_STATE_ANSWERED","time":"2026-11-22T13:37:01.023Z","#,
        r#""value":{"int":"9223372036854775807"}}}"#,
    ];
    let second = [
        r#"{"format":"hitl.receipt.v2","question":{"createTime":"2026-11-22T13:37:00Z","#,
        r#""deadline":"2026-11-22T13:38:00Z","#,
        r#""evidence":[{"text":{"text":"fine"},"title":"the log"}],"#,
        r#""id":"07070707070707070707070707070707","#,
        r#""input":{"int":{"min":"-9223372036854775808"}},"labels":{"team":"ü","zone":"eu"},"#,
        r#""name":"proceed","namespace":"default","onTimeout":{"defaultValue":{"int":"5"}},"#,
        r#""prompt":"Ship \"it\"?\n","promptFormat":"PROMPT_FORMAT_MARKDOWN","#,
        r#""requireConfirmation":true,"risk":"RISK_HIGH","scope":"run","title":"Ship it"},"#,
        r#""response":{"answerId":"a1","comment":"gladly","#,
        r#""responder":{"address":"127.0.0.1","channel":"CHANNEL_FORM","name":"Ann"},"#,
        r#""state":"EVENT_STATE_ANSWERED","time":"2026-11-22T13:37:01.023Z","#,
        r#""value":{"int":"9223372036854775807"}}}"#,
    ];
    let third = [
        r#"{"format":"hitl.receipt.v3","question":{"assignees":[{"person":"ada"},{"group":"sre"}],"#,
        r#""createTime":"2026-11-22T13:37:00Z","deadline":"2026-11-22T13:38:00Z","#,
        r#""evidence":[{"text":{"text":"fine"},"title":"the log"}],"#,
        r#""id":"07070707070707070707070707070707","#,
        r#""input":{"int":{"min":"-9223372036854775808"}},"labels":{"team":"ü","zone":"eu"},"#,
        r#""name":"proceed","namespace":"default","onTimeout":{"defaultValue":{"int":"5"}},"#,
        r#""prompt":"Ship \"it\"?\n","promptFormat":"PROMPT_FORMAT_MARKDOWN","#,
        r#""quorum":{"declineEnds":true,"required":2},"#,
        r#""requireConfirmation":true,"risk":"RISK_HIGH","scope":"run","title":"Ship it"},"#,
        r#""response":{"answerId":"a1","comment":"gladly","#,
        r#""responder":{"address":"127.0.0.1","channel":"CHANNEL_FORM","name":"Ann"},"#,
        r#""state":"EVENT_STATE_ANSWERED","time":"2026-11-22T13:37:01.023Z","#,
        r#""value":{"int":"9223372036854775807"},"#,
        r#""votes":[{"comment":"gladly","#,
        r#""responder":{"address":"127.0.0.1","channel":"CHANNEL_FORM","name":"Ann"},"#,
        r#""time":"2026-11-22T13:37:01.023Z","value":{"int":"9223372036854775807"}}]}}"#,
    ];
    for (format, pieces) in [(1, first.concat()), (2, second.concat()), (3, third.concat())] {
        assert_eq!(text(format, &asked(), &answered()), Some(pieces));
    }
    for unknown in [0, FORMAT + 1] {
        assert_eq!(text(unknown, &asked(), &answered()), None);
    }
}

#[test]
fn the_question_by_itself_is_what_a_receipt_says_of_it() {
    let whole = said(&asked(), &answered());
    assert!(whole.contains(&format!("\"question\":{},\"response\"", question_text(&asked()))));
}

#[test]
fn every_end_is_told_from_every_other() {
    let reason = || "no".to_owned();
    let outcomes = [
        Outcome::Answered { value: Value::Int(5) },
        Outcome::Answered { value: Value::Float(5.0) },
        Outcome::Answered { value: Value::Str("5".into()) },
        Outcome::Answered { value: Value::Bool(false) },
        Outcome::Answered { value: Value::Choice(vec!["a".into(), "b".into()]) },
        Outcome::Answered { value: Value::Choice(vec!["a,b".into()]) },
        Outcome::Answered { value: Value::Object([("a".into(), Value::Int(1))].into()) },
        Outcome::Answered { value: Value::Object([].into()) },
        Outcome::Declined { reason: String::new() },
        Outcome::Declined { reason: reason() },
        Outcome::Cancelled { reason: String::new() },
        Outcome::Cancelled { reason: reason() },
        Outcome::TimedOut { default: None },
        Outcome::TimedOut { default: Some(Value::Int(5)) },
    ];
    let texts = outcomes.map(|outcome| said(&asked(), &Response { outcome, ..answered() }));
    assert_eq!(HashSet::from(texts).len(), 14);
}

#[test]
fn whatever_changes_of_a_response_changes_the_text() {
    let responder = || answered().responder.unwrap();
    let proof = |known_by, id: &str, name: &str| {
        Some(Proof { known_by, id: id.to_owned(), name: name.to_owned() })
    };
    let proved =
        |proof| Response { responder: Some(Responder { proof, ..responder() }), ..answered() };
    let others = [
        Response { time: instant(1_024), ..answered() },
        Response { answer_id: None, ..answered() },
        Response { answer_id: Some("a2".into()), ..answered() },
        Response { comment: String::new(), ..answered() },
        Response { comment: "reluctantly".into(), ..answered() },
        Response { votes: Vec::new(), ..answered() },
        Response { votes: vec![voted(), voted()], ..answered() },
        Response {
            votes: vec![Vote { ballot: Ballot::Decline { reason: "no".into() }, ..voted() }],
            ..answered()
        },
        Response { votes: vec![Vote { time: instant(1), ..voted() }], ..answered() },
        Response { responder: None, ..answered() },
        Response { responder: Some(Responder { name: "Bob".into(), ..responder() }), ..answered() },
        Response { responder: Some(Responder { name: "".into(), ..responder() }), ..answered() },
        proved(proof(CredentialKind::None, "", "")),
        proved(proof(CredentialKind::Link, "", "Ann")),
        proved(proof(CredentialKind::Owner, "", "Ann")),
        proved(proof(CredentialKind::Person, "", "Ann")),
        proved(proof(CredentialKind::Token, "", "Ann")),
        proved(proof(CredentialKind::Token, "1", "Ann")),
        proved(proof(CredentialKind::Token, "1", "Bob")),
        Response {
            responder: Some(Responder { channel: Channel::Http, ..responder() }),
            ..answered()
        },
        Response {
            responder: Some(Responder { address: "::1".into(), ..responder() }),
            ..answered()
        },
    ];
    let count = others.len() + 1;
    let texts: HashSet<_> =
        others.iter().chain([&answered()]).map(|other| said(&asked(), other)).collect();
    assert_eq!(texts.len(), count);
}

#[test]
fn whatever_changes_of_a_question_changes_the_text() {
    let created_by = |id: &str, name: &str| {
        let known_by = CredentialKind::Token;
        Some(Proof { known_by, id: id.to_owned(), name: name.to_owned() })
    };
    let str_input = StrInput { pattern: Some("a".into()), ..StrInput::default() };
    let option = |value: &str, label: &str, description: &str| ChoiceOption {
        value: value.into(),
        label: label.into(),
        description: description.into(),
    };
    let choice = |options: Vec<ChoiceOption>, min_selected, max_selected| {
        Input::Choice(ChoiceInput { options, min_selected, max_selected })
    };
    let inputs = [
        Input::Int(IntInput::default()),
        Input::Int(IntInput { min: Some(0), max: None }),
        Input::Int(IntInput { min: None, max: Some(0) }),
        Input::Float(FloatInput { min: Some(0.1), max: Some(1e300) }),
        Input::Float(FloatInput { min: Some(0.1), max: None }),
        Input::Str(StrInput::default()),
        Input::Str(StrInput { min_length: Some(0), ..str_input.clone() }),
        Input::Str(StrInput { max_length: Some(0), ..str_input.clone() }),
        Input::Str(StrInput { multiline: true, ..str_input.clone() }),
        Input::Str(StrInput { format: Some(StrFormat::Date), ..str_input.clone() }),
        Input::Str(StrInput { format: Some(StrFormat::DateTime), ..str_input.clone() }),
        Input::Str(StrInput { format: Some(StrFormat::Email), ..str_input.clone() }),
        Input::Str(StrInput { format: Some(StrFormat::Uri), ..str_input.clone() }),
        Input::Str(str_input),
        Input::Bool(BoolInput::default()),
        Input::Bool(BoolInput { true_label: "Go".into(), ..BoolInput::default() }),
        Input::Bool(BoolInput { false_label: "Go".into(), ..BoolInput::default() }),
        choice(vec![option("a", "", "")], 1, 1),
        choice(vec![option("a", "A", "")], 1, 1),
        choice(vec![option("a", "", "A")], 1, 1),
        choice(vec![option("a", "", ""), option("b", "", "")], 1, 1),
        choice(vec![option("b", "", ""), option("a", "", "")], 1, 1),
        choice(vec![option("b", "", ""), option("a", "", "")], 1, 2),
        choice(vec![option("b", "", ""), option("a", "", "")], 2, 2),
        Input::Object(ObjectInput { json_schema: "{}".into() }),
        Input::Object(ObjectInput { json_schema: "{} ".into() }),
    ];
    let mut others: Vec<_> = inputs.into_iter().map(|input| Request { input, ..asked() }).collect();
    others.extend([
        asked(),
        Request { id: EventId::from_bytes([8; 16]), ..asked() },
        Request { namespace: "other".parse().unwrap(), ..asked() },
        Request { name: "other".into(), ..asked() },
        Request { prompt: "other".into(), ..asked() },
        Request { prompt_format: PromptFormat::Text, ..asked() },
        Request { title: String::new(), ..asked() },
        Request { risk: Risk::Low, ..asked() },
        Request { risk: Risk::Medium, ..asked() },
        Request { require_confirmation: false, ..asked() },
        Request { scope: "other".into(), ..asked() },
        Request { labels: [].into(), ..asked() },
        Request { labels: [("team".into(), "zone".into())].into(), ..asked() },
        Request { on_timeout: OnTimeout::Fail, ..asked() },
        Request { on_timeout: OnTimeout::Default(Value::Int(6)), ..asked() },
        Request { allow_self_answer: true, ..asked() },
        Request { created_by: created_by("1", "Bob"), ..asked() },
        Request { created_by: created_by("1", "Ann"), ..asked() },
        Request { created_by: created_by("2", "Ann"), ..asked() },
        Request { create_time: instant(1), ..asked() },
        Request { deadline: instant(1), ..asked() },
    ]);
    let shown = evidence_of_every_kind();
    others.extend(shown.into_iter().map(|evidence| Request { evidence, ..asked() }));
    let count = others.len();
    let texts: HashSet<_> = others.iter().map(|other| said(other, &answered())).collect();
    assert_eq!(texts.len(), count);
}
