//! Waits against a server that does as a script says.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hitl_proto::v1;
use hitl_proto::v1::wait_events_response::Update;
use tokio::time::{Instant, sleep, timeout};
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use crate::Config;
use crate::error::ErrorKind;
use crate::event::outcome;
use crate::scripted::{Message, Step, scripted};

fn event(id: &str, state: i32, value: Option<i64>) -> Message {
    let response = v1::Response {
        state,
        value: value.map(|int| v1::Value { kind: Some(v1::value::Kind::Int(int)) }),
        ..Default::default()
    };
    let event = v1::Event {
        id: id.to_owned(),
        state,
        input: Some(v1::Input { kind: Some(v1::input::Kind::Int(v1::IntInput::default())) }),
        response: Some(response),
        ..Default::default()
    };
    Ok(v1::WaitEventsResponse { update: Some(Update::Event(event)) })
}

fn answered(value: i64) -> Message {
    event("e", v1::EventState::Answered.into(), Some(value))
}

fn answered_as(id: &str) -> Message {
    event(id, v1::EventState::Answered.into(), Some(1))
}

pub(crate) fn heartbeat() -> Message {
    Ok(v1::WaitEventsResponse { update: Some(Update::Heartbeat(v1::Heartbeat::default())) })
}

fn failed(id: &str, code: tonic::Code, reason: v1::ErrorReason) -> Message {
    let key = v1::EventKey { namespace: "default".to_owned(), event_id: id.to_owned() };
    let failure =
        v1::Failure { code: code.into(), reason: reason.into(), ..v1::Failure::default() };
    let failed = v1::FailedWait { key: Some(key), failure: Some(failure) };
    Ok(v1::WaitEventsResponse { update: Some(Update::Failed(failed)) })
}

