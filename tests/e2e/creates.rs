//! What can be asked, what cannot, and that asking again is the same question.

use std::collections::BTreeSet;

use hitl_proto::v1::create_event_request::Expiration;
use hitl_proto::v1::value::Kind as Value;
use hitl_proto::v1::{self, CreateEventRequest, EventState, GetEventRequest, PromptFormat};
use serde_json::json;
use tonic::Code;

use crate::failure::Failure;
use crate::kinds::{self, canonical};
use crate::site::{Site, is_pending, millis, request, typed};
use crate::web::ok_json;

fn keyed(key: &str) -> CreateEventRequest {
    CreateEventRequest { idempotency_key: key.to_owned(), ..request(kinds::int_within(0, 9)) }
}

#[tokio::test]
async fn an_event_comes_back_as_it_was_asked_with_its_defaults_filled_in() {
    let site = Site::shared().await;
    let event = site.create(request(kinds::person())).await;
    assert!(is_pending(&event));
    assert_eq!((event.namespace.as_str(), event.scope.as_str()), ("default", "run"));
    assert_eq!(event.prompt_format(), PromptFormat::Text);
    assert_eq!(event.input, Some(v1::Input { kind: Some(kinds::person()) }));
    assert!(event.on_timeout.is_some_and(|on_timeout| on_timeout.action.is_some()));
    let (created, deadline) = (event.create_time.expect("a time"), event.deadline.expect("a time"));
    assert_eq!((deadline.seconds - created.seconds, deadline.nanos), (3600, created.nanos));
    assert!(event.id.len() == 32 && event.id.bytes().all(|b| b.is_ascii_hexdigit()));
    for (url, path) in [(&event.form_url, "q"), (&event.api_url, "v1/links")] {
        let link = url.strip_prefix(&format!("{}/{path}/", site.url)).expect("a link of ours");
        assert_eq!(link.len(), 43, "{url}");
    }
}

#[tokio::test]
async fn the_same_key_and_request_is_the_same_event_even_when_it_has_ended() {
    let site = Site::shared().await;
    let first = site.create(keyed("same, and same again")).await;
    assert_eq!(site.create(keyed("same, and same again")).await, first);
    let ended = site.answer(&first, typed(&Value::Int(4))).await.expect("the answer is good");
    let reply = site.grpc.clone().create_event(keyed("same, and same again")).await;
    let reply = reply.expect("a repeated create").into_inner();
    assert!(reply.existed);
    assert_eq!(reply.event, Some(ended));
}

#[tokio::test]
async fn the_same_key_in_another_namespace_is_another_event() {
    let site = Site::shared().await;
    let namespaced = |namespace: &str| CreateEventRequest {
        namespace: namespace.to_owned(),
        ..keyed("one key in two namespaces")
    };
    let here = site.create(namespaced("here")).await;
    let there = site.create(namespaced("there")).await;
    assert_ne!(here.id, there.id);
    let crossed = GetEventRequest { namespace: "here".to_owned(), event_id: there.id };
    let crossed = site.grpc.clone().get_event(crossed).await.expect_err("it is not here");
    assert_eq!(crossed.code(), Code::NotFound);
}

#[tokio::test]
async fn the_same_key_with_another_request_is_refused_by_the_names_of_what_differs() {
    let site = Site::shared().await;
    let first = site.create(keyed("taken")).await;
    let other = CreateEventRequest {
        prompt: "Something else?".to_owned(),
        input: request(kinds::float()).input,
        expiration: Some(Expiration::Ttl(millis(5_000))),
        ..keyed("taken")
    };
    let refused = Failure::of(&site.try_create(other).await.expect_err("the key is taken"));
    assert!(refused.is(Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED"), "{refused:?}");
    assert_eq!(refused.metadata["event_id"], first.id);
    let fields: BTreeSet<_> = refused.metadata["fields"].split(',').collect();
    assert_eq!(fields, BTreeSet::from(["prompt", "input", "expiration"]));
}

#[tokio::test]
async fn without_a_key_each_create_is_another_event() {
    let site = Site::shared().await;
    let (one, other) = (site.ask(kinds::int()).await, site.ask(kinds::int()).await);
    assert!(one.id < other.id, "ids are ordered by create time");
}

#[tokio::test]
async fn http_creates_the_same_events_from_canonical_json() {
    let site = Site::shared().await;
    let body = json!({
        "name": "deploy", "prompt": "Deploy?", "input": {"int": {"min": "-5", "max": "9223372036854775807"}},
        "labels": {"team": "a b"}, "ttl": "90.5s", "idempotencyKey": "by http",
        "onTimeout": {"defaultValue": {"int": "7"}}, "promptFormat": "PROMPT_FORMAT_MARKDOWN",
    });
    let reply = ok_json(site.call("/v1/events", &body).await).await;
    let created = &reply["event"];
    assert_eq!(created["input"]["int"], json!({"min": "-5", "max": "9223372036854775807"}));
    assert_eq!(created["onTimeout"]["defaultValue"], canonical(&Value::Int(7)));
    assert_eq!(created["state"], "EVENT_STATE_PENDING");
    let same = CreateEventRequest {
        name: "deploy".to_owned(),
        prompt: "Deploy?".to_owned(),
        labels: [("team".to_owned(), "a b".to_owned())].into(),
        expiration: Some(Expiration::Ttl(millis(90_500))),
        idempotency_key: "by http".to_owned(),
        on_timeout: Some(v1::OnTimeout {
            action: Some(v1::on_timeout::Action::DefaultValue(v1::Value {
                kind: Some(Value::Int(7)),
            })),
        }),
        prompt_format: PromptFormat::Markdown.into(),
        ..request(kinds::int_within(-5, i64::MAX))
    };
    let event = site.create(same).await;
    assert_eq!(created["id"], event.id);
    assert_eq!(created["formUrl"], event.form_url);
    let again = ok_json(site.call("/v1/events", &body).await).await;
    assert_eq!((&again["existed"], &again["event"]), (&json!(true), created));
}

#[tokio::test]
async fn a_deadline_is_kept_to_the_millisecond() {
    let site = Site::shared().await;
    let now = site.ask(kinds::int()).await.create_time.expect("a time");
    let asked = prost_types::Timestamp { seconds: now.seconds + 86_400, nanos: 123_000_000 };
    let request = CreateEventRequest {
        expiration: Some(Expiration::Deadline(asked)),
        ..request(kinds::int())
    };
    let event = site.create(request).await;
    assert_eq!((event.deadline, event.state()), (Some(asked), EventState::Pending));
}
