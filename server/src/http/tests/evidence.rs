//! What is shown beside a question, what has to be confirmed, and what is said beside an answer.

use sha2::{Digest, Sha256};

use super::*;

const EVIL: &str = "\"><script>alert(1)</script>\u{202e}";

/// An item of each kind, in which everything that can be text is `text`.
fn items(text: &str) -> Value {
    let fact = json!({"label": text, "value": text, "url": "https://a.example/x"});
    let texts =
        json!({"before": format!("same\n{text} one\n"), "after": format!("same\n{text} two\n")});
    json!([
        {"title": text, "note": text, "facts": {"facts": [fact]}},
        {"title": text, "text": {"text": text}},
        {"title": text, "code": {"code": text, "language": text}},
        {"title": text, "json": {"json": json!({text: [text, {"n": 1}]}).to_string()}},
        {"title": text, "diff": {"texts": texts}},
        {"title": text, "diff": {"unified": format!("@@ -1 +1 @@ {text}\n-{text}\n+{text}\n")}},
        {"title": text, "table": {"columns": [text, "n"], "rows": [{"cells": [text, "1"]}]}},
        {"title": text, "link": {"url": "https://a.example/", "label": text}},
    ])
}

#[tokio::test]
async fn every_kind_is_shown_on_the_page_of_the_question_and_below_its_end() {
    let world = World::new().await;
    let more = json!({
        "title": "Deploy v2?", "prompt": "See [[B]] and [[Z]].", "risk": "RISK_MEDIUM", "evidence": items("plain"),
    });
    let event = world.ask(json!({"bool": {}}), more).await;
    assert_eq!(event["evidence"].as_array().unwrap().len(), 8);
    let form = path(&event["formUrl"]);
    let page = world.get(&form).await.text;
    for part in [
        "<h1 dir=\"auto\">Deploy v2?</h1>",
        "See <a class=\"ref\" href=\"#e-b\" aria-label=\"Evidence B\">B</a> and [[Z]].",
        "Medium risk",
        "8 items, fixed when the question was asked",
        "id=\"e-h\"",
        "<dt><bdi>plain</bdi></dt>",
        "href=\"https://a.example/x\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">a.example</a>",
        "<span class=\"k\">\"plain\"</span>",
        "plain <mark>two</mark>",
        "<td class=\"num\"><bdi>1</bdi></td>",
    ] {
        let escaped = part.replace("\"plain\"", "&#34;plain&#34;");
        assert!(page.contains(part) || page.contains(&escaped), "{part}: {page}");
    }
    let evidence = page.split("<section class=\"evidence\"").nth(1).unwrap();
    assert!(evidence.find("</section>") < evidence.find("class=\"answer\""), "before the answer");
    assert_eq!(world.post_form(&form, &[("value", "true")]).await.status, StatusCode::SEE_OTHER);
    assert!(world.get(&form).await.text.contains("8 items, fixed"));
}

#[tokio::test]
async fn whatever_a_program_shows_stays_text() {
    let world = World::new().await;
    let more = json!({"title": EVIL, "evidence": items(EVIL)});
    let event = world.ask(json!({"bool": {}}), more).await;
    let page = world.get(&path(&event["formUrl"])).await.text;
    assert!(!page.contains("<script>alert") && !page.contains('\u{202e}'), "{page}");
    let tags = page.split("<script>").next().unwrap().split('<');
    for tag in tags.map(|rest| rest.split('>').next().unwrap_or_default()) {
        assert!(!tag.contains(" on") && !tag.contains("style="), "{tag}");
    }
}

#[tokio::test]
async fn the_digest_on_the_page_is_that_of_the_question_in_the_receipt() {
    let world = World::signing_with(Some(SigningKey::from_seed(&[1; 32]))).await;
    let event = world.ask(json!({"bool": {}}), json!({"evidence": items("x")})).await;
    let form = path(&event["formUrl"]);
    let page = world.get(&form).await.text;
    assert_eq!(world.post_form(&form, &[("value", "true")]).await.status, StatusCode::SEE_OTHER);
    let at = format!("/v1/events/{}/receipt", event["id"].as_str().unwrap());
    let receipt = world.get(&at).await.json();
    let text = receipt["receipt"]["text"].as_str().unwrap();
    let (_, question) = text.split_once("\"question\":").unwrap();
    let (question, _) = question.split_once(",\"response\":").unwrap();
    let digest: String =
        Sha256::digest(question).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(page.contains(&format!("title=\"sha256 {digest}\"")), "{digest}");
    assert!(page.contains(&format!("<code>{}…{}</code>", &digest[..4], &digest[60..])));
}

