//! Calls that are repeated, against a server that does as a script says.

use std::sync::atomic::Ordering;
use std::time::Duration;

use hitl_proto::v1;
use hitl_proto::v1::answer_event_request::Answer;
use tokio::time::{Instant, sleep};
use tonic::Status;

use crate::scripted::{Step, scripted};
use crate::wait_tests::heartbeat;
use crate::{Client, Config, ErrorKind, Result};

fn lost() -> Status {
    Status::unavailable("connection refused")
}

async fn answer(client: &Client) -> Result<()> {
    client.answer("e", Answer::Json("1".to_owned()), "Ada").await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn repeats_what_can_pass_and_gives_up_in_time() {
    let (client, script) = scripted(Config::default(), []);
    script.failures.lock().unwrap().extend(vec![lost(); 100]);
    let begun = Instant::now();
    let error = answer(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(begun.elapsed() <= Duration::from_secs(30));
    assert!(script.keys.lock().unwrap().len() > 6);
}

#[tokio::test(start_paused = true)]
async fn does_not_repeat_what_cannot_pass_nor_past_its_limit() {
    let once = Config::default().retry_for(Duration::ZERO);
    for (config, failure) in [(Config::default(), Status::invalid_argument("no")), (once, lost())] {
        let (client, script) = scripted(config, []);
        script.failures.lock().unwrap().push_back(failure);
        answer(&client).await.unwrap_err();
        assert_eq!(script.keys.lock().unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_without_reply_is_given_up() {
    let (client, _) = scripted(Config::default().retry_for(Duration::ZERO), []);
    let error = client.get("never replied to").await.unwrap_err();
    assert_eq!(error.message(), "the server at http://scripted:80 sent nothing for 15 s");
    assert!(error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_repeated_is_the_same_call_and_the_next_one_is_another() {
    let (client, script) = scripted(Config::default(), []);
    // The server has seen each call, and nobody knows whether it took effect.
    let lose_the_next = || script.failures.lock().unwrap().push_back(lost());
    for _ in 0..2 {
        lose_the_next();
        client.event::<bool>("n", "?").create().await.unwrap();
    }
    for _ in 0..2 {
        lose_the_next();
        answer(&client).await.unwrap();
    }
    for _ in 0..2 {
        lose_the_next();
        client.decline("e", "", "Ada").await.unwrap();
    }
    let mut keys = script.keys.lock().unwrap().clone();
    assert!(keys.chunks(2).all(|attempts| attempts[0] == attempts[1]), "{keys:?}");
    keys.dedup();
    assert!(keys.len() == 6 && !keys.contains(&String::new()), "{keys:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_on_a_dead_connection_goes_over_to_a_new_one_in_time() {
    let (client, script) = scripted(Config::default(), [Step::Hang(vec![heartbeat()])]);
    let waiting = client.clone();
    tokio::spawn(async move { waiting.wait_event("e").await });
    while script.waits.load(Ordering::Relaxed) == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    script.killed.notify_waiters();
    answer(&client).await.unwrap();
}

fn question(name: &str) -> v1::CreateEventRequest {
    v1::CreateEventRequest { name: name.to_owned(), ..Default::default() }
}

#[tokio::test(start_paused = true)]
async fn many_creates_go_in_batches_by_number_and_by_size() {
    let (client, script) = scripted(Config::default(), []);
    let created = client.create_many(vec![question("n"); 2_500]).await;
    assert!(created.iter().all(Result::is_ok) && created.len() == 2_500);
    assert_eq!(std::mem::take(&mut *script.batches.lock().unwrap()), [1_000, 1_000, 500]);
    let large = || question(&"n".repeat(300 << 10));
    let created = client.create_many(vec![large(); 7]).await;
    assert!(created.iter().all(Result::is_ok));
    assert_eq!(std::mem::take(&mut *script.batches.lock().unwrap()), [3, 3, 1]);
    client.create_many(vec![question(&"n".repeat(2 << 20)), question("n")]).await;
    assert_eq!(*script.batches.lock().unwrap(), [1, 1]);
    assert!(client.create_many(vec![]).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_a_batch_could_not_do_is_sent_again_under_the_same_keys_and_in_order() {
    let (client, script) = scripted(Config::default(), []);
    let failure = |code: tonic::Code, reason: v1::ErrorReason, retry_after| v1::Failure {
        code: code.into(),
        reason: reason.into(),
        retry_after,
        ..Default::default()
    };
    let full = failure(
        tonic::Code::ResourceExhausted,
        v1::ErrorReason::Overloaded,
        Some(prost_types::Duration::default()),
    );
    let invalid = failure(tonic::Code::InvalidArgument, v1::ErrorReason::InvalidRequest, None);
    script.failures.lock().unwrap().push_back(lost());
    script.entry_failures.lock().unwrap().extend([invalid, full]);
    let keyed = |key: &str| v1::CreateEventRequest {
        idempotency_key: key.to_owned(),
        ..Default::default()
    };
    let created = client.create_many(vec![keyed("a"), keyed("b"), keyed("c")]).await;
    assert_eq!(created[0].as_ref().unwrap_err().kind(), ErrorKind::Invalid);
    let ids: Vec<_> =
        created[1..].iter().map(|r| r.as_ref().unwrap().event.clone().unwrap().id).collect();
    assert_eq!(ids, ["b", "c"]);
    assert_eq!(*script.batches.lock().unwrap(), [3, 3, 1]);
    assert_eq!(*script.keys.lock().unwrap(), ["a", "a", "b", "c", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_refused_for_good_takes_no_other_with_it() {
    let (client, script) = scripted(Config::default(), []);
    script.failures.lock().unwrap().push_back(Status::invalid_argument("too large"));
    let created = client.create_many(vec![question("n"); 2_500]).await;
    let failed = created[..1_000].iter().map(|result| result.as_ref().unwrap_err().kind());
    assert!(failed.into_iter().all(|kind| kind == ErrorKind::Invalid));
    assert!(created[1_000..].iter().all(Result::is_ok));
    assert_eq!(*script.batches.lock().unwrap(), [1_000, 1_000, 500]);
}

#[tokio::test(start_paused = true)]
async fn a_server_without_room_for_a_whole_batch_is_asked_for_no_other() {
    let (client, script) = scripted(Config::default().retry_for(Duration::ZERO), []);
    let full = v1::Failure {
        code: tonic::Code::ResourceExhausted.into(),
        reason: v1::ErrorReason::Overloaded.into(),
        ..Default::default()
    };
    script.entry_failures.lock().unwrap().extend(vec![full; 1_000]);
    let created = client.create_many(vec![question("n"); 2_500]).await;
    assert!(created.iter().all(|r| r.as_ref().unwrap_err().kind() == ErrorKind::Exhausted));
    assert_eq!(*script.batches.lock().unwrap(), [1_000]);
}

#[tokio::test(start_paused = true)]
async fn many_answers_to_a_server_that_is_not_there_fail_in_time_and_each() {
    let (client, script) = scripted(Config::default(), []);
    script.failures.lock().unwrap().extend(vec![lost(); 1_000]);
    let begun = Instant::now();
    let answers = vec![v1::AnswerEventRequest::default(); 5_000];
    let answered = client.answer_many(answers).await;
    assert!(begun.elapsed() <= Duration::from_secs(30));
    assert_eq!(answered.len(), 5_000);
    assert!(answered.iter().all(|r| r.as_ref().unwrap_err().kind() == ErrorKind::Unavailable));
    script.failures.lock().unwrap().clear();
    let mut ids: Vec<_> = client
        .answer_many(vec![v1::AnswerEventRequest::default(); 3])
        .await
        .into_iter()
        .map(|response| response.unwrap().answer_id)
        .collect();
    ids.dedup();
    assert!(ids.len() == 3 && ids.iter().all(|id| !id.is_empty()), "{ids:?}");
}

#[tokio::test(start_paused = true)]
async fn links_are_made_and_ended_for_one_person_or_all_and_the_calls_are_repeated() {
    let (client, script) = scripted(Config::default(), []);
    script.failures.lock().unwrap().push_back(lost());
    let link = client.create_link("e", "Ada", Some(Duration::from_secs(60))).await.unwrap();
    assert_eq!(link.url, "http://scripted/q/a");
    assert_eq!(link.api_url, "http://scripted/v1/links/a");
    assert_eq!(link.expires, std::time::UNIX_EPOCH + Duration::from_secs(7));
    client.revoke_links("e", Some("Ada")).await.unwrap();
    client.revoke_links("e", None).await.unwrap();
    let keys = script.keys.lock().unwrap().clone();
    let made = "e for Ada, Some(60)";
    assert_eq!(keys, [made, made, "e of \"Ada\"", "e of \"\""]);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_given_up_after_its_timeout_and_no_other_call_is_bound_by_it() {
    let begun = Instant::now();
    let told = "the server at http://scripted:80 sent nothing within the call's timeout of 0.5 s";
    let half = Duration::from_millis(500);
    let (configured, _) = scripted(Config::default().call_timeout(half), []);
    let (client, script) = scripted(Config::default(), []);
    for short in [configured, client.with_call_timeout(half)] {
        let error = short.get("never replied to").await.unwrap_err();
        assert_eq!((error.message(), error.is_retryable()), (told, true));
    }
    assert_eq!(begun.elapsed(), 2 * half);
    script.failures.lock().unwrap().extend(vec![lost(); 100]);
    answer(&client.with_call_timeout(half)).await.unwrap_err();
    assert!(begun.elapsed() <= 3 * half);
    let error = client.get("never replied to").await.unwrap_err();
    assert!(error.message().ends_with("sent nothing for 15 s"), "{error}");
    let none = Config::default().call_timeout(Duration::ZERO);
    assert!(Client::new(none).unwrap_err().message().contains("call_timeout"));
}

#[tokio::test(start_paused = true)]
async fn how_long_a_call_is_repeated_can_be_its_own() {
    let (client, script) = scripted(Config::default(), []);
    script.failures.lock().unwrap().extend(vec![lost(); 2]);
    answer(&client.with_retry_for(Duration::ZERO)).await.unwrap_err();
    assert_eq!(script.keys.lock().unwrap().len(), 1);
    answer(&client).await.unwrap();
    assert_eq!(script.keys.lock().unwrap().len(), 3);
}
