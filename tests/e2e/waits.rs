//! Waiting: by stream and by long poll, through restarts and shutdowns, alone and in numbers.

use std::time::Duration;

use futures::future::join_all;
use hitl_proto::v1::WaitEventRequest;
use hitl_proto::v1::value::Kind as Value;
use hitl_proto::v1::wait_event_response::Update;
use tokio::time::{Instant, timeout};
use tonic::Code;

use crate::failure::Failure;
use crate::kinds;
use crate::site::{
    SOON, Site, config, is_pending, kept, millis, soon, start, typed, value_of, wait_request,
};

#[tokio::test]
async fn a_wait_shows_the_event_at_once_then_heartbeats_then_the_end_and_no_more() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    let request =
        WaitEventRequest { heartbeat_interval: Some(millis(1_000)), ..wait_request(&event) };
    let reply = site.grpc.clone().wait_event(request).await.expect("a wait starts");
    let mut updates = reply.into_inner();
    let mut next = async || {
        let message = soon("an update", updates.message()).await.expect("the wait goes on");
        message.map(|message| message.update.expect("exactly one of these"))
    };
    assert_eq!(next().await, Some(Update::Event(event.clone())));
    let begin = Instant::now();
    for _ in 0..2 {
        assert!(matches!(next().await, Some(Update::Heartbeat(beat)) if beat.time.is_some()));
    }
    let took = begin.elapsed();
    assert!((Duration::from_millis(1_500)..Duration::from_secs(6)).contains(&took), "{took:?}");
    let answered = site.answer(&event, typed(&Value::Int(1))).await.expect("it is good");
    let mut last = next().await;
    while matches!(last, Some(Update::Heartbeat(_))) {
        last = next().await;
    }
    assert_eq!(last, Some(Update::Event(answered)));
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn a_heartbeat_interval_out_of_bounds_is_refused() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    for ms in [0, 999, -1_000, 300_001] {
        let heartbeat_interval = Some(millis(ms));
        let request = WaitEventRequest { heartbeat_interval, ..wait_request(&event) };
        let refused = match site.grpc.clone().wait_event(request).await {
            Ok(reply) => reply.into_inner().message().await.expect_err("out of bounds"),
            Err(status) => status,
        };
        assert_eq!(Failure::of(&refused).fields, ["heartbeat_interval"], "{ms} ms");
    }
}

#[tokio::test]
async fn the_callers_deadline_ends_the_call_and_not_the_event() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    let given_up = timeout(Duration::from_millis(300), site.wait(&event)).await;
    assert!(given_up.is_err(), "nobody answered");
    assert!(is_pending(&site.get(&event).await));
    site.answer(&event, typed(&Value::Int(1))).await.expect("it can still be answered");
}

#[tokio::test]
async fn a_long_poll_returns_at_the_answer_and_else_after_its_time_with_the_event_as_it_stands() {
    let site = Site::shared().await;
    for by_link in [false, true] {
        let event = site.ask(kinds::int()).await;
        let path = format!("{}/v1/events/{}", site.url, event.id);
        let url = if by_link { event.api_url.clone() } else { path };
        let short = crate::web::ok_json(site.fetch(&format!("{url}?wait=1s")).await).await;
        let event_in = |json: &serde_json::Value| {
            if by_link { json.clone() } else { json["event"].clone() }
        };
        assert_eq!(event_in(&short)["state"], "EVENT_STATE_PENDING", "{short}");
        let polling = async {
            let long = soon("the poll", site.fetch(&format!("{url}?wait=30s"))).await;
            crate::web::ok_json(long).await
        };
        let answering = site.answer(&event, typed(&Value::Int(5)));
        let (ended, answered) = tokio::join!(polling, answering);
        answered.expect("the answer is good");
        let response = event_in(&ended)["response"].clone();
        assert_eq!(response["state"], "EVENT_STATE_ANSWERED", "{ended}");
        // A link does not say what somebody else has answered.
        let value = (!by_link).then_some("5");
        assert_eq!(response["value"]["int"].as_str(), value, "{ended}");
        for wait in ["0", "x", "-1s", "1e9s"] {
            let reply = site.fetch(&format!("{url}?wait={wait}")).await;
            assert!(matches!(reply.status().as_u16(), 200 | 400), "{wait}: {}", reply.status());
        }
    }
}

