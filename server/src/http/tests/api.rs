//! JSON over HTTP.

use super::*;

#[tokio::test]
async fn an_event_is_asked_seen_answered_and_final() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {"max": "9"}}), json!({})).await;
    let at = format!("/v1/events/{}", event["id"].as_str().unwrap());
    assert_eq!(world.get(&at).await.json()["event"], event);

    let answer = json!({"json": "7", "answerId": "a", "responder": "Ann"});
    let reply = world.post(&format!("{at}/answer"), &answer).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let response = &reply.json()["event"]["response"];
    assert_eq!(response["value"], json!({"int": "7"}));
    assert_eq!(response["responder"]["channel"], "CHANNEL_HTTP");

    let repeated = world.post(&format!("{at}/answer"), &answer).await;
    assert_eq!(repeated.json(), reply.json(), "the identical retry gets the stored result");
    let late = world.post(&format!("{at}/answer"), &json!({"json": "8"})).await;
    assert_eq!(
        (late.status, late.reason().as_str()),
        (StatusCode::CONFLICT, "ERROR_REASON_EVENT_ALREADY_FINAL")
    );
    assert_eq!(late.json()["error"]["status"], "FAILED_PRECONDITION");

    let list = world.get("/v1/events?state=EVENT_STATE_ANSWERED&page_size=5").await.json();
    assert_eq!(list["events"][0]["id"], event["id"]);
}

#[tokio::test]
async fn decline_and_cancel_take_no_body_too() {
    let world = World::new().await;
    for verb in ["decline", "cancel"] {
        let event = world.ask(json!({"bool": {}}), json!({})).await;
        let at = format!("/v1/events/{}/{verb}", event["id"].as_str().unwrap());
        let reply = world.send(Request::post(&at).body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    }
}

#[tokio::test]
async fn a_link_answers_one_event_with_plain_json() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({"idempotencyKey": "secret"})).await;
    let link = path(&event["apiUrl"]);
    let seen = world.get(&link).await;
    assert_eq!(seen.json()["prompt"], "Deploy?");
    assert!(!seen.text.contains("secret"));

    for bad in
        [json!({}), json!({"value": null}), json!({"value": 1, "decline": ""}), json!({"valeu": 1})]
    {
        assert_eq!(world.post(&link, &bad).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
    let wrong = world.post(&link, &json!({"value": "many"})).await;
    assert_eq!(wrong.reason(), "ERROR_REASON_INVALID_ANSWER");
    assert_eq!(wrong.json()["error"]["details"][1]["fieldViolations"][0]["field"], "value");

    let exact = r#"{"value": 9223372036854775807, "answer_id": "x"}"#;
    let request = Request::post(&link).header("content-type", "application/json; charset=utf-8");
    let reply = world.send(request.body(Body::from(exact)).unwrap()).await;
    assert_eq!(reply.json()["response"]["value"]["int"], "9223372036854775807");
    assert_eq!(
        world.get(&format!("{link}?wait=60s")).await.json()["state"],
        "EVENT_STATE_ANSWERED"
    );
}

#[tokio::test]
async fn a_link_that_is_not_valid_says_nothing_else() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let link = path(&event["apiUrl"]);
    let mut seen = Vec::new();
    for bad in [&link[..link.len() - 1], "/v1/links/%FF", "/v1/links/0/x", "/v1/links/%FF/%FF"] {
        let reply = world.get(bad).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
        assert_eq!(world.post(bad, &json!({"value": 1})).await.status, StatusCode::FORBIDDEN);
        seen.push(reply.text);
    }
    assert!(seen.iter().all(|text| *text == seen[0]));
}

