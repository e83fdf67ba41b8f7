//! Questions for the user of a client, who is asked in a dialog of it.

use serde_json::{Value, json};
use support::server::ADMIN;

use crate::client::{Client, Kind, User, Way};
use crate::world::World;
use crate::{across, everywhere};

fn user(modes: &[&'static str], replies: &[Value]) -> Option<User> {
    Some(User { modes: modes.to_vec(), replies: replies.to_vec() })
}

/// Whether the server can ask the client for anything. Over HTTP a revision before 2026-07-28 would need a session.
fn can_elicit(kind: Kind, way: &Way) -> bool {
    kind.is_modern() || matches!(way, Way::Stdio { .. })
}

#[tokio::test]
async fn the_user_answers_in_a_form_of_the_client_and_the_record_says_so() {
    let world = World::new().await;
    for (kind, way, prompt) in everywhere(&world) {
        let yes = json!({"action": "accept", "content": {"answer": "yes"}});
        let mut client = Client::connect(kind, &way, user(&["form"], &[yes])).await;
        let args = json!({"prompt": prompt, "kind": "yes_no", "of": "user", "wait_seconds": 5});
        client.begin("ask_human", args).await;
        if !can_elicit(kind, &way) {
            let event = world.asked(&prompt).await;
            world.answer_link(&event, json!(true)).await;
        }
        let result = client.read().await;
        let answer = &result["structured"];
        assert_eq!(
            (&answer["state"], &answer["value"]),
            (&json!("answered"), &json!(true)),
            "{prompt}: {result}"
        );
        let elicited = result["elicited"].as_array().expect("a list");
        assert_eq!(elicited.len(), usize::from(can_elicit(kind, &way)), "{prompt}: {result}");
        if let Some(form) = elicited.first() {
            assert_eq!(form["message"], prompt);
            assert_eq!(form["requestedSchema"]["properties"]["answer"]["oneOf"][1]["const"], "no");
            let event = world.event(&answer["id"]).await;
            let responder = &event["response"]["responder"];
            assert_eq!(responder["channel"], "CHANNEL_MCP", "{prompt}: {event}");
            assert_eq!(responder["name"], "the user of test-client", "{prompt}: {event}");
            assert_eq!(responder["principal"], "admin", "{prompt}: {event}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_asked_for_again() {
    let world = World::new().await;
    let said = |content: Value| json!({"action": "accept", "content": content});
    for (kind, way, prompt) in across(&world) {
        if !can_elicit(kind, &way) {
            continue;
        }
        let replies = [said(json!({"code": "x"})), said(json!({"code": "A1"}))];
        let mut client = Client::connect(kind, &way, user(&["form"], &replies)).await;
        let schema = json!({
            "type": "object",
            "properties": {"code": {"type": "string", "pattern": "^[A-Z][0-9]$"}},
            "required": ["code"],
        });
        let args = json!({"prompt": prompt, "schema": schema, "of": "user", "wait_seconds": 5});
        let result = client.call("ask_human", args).await;
        assert_eq!(result["structured"]["value"], json!({"code": "A1"}), "{prompt}: {result}");
        let elicited = result["elicited"].as_array().expect("a list");
        assert_eq!(elicited.len(), 2, "{prompt}: {result}");
        let message = elicited[1]["message"].as_str().expect("text");
        assert!(message.starts_with(&prompt) && message.contains("code"), "{message}");
    }
}

#[tokio::test]
async fn a_user_may_decline_or_close_the_dialog() {
    let world = World::new().await;
    for (kind, way, prompt) in across(&world) {
        if !can_elicit(kind, &way) {
            continue;
        }
        let replies = [json!({"action": "cancel"}), json!({"action": "decline"})];
        let mut client = Client::connect(kind, &way, user(&["form"], &replies)).await;
        let args = json!({"prompt": prompt, "of": "user", "wait_seconds": 1});
        let closed = client.call("ask_human", args.clone()).await;
        assert_eq!(closed["structured"]["state"], "pending", "{prompt}: {closed}");
        let declined = client.call("ask_human", args).await;
        assert_eq!(declined["structured"]["state"], "declined", "{prompt}: {declined}");
        assert_eq!(declined["structured"]["id"], closed["structured"]["id"], "{prompt}");
    }
}

#[tokio::test]
async fn a_client_without_forms_opens_the_page() {
    let world = World::new().await;
    for kind in [Kind::TypeScript, Kind::TypeScriptLegacy] {
        let way = world.over_stdio(ADMIN);
        let prompt = format!("{kind:?}");
        let mut client =
            Client::connect(kind, &way, user(&["url"], &[json!({"action": "accept"})])).await;
        client.begin("ask_human", json!({"prompt": prompt, "of": "user"})).await;
        let event = world.asked(&prompt).await;
        world.answer_form(&prompt, "on the page").await;
        let result = client.read().await;
        assert_eq!(result["structured"]["value"], "on the page", "{result}");
        assert_eq!(result["structured"]["by"]["channel"], "form", "{result}");
        assert_eq!(result["elicited"][0]["url"], event["formUrl"], "{result}");
    }
}

#[tokio::test]
async fn a_question_for_anyone_does_not_trouble_the_user() {
    let world = World::new().await;
    for way in world.ways() {
        let yes = json!({"action": "accept", "content": {"answer": "yes"}});
        let mut client = Client::connect(Kind::Python, &way, user(&["form"], &[yes])).await;
        let args = json!({"prompt": "Ship it?", "kind": "yes_no", "wait_seconds": 0});
        let result = client.call("ask_human", args).await;
        assert_eq!(result["structured"]["state"], "pending", "{result}");
        assert_eq!(result["elicited"], json!([]), "{result}");
    }
}
