//! Requests that break a rule: each is refused by the name of the field, and nothing is created.

use hitl_proto::v1::create_event_request::Expiration;
use hitl_proto::v1::input::Kind as Input;
use hitl_proto::v1::{
    self, ChoiceInput, CreateEventRequest, GetEventRequest, ObjectInput, WaitEventRequest,
};
use serde_json::json;
use tonic::{Code, Status};

use crate::failure::Failure;
use crate::kinds;
use crate::site::{Site, millis, request};
use crate::web::event_of;

fn choice(values: &[&str]) -> Input {
    let option = |&value: &&str| v1::ChoiceOption { value: value.to_owned(), ..Default::default() };
    let options = values.iter().map(option).collect();
    Input::Choice(ChoiceInput { options, ..ChoiceInput::default() })
}

fn schema(text: &str) -> Input {
    Input::Object(ObjectInput { json_schema: text.to_owned() })
}

#[tokio::test]
async fn an_input_that_makes_no_sense_is_refused_at_create() {
    let site = Site::shared().await;
    let odd = r#"{"type":"object","properties":{"a":{"type":"string","if":1}}}"#;
    let cases = [
        (kinds::int_within(2, 1), "input.int.max"),
        (kinds::float_within(f64::NAN, 1.0), "input.float.min"),
        (kinds::text_between(5, 4), "input.str.max_length"),
        (kinds::text_like("(unclosed"), "input.str.pattern"),
        (kinds::text_like(&"(a{1000}){1000}".repeat(9)), "input.str.pattern"),
        (choice(&[]), "input.choice.options"),
        (choice(&["a", "a"]), "input.choice.options[1].value"),
        (choice(&["a", ""]), "input.choice.options[1].value"),
        (kinds::colours(4, 4), "input.choice.min_selected"),
        (schema("{"), "input.object.json_schema"),
        (schema(odd), "input.object.json_schema.properties.a.if"),
    ];
    for (input, field) in cases {
        let refused = Failure::of(&site.try_create(request(input)).await.expect_err(field));
        assert!(refused.is(Code::InvalidArgument, "INVALID_REQUEST"), "{refused:?}");
        assert_eq!(refused.fields, [field]);
    }
}

#[tokio::test]
async fn a_field_that_breaks_a_rule_is_refused_by_its_name() {
    let site = Site::shared().await;
    let refused = async |field: &str, with: &dyn Fn(&mut CreateEventRequest)| {
        let mut request = request(kinds::int());
        with(&mut request);
        let refused = Failure::of(&site.try_create(request).await.expect_err(field));
        assert!(refused.is(Code::InvalidArgument, "INVALID_REQUEST"), "{refused:?}");
        assert_eq!(refused.fields, [field]);
    };
    let ttl = |ms: i64| Some(Expiration::Ttl(millis(ms)));
    refused("name", &|r| r.name = "two\nlines".to_owned()).await;
    refused("name", &|r| r.name.clear()).await;
    refused("name", &|r| r.name = "x".repeat(201)).await;
    refused("prompt", &|r| r.prompt.clear()).await;
    refused("prompt", &|r| r.prompt = "x".repeat(65_537)).await;
    refused("scope", &|r| r.scope = "x".repeat(201)).await;
    refused("namespace", &|r| r.namespace = "Not-OK".to_owned()).await;
    refused("namespace", &|r| r.namespace = "../up".to_owned()).await;
    refused("input", &|r| r.input = None).await;
    refused("prompt_format", &|r| r.prompt_format = 77).await;
    refused("ttl", &|r| r.expiration = ttl(0)).await;
    refused("ttl", &|r| r.expiration = ttl(-5_000)).await;
    refused("ttl", &|r| r.expiration = ttl(366 * 86_400_000 + 1)).await;
    refused("deadline", &|r| {
        r.expiration = Some(Expiration::Deadline(Default::default()));
    })
    .await;
    refused("idempotency_key", &|r| r.idempotency_key = "x".repeat(257)).await;
    let labels = |n: u32| (0..n).map(|n| (n.to_string(), String::new())).collect();
    refused("labels", &|r| r.labels = labels(65)).await;
}

#[tokio::test]
async fn every_broken_rule_is_named_at_once() {
    let site = Site::shared().await;
    let mut broken = request(kinds::int_within(2, 1));
    broken.name.clear();
    broken.prompt.clear();
    let refused = Failure::of(&site.try_create(broken).await.expect_err("all is wrong"));
    assert_eq!(refused.fields, ["name", "prompt", "input.int.max"]);
}

/// How a read and a wait for `event_id` are refused.
async fn refusals(site: &Site, event_id: &str) -> [Failure; 2] {
    let (namespace, event_id) = (String::new(), event_id.to_owned());
    let get = GetEventRequest { namespace: namespace.clone(), event_id: event_id.clone() };
    let wait = WaitEventRequest { namespace, event_id, heartbeat_interval: None, updates: false };
    let got = site.grpc.clone().get_event(get).await.expect_err("no such event");
    let waited = async {
        let mut updates = site.grpc.clone().wait_event(wait).await?.into_inner();
        updates.message().await
    };
    let waited: Status = waited.await.expect_err("no such event");
    [Failure::of(&got), Failure::of(&waited)]
}

#[tokio::test]
async fn an_unknown_id_is_not_found_over_grpc_and_http() {
    let site = Site::shared().await;
    let unknown = "0".repeat(32);
    for refused in refusals(&site, &unknown).await {
        assert!(refused.is(Code::NotFound, "EVENT_NOT_FOUND"), "{refused:?}");
        assert_eq!(refused.resource, unknown);
    }
    for query in ["", "?wait=1s"] {
        let reply = site.fetch(&format!("{}/v1/events/{unknown}{query}", site.url)).await;
        assert!(Failure::of_reply(reply).await.is(Code::NotFound, "EVENT_NOT_FOUND"));
    }
    let bodies = [("answer", json!({"json": "1"})), ("decline", json!({})), ("cancel", json!({}))];
    for (verb, body) in bodies {
        let reply = site.call(&format!("/v1/events/{unknown}/{verb}"), &body).await;
        let refused = event_of(reply).await.expect_err(verb);
        assert!(refused.is(Code::NotFound, "EVENT_NOT_FOUND"), "{verb}: {refused:?}");
    }
}

#[tokio::test]
async fn a_malformed_id_is_an_invalid_request() {
    let site = Site::shared().await;
    let long = "0".repeat(33);
    for id in ["", "x", "../../etc/passwd", "ABCDEF00000000000000000000000000", "ü", &long] {
        for refused in refusals(&site, id).await {
            assert!(refused.is(Code::InvalidArgument, "INVALID_REQUEST"), "{refused:?}");
            assert_eq!(refused.fields, ["event_id"]);
        }
    }
    for path in ["nonsense", "nonsense?wait=1s", "%2e%2e%2fmeta", "%ff", "%00"] {
        let reply = site.fetch(&format!("{}/v1/events/{path}", site.url)).await;
        let refused = Failure::of_reply(reply).await;
        assert!(refused.is(Code::InvalidArgument, "INVALID_REQUEST"), "{path}: {refused:?}");
    }
}
