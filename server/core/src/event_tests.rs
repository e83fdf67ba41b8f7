//! An event weighs at least what is stored of it, whichever of its fields is long.

use super::*;
use crate::evidence::Content;
use crate::id::{EventId, Namespace};
use crate::input::{Input, StrInput};

const LONG: usize = 100_000;

fn long() -> String {
    "x".repeat(LONG)
}

fn short() -> Request {
    let instant = Timestamp::from_ms(0).unwrap();
    Request {
        id: EventId::from_bytes([7; 16]),
        namespace: Namespace::default(),
        name: "n".into(),
        title: String::new(),
        prompt: "p".into(),
        prompt_format: PromptFormat::Text,
        evidence: Vec::new(),
        risk: Risk::Low,
        require_confirmation: false,
        input: Input::Str(StrInput::default()),
        scope: "run".into(),
        labels: BTreeMap::new(),
        expiration: Expiration::default(),
        on_timeout: OnTimeout::Fail,
        idempotency_key: None,
        allow_self_answer: false,
        assignees: Vec::new(),
        quorum: None,
        created_by: None,
        on_end: None,
        alarms: Alarms::default(),
        channels: Vec::new(),
        create_time: instant,
        deadline: instant,
        weight: Weight::default(),
    }
}

fn ended(outcome: Outcome) -> Response {
    let responder = Responder::claimed(String::new(), Channel::Grpc, String::new());
    let time = Timestamp::from_ms(0).unwrap();
    Response {
        outcome,
        time,
        responder: Some(responder),
        answer_id: None,
        comment: String::new(),
        votes: Vec::new(),
        weight: Weight::default(),
    }
}

#[test]
fn every_long_field_weighs() {
    let content = Content::Text(long());
    let evidence = Evidence { title: String::new(), note: String::new(), content };
    let pattern = StrInput { pattern: Some(long()), ..StrInput::default() };
    let requests = [
        Request { name: long(), ..short() },
        Request { prompt: long(), ..short() },
        Request { title: long(), ..short() },
        Request { evidence: vec![evidence], ..short() },
        Request { scope: long(), ..short() },
        Request { input: Input::Str(pattern), ..short() },
        Request { labels: [("key".into(), long())].into(), ..short() },
        Request { on_timeout: OnTimeout::Default(Value::Str(long())), ..short() },
        Request { idempotency_key: Some(long()), ..short() },
    ];
    for request in requests {
        let event = Event { request: Arc::new(request), response: None };
        assert!(event.weight_bytes() > LONG, "{:.200?}", event.request);
    }
    let ends = [
        ended(Outcome::Answered { value: Value::Choice(vec![long()]) }),
        ended(Outcome::Declined { reason: long() }),
        ended(Outcome::Cancelled { reason: long() }),
        ended(Outcome::TimedOut { default: Some(Value::Str(long())) }),
        Response { comment: long(), ..ended(Outcome::TimedOut { default: None }) },
        Response { answer_id: Some(long()), ..ended(Outcome::TimedOut { default: None }) },
    ];
    for response in ends {
        let event = Event { request: Arc::new(short()), response: Some(Arc::new(response)) };
        assert!(event.weight_bytes() > LONG, "{:.200?}", event.response);
    }
    let light = Event { request: Arc::new(short()), response: None };
    assert!(light.weight_bytes() < 2 * EVENT_BYTES, "{}", light.weight_bytes());
}
