//! The other ways in which an event ends: declined, cancelled, timed out. Each is final, and tells so.

use std::time::Duration;

use hitl_proto::v1::answer_event_request::Answer;
use hitl_proto::v1::create_event_request::Expiration;
use hitl_proto::v1::on_timeout::Action;
use hitl_proto::v1::value::Kind as Value;
use hitl_proto::v1::{
    self, CancelEventRequest, CreateEventRequest, DeclineEventRequest, Event, EventState, OnTimeout,
};
use serde_json::json;
use tonic::{Code, Status};

use crate::failure::Failure;
use crate::kinds;
use crate::site::{Site, config, is_pending, kept, millis, request, soon, start, typed, value_of};
use crate::web::{declined, event_of, ok_json};

fn expiring(ms: i64) -> CreateEventRequest {
    CreateEventRequest { expiration: Some(Expiration::Ttl(millis(ms))), ..request(kinds::int()) }
}

fn with_default(request: CreateEventRequest, value: Value) -> CreateEventRequest {
    let value = v1::Value { kind: Some(value) };
    let on_timeout = Some(OnTimeout { action: Some(Action::DefaultValue(value)) });
    CreateEventRequest { on_timeout, ..request }
}

async fn decline(site: &Site, event: &Event, reason: &str, id: &str) -> Result<Event, Status> {
    let request = DeclineEventRequest {
        event_id: event.id.clone(),
        reason: reason.to_owned(),
        answer_id: id.to_owned(),
        ..DeclineEventRequest::default()
    };
    let reply = site.grpc.clone().decline_event(request).await?;
    Ok(reply.into_inner().event.expect("a decline returns the event"))
}

async fn cancel(site: &Site, event: &Event, reason: &str) -> Result<Event, Status> {
    let request = CancelEventRequest {
        event_id: event.id.clone(),
        reason: reason.to_owned(),
        ..CancelEventRequest::default()
    };
    let reply = site.grpc.clone().cancel_event(request).await?;
    Ok(reply.into_inner().event.expect("a cancel returns the event"))
}

/// What is left of an event's time: sleeping so long is waiting for its deadline.
async fn deadline_of(event: &Event) {
    let ms = |t: prost_types::Timestamp| t.seconds * 1000 + i64::from(t.nanos) / 1_000_000;
    let left = ms(event.deadline.expect("a deadline")) - ms(event.create_time.expect("a time"));
    tokio::time::sleep(Duration::from_millis(left.unsigned_abs())).await;
}

fn assert_final(refused: &Failure, state: &str) {
    assert!(refused.is(Code::FailedPrecondition, "EVENT_ALREADY_FINAL"), "{refused:?}");
    assert_eq!(refused.metadata["state"], state);
}

#[tokio::test]
async fn a_decline_ends_the_wait_with_its_reason_on_every_way_in() {
    let site = Site::shared().await;
    let reason = "not <b>now</b>,\nask \"Bob\" 🙂";
    for way in ["grpc", "http", "link", "form"] {
        let event = site.ask(kinds::int()).await;
        let declining = async {
            match way {
                "grpc" => drop(decline(&site, &event, reason, "").await.expect("it declines")),
                "http" => {
                    let path = format!("/v1/events/{}/decline", event.id);
                    let reply = site.call(&path, &json!({"reason": reason})).await;
                    event_of(reply).await.expect("it declines");
                }
                "link" => {
                    drop(ok_json(site.post_link(&event, &json!({"decline": reason})).await).await);
                }
                _ => {
                    let page = site.submit_and_follow(&event, &declined(reason, "once")).await;
                    assert!(page.contains("eclined"), "{page}");
                    assert!(!page.contains("<b>now"), "the reason is escaped: {page}");
                }
            }
        };
        let (ended, ()) = tokio::join!(soon("the wait", site.wait(&event)), declining);
        let ended = ended.expect("the wait ends well");
        assert_eq!(ended.state(), EventState::Declined, "{way}");
        let response = ended.response.clone().expect("it has ended");
        assert_eq!(response.reason, reason, "{way}");
        assert_eq!(
            (response.value.clone(), response.state()),
            (None, EventState::Declined),
            "{way}"
        );
    }
}

#[tokio::test]
async fn a_cancel_ends_the_wait_and_is_safe_to_repeat() {
    let site = Site::shared().await;
    for by_http in [false, true] {
        let event = site.ask(kinds::int()).await;
        let cancelling = async {
            if by_http {
                let path = format!("/v1/events/{}/cancel", event.id);
                let reply = site.call(&path, &json!({"reason": "done without"})).await;
                event_of(reply).await.expect("it cancels");
            } else {
                cancel(&site, &event, "done without").await.expect("it cancels");
            }
        };
        let (ended, ()) = tokio::join!(soon("the wait", site.wait(&event)), cancelling);
        let ended = ended.expect("the wait ends well");
        assert_eq!(ended.state(), EventState::Cancelled);
        assert_eq!(ended.response.as_ref().expect("it has ended").reason, "done without");
        assert_eq!(cancel(&site, &event, "again").await.expect("it is cancelled"), ended);
    }
}

