//! The Connect protocol, by hand: `sdk/typescript/tests/connect.test.ts` has its clients call.

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};
use hitl_proto::v1;
use prost::Message;
use reqwest::Response;
use serde_json::{Value as Json, json};
use support::server::{ADMIN, Config, Server};
use support::tools;

use crate::site::{Site, soon};

const SERVICE: &str = "hitl.v1.EventService";

async fn post(site: &Site, method: &str, kind: &str, body: Vec<u8>) -> Response {
    let request = site.http.post(format!("{}/{method}", site.url)).header("content-type", kind);
    soon("a call", request.body(body).send()).await.expect("the server replies")
}

async fn unary(site: &Site, method: &str, body: &Json) -> (u16, Json) {
    let path = format!("{SERVICE}/{method}");
    let reply = post(site, &path, "application/json", body.to_string().into()).await;
    assert_eq!(reply.headers()["content-type"], "application/json");
    (reply.status().as_u16(), reply.json().await.expect("JSON"))
}

fn question() -> Json {
    json!({"name": "n", "prompt": "p", "input": {"int": {"min": "0"}}})
}

fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("it is short").to_be_bytes();
    [&[0], &length[..], message].concat()
}

/// The flags and the content of each frame.
fn frames(mut body: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [flags, a, b, c, d, rest @ ..] = body {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        frames.push((*flags, rest[..length].to_vec()));
        body = &rest[length..];
    }
    assert!(body.is_empty(), "half a frame");
    frames
}

#[tokio::test]
async fn an_event_is_asked_and_answered_in_json_and_in_binary_form() {
    let site = Site::shared().await;
    let (status, created) = unary(&site, "CreateEvent", &question()).await;
    assert_eq!((status, &created["event"]["state"]), (200, &json!("EVENT_STATE_PENDING")));
    let id = created["event"]["id"].as_str().unwrap().to_owned();
    let get = v1::GetEventRequest { event_id: id.clone(), ..Default::default() };
    let path = format!("{SERVICE}/GetEvent");
    let reply = post(&site, &path, "application/proto", get.encode_to_vec()).await;
    assert_eq!(reply.headers()["content-type"], "application/proto");
    let got = v1::GetEventResponse::decode(reply.bytes().await.unwrap()).unwrap();
    assert_eq!(got.event.unwrap().id, id);
    let (status, answered) =
        unary(&site, "AnswerEvent", &json!({"eventId": id, "value": {"int": "7"}})).await;
    assert_eq!((status, &answered["event"]["response"]["value"]["int"]), (200, &json!("7")));
}

#[tokio::test]
async fn errors_keep_their_code_and_details() {
    let site = Site::shared().await;
    let (status, error) = unary(&site, "GetEvent", &json!({"eventId": "0".repeat(32)})).await;
    assert_eq!((status, &error["code"]), (404, &json!("not_found")));
    let detail = &error["details"][0];
    assert_eq!(detail["type"], "google.rpc.ErrorInfo");
    let value = BASE64_STANDARD_NO_PAD.decode(detail["value"].as_str().unwrap()).unwrap();
    let value = String::from_utf8_lossy(&value).into_owned();
    assert!(value.contains("ERROR_REASON_EVENT_NOT_FOUND"), "{value}");

    let (status, error) = unary(&site, "GetEvent", &json!({"eventID": "1"})).await;
    assert_eq!((status, &error["code"]), (400, &json!("invalid_argument")));
    let (status, error) = unary(&site, "Nothing", &json!({})).await;
    assert_eq!((status, &error["code"]), (501, &json!("unimplemented")), "{error}");
    let path = format!("{SERVICE}/GetEvent");
    let request = site.http.post(format!("{}/{path}", site.url));
    let request = request.header("content-type", "application/json").body("{}");
    let reply = request.header("content-encoding", "gzip").send().await.unwrap();
    assert_eq!(reply.status(), 501);
    let request = site.http.post(format!("{}/{path}", site.url));
    let request = request.header("content-type", "application/json").body("{}");
    let reply = request.header("connect-protocol-version", "2").send().await.unwrap();
    assert_eq!(reply.status(), 400);
}

