//! Agents' tools, called by the reference clients of MCP: those of Python and TypeScript, at both revisions, over HTTP
//! and by `hitl mcp`.

mod client;
mod elicit;
mod refusals;
mod world;

use serde_json::{Value, json};

use client::{Client, Kind, Way};
use support::server::ADMIN;
use world::{World, hitl};

/// Each client by each way, and a name of its own for what it asks.
fn everywhere(world: &World) -> Vec<(Kind, Way, String)> {
    let ways = || world.ways().into_iter();
    Kind::ALL.into_iter().flat_map(|kind| ways().map(move |way| named(kind, way))).collect()
}

/// Each client by one way, so that each revision is spoken by each.
fn across(world: &World) -> Vec<(Kind, Way, String)> {
    let ways = world.ways().into_iter().chain(world.ways().into_iter().rev());
    Kind::ALL.into_iter().zip(ways).map(|(kind, way)| named(kind, way)).collect()
}

fn named(kind: Kind, way: Way) -> (Kind, Way, String) {
    let by = if matches!(way, Way::Http { .. }) { "http" } else { "stdio" };
    (kind, way, format!("{kind:?} by {by}"))
}

#[tokio::test]
async fn every_client_agrees_on_a_revision_and_reads_the_tools() {
    let world = World::new().await;
    for (kind, way, name) in everywhere(&world) {
        let mut client = Client::connect(kind, &way, None).await;
        let expected = if kind.is_modern() { "2026-07-28" } else { "2025-11-25" };
        assert_eq!(client.version, expected, "{name}");
        let tools = client.tools().await;
        let names: Vec<_> =
            tools.as_array().expect("a list").iter().map(|tool| &tool["name"]).collect();
        let expected = ["ask_human", "wait_for_answer", "cancel_question", "list_questions"];
        assert_eq!(names, expected, "{name}");
        for tool in tools.as_array().expect("a list") {
            assert_eq!(tool["outputSchema"]["type"], "object", "{tool}");
            assert!(tool["annotations"]["readOnlyHint"].is_boolean(), "{tool}");
        }
    }
}

#[tokio::test]
async fn a_question_is_answered_in_the_form_while_the_call_is_held() {
    let world = World::new().await;
    for (kind, way, prompt) in everywhere(&world) {
        let mut client = Client::connect(kind, &way, None).await;
        let args = json!({"prompt": prompt, "kind": "integer", "min": 1, "labels": {"a": "b"}});
        client.begin("ask_human", args).await;
        world.answer_form(&prompt, "7").await;
        let result = client.read().await;
        let answer = &result["structured"];
        assert_eq!(answer["state"], "answered", "{prompt}: {result}");
        assert_eq!(answer["value"], 7, "{prompt}: {result}");
        assert_eq!(answer["by"], json!({"name": "Ann", "channel": "form"}), "{prompt}");
        assert!(result["progress"].as_u64() >= Some(1), "{prompt}: {result}");
        let text: Value =
            serde_json::from_str(result["text"].as_str().expect("text")).expect("JSON");
        assert_eq!(text, *answer, "what is structured is there as text too");
    }
}

#[tokio::test]
async fn a_call_that_ends_before_the_answer_is_gone_on_with_after_the_server_was_killed() {
    let mut world = World::new().await;
    for (kind, way, prompt) in across(&world) {
        let mut client = Client::connect(kind, &way, None).await;
        let args = json!({"prompt": prompt, "options": ["eu", {"value": "us", "label": "America"}],
            "wait_seconds": 1});
        let held = client.call("ask_human", args).await["structured"].take();
        assert_eq!(held["state"], "pending", "{prompt}: {held}");
        assert!(held["link"].as_str().is_some_and(|link| link.contains("/q/")), "{held}");
        world.server.kill().await.expect("it is killed");
        world.server.restart().await.expect("it starts again");
        let event = world.event(&held["id"]).await;
        client.begin("wait_for_answer", json!({"id": held["id"]})).await;
        world.answer_link(&event, json!(["us"])).await;
        let result = client.read().await["structured"].take();
        assert_eq!(
            (&result["state"], &result["value"]),
            (&json!("answered"), &json!(["us"])),
            "{prompt}"
        );
    }
}

#[tokio::test]
async fn a_call_that_the_server_did_not_survive_meets_its_question_when_it_is_repeated() {
    let mut world = World::new().await;
    for kind in [Kind::Python, Kind::TypeScriptLegacy] {
        let prompt = format!("{kind:?}");
        let way = world.over_http(ADMIN);
        let mut client = Client::connect(kind, &way, None).await;
        client.begin("ask_human", json!({"prompt": prompt})).await;
        let event = world.asked(&prompt).await;
        world.server.kill().await.expect("it is killed");
        world.server.restart().await.expect("it starts again");
        client.kill().await;
        let mut client = Client::connect(kind, &way, None).await;
        client.begin("ask_human", json!({"prompt": prompt})).await;
        world.answer_link(&event, json!("yes, do")).await;
        let result = client.read().await["structured"].take();
        assert_eq!(result["id"], event["id"], "{prompt}: {result}");
        assert_eq!(result["repeated"], true, "{prompt}: {result}");
        assert_eq!(result["value"], "yes, do", "{prompt}: {result}");
    }
}

