//! What is not let in, and what is wrong with a call.

use serde_json::json;
use support::server::ADMIN;

use crate::client::{Client, Kind};
use crate::world::World;

const WRONG: &str = "hitl_wrong";

/// What a client of before 2026-07-28 sends, and what goes with it.
const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
const HEADERS: [(&str, &str); 2] =
    [("content-type", "application/json"), ("accept", "application/json, text/event-stream")];

#[tokio::test]
async fn a_wrong_token_is_refused_by_both_ways() {
    let world = World::new().await;
    for kind in Kind::ALL {
        let refused = Client::try_connect(kind, &world.over_http(WRONG), None).await;
        assert!(refused.is_err(), "{kind:?}: {refused:?}");
    }
    for kind in [Kind::Python, Kind::TypeScriptLegacy] {
        let mut client = Client::connect(kind, &world.over_stdio(WRONG), None).await;
        let result = client.call("ask_human", json!({"prompt": "Who?"})).await;
        assert_eq!(result["is_error"], true, "{kind:?}: {result}");
        assert!(
            result["text"].as_str().is_some_and(|text| text.contains("HITL_TOKEN")),
            "{result}"
        );
    }
    assert!(world.events("Who?").await.is_empty());
}

#[tokio::test]
async fn a_call_that_is_wrong_says_what_to_mend() {
    let world = World::new().await;
    for way in world.ways() {
        let mut client = Client::connect(Kind::TypeScript, &way, None).await;
        for (tool, args, word) in [
            ("ask_human", json!({"prompt": ""}), "prompt"),
            ("ask_human", json!({"promt": "x"}), "promt"),
            ("ask_human", json!({"prompt": "x", "kind": "colour"}), "yes_no"),
            ("ask_human", json!({"prompt": "x", "kind": "choice"}), "options"),
            ("ask_human", json!({"prompt": "x", "kind": "yes_no", "min": 1}), "min"),
            ("ask_human", json!({"prompt": "x", "kind": "integer", "default": "y"}), "default"),
            ("ask_human", json!({"prompt": "x", "timeout_seconds": 99_999_999}), "timeout_seconds"),
            ("ask_human", json!({"prompt": "x", "schema": {"type": "array"}}), "schema"),
            ("wait_for_answer", json!({"id": "x"}), "id"),
            ("wait_for_answer", json!({"id": "0".repeat(32)}), "no event"),
            ("cancel_question", json!({}), "id"),
            ("list_questions", json!({"cursor": "x"}), "page_token"),
        ] {
            let result = client.call(tool, args.clone()).await;
            assert_eq!(result["is_error"], true, "{tool} {args}: {result}");
            let text = result["text"].as_str().expect("text");
            assert!(text.contains(word), "{tool} {args}: {text}");
        }
    }
}

#[tokio::test]
async fn pages_of_other_origins_and_bodies_that_are_too_large_are_refused() {
    let world = World::new().await;
    let bearer = format!("Bearer {ADMIN}");
    let with = |more: &[(&'static str, &'static str)]| {
        let known = [("authorization", bearer.as_str())];
        [&HEADERS[..], &known, more].concat()
    };
    let ok = world.post(&with(&[]), LIST.to_owned()).await;
    assert_eq!(ok.status(), 200);
    assert!(ok.text().await.expect("text").contains("ask_human"));
    for (header, status) in [
        (("origin", "https://evil.example"), 403),
        (("origin", "null"), 403),
        (("sec-fetch-site", "cross-site"), 403),
    ] {
        let refused = world.post(&with(&[header]), LIST.to_owned()).await;
        assert_eq!(refused.status(), status, "{header:?}");
    }
    let nobody = world.post(&HEADERS, LIST.to_owned()).await;
    assert_eq!(nobody.status(), 401);
    assert_eq!(nobody.headers()["www-authenticate"], "Bearer");
    let large = LIST.replace("list\"", &format!("list\",\"x\":\"{}\"", "a".repeat(3 << 20)));
    let refused = world.post(&with(&[]), large).await;
    assert_eq!(refused.status(), 413);
}