#[tokio::test]
async fn a_wait_is_a_stream_that_says_how_it_ends() {
    let site = Site::shared().await;
    let (_, created) = unary(&site, "CreateEvent", &question()).await;
    let id = created["event"]["id"].clone();
    let path = format!("{SERVICE}/WaitEvent");
    let body = frame(json!({"eventId": id}).to_string().as_bytes());
    let waited = async {
        let reply = post(&site, &path, "application/connect+json", body).await;
        assert_eq!(reply.headers()["content-type"], "application/connect+json");
        frames(&soon("the end", reply.bytes()).await.unwrap())
    };
    let answer = json!({"eventId": id, "value": {"int": "7"}});
    let (frames, _) = tokio::join!(waited, unary(&site, "AnswerEvent", &answer));
    let read = |bytes: &[u8]| serde_json::from_slice::<Json>(bytes).unwrap();
    let [messages @ .., last] = frames.as_slice() else { panic!("no frame") };
    assert_eq!((last.0, read(&last.1)), (2, json!({})));
    assert!(messages.iter().all(|(flags, _)| *flags == 0));
    let event = read(&messages.last().unwrap().1);
    assert_eq!(event["event"]["response"]["value"]["int"], "7");
}

#[tokio::test]
async fn a_stream_that_fails_says_why_in_its_last_frame() {
    let site = Site::shared().await;
    let path = format!("{SERVICE}/WaitEvent");
    let wait = v1::WaitEventRequest { event_id: "0".repeat(32), ..Default::default() };
    let body = frame(&wait.encode_to_vec());
    let reply = post(&site, &path, "application/connect+proto", body).await;
    assert_eq!(reply.status(), 200);
    let frames = frames(&reply.bytes().await.unwrap());
    let [(2, last)] = frames.as_slice() else { panic!("{frames:?}") };
    let last: Json = serde_json::from_slice(last).unwrap();
    assert_eq!(last["error"]["code"], "not_found");

    let reply = post(&site, &path, "application/json", b"{}".to_vec()).await;
    assert_eq!(reply.status(), 415, "a stream is no unary call");
    assert!(reply.headers()["accept-post"].to_str().unwrap().contains("connect+json"));
    let reply = post(&site, &path, "application/connect+proto", vec![0, 0, 0, 0, 9]).await;
    assert!(reply.text().await.unwrap().contains("invalid_argument"));
}

#[tokio::test]
async fn health_is_told_as_a_whole_and_by_service() {
    let site = Site::shared().await;
    for service in ["", SERVICE, "hitl.v1.AdminService"] {
        let body = json!({"service": service}).to_string().into();
        let reply = post(&site, "grpc.health.v1.Health/Check", "application/json", body).await;
        let said: Json = reply.json().await.unwrap();
        assert_eq!(said, json!({"status": "SERVING"}), "{service}");
    }
    let reply = post(&site, "grpc.health.v1.Health/List", "application/json", b"{}".into()).await;
    let said: Json = reply.json().await.unwrap();
    assert_eq!(said["statuses"]["hitl.v1.AdminService"], json!({"status": "SERVING"}), "{said}");
}

#[tokio::test]
async fn whoever_has_no_good_token_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::new(tools::hitl()).with_admin(dir.path()).store("memory://".to_owned());
    let server = Server::start(config).await.unwrap();
    let http = support::http::client().build().unwrap();
    let list = |token: Option<&'static str>| {
        let request = http.post(format!("{}/{SERVICE}/ListEvents", server.endpoint()));
        let request = request.header("content-type", "application/json").body("{}");
        token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth).send()
    };
    assert_eq!(soon("a list", list(Some(ADMIN))).await.unwrap().status(), 200);
    for token in [None, Some("hitl_wrong")] {
        let refused = soon("a refusal", list(token)).await.unwrap();
        assert_eq!(refused.status(), 401);
        let error: Json = refused.json().await.unwrap();
        assert_eq!(error["code"], "unauthenticated", "{error}");
    }
}
