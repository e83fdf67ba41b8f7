//! Calls that are repeated, against a server that does as a script says.

use std::sync::atomic::Ordering;
use std::time::Duration;

use hitl_proto::v1::answer_event_request::Answer;
use tokio::time::{Instant, sleep};
use tonic::Status;

use crate::scripted::{Step, scripted};
use crate::wait_tests::pending;
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
    let (client, script) = scripted(Config::default(), [Step::Hang(vec![pending()])]);
    let waiting = client.clone();
    tokio::spawn(async move { waiting.wait_event("e").await });
    while script.waits.load(Ordering::Relaxed) == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    script.killed.notify_waiters();
    answer(&client).await.unwrap();
}
