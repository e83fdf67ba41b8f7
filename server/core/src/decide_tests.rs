//! Who wins, for every command in every state, and that nothing else can happen.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::create::{Expiration, Spec, create};
use crate::event::{Channel, PromptFormat, Request, State};
use crate::evidence::Risk;
use crate::id::{EventId, Namespace};
use crate::input::{Input, IntInput};
use crate::principal::{CredentialKind, Proof};

const CREATED_MS: i64 = 1_000;
const DEADLINE_MS: i64 = 2_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms).unwrap()
}

fn request(on_timeout: OnTimeout) -> Arc<Request> {
    let spec = Spec {
        name: "n".into(),
        title: String::new(),
        prompt: "p".into(),
        prompt_format: PromptFormat::Text,
        evidence: Vec::new(),
        risk: Risk::Low,
        require_confirmation: false,
        input: Input::Int(IntInput { min: Some(0), max: Some(9) }),
        scope: "run".into(),
        labels: [].into(),
        expiration: Expiration::Deadline(at(DEADLINE_MS)),
        on_timeout,
        idempotency_key: None,
        allow_self_answer: false,
        assignees: Vec::new(),
        quorum: None,
        created_by: None,
        on_end: None,
        alarms: crate::reminder::Alarms::default(),
    };
    Arc::new(
        create(spec, Namespace::default(), EventId::from_bytes([7; 16]), at(CREATED_MS)).unwrap(),
    )
}

/// What `command` does where nobody else has a part in it.
fn decide_alone(event: &Event, command: &Command, now: Timestamp) -> Result<Decision, Rejection> {
    decide(event, &Deliberation::default(), command, &Standing::default(), now)
}

fn pending() -> Event {
    Event { request: request(OnTimeout::Fail), response: None }
}

fn identity(answer_id: Option<&str>) -> Identity {
    let responder = Responder::claimed("Ann".into(), Channel::Grpc, String::new());
    Identity { responder, answer_id: answer_id.map(str::to_owned) }
}

fn answer(number: i64, answer_id: Option<&str>) -> Command {
    Command::Answer {
        answer: Answer::Value(Value::Int(number)),
        comment: String::new(),
        identity: identity(answer_id),
    }
}

fn decline(reason: &str, answer_id: Option<&str>) -> Command {
    Command::Decline { reason: reason.into(), identity: identity(answer_id) }
}

fn cancel() -> Command {
    Command::Cancel { reason: String::new(), responder: identity(None).responder }
}

/// The event after `command`, as the service applies decisions.
fn apply(event: &Event, command: &Command, now: Timestamp) -> (Event, Result<(), Rejection>) {
    match decide_alone(event, command, now) {
        Ok(Decision::End(response)) => {
            (Event { response: Some(Arc::new(response)), ..event.clone() }, Ok(()))
        }
        Ok(Decision::EndFirst(response)) => {
            apply(&Event { response: Some(Arc::new(response)), ..event.clone() }, command, now)
        }
        Ok(Decision::Repeat) => (event.clone(), Ok(())),
        Ok(Decision::Vote(_)) => unreachable!("nobody else has to agree"),
        Err(rejection) => (event.clone(), Err(rejection)),
    }
}

#[test]
fn the_first_valid_answer_wins_and_later_ones_learn_who() {
    let (event, first) = apply(&pending(), &answer(3, Some("a")), at(1_500));
    assert_eq!((event.state(), first), (State::Answered, Ok(())));
    let lost = Err(Rejection::AlreadyFinal { state: State::Answered, time: at(1_500) });
    for loser in [
        answer(3, Some("b")),
        answer(4, Some("a")),
        answer(3, None),
        decline("", Some("a")),
        cancel(),
    ] {
        assert_eq!(decide_alone(&event, &loser, at(1_600)), lost, "{loser:?}");
    }
}

#[test]
fn only_the_identical_retry_gets_the_stored_result() {
    let (answered, _) = apply(&pending(), &answer(3, Some("a")), at(1_500));
    assert_eq!(decide_alone(&answered, &answer(3, Some("a")), at(9_000)), Ok(Decision::Repeat));
    let as_text = Command::Answer {
        answer: Answer::Text(" 3 ".into()),
        comment: String::new(),
        identity: identity(Some("a")),
    };
    assert_eq!(decide_alone(&answered, &as_text, at(9_000)), Ok(Decision::Repeat));

    let (declined, _) = apply(&pending(), &decline("no", Some("d")), at(1_500));
    assert_eq!(decide_alone(&declined, &decline("no", Some("d")), at(9_000)), Ok(Decision::Repeat));
    assert!(decide_alone(&declined, &decline("never", Some("d")), at(9_000)).is_err());

    let (cancelled, _) = apply(&pending(), &cancel(), at(1_500));
    assert_eq!(decide_alone(&cancelled, &cancel(), at(9_000)), Ok(Decision::Repeat));
}

#[test]
fn an_invalid_answer_changes_nothing_and_says_which_field() {
    let event = pending();
    for (bad, at_field) in [
        (answer(10, None), "value"),
        (
            Command::Answer {
                answer: Answer::Value(Value::Bool(true)),
                comment: String::new(),
                identity: identity(None),
            },
            "value",
        ),
        (
            Command::Answer {
                answer: Answer::Text("ten".into()),
                comment: String::new(),
                identity: identity(None),
            },
            "value",
        ),
    ] {
        let (after, result) = apply(&event, &bad, at(1_500));
        assert_eq!(after, event);
        let Err(Rejection::InvalidAnswer(broken)) = result else { panic!("{result:?}") };
        assert_eq!(broken[0].field, at_field);
    }
}

