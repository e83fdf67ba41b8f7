//! The doors besides the plain calls: health, gRPC-Web, the OpenAPI document, limits on size, and what nobody serves.

use hitl_proto::health::health_check_response::ServingStatus;
use hitl_proto::health::health_client::HealthClient;
use hitl_proto::health::{HealthCheckRequest, HealthListRequest};
use hitl_proto::v1::answer_event_request::Answer;
use hitl_proto::v1::value::Kind as Value;
use hitl_proto::v1::{CreateEventRequest, CreateEventResponse};
use prost::Message;
use reqwest::Method;
use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use crate::failure::Failure;
use crate::kinds;
use crate::site::{Site, is_pending, request, soon, typed, value_of};
use crate::web::{event_of, ok_json};

#[tokio::test]
async fn health_says_serving_over_grpc_and_http() {
    let site = Site::shared().await;
    let mut health = HealthClient::new(support::server::channel(&site.url));
    for service in ["", "hitl.v1.EventService"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let reply = health.check(request).await.expect("a known service").into_inner();
        assert_eq!(reply.status(), ServingStatus::Serving, "{service}");
    }
    let unknown = HealthCheckRequest { service: "no.such.Service".to_owned() };
    assert_eq!(health.check(unknown).await.expect_err("unknown").code(), Code::NotFound);
    let listed = health.list(HealthListRequest {}).await.expect("a list").into_inner().statuses;
    let names: Vec<_> = listed.keys().map(String::as_str).collect();
    assert_eq!(names, ["", "hitl.v1.AdminService", "hitl.v1.EventService"]);
    assert!(listed.values().all(|reply| reply.status() == ServingStatus::Serving), "{listed:?}");
    for path in ["/healthz", "/readyz", "/health"] {
        assert_eq!(
            site.fetch(&format!("{}{path}", site.url)).await.status().as_u16(),
            200,
            "{path}"
        );
    }
}

/// A gRPC-Web body: a flag, a length and the message.
fn frame(message: &impl Message) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    let length = u32::try_from(bytes.len()).expect("a small message");
    [&[0], length.to_be_bytes().as_slice(), &bytes].concat()
}

/// The frames of a gRPC-Web reply.
fn frames(mut body: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let Some((&[flag, a, b, c, d], rest)) = body.split_first_chunk::<5>() {
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).expect("a length");
        let (data, rest) = rest.split_at(length);
        frames.push((flag, data.to_vec()));
        body = rest;
    }
    assert!(body.is_empty(), "half a frame is left");
    frames
}

async fn send_grpc_web(site: &Site, method: &str, message: &impl Message) -> reqwest::Response {
    let url = format!("{}/hitl.v1.EventService/{method}", site.url);
    let call = site.http.post(url).header("content-type", "application/grpc-web+proto");
    let reply = call.header("x-grpc-web", "1").body(frame(message)).send().await;
    let reply = reply.expect("the server replies");
    assert_eq!((reply.version(), reply.status().as_u16()), (reqwest::Version::HTTP_11, 200));
    reply
}

async fn call_grpc_web(site: &Site, method: &str, message: &impl Message) -> Vec<(u8, Vec<u8>)> {
    let reply = send_grpc_web(site, method, message).await;
    frames(&reply.bytes().await.expect("a body"))
}

#[tokio::test]
async fn grpc_web_works_over_http_1() {
    let site = Site::shared().await;
    let created = call_grpc_web(&site, "CreateEvent", &request(kinds::int())).await;
    let [(0, message), (0x80, trailer)] = created.as_slice() else { panic!("{created:?}") };
    assert!(String::from_utf8_lossy(trailer).contains("grpc-status:0"), "{trailer:?}");
    let event = CreateEventResponse::decode(message.as_slice()).expect("a reply").event;
    let event = event.expect("the event");
    assert_eq!(site.get(&event).await, event);
    site.answer(&event, typed(&Value::Int(1))).await.expect("the answer is good");
    let waited = call_grpc_web(&site, "WaitEvent", &crate::site::wait_request(&event)).await;
    assert_eq!(waited.last().map(|(flag, _)| *flag), Some(0x80), "{waited:?}");
    // A failure before the first message is told in the headers, with its details.
    let refused = send_grpc_web(&site, "CreateEvent", &CreateEventRequest::default()).await;
    assert_eq!(refused.headers()["grpc-status"], "3");
    assert!(refused.headers().contains_key("grpc-status-details-bin"));
}

