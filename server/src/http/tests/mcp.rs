//! The tools for agents in the revision without sessions, message by message.

use super::*;

/// A second more than an event answers calls that repeat it.
const LATER_MS: i64 = 601_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl World {
    /// Calls `ask_human` with `more` beside its arguments, by a client that has forms.
    async fn ask_human(&self, arguments: &Value, more: &Value) -> Value {
        let mut params = json!({
            "name": "ask_human",
            "arguments": arguments,
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
                "io.modelcontextprotocol/clientInfo": {"name": "editor", "version": "1"},
            },
        });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let request = Request::post("/mcp")
            .header(header::HOST, "127.0.0.1:4485")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", "ask_human");
        let reply = self.send(request.body(Body::from(body.to_string())).unwrap()).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        let mut data = reply.text.lines().filter_map(|line| line.strip_prefix("data: "));
        let last = data.next_back().unwrap_or(&reply.text);
        serde_json::from_str::<Value>(last).unwrap()["result"].take()
    }

    /// What became of asking, with nobody there to answer.
    async fn asked(&self, arguments: &Value) -> Value {
        self.ask_human(arguments, &json!({})).await["structuredContent"].take()
    }

    /// Another server over the same events.
    fn replica(&self) -> Self {
        let (clock, service) = (self.clock.clone(), self.service.clone());
        Self { app: Self::app(&service, 100), clock, service }
    }
}

/// What the user says, and the state that came with the question.
fn said(required: &Value, content: &Value) -> Value {
    let answer = json!({"action": "accept", "content": content});
    json!({"inputResponses": {"answer": answer}, "requestState": required["requestState"]})
}

#[tokio::test]
async fn the_user_answers_on_another_replica_and_a_second_answer_changes_nothing() {
    let world = World::new().await;
    let question = json!({"prompt": "Ship it?", "kind": "yes_no", "of": "user"});
    let required = world.ask_human(&question, &json!({})).await;
    assert_eq!(required["resultType"], "input_required", "{required}");
    let form = &required["inputRequests"]["answer"];
    assert_eq!(form["method"], "elicitation/create");
    assert_eq!(form["params"]["message"], "Ship it?");

    let yes = said(&required, &json!({"answer": "yes"}));
    let answered = world.replica().ask_human(&question, &yes).await["structuredContent"].take();
    assert_eq!((&answered["state"], &answered["value"]), (&json!("answered"), &json!(true)));
    assert_eq!(answered["by"], json!({"name": "the user of editor", "channel": "mcp"}));
    let no = said(&required, &json!({"answer": "no"}));
    let late = world.ask_human(&question, &no).await["structuredContent"].take();
    assert_eq!((&late["id"], &late["value"]), (&answered["id"], &json!(true)));
}

#[tokio::test]
async fn a_state_is_good_for_the_question_that_it_came_with_and_no_other() {
    let world = World::new().await;
    let question = |prompt: &str| json!({"prompt": prompt, "kind": "yes_no", "of": "user"});
    let required = world.ask_human(&question("Ship it?"), &json!({})).await;
    let yes = said(&required, &json!({"answer": "yes"}));
    let mut forged = yes.clone();
    forged["requestState"] = "rs1.AAAA.AAAA".into();
    for (prompt, more) in [("Sink it?", &yes), ("Ship it?", &forged)] {
        let refused = world.ask_human(&question(prompt), more).await;
        assert_eq!(refused["isError"], true, "{prompt}: {refused}");
    }
    let again = world.ask_human(&question("Ship it?"), &yes).await;
    assert_eq!(again["structuredContent"]["state"], "answered", "{again}");
}

#[tokio::test]
async fn an_answer_that_never_fits_is_asked_for_three_times_more_and_the_question_stays_open() {
    let world = World::new().await;
    let question = json!({"prompt": "How many?", "kind": "integer", "min": 1, "of": "user"});
    let mut required = world.ask_human(&question, &json!({})).await;
    for _ in 0..3 {
        required = world.ask_human(&question, &said(&required, &json!({"answer": 0}))).await;
        let message = required["inputRequests"]["answer"]["params"]["message"].as_str().unwrap();
        assert!(message.contains("value: must be at least 1"), "{message}");
    }
    let refused = world.ask_human(&question, &said(&required, &json!({"answer": 0}))).await;
    assert_eq!(refused["isError"], true, "{refused}");
    assert!(refused["content"][0]["text"].as_str().unwrap().contains("wait_for_answer"));
}

#[tokio::test]
async fn a_question_without_a_key_is_met_while_it_is_open_and_shortly_after() {
    let world = World::new().await;
    let question = json!({"prompt": "Ship it?", "timeout_seconds": 200_000, "wait_seconds": 0});
    let first = world.asked(&question).await;
    assert_eq!(first.get("repeated"), None);
    world.clock.advance_ms(LATER_MS);
    let open = world.asked(&question).await;
    assert_eq!((&open["id"], &open["repeated"]), (&first["id"], &json!(true)));
    world.clock.advance_ms(DAY_MS);
    let next_day = world.asked(&question).await;
    assert_eq!((&next_day["id"], &next_day["repeated"]), (&first["id"], &json!(true)));

    let answer = format!("/v1/events/{}/answer", first["id"].as_str().unwrap());
    world.post(&answer, &json!({"json": "\"yes\""})).await;
    let fresh = world.asked(&question).await;
    assert_eq!((&fresh["id"], &fresh["value"]), (&first["id"], &json!("yes")));
    assert!(fresh["message"].as_str().unwrap().contains("idempotency_key"), "{fresh}");
    world.clock.advance_ms(LATER_MS);
    let anew = world.asked(&question).await;
    assert_ne!(anew["id"], first["id"]);
    assert_eq!((anew.get("repeated"), &anew["state"]), (None, &json!("pending")));
    let answer = format!("/v1/events/{}/answer", anew["id"].as_str().unwrap());
    world.post(&answer, &json!({"json": "\"no\""})).await;
    world.clock.advance_ms(LATER_MS);
    let third = world.asked(&question).await;
    assert_ne!(third["id"], anew["id"], "the next of the same day");
}

#[tokio::test]
async fn the_namespace_is_of_the_address_and_nothing_else_may_stand_there() {
    let world = World::new().await;
    for (path, status) in [
        ("/mcp?namespace=team", 200),
        ("/mcp?namespase=team", 400),
        ("/mcp?namespace=a&namespace=b", 400),
    ] {
        let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "ask_human", "arguments": {"prompt": "Here?", "wait_seconds": 0}}});
        let request = Request::post(path)
            .header(header::HOST, "127.0.0.1:4485")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, text/event-stream");
        let reply = world.send(request.body(Body::from(list.to_string())).unwrap()).await;
        assert_eq!(reply.status.as_u16(), status, "{path}: {}", reply.text);
    }
    let events = world.get("/v1/events?namespace=team").await.json();
    assert_eq!(events["events"][0]["prompt"], "Here?", "{events}");
}
