//! Every kind of answer, on every way in, comes out of the wait as it was given; a bad one changes nothing.

use hitl_proto::v1::answer_event_request::Answer;
use hitl_proto::v1::input::Kind as Input;
use hitl_proto::v1::{Channel, Event, EventState};
use serde_json::json;
use tonic::Code;

use crate::failure::Failure;
use crate::kinds::{self, canonical, plain};
use crate::samples::{Good, bad_answers, good_answers};
use crate::site::{Site, is_pending, soon, typed, value_of};
use crate::web::{answered, event_of, link_answer, ok_json};

/// Asks, has `answer` give the answer while a wait is open, and returns the event that the wait ends with.
async fn ask_and_wait<F>(site: &Site, sample: &Good, answer: F) -> Event
where
    F: AsyncFnOnce(&Site, &Event, &Good),
{
    let event = site.ask(sample.input.clone()).await;
    let (ended, ()) =
        tokio::join!(soon("the wait", site.wait(&event)), answer(site, &event, sample));
    let ended = ended.expect("the wait ends well");
    assert_eq!(ended.state(), EventState::Answered);
    assert_eq!(value_of(&ended), Some(&sample.stored));
    assert_eq!(site.get(&event).await, ended, "a read shows what the wait showed");
    ended
}

fn channel_of(event: &Event) -> Channel {
    event.response.as_ref().and_then(|r| r.responder.as_ref()).expect("someone answered").channel()
}

fn responder_of(event: &Event) -> &str {
    &event.response.as_ref().and_then(|r| r.responder.as_ref()).expect("someone answered").name
}

#[tokio::test]
async fn every_kind_of_value_given_over_grpc_is_what_the_wait_delivers() {
    let site = Site::shared().await;
    for sample in good_answers() {
        let ended = ask_and_wait(&site, &sample, async |site, event, sample| {
            site.answer(event, typed(&sample.given)).await.expect("the answer is good");
        })
        .await;
        assert_eq!((channel_of(&ended), responder_of(&ended)), (Channel::Grpc, "Ann"));
        let responder = ended.response.and_then(|r| r.responder).expect("someone answered");
        assert_eq!(responder.address, "127.0.0.1");
    }
}

#[tokio::test]
async fn every_kind_of_value_given_as_json_text_over_grpc_is_what_the_wait_delivers() {
    let site = Site::shared().await;
    for sample in good_answers() {
        ask_and_wait(&site, &sample, async |site, event, sample| {
            let text = plain(&sample.given).to_string();
            site.answer(event, Answer::Json(text)).await.expect("the answer is good");
        })
        .await;
    }
}

#[tokio::test]
async fn every_kind_of_value_given_as_typed_text_is_what_the_wait_delivers() {
    let site = Site::shared().await;
    for sample in good_answers() {
        ask_and_wait(&site, &sample, async |site, event, sample| {
            let text = match &sample.input {
                Input::Choice(_) => {
                    let lines = kinds::form(&sample.given).into_iter().map(|(_, value)| value);
                    lines.collect::<Vec<_>>().join("\n")
                }
                Input::Object(_) => plain(&sample.given).to_string(),
                _ => kinds::form(&sample.given).remove(0).1,
            };
            site.answer(event, Answer::Text(text)).await.expect("the answer is good");
        })
        .await;
    }
}

#[tokio::test]
async fn every_kind_of_value_given_as_canonical_json_over_http_is_what_the_wait_delivers() {
    let site = Site::shared().await;
    for sample in good_answers() {
        let ended = ask_and_wait(&site, &sample, async |site, event, sample| {
            let path = format!("/v1/events/{}/answer", event.id);
            let body = json!({"value": canonical(&sample.given), "responder": "Ann"});
            let replied =
                event_of(site.call(&path, &body).await).await.expect("the answer is good");
            assert_eq!(replied["response"]["value"], canonical(&sample.stored));
            assert_eq!(replied["state"], "EVENT_STATE_ANSWERED");
        })
        .await;
        assert_eq!((channel_of(&ended), responder_of(&ended)), (Channel::Http, "Ann"));
        let read = site.read(&format!("/v1/events/{}", ended.id)).await;
        assert_eq!(read["event"]["response"]["value"], canonical(&sample.stored));
    }
}

