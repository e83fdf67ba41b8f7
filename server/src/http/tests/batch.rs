//! Batches as JSON over HTTP.

use super::*;

fn question(key: &str) -> Value {
    let input = json!({"int": {"max": "9"}});
    json!({"name": "deploy", "prompt": "Deploy?", "input": input, "idempotencyKey": key})
}

fn reasons(results: &Value) -> Vec<&str> {
    let results = results["results"].as_array().unwrap().iter();
    results.map(|result| result["failure"]["reason"].as_str().unwrap_or_default()).collect()
}

#[tokio::test]
async fn each_entry_of_a_batch_has_the_result_of_a_call_of_its_own() {
    let world = World::new().await;
    let nameless = json!({"prompt": "?", "input": {"bool": {}}});
    let different =
        json!({"name": "other", "prompt": "?", "input": {"bool": {}}, "idempotencyKey": "a"});
    let batch = json!({"requests": [question("a"), nameless, question("b"), question("a")]});
    let created = world.post("/v1/events:batchCreate", &batch).await;
    assert_eq!(created.status, StatusCode::OK, "{}", created.text);
    let created = created.json();
    assert_eq!(reasons(&created), ["", "ERROR_REASON_INVALID_REQUEST", "", ""]);
    let failure = &created["results"][1]["failure"];
    assert_eq!(failure["code"], 3);
    assert_eq!(failure["fieldViolations"][0]["field"], "name");
    let event = |at: usize| &created["results"][at]["created"]["event"];
    assert_eq!(event(0)["id"], event(3)["id"], "a repeated entry is a repeated call");
    assert!(event(0)["formUrl"].as_str().unwrap().contains("/q/"));
    let batch = json!({"requests": [different, question("b")]});
    let again = world.post("/v1/events:batchCreate", &batch).await.json();
    assert_eq!(reasons(&again), ["ERROR_REASON_IDEMPOTENCY_KEY_REUSED", ""]);
    assert_eq!(again["results"][1]["created"]["existed"], true);

    let unknown = "0".repeat(32);
    let answer =
        |event_id: &Value, json: &str| json!({"eventId": event_id, "json": json, "answerId": json});
    let batch = json!({"requests": [
        answer(&event(0)["id"], "1"), answer(&event(2)["id"], "10"), answer(&unknown.into(), "1"),
        answer(&event(2)["id"], "2"),
    ]});
    let answered = world.post("/v1/events:batchAnswer", &batch).await;
    assert_eq!(answered.status, StatusCode::OK, "{}", answered.text);
    let answered = answered.json();
    let invalid = ["", "ERROR_REASON_INVALID_ANSWER", "ERROR_REASON_EVENT_NOT_FOUND", ""];
    assert_eq!(reasons(&answered), invalid);
    assert_eq!(answered["results"][0]["response"]["value"], json!({"int": "1"}));
    assert_eq!(answered["results"][0]["response"]["responder"]["channel"], "CHANNEL_HTTP");
    let late = json!({"requests": [answer(&event(0)["id"], "3"), answer(&event(0)["id"], "1")]});
    let late = world.post("/v1/events:batchAnswer", &late).await.json();
    assert_eq!(reasons(&late), ["ERROR_REASON_EVENT_ALREADY_FINAL", ""]);
    assert_eq!(late["results"][0]["failure"]["metadata"]["state"], "EVENT_STATE_ANSWERED");
}

#[tokio::test]
async fn a_batch_has_1_to_1000_entries() {
    let world = World::new().await;
    for (count, status) in
        [(0, StatusCode::BAD_REQUEST), (1_000, StatusCode::OK), (1_001, StatusCode::BAD_REQUEST)]
    {
        let entries = |entry: Value| json!({"requests": vec![entry; count]});
        for (path, batch) in [
            ("/v1/events:batchCreate", entries(question(""))),
            ("/v1/events:batchAnswer", entries(json!({"eventId": "0".repeat(32), "json": "1"}))),
        ] {
            let reply = world.post(path, &batch).await;
            assert_eq!(reply.status, status, "{path} {count}: {}", reply.text);
            if status != StatusCode::OK {
                let violation = &reply.json()["error"]["details"][1]["fieldViolations"][0];
                assert_eq!(violation["field"], "requests");
            }
        }
    }
}

/// Events that have ended with large answers come back with a repeated create.
#[tokio::test]
async fn what_does_not_fit_in_a_reply_is_to_be_sent_again() {
    let world = World::new().await;
    let large = "x".repeat(200_000);
    let on_timeout = json!({"defaultValue": {"str": large}});
    let mut requests = Vec::new();
    for key in 0..8 {
        requests.push(json!({
            "name": "n", "prompt": "?", "input": {"str": {}}, "onTimeout": on_timeout, "ttl": "1s",
            "idempotencyKey": key.to_string(),
        }));
    }
    let batch = json!({"requests": requests});
    let created = world.post("/v1/events:batchCreate", &batch).await;
    assert_eq!(reasons(&created.json()), [""; 8]);
    world.clock.advance_ms(1_000);
    let mut again = world.post("/v1/events:batchCreate", &batch).await.json();
    let full = again["results"].as_array().unwrap().iter().filter(|result| {
        let failure = &result["failure"];
        failure["reason"] == "ERROR_REASON_OVERLOADED" && failure["retryAfter"] == "0s"
    });
    assert_eq!(full.count(), 1, "of 8 events of 400,000 bytes, 7 fit in 3 MiB");
    let results = again["results"].as_array_mut().unwrap();
    let rest: Vec<_> = requests
        .into_iter()
        .zip(results)
        .filter(|(_, result)| result.get("failure").is_some())
        .map(|(request, _)| request)
        .collect();
    let rest = world.post("/v1/events:batchCreate", &json!({"requests": rest})).await;
    assert_eq!(reasons(&rest.json()), [""]);
}

#[tokio::test]
async fn a_batch_counts_as_one_call() {
    let world = World::new().await.limited(1);
    let batch = json!({"requests": vec![question(""); 100]});
    let created = world.post("/v1/events:batchCreate", &batch).await;
    assert_eq!(reasons(&created.json()), [""; 100]);
    let world = world.limited(0);
    let refused = world.post("/v1/events:batchCreate", &batch).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
}