#[tokio::test]
async fn every_one_of_200_waits_on_one_event_is_told() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    let waits = (0..200).map(|_| soon("the wait", site.wait(&event)));
    let (ended, answered) =
        tokio::join!(join_all(waits), site.answer(&event, typed(&Value::Int(1))));
    let answered = answered.expect("the answer is good");
    assert!(ended.into_iter().all(|event| event.is_ok_and(|event| event == answered)));
}

#[tokio::test]
async fn a_wait_goes_on_after_kill_9_and_a_restart_of_the_server() {
    let (mut server, site) = start(config()).await;
    let event = site.ask(kinds::int()).await;
    let waiting = soon("the wait", site.wait_on(&event));
    let interrupting = async {
        for _ in 0..3 {
            let reply = site.grpc.clone().wait_event(wait_request(&event)).await;
            let mut updates = reply.expect("a wait starts").into_inner();
            updates.message().await.expect("the event").expect("the event");
            server.kill().await.expect("it dies");
            let cut = soon("the break", updates.message()).await.expect_err("it is dead");
            assert!(crate::site::may_retry(&cut), "{cut:?}");
            server.restart().await.expect("it starts again");
            kept(Site::at(&site.url).try_get(&event).await)?;
        }
        Some(site.answer(&event, typed(&Value::Int(6))).await.expect("the answer is good"))
    };
    let (ended, answered) = tokio::join!(waiting, interrupting);
    assert_eq!(kept(ended), answered);
}

#[tokio::test]
async fn an_acknowledged_create_and_answer_survive_kill_9_right_after() {
    let (mut server, site) = start(config()).await;
    for n in 0..3 {
        let event = site.ask(kinds::int()).await;
        server.kill().await.expect("it dies");
        server.restart().await.expect("it starts again");
        let fresh = Site::at(&site.url);
        let Some(found) = kept(fresh.try_get(&event).await) else { continue };
        assert_eq!(found, event, "and its links stay the same");
        let answered = fresh.answer(&event, typed(&Value::Int(n))).await.expect("it is good");
        server.kill().await.expect("it dies");
        server.restart().await.expect("it starts again");
        let found = Site::at(&site.url).get(&event).await;
        assert_eq!((value_of(&found), &found), (Some(&Value::Int(n)), &answered));
    }
}

#[tokio::test]
async fn sigterm_tells_every_wait_to_come_again_and_ends_the_server_in_seconds() {
    let (mut server, site) = start(config()).await;
    let event = site.ask(kinds::int()).await;
    let mut waits = Vec::new();
    for _ in 0..100 {
        let reply = site.grpc.clone().wait_event(wait_request(&event)).await;
        let mut updates = reply.expect("a wait starts").into_inner();
        updates.message().await.expect("the event").expect("the event");
        waits.push(updates);
    }
    let url = format!("{}/v1/events/{}?wait=30s", site.url, event.id);
    let poll = tokio::spawn(site.http.get(url).send());
    let begin = Instant::now();
    let status = server.terminate().await.expect("it ends");
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    assert!(status.success(), "{status}; {}", server.log_tail());
    for updates in &mut waits {
        let ended = timeout(SOON, updates.message()).await.expect("it ends");
        let ended = ended.expect_err("the event has not ended");
        let told = Failure::of(&ended);
        assert!(told.is(Code::Unavailable, "SHUTTING_DOWN"), "{told:?}");
        assert!(told.retry);
    }
    if let Ok(reply) = soon("the poll", poll).await.expect("no panic") {
        assert!(matches!(reply.status().as_u16(), 200 | 503), "{}", reply.status());
    }
    server.restart().await.expect("it starts again");
    let found = kept(Site::at(&site.url).try_get(&event).await);
    assert!(found.is_none_or(|event| is_pending(&event)));
}