#[tokio::test]
async fn every_kind_of_value_given_as_plain_json_to_a_link_is_what_the_wait_delivers() {
    let site = Site::shared().await;
    for sample in good_answers() {
        let ended = ask_and_wait(&site, &sample, async |site, event, sample| {
            let body = link_answer(&plain(&sample.given), "once");
            ok_json(site.post_link(event, &body).await).await;
        })
        .await;
        assert_eq!((channel_of(&ended), responder_of(&ended)), (Channel::Http, "Ann"));
    }
}

#[tokio::test]
async fn every_kind_of_value_given_in_the_form_is_what_the_wait_delivers() {
    let site = Site::shared().await;
    for sample in good_answers() {
        let ended = ask_and_wait(&site, &sample, async |site, event, sample| {
            let fields = answered(kinds::form(&sample.given), "once");
            let page = site.submit_and_follow(event, &fields).await;
            assert!(page.contains("Ann"), "the page says who answered: {page}");
        })
        .await;
        assert_eq!((channel_of(&ended), responder_of(&ended)), (Channel::Form, "Ann"));
    }
}

#[tokio::test]
async fn a_wait_that_comes_after_the_answer_gets_it_at_once_and_any_number_of_times() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    let answer = Answer::Json("7".to_owned());
    let answered = site.answer(&event, answer).await.expect("the answer is good");
    for _ in 0..3 {
        let ended = soon("a wait for the past", site.wait(&event)).await;
        assert_eq!(ended.expect("the wait ends well"), answered);
    }
}

#[tokio::test]
async fn a_bad_answer_names_the_field_at_fault_and_leaves_the_event_as_it_was() {
    let site = Site::shared().await;
    for sample in bad_answers() {
        let event = site.ask(sample.input.clone()).await;
        let shown = sample.json.to_string().chars().take(60).collect::<String>();
        let by_grpc = site.answer(&event, Answer::Json(sample.json.to_string())).await;
        let by_grpc = Failure::of(&by_grpc.expect_err(&shown));
        let by_link = site.post_link(&event, &link_answer(&sample.json, "")).await;
        let by_link = Failure::of_reply(by_link).await;
        for failure in [by_grpc, by_link] {
            assert!(failure.is(Code::InvalidArgument, "INVALID_ANSWER"), "{shown}: {failure:?}");
            assert_eq!(failure.fields, [sample.field], "{shown}");
        }
        assert_eq!(site.get(&event).await, event, "{shown}");
    }
}

#[tokio::test]
async fn a_typed_value_of_another_kind_is_refused_and_the_right_one_still_wins() {
    let site = Site::shared().await;
    let samples = good_answers();
    for sample in &samples {
        let event = site.ask(sample.input.clone()).await;
        let kind = std::mem::discriminant(&sample.given);
        let others = samples.iter().filter(|other| std::mem::discriminant(&other.given) != kind);
        for other in others.step_by(3) {
            let refused = site.answer(&event, typed(&other.given)).await;
            let refused = Failure::of(&refused.expect_err("a value of another kind"));
            assert!(refused.is(Code::InvalidArgument, "INVALID_ANSWER"), "{refused:?}");
            assert!(refused.fields[0].starts_with("value"), "{refused:?}");
        }
        let won = site.answer(&event, typed(&sample.given)).await.expect("the answer is good");
        assert_eq!(value_of(&won), Some(&sample.stored));
    }
}

#[tokio::test]
async fn an_infinite_or_undefined_number_is_refused_over_grpc() {
    let site = Site::shared().await;
    let event = site.ask(kinds::float()).await;
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let value = hitl_proto::v1::value::Kind::Float(number);
        let refused = site.answer(&event, typed(&value)).await.expect_err("not a number");
        assert_eq!(Failure::of(&refused).fields, ["value"]);
    }
    assert!(is_pending(&site.get(&event).await));
}

#[tokio::test]
async fn a_call_without_an_answer_is_refused() {
    let site = Site::shared().await;
    let event = site.ask(kinds::text()).await;
    let request =
        hitl_proto::v1::AnswerEventRequest { event_id: event.id.clone(), ..Default::default() };
    let refused = site.grpc.clone().answer_event(request).await.expect_err("no answer");
    assert_eq!(refused.code(), Code::InvalidArgument);
    for body in [
        json!({}),
        json!({"answer": 1}),
        json!([]),
        json!({"value": 1, "decline": "x"}),
        json!({"value": null}),
    ] {
        let refused = Failure::of_reply(site.post_link(&event, &body).await).await;
        assert_eq!(refused.code, Code::InvalidArgument, "{body}");
    }
    assert!(is_pending(&site.get(&event).await));
}
