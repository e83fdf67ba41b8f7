//! A whole life of an event through grpcurl, which knows nothing of the API but what reflection tells it.

use serde_json::{Value as Json, json};
use support::tools;
use tokio::process::Command;

use crate::site::{Site, soon};

/// The standard output of `grpcurl -plaintext ARGS`, which must succeed.
async fn grpcurl(args: &[&str]) -> String {
    let mut command = Command::new(tools::grpcurl());
    command.arg("-plaintext").args(args).kill_on_drop(true);
    let output = soon("grpcurl", command.output()).await.expect("grpcurl runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    said
}

async fn call(site: &Site, method: &str, body: &Json) -> Json {
    let said =
        grpcurl(&["-d", &body.to_string(), host(site), &format!("hitl.v1.EventService/{method}")])
            .await;
    let mut messages = serde_json::Deserializer::from_str(&said).into_iter::<Json>();
    let last = messages.by_ref().last().expect("at least one message");
    last.unwrap_or_else(|error| panic!("{error}: {said}"))
}

fn host(site: &Site) -> &str {
    site.url.trim_start_matches("http://")
}

#[tokio::test]
async fn reflection_lists_and_describes_the_services() {
    let site = Site::shared().await;
    let services = grpcurl(&[host(&site), "list"]).await;
    for service in ["hitl.v1.EventService", "grpc.health.v1.Health", "grpc.reflection.v1"] {
        assert!(services.contains(service), "{service} is missing: {services}");
    }
    let described = grpcurl(&[host(&site), "describe", "hitl.v1.EventService"]).await;
    for method in [
        "CreateEvent",
        "GetEvent",
        "ListEvents",
        "WaitEvent",
        "AnswerEvent",
        "DeclineEvent",
        "CancelEvent",
    ] {
        assert!(described.contains(&format!("rpc {method} ")), "{method} is missing: {described}");
    }
    let described = grpcurl(&[host(&site), "describe", "hitl.v1.Event"]).await;
    assert!(described.contains(".hitl.v1.EventState state = 13"), "{described}");
    let health = grpcurl(&[host(&site), "grpc.health.v1.Health/Check"]).await;
    assert!(health.contains("SERVING"), "{health}");
}

#[tokio::test]
async fn an_event_is_asked_waited_for_and_answered() {
    let site = Site::shared().await;
    let asked = json!({"name": "n", "prompt": "p", "input": {"int": {"min": "0"}}});
    let event = call(&site, "CreateEvent", &asked).await["event"].clone();
    assert_eq!(event["state"], "EVENT_STATE_PENDING");
    let id = json!({"eventId": event["id"]});
    let answer = json!({"eventId": event["id"], "value": {"int": "9007199254740993"}});
    let (waited, answered) =
        tokio::join!(call(&site, "WaitEvent", &id), call(&site, "AnswerEvent", &answer));
    assert_eq!(waited["event"], answered["event"]);
    assert_eq!(waited["event"]["response"]["value"]["int"], "9007199254740993");
    let got = call(&site, "GetEvent", &id).await;
    assert_eq!(got["event"], waited["event"]);
    let listed = call(&site, "ListEvents", &json!({"state": "EVENT_STATE_ANSWERED"})).await;
    let events = listed["events"].as_array().cloned().unwrap_or_default();
    assert!(events.iter().any(|listed| listed["id"] == event["id"]));
}