#[tokio::test]
async fn a_stream_of_waits_tells_of_each_what_came_of_it() {
    use hitl_proto::v1::wait_events_response::Update;
    use hitl_proto::v1::{ErrorReason, EventKey, FailedWait, WaitEventsRequest};

    let site = Site::shared().await;
    let [ended, pending, removed] =
        [site.ask(kinds::int()).await, site.ask(kinds::int()).await, site.ask(kinds::int()).await];
    let ended = site.answer(&ended, typed(&Value::Int(1))).await.expect("it is good");
    let key = |event_id: &str| EventKey { event_id: event_id.to_owned(), ..Default::default() };
    let (say, said) = tokio::sync::mpsc::unbounded_channel();
    let said = tokio_stream::wrappers::UnboundedReceiverStream::new(said);
    let reply = site.grpc.clone().wait_events(said).await.expect("a stream without waits");
    let mut updates = reply.into_inner();
    let unknown = "0".repeat(32);
    let keys = [&ended.id, &pending.id, &pending.id, &removed.id, &unknown, "no id"];
    let heartbeat_interval = Some(millis(1_000));
    let add = keys.into_iter().map(key).collect();
    let added = WaitEventsRequest { add, heartbeat_interval, ..Default::default() };
    say.send(added).expect("the stream is open");
    let (mut events, mut failures, mut beats) = (Vec::new(), Vec::new(), 0);
    let mut next = async || {
        let message = soon("an update", updates.message()).await.expect("the waits go on");
        message.map(|message| message.update.expect("exactly one of these"))
    };
    while beats < 2 {
        match next().await.expect("the caller has not ended its side") {
            Update::Event(event) => events.push(event),
            Update::Failed(FailedWait { key, failure }) => {
                failures.push((key.expect("which").event_id, failure.expect("why").reason()));
            }
            Update::Heartbeat(_) => beats += 1,
        }
    }
    assert_eq!(events, [ended]);
    failures.sort_unstable();
    let not_found = (unknown, ErrorReason::EventNotFound);
    assert_eq!(failures, [not_found, ("no id".to_owned(), ErrorReason::InvalidRequest)]);

    let remove = vec![key(&removed.id)];
    say.send(WaitEventsRequest { remove, ..Default::default() }).expect("the stream is open");
    drop(say);
    let answered = site.answer(&pending, typed(&Value::Int(2))).await.expect("it is good");
    let mut last = next().await;
    while matches!(last, Some(Update::Heartbeat(_))) {
        last = next().await;
    }
    assert_eq!(last, Some(Update::Event(answered)));
    assert_eq!(next().await, None, "nothing is waited for, and nothing more can be added");
}

/// Longer than the body of a request may take that is one whole.
#[tokio::test]
async fn a_caller_with_nothing_to_add_for_long_is_not_let_go() {
    use hitl_proto::v1::wait_events_response::Update;
    use hitl_proto::v1::{EventKey, WaitEventsRequest};

    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    let (say, said) = tokio::sync::mpsc::unbounded_channel();
    let said = tokio_stream::wrappers::UnboundedReceiverStream::new(said);
    let reply = site.grpc.clone().wait_events(said).await.expect("a stream without waits");
    let mut updates = reply.into_inner();
    for _ in 0..2 {
        let beat = timeout(Duration::from_secs(20), updates.message()).await.expect("in time");
        let update = beat.expect("it goes on").and_then(|message| message.update);
        assert!(matches!(update, Some(Update::Heartbeat(_))), "{update:?}");
    }
    let add = vec![EventKey { event_id: event.id.clone(), ..Default::default() }];
    say.send(WaitEventsRequest { add, ..Default::default() }).expect("the stream is open");
    let answered = site.answer(&event, typed(&Value::Int(1))).await.expect("it is good");
    let update = soon("an update", updates.message()).await.expect("it goes on");
    assert_eq!(update.and_then(|message| message.update), Some(Update::Event(answered)));
}
