//! What confirms an answer, for each risk with and without the wish for it.

use hitl_core::{EventId, Input, IntInput, Namespace, Request, Spec, Timestamp, create};
use hitl_testing::spec;

use super::*;

fn event(risk: Risk, require_confirmation: bool) -> Event {
    let input = Input::Int(IntInput { min: Some(0), max: Some(9) });
    let spec = Spec { risk, require_confirmation, input, ..spec(60_000) };
    let now = Timestamp::from_ms(0).unwrap();
    let request: Request =
        create(spec, Namespace::default(), EventId::from_bytes([1; 16]), now).unwrap();
    Event { request: request.into(), response: None }
}

fn entry(value: &str, confirm: &str) -> Entry {
    let field = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    Entry(vec![field("answer_id", "a"), field("value", value), field(NAME, confirm)])
}

fn wrong(event: &Event, value: &str, confirm: &str) -> Vec<String> {
    check(event, &entry(value, confirm)).into_iter().map(|v| v.field).collect()
}

#[test]
fn only_high_risk_and_a_wish_for_it_need_a_confirmation() {
    for risk in [Risk::Low, Risk::Medium, Risk::High] {
        for wish in [false, true] {
            let event = event(risk, wish);
            assert_eq!(is_needed(&event), wish || risk == Risk::High, "{risk:?} {wish}");
        }
    }
}

#[test]
fn high_risk_wants_a_tick() {
    let event = event(Risk::High, false);
    assert_eq!(wrong(&event, "3", ""), [NAME]);
    assert_eq!(wrong(&event, "3", "no"), [NAME]);
    // All that is wrong is said at once.
    assert_eq!(wrong(&event, "10", ""), ["value", NAME]);
    assert!(wrong(&event, "3", "yes").is_empty());
}

#[test]
fn high_risk_that_is_to_be_confirmed_wants_a_word() {
    let event = event(Risk::High, true);
    for other in ["", "yes", "confirm it"] {
        assert_eq!(wrong(&event, "3", other), [NAME], "{other}");
    }
    for word in ["confirm", " Confirm "] {
        assert!(wrong(&event, "3", word).is_empty(), "{word}");
    }
}

#[test]
fn a_second_step_confirms_the_answer_that_was_shown_and_no_other() {
    for risk in [Risk::Low, Risk::Medium] {
        let event = event(risk, true);
        let violations = check(&event, &entry("3", ""));
        let confirm = Confirm::of(&event, &entry("3", ""), &violations);
        assert!(confirm.is_asked());
        let Confirm::Step { digest, value } = confirm else { panic!("a step") };
        assert_eq!(value[0].lines, ["3"]);
        assert!(wrong(&event, "3", &digest).is_empty());
        assert_eq!(wrong(&event, "4", &digest), [NAME]);
        // What is no answer is not confirmed; whoever takes it says what is wrong.
        assert!(wrong(&event, "10", &digest).is_empty());
    }
}

#[test]
fn nothing_is_asked_before_the_answer_was_sent_once() {
    let fresh = Entry::new("a".to_owned());
    assert!(!Confirm::of(&event(Risk::Low, true), &fresh, &[]).is_asked());
}