#[tokio::test]
async fn lists_leave_evidence_out_and_one_event_has_it() {
    let world = World::new().await;
    let event = world.ask(json!({"bool": {}}), json!({"evidence": items("x")})).await;
    let listed = world.get("/v1/events").await.json()["events"][0].clone();
    assert_eq!(listed["id"], event["id"]);
    assert_eq!(listed["evidence"], Value::Null);
    let at = format!("/v1/events/{}", event["id"].as_str().unwrap());
    assert_eq!(world.get(&at).await.json()["event"]["evidence"], event["evidence"]);
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_at_create_by_item_and_field() {
    let world = World::new().await;
    for (evidence, field) in [
        (json!([{"text": {"text": "fine"}}, {"json": {"json": "{"}}]), "evidence[1].json.json"),
        (json!([{"title": "nothing"}]), "evidence[0].content"),
        (json!([{"diff": {}}]), "evidence[0].diff.diff"),
        (json!([{"link": {"url": "javascript:alert(1)"}}]), "evidence[0].link.url"),
    ] {
        let body = json!({"name": "n", "prompt": "p", "input": {"bool": {}}, "evidence": evidence});
        let reply = world.post("/v1/events", &body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{field}");
        assert!(reply.text.contains(field), "{field}: {}", reply.text);
    }
}

async fn is_pending(world: &World, event: &Value) -> bool {
    let at = format!("/v1/events/{}", event["id"].as_str().unwrap());
    world.get(&at).await.json()["event"]["state"] == "EVENT_STATE_PENDING"
}

#[tokio::test]
async fn at_high_risk_the_form_takes_no_answer_without_a_tick() {
    let world = World::new().await;
    let event = world.ask(json!({"bool": {}}), json!({"risk": "RISK_HIGH"})).await;
    let form = path(&event["formUrl"]);
    assert!(world.get(&form).await.text.contains("name=\"confirm\" type=\"checkbox\""));
    let page = world.refused(&form, &[("value", "true"), ("answer_id", "x")]).await;
    assert!(page.text.contains("id=\"confirm-error\"") && page.text.contains("High risk"));
    // What else is wrong is said with it.
    let page = world.refused(&form, &[("value", ""), ("answer_id", "x")]).await;
    assert!(page.text.contains("Pick one.") && page.text.contains("id=\"confirm-error\""));
    assert!(is_pending(&world, &event).await);
    let pairs = [("value", "true"), ("confirm", "yes"), ("answer_id", "x")];
    assert_eq!(world.post_form(&form, &pairs).await.status, StatusCode::SEE_OTHER);
    assert!(!is_pending(&world, &event).await);
}

#[tokio::test]
async fn a_second_step_shows_the_answer_and_takes_that_alone() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({"requireConfirmation": true})).await;
    let form = path(&event["formUrl"]);
    assert!(!world.get(&form).await.text.contains("name=\"confirm\""));
    let page = world.refused(&form, &[("value", "3"), ("answer_id", "x"), ("comment", "so")]).await;
    assert!(page.text.contains("One more step") && page.text.contains("Confirm and send"));
    assert!(page.text.contains("so</textarea>"), "what else was typed is kept");
    let digest = page.text.split("name=\"confirm\" value=\"").nth(1).unwrap();
    let digest = digest.split('"').next().unwrap().to_owned();
    let other = [("value", "4"), ("answer_id", "x"), ("confirm", digest.as_str())];
    assert!(world.refused(&form, &other).await.text.contains("One more step"));
    assert!(is_pending(&world, &event).await);
    let same =
        [("value", "3"), ("answer_id", "x"), ("confirm", digest.as_str()), ("comment", "so")];
    assert_eq!(world.post_form(&form, &same).await.status, StatusCode::SEE_OTHER);
    let at = format!("/v1/events/{}", event["id"].as_str().unwrap());
    let response = world.get(&at).await.json()["event"]["response"].clone();
    assert_eq!((&response["value"], &response["comment"]), (&json!({"int": "3"}), &json!("so")));
}

#[tokio::test]
async fn programs_and_declines_confirm_nothing() {
    let world = World::new().await;
    let more = json!({"risk": "RISK_HIGH", "requireConfirmation": true});
    let event = world.ask(json!({"int": {}}), more.clone()).await;
    let api = path(&event["apiUrl"]);
    let reply = world.post(&api, &json!({"value": 3, "comment": "by program"})).await;
    assert_eq!(reply.json()["response"]["comment"], "by program");
    let page = world.get(&path(&event["formUrl"])).await.text;
    assert!(page.contains("by program"));
    let event = world.ask(json!({"int": {}}), more).await;
    let declined = world.post_form(&path(&event["formUrl"]), &[("action", "decline")]).await;
    assert_eq!(declined.status, StatusCode::SEE_OTHER);
    assert!(!is_pending(&world, &event).await);
}

#[tokio::test]
async fn a_comment_has_a_bound_and_is_no_reason() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let long = "x".repeat(4097);
    let pairs = [("value", "3"), ("comment", &*long), ("answer_id", "x")];
    let page = world.post_form(&path(&event["formUrl"]), &pairs).await;
    assert!(page.text.contains("1 character too many: at most 4096."), "{}", page.text);
    let api = path(&event["apiUrl"]);
    let reply = world.post(&api, &json!({"decline": "no", "comment": "x"})).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.text.contains("comment"), "{}", reply.text);
}
