//! Runs, against a server that gives each event its key as its id.

use tonic::Status;

use crate::key::of_run;
use crate::scripted::scripted;
use crate::{Client, Config, ErrorKind};

async fn asks(client: &Client) -> String {
    client.event::<bool>("step", "?").create().await.unwrap().id().to_owned()
}

#[tokio::test(start_paused = true)]
async fn each_run_of_an_id_counts_from_the_beginning() {
    let (client, _) = scripted(Config::default(), []);
    for _ in 0..2 {
        let run = client.run("job-9").unwrap();
        for n in 1..=2 {
            let event = run.event::<bool>("step", "?").create().await.unwrap();
            assert_eq!(event.id(), of_run("job-9", "step", n));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_within_a_run_meets_the_same_events_and_no_other_does() {
    let (client, _) = scripted(Config::default().run_id("whole"), []);
    let run = client.run("job-9").unwrap();
    let first = of_run("job-9", "step", 1);
    for _ in 0..2 {
        let attempt = async {
            assert_eq!(asks(&client).await, first);
            // An attempt within an attempt is one of its own.
            assert_eq!(client.run("job-9").unwrap().within(asks(&client)).await, first);
            assert_eq!(asks(&client).await, of_run("job-9", "step", 2));
        };
        run.within(attempt).await;
    }
    assert_eq!(asks(&client).await, of_run("whole", "step", 1));
}

#[tokio::test(start_paused = true)]
async fn a_create_that_failed_gives_its_number_back() {
    let (client, script) = scripted(Config::default(), []);
    script.failures.lock().unwrap().push_back(Status::invalid_argument("no"));
    let run = client.run("job-9").unwrap();
    run.event::<bool>("step", "?").create().await.unwrap_err();
    assert_eq!(run.within(asks(&client)).await, of_run("job-9", "step", 1));
    let event = run.event::<bool>("step", "?").create().await.unwrap();
    assert_eq!(event.id(), of_run("job-9", "step", 1));
}

#[tokio::test(start_paused = true)]
async fn what_names_no_run_or_no_event_of_it_is_refused() {
    let (client, _) = scripted(Config::default(), []);
    assert_eq!(client.run("").unwrap_err().kind(), ErrorKind::Invalid);
    let error = client.run("job-9").unwrap().attach::<bool>("step", 0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn nobody_at_the_endpoint_is_told_of_at_once() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(Config::default().endpoint(endpoint)).unwrap();
    let both = async { (client.get("e").await, client.wait_event("e").await) };
    let (got, ended) = tokio::time::timeout(std::time::Duration::from_secs(5), both).await.unwrap();
    for error in [got.unwrap_err(), ended.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.is_retryable() && error.message().contains("Check that it runs there"));
    }
}