#[tokio::test]
async fn an_ended_event_refuses_every_other_ending_with_its_state_and_time() {
    let site = Site::shared().await;
    let answered = site.ask(kinds::int()).await;
    site.answer(&answered, typed(&Value::Int(1))).await.expect("the answer is good");
    let refused = site.ask(kinds::int()).await;
    decline(&site, &refused, "no", "").await.expect("it declines");
    let withdrawn = site.ask(kinds::int()).await;
    cancel(&site, &withdrawn, "").await.expect("it cancels");
    let cases = [
        (&answered, "EVENT_STATE_ANSWERED"),
        (&refused, "EVENT_STATE_DECLINED"),
        (&withdrawn, "EVENT_STATE_CANCELLED"),
    ];
    for (event, state) in cases {
        let before = site.get(event).await;
        let mut refusals = vec![site.answer(event, typed(&Value::Int(2))).await];
        refusals.push(decline(&site, event, "", "").await);
        if state != "EVENT_STATE_CANCELLED" {
            refusals.push(cancel(&site, event, "").await);
        }
        for refusal in refusals {
            let refusal = Failure::of(&refusal.expect_err(state));
            assert_final(&refusal, state);
            assert_eq!(refusal.metadata["event_id"], event.id);
            assert!(refusal.metadata["time"].ends_with('Z'), "{refusal:?}");
        }
        let by_link = site.post_link(event, &json!({"value": 2})).await;
        assert_final(&Failure::of_reply(by_link).await, state);
        assert_eq!(site.get(event).await, before);
    }
}

#[tokio::test]
async fn a_timeout_ends_the_wait_at_the_deadline_without_a_value() {
    let site = Site::shared().await;
    let event = site.create(expiring(300)).await;
    assert!(is_pending(&event));
    let ended = soon("the timeout", site.wait(&event)).await.expect("the wait ends well");
    assert_eq!(ended.state(), EventState::TimedOut);
    let response = ended.response.expect("it has ended");
    assert_eq!(response.time, event.deadline);
    assert_eq!((response.value, response.responder), (None, None));
}

#[tokio::test]
async fn a_timeout_with_a_default_delivers_it_and_still_says_that_nobody_answered() {
    let site = Site::shared().await;
    let event = site.create(with_default(expiring(300), Value::Int(-5))).await;
    let ended = soon("the timeout", site.wait(&event)).await.expect("the wait ends well");
    assert_eq!((ended.state(), value_of(&ended)), (EventState::TimedOut, Some(&Value::Int(-5))));
    assert_eq!(ended.response.and_then(|r| r.responder), None);
}

#[tokio::test]
async fn a_default_that_is_no_valid_answer_is_refused_at_create() {
    let site = Site::shared().await;
    let request = with_default(request(kinds::int_within(0, 9)), Value::Int(10));
    let refused = Failure::of(&site.try_create(request).await.expect_err("10 is too much"));
    assert!(refused.is(Code::InvalidArgument, "INVALID_REQUEST"), "{refused:?}");
    assert_eq!(refused.fields, ["on_timeout.default_value"]);
}

#[tokio::test]
async fn a_late_answer_is_refused_with_the_deadline_though_nobody_has_looked_since() {
    let site = Site::shared().await;
    let events = [site.create(expiring(200)).await, site.create(expiring(200)).await];
    deadline_of(&events[1]).await;
    let by_grpc = site.answer(&events[0], Answer::Json("1".to_owned())).await;
    let by_grpc = Failure::of(&by_grpc.expect_err("it is too late"));
    let by_link = site.post_link(&events[1], &json!({"value": 1})).await;
    let by_link = Failure::of_reply(by_link).await;
    for (event, refused) in events.iter().zip([by_grpc, by_link]) {
        assert_final(&refused, "EVENT_STATE_TIMED_OUT");
        let deadline = event.deadline.expect("a deadline").to_string();
        assert_eq!(instant(&refused.metadata["time"]), instant(&deadline));
        assert_eq!(site.get(event).await.state(), EventState::TimedOut);
    }
}

fn instant(text: &str) -> prost_types::Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[tokio::test]
async fn an_answer_to_a_server_that_was_frozen_past_the_deadline_is_late() {
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
    let (server, site) = start(config()).await;
    let event = site.create(expiring(500)).await;
    let pid = server.pid().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    let pid = pid.expect("the server runs");
    kill_process(pid, Signal::STOP).expect("it stops");
    waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT).expect("all of it");
    let answering = site.answer(&event, typed(&Value::Int(1)));
    let thawing = async {
        deadline_of(&event).await;
        kill_process(pid, Signal::CONT).expect("it goes on");
    };
    let (refused, ()) = tokio::join!(answering, thawing);
    assert_final(&Failure::of(&refused.expect_err("it is too late")), "EVENT_STATE_TIMED_OUT");
}

#[tokio::test]
async fn a_timeout_that_came_due_while_the_server_was_down_fires_at_start_with_its_own_deadline() {
    let (mut server, site) = start(config()).await;
    let event = site.create(with_default(expiring(200), Value::Int(3))).await;
    server.kill().await.expect("it dies");
    deadline_of(&event).await;
    server.restart().await.expect("it starts again");
    let found = soon("the overdue timeout", site.wait_on(&event)).await;
    let Some(ended) = kept(found) else { return };
    assert_eq!((ended.state(), value_of(&ended)), (EventState::TimedOut, Some(&Value::Int(3))));
    assert_eq!(ended.response.and_then(|r| r.time), event.deadline);
}
