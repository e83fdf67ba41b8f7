//! Many at once: one outcome, one event, and everyone learns which.

use std::collections::BTreeSet;

use futures::future::join_all;
use hitl_proto::v1::value::Kind as Value;
use hitl_proto::v1::{CancelEventRequest, CreateEventRequest, DeclineEventRequest};
use reqwest::StatusCode;
use serde_json::json;
use support::stores::Kind;

use crate::failure::Failure;
use crate::kinds;
use crate::site::{Site, request, soon, typed, value_of};
use crate::web::{answered, event_of, link_answer};

fn racers() -> std::ops::Range<i64> {
    0..Kind::of_this_run().racers_max()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_answers_at_once_exactly_one_wins_and_the_others_learn_of_it() {
    let site = Site::shared().await;
    for _ in 0..5 {
        let event = site.ask(kinds::int()).await;
        let racers = racers().map(async |n| {
            if n % 2 == 0 {
                let answered = site.answer(&event, typed(&Value::Int(n))).await;
                answered.map(|_| n).map_err(|status| Failure::of(&status))
            } else {
                let reply = site.post_link(&event, &json!({"value": n})).await;
                event_of(reply).await.map(|_| n)
            }
        });
        let waits = (0..4).map(|_| soon("the wait", site.wait(&event)));
        let (results, waits) = tokio::join!(join_all(racers), join_all(waits));
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        let won: Vec<_> = won.into_iter().filter_map(Result::ok).collect();
        let ended = site.get(&event).await;
        assert_eq!(won.len(), 1, "{won:?}");
        assert_eq!(value_of(&ended), Some(&Value::Int(won[0])));
        assert!(waits.into_iter().all(|wait| wait.is_ok_and(|event| event == ended)));
        let time = ended.response.and_then(|r| r.time).expect("it has ended");
        for failure in lost.into_iter().filter_map(Result::err) {
            assert_eq!(failure.reason, "ERROR_REASON_EVENT_ALREADY_FINAL");
            assert_eq!(failure.metadata["state"], "EVENT_STATE_ANSWERED");
            let told: prost_types::Timestamp = failure.metadata["time"].parse().expect("a time");
            assert_eq!(told, time);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_an_answer_a_decline_and_a_cancel_at_once_exactly_one_wins() {
    let site = Site::shared().await;
    for _ in 0..20 {
        let event = site.ask(kinds::int()).await;
        let event_id = event.id.clone();
        let decline = DeclineEventRequest { event_id: event_id.clone(), ..Default::default() };
        let cancel = CancelEventRequest { event_id, ..Default::default() };
        let (mut one, mut other) = (site.grpc.clone(), site.grpc.clone());
        let (answered, declined, cancelled) = tokio::join!(
            site.answer(&event, typed(&Value::Int(1))),
            one.decline_event(decline),
            other.cancel_event(cancel),
        );
        let won = [
            answered.ok().map(|event| event.response),
            declined.ok().and_then(|r| r.into_inner().event).map(|event| event.response),
            cancelled.ok().and_then(|r| r.into_inner().event).map(|event| event.response),
        ];
        let won: Vec<_> = won.into_iter().flatten().collect();
        assert_eq!(won, [site.get(&event).await.response]);
    }
}

#[tokio::test]
async fn the_identical_retry_gets_the_stored_result_and_anything_else_does_not() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    let value = typed(&Value::Int(1));
    let first = site.answer_as(&event, value.clone(), "call-1").await.expect("it is good");
    let again = site.answer_as(&event, value.clone(), "call-1").await.expect("a retry");
    assert_eq!(again, first);
    // The same value in another form is still the same answer, and so is the same call by another way in.
    let form = hitl_proto::v1::answer_event_request::Answer::Text("1".to_owned());
    assert_eq!(site.answer_as(&event, form, "call-1").await.expect("a retry"), first);
    event_of(site.post_link(&event, &link_answer(&json!(1), "call-1")).await)
        .await
        .expect("a retry");
    let others = [(value.clone(), "call-2"), (value, ""), (typed(&Value::Int(2)), "call-1")];
    for (value, id) in others {
        let refused = site.answer_as(&event, value, id).await.expect_err("no retry");
        assert_eq!(Failure::of(&refused).reason, "ERROR_REASON_EVENT_ALREADY_FINAL");
    }
    assert_eq!(site.get(&event).await, first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_is_submitted_twice_shows_the_same_success_twice() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    let fields = answered(kinds::form(&Value::Int(8)), "page-1");
    let submits = (0..8).map(|_| site.submit_and_follow(&event, &fields));
    let pages: BTreeSet<_> = join_all(submits).await.into_iter().collect();
    assert_eq!(pages.len(), 1, "{pages:?}");
    assert_eq!(value_of(&site.get(&event).await), Some(&Value::Int(8)));
}

#[tokio::test]
async fn a_form_that_comes_second_is_told_who_came_first() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    site.submit_and_follow(&event, &answered(kinds::form(&Value::Int(8)), "page-1")).await;
    let second = site.submit(&event, &answered(kinds::form(&Value::Int(9)), "page-2")).await;
    assert_eq!(second.status(), StatusCode::CONFLICT);
    let page = second.text().await.expect("a page");
    assert!(page.contains("Ann") && page.contains('8'), "{page}");
    assert_eq!(value_of(&site.get(&event).await), Some(&Value::Int(8)));
}

fn keyed(key: &str) -> CreateEventRequest {
    CreateEventRequest { idempotency_key: key.to_owned(), ..request(kinds::int()) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_creates_at_once_with_one_key_comes_one_event() {
    let site = Site::shared().await;
    let creates = racers().map(async |_| {
        let reply = site.grpc.clone().create_event(keyed("one of many")).await;
        reply.expect("a repeated create").into_inner()
    });
    let replies = join_all(creates).await;
    let events: Vec<_> = replies.iter().filter_map(|reply| reply.event.as_ref()).collect();
    assert!(events.iter().all(|event| *event == events[0]), "same id, same links, same times");
    assert_eq!(replies.iter().filter(|reply| !reply.existed).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_different_requests_at_once_with_one_key_only_one_becomes_the_event() {
    let site = Site::shared().await;
    let creates = racers().map(async |n| {
        let request = CreateEventRequest {
            prompt: format!("Is it {n}?"),
            ..keyed("one of many that differ")
        };
        site.try_create(request).await
    });
    let results = join_all(creates).await;
    let created: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
    assert_eq!(created.len(), 1);
    for status in results.iter().filter_map(|result| result.as_ref().err()) {
        let refused = Failure::of(status);
        assert_eq!(refused.reason, "ERROR_REASON_IDEMPOTENCY_KEY_REUSED");
        assert_eq!(refused.metadata["fields"], "prompt");
        assert_eq!(refused.metadata["event_id"], created[0].id);
    }
}