#[tokio::test]
async fn a_poll_holds_until_its_time_is_over() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let at = format!("/v1/events/{}?wait=20ms", event["id"].as_str().unwrap());
    assert_eq!(world.get(&at).await.json()["event"]["state"], "EVENT_STATE_PENDING");
    assert_eq!(world.get(&at.replace("20ms", "20")).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_http_refuses_is_refused_in_the_shape_of_the_api() {
    let world = World::new().await;
    let send = async |method: &str, path: &str, kind: &str, body: Vec<u8>| {
        let request = Request::builder().method(method).uri(path).header("content-type", kind);
        world.send(request.body(Body::from(body)).unwrap()).await
    };
    let json = "application/json";
    let cases = [
        (send("POST", "/v1/events", "text/plain", b"{}".to_vec()).await, 415),
        (send("POST", "/v1/events", json, vec![b' '; BODY_BYTES_MAX + 1]).await, 413),
        (send("POST", "/v1/events", json, b"{\"name\": }".to_vec()).await, 400),
        (send("DELETE", "/v1/events", json, Vec::new()).await, 405),
        (send("GET", "/v2", json, Vec::new()).await, 404),
        (send("GET", "/v1/events?nmae=x", json, Vec::new()).await, 400),
        (send("GET", "/v1/events/0", json, Vec::new()).await, 400),
        (send("GET", &format!("/v1/events/{}", "0".repeat(32)), json, Vec::new()).await, 404),
    ];
    for (reply, status) in &cases {
        assert_eq!(reply.status.as_u16(), *status, "{}", reply.text);
        assert_eq!(reply.json()["error"]["code"], *status);
        assert!(reply.reason().starts_with("ERROR_REASON_"));
    }
    assert!(cases[2].0.text.contains("line 1 column 10"), "{}", cases[2].0.text);
    assert_eq!(cases[3].0.header("allow"), "POST,GET,HEAD");
}

#[tokio::test]
async fn a_body_may_not_name_another_event_than_the_path() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let at = format!("/v1/events/{}/answer", event["id"].as_str().unwrap());
    let body = json!({"eventId": "0".repeat(32), "json": "1"});
    assert_eq!(world.post(&at, &body).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_old_paths_go_by_the_stored_event_and_not_by_the_client() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let id = event["id"].as_str().unwrap();
    let status = format!("/status/{id}?request_path=/etc/passwd&response_path=x");
    assert_eq!(world.get(&status).await.json()["status"], "pending");

    let typed =
        json!({"request_id": id, "value": "x", "data_type": "str", "response_path": "/tmp/x"});
    assert_eq!(world.post("/submit/json", &typed).await.reason(), "ERROR_REASON_INVALID_ANSWER");
    let reply = world
        .post_form("/submit", &[("request_id", id), ("value", "4"), ("data_type", "str")])
        .await;
    assert_eq!(reply.json()["status"], "submitted");
    assert_eq!(reply.json()["value"], 4);
    let again = world.post("/submit/json", &json!({"request_id": id, "value": 5})).await;
    assert_eq!(again.status, StatusCode::CONFLICT);

    let status = world.get(&status).await.json();
    assert_eq!((&status["status"], &status["response"]["value"]), (&json!("completed"), &json!(4)));
    assert_eq!(world.get("/status/nothing").await.json()["status"], "not_found");
    assert_eq!(world.get("/health").await.json(), json!({"status": "healthy"}));
}

#[tokio::test]
async fn a_field_whose_form_is_wrong_is_named_whatever_the_door() {
    let world = World::new().await;
    let event = world
        .ask(
            json!({"object": {"jsonSchema":
        r#"{"type":"object","properties":{"a":{"type":"integer"}}}"#}}),
            json!({}),
        )
        .await;
    let (id, link) = (event["id"].as_str().unwrap(), path(&event["apiUrl"]));
    let answer = format!("/v1/events/{id}/answer");
    let legacy = "/submit/json";
    for (path, body, field, how) in [
        ("/v1/events", r#"{"ttl": "1h"}"#.to_owned(), "ttl", "3600s"),
        ("/v1/events", r#"{"name": "a", "name": "b"}"#.to_owned(), "body", "two members"),
        (answer.as_str(), r#"{"value": {"int": "x"}}"#.to_owned(), "value.int", "42"),
        (answer.as_str(), r#"{"json": 1}"#.to_owned(), "json", "text in quotes"),
        (answer.as_str(), r#"{"json": "{\"a\":1,\"a\":2}"}"#.to_owned(), "value", "two members"),
        (answer.as_str(), r#"{"text": "{\"a\":1,\"a\":2}"}"#.to_owned(), "value", "two members"),
        (link.as_str(), r#"{"value": {"a": 1, "a": 2}}"#.to_owned(), "body", "two members"),
        (
            link.as_str(),
            r#"{"value": {"a": 1}, "answer_id": 5}"#.to_owned(),
            "answer_id",
            "text in quotes",
        ),
        (link.as_str(), r#"{"decline": true}"#.to_owned(), "decline", "text in quotes"),
        (link.as_str(), r#"{"value": {"a": 1}, "valeu": 2}"#.to_owned(), "valeu", "means nothing"),
        (link.as_str(), "[]".to_owned(), "body", "an object"),
        (
            legacy,
            format!(r#"{{"request_id": "{id}", "value": {{"a": 1, "a": 2}}}}"#),
            "body",
            "two",
        ),
        (legacy, r#"{"request_id": 5, "value": 1}"#.to_owned(), "request_id", "text in quotes"),
        (legacy, format!(r#"{{"request_id": "{id}"}}"#), "value", "is required"),
    ] {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        let reply = world.send(request.body(Body::from(body.clone())).unwrap()).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}: {}", reply.text);
        let violation = &reply.json()["error"]["details"][1]["fieldViolations"][0];
        assert_eq!(violation["field"], field, "{body}: {violation}");
        assert!(violation["description"].as_str().unwrap().contains(how), "{body}: {violation}");
    }
    let query = world.get("/v1/events?page_size=many").await.json();
    assert_eq!(query["error"]["details"][1]["fieldViolations"][0]["field"], "page_size");
    let pending = world.get(&format!("/v1/events/{id}")).await.json();
    assert_eq!(pending["event"]["state"], "EVENT_STATE_PENDING");
}

#[tokio::test]
async fn health_and_the_document_are_there() {
    let world = World::new().await;
    assert_eq!(world.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(world.get("/readyz").await.status, StatusCode::OK);
    assert_eq!(world.get("/v1/openapi.json").await.json()["openapi"], "3.1.0");
}

#[tokio::test]
async fn a_page_of_another_site_gets_nowhere() {
    let world = World::new().await;
    let request = Request::post("/v1/events").header("origin", "https://evil.example");
    let reply = world.send(request.body(Body::from("{}")).unwrap()).await;
    assert_eq!(
        (reply.status, reply.reason().as_str()),
        (StatusCode::FORBIDDEN, "ERROR_REASON_ORIGIN_REFUSED")
    );
    let request = Request::get("/v1/events").header("host", "evil.example");
    assert_eq!(
        world.send(request.body(Body::empty()).unwrap()).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_page_of_another_site_can_look_at_nothing_but_may_lead_to_a_link() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let at = format!("/v1/events/{}", event["id"].as_str().unwrap());
    let from = async |site: &str, mode: &str, path: &str| {
        let request = Request::get(path).header("sec-fetch-site", site);
        let request = request.header("sec-fetch-mode", mode).header("accept", "text/html");
        world.send(request.body(Body::empty()).unwrap()).await
    };
    for path in [&at, "/v1/events", "/v1/openapi.json", "/metrics", "/status/0", "/none"] {
        let reply = from("cross-site", "no-cors", path).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path}");
        assert!(reply.text.contains("This was refused"), "{}", reply.text);
        assert_ne!(from("same-origin", "cors", path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let form = path(&event["formUrl"]);
    assert_eq!(from("cross-site", "navigate", &form).await.status, StatusCode::OK);
    assert_eq!(from("cross-site", "no-cors", &form).await.status, StatusCode::FORBIDDEN);
    let post = Request::post(&form).header("sec-fetch-site", "cross-site");
    let post = post.header("content-type", "application/x-www-form-urlencoded");
    let reply = world.send(post.body(Body::from("value=1")).unwrap()).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert_eq!(world.get(&at).await.json()["event"]["state"], "EVENT_STATE_PENDING");
}

#[tokio::test]
async fn every_reply_has_the_headers_that_protect_pages_a_refusal_too() {
    let refused = refusal(Error::Overloaded, &HeaderMap::new());
    assert_eq!(refused.headers()["cross-origin-resource-policy"], "same-origin");
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let form = path(&event["formUrl"]);
    let kind = ("content-type", "text/plain");
    let foreign = ("origin", "https://evil.example");
    let cases = [
        ("GET", "/v1/events", kind, 200),
        ("GET", form.as_str(), kind, 200),
        ("GET", "/none", kind, 404),
        ("GET", "/form/x/y", kind, 404),
        ("DELETE", "/v1/events", kind, 405),
        ("POST", "/v1/events", kind, 415),
        ("POST", form.as_str(), kind, 415),
        ("GET", "/v1/events/0", kind, 400),
        ("POST", "/v1/events", foreign, 403),
        ("GET", "/v1/events", ("host", "evil.example"), 403),
        ("POST", "/none", ("content-type", "application/grpc"), 200),
    ];
    for (method, at, header, status) in cases {
        let request = Request::builder().method(method).uri(at).header(header.0, header.1);
        let reply = world.send(request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(reply.status.as_u16(), status, "{method} {at}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(reply.header(name), value, "{method} {at} {status}: {name}");
        }
        assert!(reply.header("content-security-policy").contains("default-src 'none'"), "{at}");
    }
}

#[tokio::test]
async fn an_error_repeats_what_was_sent_visibly_and_briefly() {
    let world = World::new().await;
    let event = world
        .ask(
            json!({"object": {"jsonSchema":
        json!({"type": "object", "properties": {"a": {"type": "string"}}}).to_string()}}),
            json!({}),
        )
        .await;
    let at = format!("/v1/events/{}/answer", event["id"].as_str().unwrap());
    let unknown = (0..10_000).map(|n| format!("\"{n}\u{202E}\":1")).collect::<Vec<_>>().join(",");
    let reply = world.post(&at, &json!({"json": format!("{{{unknown}}}")})).await;
    assert_eq!(reply.reason(), "ERROR_REASON_INVALID_ANSWER");
    assert!(reply.text.len() < 50_000, "{} bytes", reply.text.len());
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("0\\u{202E}") && !message.contains('\u{202E}'), "{message}");
    let reply = world.post("/v1/events", &json!({"x".repeat(500_000): 1})).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.text.len() < 10_000, "{} bytes", reply.text.len());
}

#[tokio::test]
async fn an_allowed_origin_may_call_and_read_grpc_web() {
    let settings =
        Settings { allowed_origins: vec!["https://inbox.example".into()], ..Settings::default() };
    let app = guard(World::new().await.app, Arc::new(Guard::new(&settings)), &settings);
    let preflight = Request::options("/hitl.v1.EventService/WaitEvent")
        .header("origin", "https://inbox.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,x-grpc-web");
    let response = app.clone().oneshot(preflight.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "https://inbox.example");
    let request = Request::get("/v1/events").header("origin", "https://inbox.example");
    let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let exposed = response.headers()["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("grpc-status-details-bin"), "{exposed}");
}