#[test]
fn what_comes_at_or_after_the_deadline_commits_the_timeout_first() {
    for late in [answer(3, Some("a")), decline("", None), cancel()] {
        for now in [DEADLINE_MS, DEADLINE_MS + 1] {
            let (event, result) = apply(&pending(), &late, at(now));
            let expected =
                Rejection::AlreadyFinal { state: State::TimedOut, time: at(DEADLINE_MS) };
            assert_eq!((event.state(), result), (State::TimedOut, Err(expected)));
        }
    }
    assert_eq!(apply(&pending(), &answer(3, None), at(DEADLINE_MS - 1)).0.state(), State::Answered);
}

#[test]
fn the_timer_never_fires_early_and_records_the_deadline_however_late() {
    assert_eq!(
        decide_alone(&pending(), &Command::Expire, at(DEADLINE_MS - 1)),
        Err(Rejection::NotDue)
    );
    let (event, _) = apply(&pending(), &Command::Expire, at(DEADLINE_MS + 60_000));
    assert_eq!(event.response.as_ref().unwrap().time, at(DEADLINE_MS));
    assert_eq!(
        decide_alone(&event, &Command::Expire, at(DEADLINE_MS + 60_000)),
        Ok(Decision::Repeat)
    );
}

#[test]
fn a_default_is_recorded_as_a_timeout_never_as_an_answer() {
    let event = Event { request: request(OnTimeout::Default(Value::Int(5))), response: None };
    let (event, _) = apply(&event, &Command::Expire, at(DEADLINE_MS));
    let response = event.response.unwrap();
    assert_eq!(response.outcome, Outcome::TimedOut { default: Some(Value::Int(5)) });
    assert_eq!(response.responder, None);
}

#[test]
fn words_that_break_limits_are_refused_even_after_the_end() {
    let (ended, _) = apply(&pending(), &cancel(), at(1_500));
    let long = decline(&"x".repeat(limits::REASON_CHARS_MAX + 1), None);
    for event in [pending(), ended] {
        assert!(matches!(
            decide_alone(&event, &long, at(1_600)),
            Err(Rejection::InvalidRequest(_))
        ));
    }
}

fn any_command() -> impl Strategy<Value = Command> {
    let id = prop_oneof![Just(None), Just(Some("a")), Just(Some("b"))];
    prop_oneof![
        (0_i64..12, id.clone()).prop_map(|(number, id)| answer(number, id)),
        id.prop_map(|id| decline("no", id)),
        Just(cancel()),
        Just(Command::Expire),
    ]
}

proptest! {
    /// Whatever happens in whatever order, an event that has ended never changes again, and a timeout is never early.
    #[test]
    fn the_first_outcome_is_the_last(history in prop::collection::vec((any_command(), 1_000_i64..3_000), 1..20)) {
        let mut event = pending();
        for (command, now) in history {
            let (after, result) = apply(&event, &command, at(now));
            if event.response.is_some() {
                prop_assert_eq!(&after.response, &event.response);
            }
            if after.state() == State::TimedOut && event.state() == State::Pending {
                prop_assert!(now >= DEADLINE_MS);
            }
            if result.is_ok() {
                prop_assert!(after.response.is_some());
            }
            event = after;
        }
    }
}

fn proof(known_by: CredentialKind, id: &str) -> Option<Proof> {
    Some(Proof { known_by, id: id.to_owned(), name: "ci".to_owned() })
}

#[test]
fn whoever_created_an_event_neither_answers_nor_declines_it_unless_it_was_created_to_allow_that() {
    use CredentialKind::{Link, None, Owner, Person, Token};
    let cases = [
        (proof(Token, "1"), proof(Token, "1"), true),
        (proof(Person, "1"), proof(Person, "1"), true),
        (proof(Token, "1"), proof(Token, "2"), false),
        (proof(Token, "1"), proof(Person, "1"), false),
        (proof(Owner, ""), proof(Owner, ""), false),
        (Option::None, proof(None, ""), false),
        (proof(Token, "1"), proof(Link, ""), false),
    ];
    for (created_by, answers, refused) in cases {
        for allow_self_answer in [false, true] {
            let asked = (*request(OnTimeout::Fail)).clone();
            let asked = Request { created_by: created_by.clone(), allow_self_answer, ..asked };
            let event = Event { request: Arc::new(asked), response: Option::None };
            for mut command in [answer(3, Some("a")), decline("no", Some("a"))] {
                command.responder_mut().unwrap().proof = answers.clone();
                let (_, result) = apply(&event, &command, at(1_500));
                let expected = refused && !allow_self_answer;
                assert_eq!(result == Err(Rejection::SelfAnswer), expected, "{command:?}");
            }
            let mut withdrawn = cancel();
            withdrawn.responder_mut().unwrap().proof = answers.clone();
            assert_eq!(apply(&event, &withdrawn, at(1_500)).1, Ok(()));
        }
    }
}