#[tokio::test]
async fn the_openapi_document_has_every_route() {
    let site = Site::shared().await;
    let document = site.read("/v1/openapi.json").await;
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.")));
    let routes = [
        ("/v1/events", "post"),
        ("/v1/events", "get"),
        ("/v1/events/{event_id}", "get"),
        ("/v1/events/{event_id}/answer", "post"),
        ("/v1/events/{event_id}/decline", "post"),
        ("/v1/events/{event_id}/cancel", "post"),
        ("/v1/events/{event_id}/links", "post"),
        ("/v1/events/{event_id}/links:revoke", "post"),
        ("/v1/links/{link}", "get"),
        ("/v1/links/{link}", "post"),
    ];
    for (path, method) in routes {
        let operation = &document["paths"][path][method];
        assert!(operation["responses"].is_object(), "{method} {path} is missing");
        assert!(operation["summary"].is_string() || operation["description"].is_string(), "{path}");
    }
    assert_no_dangling_reference(&document, &document);
}

/// Checks that every `$ref` below `json` leads somewhere.
fn assert_no_dangling_reference(document: &Json, json: &Json) {
    match json {
        Json::Object(members) => {
            if let Some(Json::String(target)) = members.get("$ref") {
                let pointer = target.strip_prefix('#').unwrap_or_else(|| panic!("{target}"));
                assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
            }
            members.values().for_each(|member| assert_no_dangling_reference(document, member));
        }
        Json::Array(items) => {
            items.iter().for_each(|item| assert_no_dangling_reference(document, item));
        }
        _ => {}
    }
}

/// The status that a body of `length` letters gets.
async fn send_body(site: &Site, path: &str, kind: &str, length: usize) -> String {
    let host = site.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.expect("the server listens");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    );
    let request = [head.into_bytes(), vec![b'x'; length]].concat();
    stream.write_all(&request).await.expect("the server reads");
    let mut reply = [0; 12];
    soon("a status", stream.read_exact(&mut reply)).await.expect("the server replies");
    String::from_utf8_lossy(&reply[9..]).into_owned()
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_at_every_door() {
    let site = Site::shared().await;
    let event = site.ask(kinds::text()).await;
    let huge = "x".repeat(8 * 1024 * 1024);
    let refused =
        site.answer(&event, typed(&Value::Str(huge.clone()))).await.expect_err("too large");
    assert!(matches!(refused.code(), Code::OutOfRange | Code::ResourceExhausted), "{refused:?}");
    let path = |url: &str| url.trim_start_matches(&site.url).to_owned();
    let json = "application/json";
    let doors = [
        ("/v1/events".to_owned(), json),
        (format!("/v1/events/{}/answer", event.id), json),
        ("/submit/json".to_owned(), json),
        (path(&event.api_url), json),
        (path(&event.form_url), "application/x-www-form-urlencoded"),
    ];
    for (path, kind) in doors {
        // One byte more than the limit, so that the server has read all when it refuses.
        let status = send_body(&site, &path, kind, (2 << 20) + 1).await;
        assert_eq!(status, "413", "{path}");
    }
    assert!(is_pending(&site.get(&event).await));
}

#[tokio::test]
async fn the_largest_value_fits_over_grpc_in_the_longest_way_to_write_it() {
    let site = Site::shared().await;
    let event = site.ask(kinds::text()).await;
    let value = "\u{1}".repeat(262_144);
    let json = Json::from(value.as_str()).to_string();
    assert_eq!(json.len(), 2 + 6 * 262_144);
    site.answer(&event, Answer::Json(json)).await.expect("it fits");
    assert_eq!(value_of(&site.get(&event).await), Some(&Value::Str(value)));
}

#[tokio::test]
async fn an_unknown_route_method_or_body_is_an_error_in_the_same_shape() {
    let site = Site::shared().await;
    let reply = site.fetch(&format!("{}/v1/nothing", site.url)).await;
    assert_eq!(reply.status().as_u16(), 404);
    let body: Json = reply.json().await.expect("errors are JSON");
    assert_eq!(body["error"]["code"], 404);
    let reply = site.http.request(Method::DELETE, format!("{}/v1/events", site.url));
    assert_eq!(reply.send().await.expect("the server replies").status().as_u16(), 405);
    for text in ["", "{", "[]", "null", "{\"name\": 1}", "{\"input\": {\"int\": {}, \"str\": {}}}"]
    {
        let call = site.http.post(format!("{}/v1/events", site.url));
        let call = call.header("content-type", "application/json").body(text);
        let reply = call.send().await.expect("the server replies");
        let refused = event_of(reply).await.expect_err(text);
        assert_eq!(refused.code, Code::InvalidArgument, "{text}");
    }
    let deep = format!("{{\"name\": {}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let call = site.http.post(format!("{}/v1/events", site.url)).body(deep);
    let reply = call.header("content-type", "application/json").send().await;
    let refused = Failure::of_reply(reply.expect("the server replies")).await;
    assert_eq!(refused.code, Code::InvalidArgument);
    ok_json(site.fetch(&format!("{}/v1/events?page_size=1", site.url)).await).await;
}