#[tokio::test]
async fn a_call_by_stdio_goes_on_while_the_server_is_killed_and_started_again() {
    let mut world = World::new().await;
    for kind in [Kind::Python, Kind::TypeScriptLegacy] {
        let prompt = format!("{kind:?}");
        let mut client = Client::connect(kind, &world.over_stdio(ADMIN), None).await;
        client.begin("ask_human", json!({"prompt": prompt, "kind": "yes_no"})).await;
        let event = world.asked(&prompt).await;
        world.server.kill().await.expect("it is killed");
        world.server.restart().await.expect("it starts again");
        world.answer_link(&event, json!(true)).await;
        let result = client.read().await;
        assert_eq!(result["structured"]["value"], true, "{prompt}: {result}");
    }
}

#[tokio::test]
async fn a_client_that_gives_up_or_dies_loses_nothing() {
    let world = World::new().await;
    for (kind, way, prompt) in across(&world) {
        let mut client = Client::connect(kind, &way, None).await;
        let args = json!({"prompt": prompt, "default": "nothing"});
        let gave_up = client.call_briefly("ask_human", args.clone(), 1).await;
        assert!(gave_up["failed"].is_string(), "{prompt}: {gave_up}");
        client.begin("ask_human", args.clone()).await;
        let event = world.asked(&prompt).await;
        client.kill().await;
        world.answer_link(&event, json!("something")).await;
        let mut client = Client::connect(kind, &way, None).await;
        let result = client.call("ask_human", args).await["structured"].take();
        assert_eq!(result["id"], event["id"], "{prompt}: {result}");
        assert_eq!(result["value"], "something", "{prompt}: {result}");
        assert_eq!(result["repeated"], true, "{prompt}: {result}");
        assert_eq!(world.events(&prompt).await.len(), 1, "{prompt}");
    }
}

#[tokio::test]
async fn a_key_names_a_question_whatever_else_is_asked() {
    let world = World::new().await;
    for way in world.ways() {
        let mut client = Client::connect(Kind::Python, &way, None).await;
        let ask = |prompt: &str, key: &str| json!({"prompt": prompt, "idempotency_key": key, "wait_seconds": 0});
        let first = client.call("ask_human", ask("Ship?", "a")).await["structured"].take();
        let again = client.call("ask_human", ask("Ship?", "a")).await["structured"].take();
        assert_eq!((&again["id"], &again["repeated"]), (&first["id"], &json!(true)));
        let other = client.call("ask_human", ask("Ship?", "b")).await["structured"].take();
        assert_ne!(other["id"], first["id"]);
        let reused = client.call("ask_human", ask("Sink?", "a")).await;
        assert_eq!(reused["is_error"], true, "{reused}");
        assert!(reused["text"].as_str().is_some_and(|text| text.contains("prompt")), "{reused}");
    }
}

#[tokio::test]
async fn questions_are_listed_and_withdrawn() {
    let world = World::new().await;
    for (kind, way, prompt) in across(&world) {
        let mut client = Client::connect(kind, &way, None).await;
        let args =
            json!({"prompt": prompt, "title": "T", "labels": {"of": prompt}, "wait_seconds": 0});
        let asked = client.call("ask_human", args).await["structured"].take();
        let mine = json!({"labels": {"of": prompt}});
        let listed = client.call("list_questions", mine.clone()).await["structured"].take();
        assert_eq!(listed["questions"][0]["id"], asked["id"], "{prompt}: {listed}");
        assert_eq!(listed["questions"][0]["title"], "T", "{prompt}: {listed}");
        let args = json!({"id": asked["id"], "reason": "not needed"});
        let cancelled = client.call("cancel_question", args).await["structured"].take();
        assert_eq!(
            (&cancelled["state"], &cancelled["reason"]),
            (&json!("cancelled"), &json!("not needed"))
        );
        assert_eq!(cancelled["by"]["channel"], "mcp", "{prompt}: {cancelled}");
        let listed = client.call("list_questions", mine).await["structured"].take();
        assert_eq!(listed["questions"], json!([]), "{prompt}: {listed}");
    }
}

#[tokio::test]
async fn the_local_server_is_found_or_started_and_its_user_answers_on_the_command_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let port = support::free_port().expect("a port").to_string();
    let env = [("HITL_DATA_DIR", data.to_str().expect("text")), ("HITL_PORT", &port)];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let way = Way::Stdio { env: env.into() };
    let mut client = Client::connect(Kind::TypeScriptLegacy, &way, None).await;
    let args = json!({"prompt": "How many?", "kind": "number", "wait_seconds": 0});
    let asked = client.call("ask_human", args).await["structured"].take();
    let id = asked["id"].as_str().expect("an id").to_owned();
    client.begin("wait_for_answer", json!({"id": id})).await;
    hitl(&data, &["answer", &id, "2.5"]).await;
    let result = client.read().await;
    assert_eq!(result["structured"]["value"], 2.5, "{result}");
    let state = std::fs::read(data.join("server.json")).expect("the server runs");
    let state: Value = serde_json::from_slice(&state).expect("JSON");
    let kill = std::process::Command::new("kill").arg(state["pid"].to_string()).status();
    assert!(kill.expect("it can be killed").success());
}
