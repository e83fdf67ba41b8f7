//! What bodies are made of: text of UTF-8, however it is written, up to the largest value.

use hitl_core::limits::VALUE_BYTES_MAX;

use super::*;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

async fn send(world: &World, path: &str, kind: &str, body: Vec<u8>) -> Reply {
    let request = Request::post(path).header(header::CONTENT_TYPE, kind);
    world.send(request.body(Body::from(body)).unwrap()).await
}

/// Every door through which an answer comes: its path, the type of its body, and the body for a value as JSON or form.
fn doors(event: &Value, json: &str, form: &str) -> Vec<(String, &'static str, String)> {
    let id = event["id"].as_str().unwrap();
    let at = format!("/v1/events/{id}/answer");
    let quoted = Value::from(json).to_string();
    vec![
        (at.clone(), JSON, format!(r#"{{"value": {{"str": {json}}}}}"#)),
        (at, JSON, format!(r#"{{"json": {quoted}}}"#)),
        (path(&event["apiUrl"]), JSON, format!(r#"{{"value": {json}}}"#)),
        ("/submit/json".to_owned(), JSON, format!(r#"{{"request_id": "{id}", "value": {json}}}"#)),
        (path(&event["formUrl"]), FORM, format!("value={form}&action=answer")),
        ("/submit".to_owned(), FORM, format!("request_id={id}&value={form}")),
    ]
}

async fn answer_of(world: &World, event: &Value) -> Value {
    let at = format!("/v1/events/{}", event["id"].as_str().unwrap());
    world.get(&at).await.json()["event"]["response"]["value"]["str"].clone()
}

#[tokio::test]
async fn the_largest_value_fits_through_every_door_however_it_is_written() {
    let world = World::new().await;
    let input = json!({"str": {"multiline": true}});
    for (character, json, form) in
        [("\n", "\\n", "%0D%0A"), ("\u{1}", "\\u0001", "%01"), ("\"", "\\u0022", "%22")]
    {
        let value = character.repeat(VALUE_BYTES_MAX);
        let (json, form) =
            (format!("\"{}\"", json.repeat(VALUE_BYTES_MAX)), form.repeat(VALUE_BYTES_MAX));
        for door in 0..6 {
            let event = world.ask(input.clone(), json!({})).await;
            let (path, kind, body) = doors(&event, &json, &form).swap_remove(door);
            let reply = send(&world, &path, kind, body.into_bytes()).await;
            assert!(
                reply.status.is_success() || reply.status.is_redirection(),
                "{path}: {}",
                reply.status
            );
            assert_eq!(answer_of(&world, &event).await, value, "{path}");
        }
    }
}

#[tokio::test]
async fn a_body_of_one_byte_too_many_is_refused_at_every_door() {
    let world = World::new().await;
    let event = world.ask(json!({"str": {}}), json!({})).await;
    for (path, kind, _) in doors(&event, "1", "1") {
        let reply = send(&world, &path, kind, vec![b' '; BODY_BYTES_MAX + 1]).await;
        assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
}

#[tokio::test]
async fn a_byte_order_mark_before_a_body_is_no_part_of_it() {
    let world = World::new().await;
    for door in 0..6 {
        let event = world.ask(json!({"str": {}}), json!({})).await;
        let (path, kind, body) = doors(&event, "\"x\"", "x").swap_remove(door);
        let reply = send(&world, &path, kind, format!("\u{feff}{body}").into_bytes()).await;
        assert!(
            reply.status.is_success() || reply.status.is_redirection(),
            "{path}: {}",
            reply.text
        );
        assert_eq!(answer_of(&world, &event).await, "x", "{path}");
    }
    let schema = "\u{feff}{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}";
    let event = world.ask(json!({"object": {"jsonSchema": schema}}), json!({})).await;
    assert!(event["input"]["object"]["jsonSchema"].as_str().unwrap().starts_with('{'));
}

/// A replacement character instead would record an answer that nobody gave.
#[tokio::test]
async fn bytes_that_are_no_utf8_are_refused_and_never_replaced() {
    let world = World::new().await;
    let event = world.ask(json!({"str": {}}), json!({})).await;
    for (path, kind, body) in doors(&event, "\"@\"", "@") {
        let bad = body.bytes().flat_map(|byte| match byte {
            b'@' => vec![b'a', 0xE9, b'b'],
            byte => vec![byte],
        });
        let reply = send(&world, &path, kind, bad.collect()).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{path}: {}", reply.text);
    }
    for (path, kind, body) in doors(&event, "\"\\ud800\"", "%E9") {
        let reply = send(&world, &path, kind, body.into_bytes()).await;
        assert!(reply.status.is_client_error(), "{path}: {}", reply.text);
    }
    for utf16 in [&b"\xFF\xFE{\x00}\x00"[..], b"\xFE\xFF\x00{\x00}"] {
        let reply = send(&world, "/v1/events", JSON, utf16.to_vec()).await;
        assert!(reply.text.contains("UTF-16"), "{}", reply.text);
    }
    let query = world.get("/v1/events?name=%E9").await;
    assert_eq!(query.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer_of(&world, &event).await, Value::Null);
}
