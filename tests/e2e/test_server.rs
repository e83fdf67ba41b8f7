//! `hitl test-server`: throw-away servers, whose time passes when they are told to.

use std::panic::AssertUnwindSafe;
use std::process::Stdio;
use std::time::Duration;

use futures::FutureExt;
use hitl::testing::{Act, Human, TestServer};
use hitl_proto::v1;
use hitl_proto::v1::test_service_client::TestServiceClient;
use support::tools;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tonic::Code;
use tonic::transport::Channel;

use crate::site::{Site, soon};

/// A server for tests, and where it is.
async fn start() -> (Child, String) {
    let mut command = Command::new(tools::hitl());
    command.arg("test-server").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    // Nothing that is set for other servers counts.
    command.env("HITL_LISTEN", "127.0.0.1:1").env("HITL_STORE", "/nowhere");
    let mut child = command.spawn().expect("the program starts");
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    soon("its address", output.read_line(&mut line)).await.expect("it prints where it is");
    let said: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
    (child, said["endpoint"].as_str().expect("an endpoint").to_owned())
}

fn client(endpoint: &str) -> hitl::Client {
    hitl::Client::new(hitl::Config::default().endpoint(endpoint).announce(false))
        .expect("the endpoint is good")
}

async fn time_of(endpoint: &str) -> TestServiceClient<Channel> {
    let server = Channel::from_shared(endpoint.to_owned()).expect("an address");
    TestServiceClient::new(soon("a connection", server.connect()).await.expect("it listens"))
}

#[tokio::test]
async fn time_passes_at_once_and_a_deadline_with_it() {
    let (_server, endpoint) = start().await;
    let client = client(&endpoint);
    let day = Duration::from_secs(86_400);
    let event = client.event::<bool>("ship", "Ship it?").timeout(day).create().await.unwrap();
    let mut time = time_of(&endpoint).await;
    let pass = |seconds| v1::AdvanceTimeRequest {
        duration: Some(prost_types::Duration { seconds, nanos: 0 }),
    };
    time.advance_time(pass(86_000)).await.unwrap();
    assert_eq!(event.poll().await.unwrap(), None);
    let wait = tokio::spawn({
        let (client, id) = (client.clone(), event.id().to_owned());
        async move { client.wait_event(&id).await }
    });
    time.advance_time(pass(401)).await.unwrap();
    let ended = soon("the end", wait).await.unwrap().unwrap();
    assert_eq!(ended.state(), v1::EventState::TimedOut);
    let negative = time.advance_time(pass(-1)).await.unwrap_err();
    assert_eq!(negative.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn it_ends_with_its_input() {
    let (mut server, _) = start().await;
    drop(server.stdin.take());
    let status = soon("its end", server.wait()).await.unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn no_other_server_lets_anybody_move_its_time() {
    let site = Site::shared().await;
    let mut time = time_of(&site.url).await;
    let refused = time.advance_time(v1::AdvanceTimeRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_person_does_as_a_test_says() {
    let server = TestServer::start_with(&tools::hitl()).await.unwrap();
    let (client, human) = (server.client(), server.human());
    let hour = Duration::from_secs(3_600);
    human.does("count", Act::answer(3).nonsense("many").nonsense(-1));
    human.decline("ship", "not on a Friday");
    human.answer("ship", true);
    human.does("slow", Act::answer_text("yes").after(2 * hour));

    let count = client.event::<i64>("count", "How many?").min(0).create().await.unwrap();
    assert_eq!(soon("an answer", count.wait()).await.unwrap(), 3);
    let ask = || client.event::<bool>("ship", "Ship it?").create();
    let declined = ask().await.unwrap().wait().await.unwrap_err();
    assert_eq!(declined.kind(), hitl::ErrorKind::Declined);
    assert!(ask().await.unwrap().wait().await.unwrap());
    let slow = client.event::<bool>("slow", "Sure?").timeout(hour).create().await.unwrap();
    let late = soon("the deadline", slow.wait()).await.unwrap_err();
    assert_eq!(late.kind(), hitl::ErrorKind::TimedOut);
    human.check().await;
}

#[tokio::test]
async fn a_test_that_says_what_does_not_happen_fails() {
    let server = TestServer::start_with(&tools::hitl()).await.unwrap();
    let human = server.human();
    human.answer("never", 1);
    human.does("text", Act::answer("x").nonsense("fits"));
    let event = server.client().event::<String>("text", "What?").create().await.unwrap();
    assert_eq!(soon("an answer", event.wait()).await.unwrap(), "fits");
    let said = AssertUnwindSafe(human.check()).catch_unwind().await.unwrap_err();
    let said = said.downcast_ref::<String>().unwrap();
    assert!(said.contains("nobody has asked \"never\""), "{said}");
    assert!(said.contains("was to be refused, and was taken"), "{said}");
}

#[tokio::test]
async fn nobody_answers_for_people_on_a_server_that_is_none_for_tests() {
    let site = Site::shared().await;
    let refused = Human::new(client(&site.url), "a test").await.unwrap_err();
    assert_eq!(refused.kind(), hitl::ErrorKind::Invalid);
    assert!(refused.message().contains("no server for tests"), "{refused}");
}