fn refusal(code: tonic::Code, reason: &str) -> Status {
    let details = ErrorDetails::with_error_info(reason, hitl_proto::ERROR_DOMAIN, []);
    Status::with_error_details(code, reason, details)
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_none_does_not_reach_the_stream_of_the_others() {
    let (client, script) = scripted(Config::default(), []);
    let error = client.wait_event(&"a".repeat(1 << 20)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(script.waits.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cut_or_refused_stream_is_opened_again_until_the_event_ends() {
    let steps = [
        Step::Stream(vec![heartbeat()]),
        Step::Refuse(refusal(tonic::Code::Unavailable, "ERROR_REASON_SHUTTING_DOWN")),
        Step::Refuse(Status::unknown("transport error")),
        Step::Stream(vec![heartbeat(), Err(Status::internal("connection reset"))]),
        Step::Refuse(refusal(tonic::Code::ResourceExhausted, "ERROR_REASON_TOO_MANY_WAITERS")),
        Step::Stream(vec![]),
        Step::Stream(vec![heartbeat(), answered(42)]),
    ];
    let (client, script) = scripted(Config::default(), steps);
    let event = client.wait_event("e").await.unwrap();
    assert_eq!(outcome::<i64>(event).unwrap(), 42);
    assert_eq!(script.waits.load(Ordering::Relaxed), 7);
}

#[tokio::test(start_paused = true)]
async fn a_server_fallen_silent_is_left_after_three_heartbeats() {
    let steps = [Step::Hang(vec![heartbeat(), heartbeat()]), Step::Stream(vec![answered(1)])];
    let (client, script) = scripted(Config::default(), steps);
    let begun = Instant::now();
    client.wait_event("e").await.unwrap();
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_secs(45) && waited < Duration::from_secs(46), "{waited:?}");
    assert_eq!(script.waits.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn an_outage_longer_than_any_retry_does_not_end_a_wait_that_had_begun() {
    let lost = || Step::Refuse(Status::unavailable("connection refused"));
    let steps = std::iter::once(Step::Stream(vec![heartbeat()]))
        .chain(std::iter::repeat_with(lost).take(100))
        .chain([Step::Stream(vec![answered(7)])]);
    let (client, _) = scripted(Config::default(), steps);
    let begun = Instant::now();
    client.wait_event("e").await.unwrap();
    assert!(begun.elapsed() > Duration::from_secs(120));
}

#[tokio::test(start_paused = true)]
async fn a_server_never_reached_is_an_error_in_time() {
    let lost = || Step::Refuse(Status::unavailable("connection refused"));
    let (client, _) = scripted(Config::default(), std::iter::repeat_with(lost).take(100));
    let begun = Instant::now();
    let error = client.wait_event("e").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(begun.elapsed() <= Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_event_is_an_error_at_once() {
    let unknown = failed("e", tonic::Code::NotFound, v1::ErrorReason::EventNotFound);
    let (client, script) = scripted(Config::default(), [Step::Hang(vec![unknown])]);
    let error = client.wait_event("e").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.reason(), "ERROR_REASON_EVENT_NOT_FOUND");
    assert_eq!(script.waits.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_state_is_heartbeat() {
    let steps = [Step::Hang(vec![event("e", 99, None)])];
    let (client, _) = scripted(Config::default(), steps);
    let wait = timeout(Duration::from_secs(40), client.wait_event("e"));
    assert!(wait.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_ended_without_a_value_is_an_error_of_its_kind() {
    use v1::EventState::{Cancelled, Declined, TimedOut};
    for (state, kind) in [
        (Declined, ErrorKind::Declined),
        (Cancelled, ErrorKind::Cancelled),
        (TimedOut, ErrorKind::TimedOut),
    ] {
        let steps = [Step::Stream(vec![event("e", state.into(), None)])];
        let (client, _) = scripted(Config::default(), steps);
        let ended = client.wait_event("e").await.unwrap();
        assert_eq!(outcome::<i64>(ended).unwrap_err().kind(), kind);
    }
    let steps = [Step::Stream(vec![event("e", TimedOut.into(), Some(5))])];
    let (client, _) = scripted(Config::default(), steps);
    let defaulted = client.wait_event("e").await.unwrap();
    assert_eq!(outcome::<i64>(defaulted).unwrap(), 5);
}

#[tokio::test(start_paused = true)]
async fn all_waits_of_a_client_share_one_stream_and_are_told_apart() {
    fn reply(id: &str) -> Message {
        event(id, v1::EventState::Answered.into(), id.parse().ok())
    }
    let (client, script) = scripted(Config::default(), [Step::Reply(reply)]);
    let waits: Vec<_> = (0..2_500_i64)
        .chain([7])
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                let event = client.wait_event(&number.to_string()).await.unwrap();
                assert_eq!(outcome::<i64>(event).unwrap(), number);
            })
        })
        .collect();
    for wait in waits {
        wait.await.unwrap();
    }
    assert_eq!(script.waits.load(Ordering::Relaxed), 1);
    assert_eq!(script.asked.lock().unwrap().len(), 2_500);
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_still_waited_for_is_asked_for_again_after_a_loss() {
    let lost = vec![answered(1), Err(Status::internal("connection reset"))];
    let (client, script) =
        scripted(Config::default(), [Step::Stream(lost), Step::Hang(vec![answered_as("f")])]);
    let waits = ["e", "f", "g"].map(|id| {
        let client = client.clone();
        tokio::spawn(async move { client.wait_event(id).await })
    });
    let [e, f, g] = waits;
    e.await.unwrap().unwrap();
    g.abort();
    f.await.unwrap().unwrap();
    assert_eq!(*script.asked.lock().unwrap(), ["+e", "+f", "+g", "+f"]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_dropped_is_removed_and_the_last_one_ends_the_stream() {
    let (client, script) = scripted(Config::default(), [Step::Hang(vec![]), Step::Hang(vec![])]);
    let asked = |count: usize| {
        let script = script.clone();
        async move {
            while script.asked.lock().unwrap().len() < count {
                sleep(Duration::from_millis(1)).await;
            }
        }
    };
    let wait = |id: &'static str| {
        let client = client.clone();
        tokio::spawn(async move { client.wait_event(id).await })
    };
    let (e, f) = (wait("e"), wait("f"));
    asked(2).await;
    e.abort();
    asked(3).await;
    f.abort();
    while Arc::strong_count(client.waits()) > 1 {
        sleep(Duration::from_millis(1)).await;
    }
    let _again = wait("e");
    asked(4).await;
    assert_eq!(*script.asked.lock().unwrap(), ["+e", "+f", "-e", "+e"]);
    assert_eq!(script.waits.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_server_has_no_room_for_is_added_again_later() {
    let full = failed("e", tonic::Code::ResourceExhausted, v1::ErrorReason::TooManyWaiters);
    let (client, script) = scripted(Config::default(), [Step::Hang(vec![full])]);
    let wait = timeout(Duration::from_secs(40), client.wait_event("e")).await;
    assert!(wait.is_err(), "it goes on");
    assert_eq!(*script.asked.lock().unwrap(), ["+e", "+e"]);
    assert_eq!(script.waits.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn clients_of_one_run_share_its_count_and_runs_do_not_share_keys() {
    let (run, again) = (scripted(Config::default().run_id("w1"), []).0, Config::default());
    let (second, _) = scripted(again.run_id("w1"), []);
    let (other, _) = scripted(Config::default().run_id("w2"), []);
    let mut ids = Vec::new();
    for client in [&run, &second, &other] {
        let event = client.event::<bool>("n", "?").create().await.unwrap();
        ids.push(event.id().to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let given = run.event::<bool>("n", "?").idempotency_key("mine").create().await.unwrap();
    assert_eq!(given.id(), "mine");
}
