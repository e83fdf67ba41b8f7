//! Reviews: the action on the page, decisions by every door, and what is recorded of them.

use super::*;

fn action(arguments: &Value) -> Value {
    let schema = json!({"properties": {"amount": {"type": "number", "maximum": 500}}});
    json!({"review": {
        "action": "refund", "arguments": arguments.to_string(), "jsonSchema": schema.to_string(),
    }})
}

fn flat() -> Value {
    action(&json!({"to": "Ada & \"Co\"", "amount": 120, "notify": true}))
}

/// Something as long as `value`, so that no line holds both.
fn inner_of(value: &Value) -> String {
    "x".repeat(value.to_string().len().min(80))
}

async fn response(world: &World, event: &Value) -> Value {
    let at = format!("/v1/events/{}", event["id"].as_str().unwrap());
    world.get(&at).await.json()["event"]["response"].clone()
}

#[tokio::test]
async fn the_page_shows_the_action_and_a_field_for_each_argument() {
    let world = World::new().await;
    let event = world.ask(flat(), json!({})).await;
    let allowed = &event["input"]["review"]["allow"];
    assert_eq!(allowed.as_array().unwrap().len(), 4, "{allowed}");
    let digest = event["input"]["review"]["digest"].as_str().unwrap();
    let page = world.get(&path(&event["formUrl"])).await.text;
    for part in [
        "<span class=\"kind\">Action: </span><bdi>refund</bdi>",
        "1 item, fixed when the question was asked",
        "<span class=\"k\">&#34;amount&#34;</span>",
        &format!("name=\"value.shown_digest\" value=\"{digest}\""),
        "name=\"value.decision\" type=\"radio\" value=\"approve\"",
        "name=\"value.decision\" type=\"radio\" value=\"respond\"",
        "<details class=\"edits\">",
        "name=\"value.arguments.amount\"",
        "value=\"Ada &#38; &#34;Co&#34;\"",
        "name=\"value.arguments.notify\" type=\"radio\" value=\"true\" checked",
        "name=\"value.message\"",
        "Send decision",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let picked = page.split("name=\"value.decision\"").skip(1);
    assert!(picked.map(|rest| rest.split('>').next().unwrap()).all(|tag| !tag.contains("checked")));
}

#[tokio::test]
async fn nothing_of_an_action_is_folded_away() {
    let world = World::new().await;
    let deep = (0..12).fold(json!("the end of it"), |inner, _| {
        let long = inner_of(&inner);
        json!([inner, {"k": long}])
    });
    let event = world.ask(action(&json!({"deep": deep})), json!({})).await;
    let page = world.get(&path(&event["formUrl"])).await.text;
    let shown = page.split("id=\"action\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(shown.contains("the end of it") && shown.contains("<details open>"), "{shown}");
    assert!(!shown.contains("<details>"), "{shown}");
    assert!(
        page.contains(&format!("sha256 {}", event["input"]["review"]["digest"].as_str().unwrap()))
    );
}

#[tokio::test]
async fn a_form_approves_what_it_showed_and_records_both_digests() {
    let world = World::new().await;
    let event = world.ask(flat(), json!({})).await;
    let digest = event["input"]["review"]["digest"].clone();
    let pairs = [
        ("value.decision", "approve"),
        ("value.shown_digest", digest.as_str().unwrap()),
        ("value.arguments.to", "Ada & \"Co\""),
        ("value.arguments.amount", "120"),
        ("value.arguments.notify", "true"),
        ("value.message", ""),
    ];
    let form = path(&event["formUrl"]);
    assert_eq!(world.post_form(&form, &pairs).await.status, StatusCode::SEE_OTHER);
    let value = response(&world, &event).await["value"]["review"].clone();
    assert_eq!(value["decision"], "REVIEW_DECISION_APPROVE");
    assert_eq!((&value["shownDigest"], &value["approvedDigest"]), (&digest, &digest));
    assert_eq!(value["arguments"], event["input"]["review"]["arguments"]);
    let page = world.get(&form).await.text;
    assert!(page.contains("Answered") && page.contains("Approve"), "{page}");
}

#[tokio::test]
async fn a_form_of_another_action_and_changes_that_nobody_chose_record_nothing() {
    let world = World::new().await;
    let event = world.ask(flat(), json!({})).await;
    let form = path(&event["formUrl"]);
    for (pairs, words) in [
        (vec![("value.decision", "approve"), ("value.shown_digest", "00")], "shown_digest"),
        (vec![("value.decision", "approve"), ("value.arguments.amount", "12")], "put them back"),
        (
            vec![("value.decision", "edit"), ("value.arguments.amount", "501")],
            "At most 500. You wrote 501.",
        ),
        (vec![("value.decision", "respond")], "This is needed."),
        (vec![], "Pick one."),
    ] {
        let pairs: Vec<_> = pairs.into_iter().chain([("answer_id", "x")]).collect();
        let page = world.refused(&form, &pairs).await.text;
        assert!(page.contains(words), "{words}: {page}");
        assert!(page.contains("Nothing was sent yet"), "{page}");
    }
    assert_eq!(response(&world, &event).await, Value::Null);
}

#[tokio::test]
async fn edited_arguments_are_recorded_with_a_digest_of_their_own() {
    let world = World::new().await;
    let event = world.ask(flat(), json!({})).await;
    let form = path(&event["formUrl"]);
    let pairs = [("value.decision", "edit"), ("value.arguments.amount", "80,5")];
    assert_eq!(world.post_form(&form, &pairs).await.status, StatusCode::SEE_OTHER);
    let value = response(&world, &event).await["value"]["review"].clone();
    let arguments: Value = serde_json::from_str(value["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments, json!({"to": "Ada & \"Co\"", "amount": 80.5, "notify": true}));
    assert_ne!(value["shownDigest"], value["approvedDigest"]);
    assert_eq!(value["shownDigest"], event["input"]["review"]["digest"]);
    let page = world.get(&form).await.text;
    assert!(page.contains("Approve with changes") && page.contains("80.5"), "{page}");
}

#[tokio::test]
async fn nested_arguments_are_edited_as_json_that_comes_back_as_it_was_typed() {
    let world = World::new().await;
    let event = world.ask(action(&json!({"items": [{"sku": "a"}]})), json!({})).await;
    let form = path(&event["formUrl"]);
    let page = world.get(&form).await.text;
    assert!(page.contains("Arguments, as JSON") && page.contains("&#34;sku&#34;"), "{page}");
    for (typed, words) in [
        ("{\"items\": [", "must be JSON"),
        ("{\"amount\": 501}", "amount must be at most 500"),
        ("{\"n\": 9007199254740993}", "write it as text"),
    ] {
        let pairs = [("value.decision", "edit"), ("value.arguments", typed), ("answer_id", "x")];
        let page = world.refused(&form, &pairs).await.text;
        assert!(page.contains(words), "{words}: {page}");
        assert!(page.contains("<details class=\"edits\" open>"), "{page}");
    }
    let pairs = [("value.decision", "edit"), ("value.arguments", "{\"items\": []}")];
    assert_eq!(world.post_form(&form, &pairs).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn json_takes_a_decision_by_its_name_or_as_an_object() {
    let world = World::new().await;
    for (given, decision) in [
        (json!("approve"), "REVIEW_DECISION_APPROVE"),
        (json!({"decision": "reject", "message": "no"}), "REVIEW_DECISION_REJECT"),
        (json!({"decision": "edit", "arguments": {"amount": 1}}), "REVIEW_DECISION_EDIT"),
        (json!({"decision": "respond", "message": "ask Bob"}), "REVIEW_DECISION_RESPOND"),
    ] {
        let event = world.ask(flat(), json!({})).await;
        let reply = world.post(&path(&event["apiUrl"]), &json!({"value": given})).await;
        assert_eq!(reply.status, StatusCode::OK, "{given}: {}", reply.text);
        assert_eq!(response(&world, &event).await["value"]["review"]["decision"], decision);
    }
    let event = world.ask(flat(), json!({})).await;
    let other = json!({"value": {"decision": "approve", "arguments": {"amount": 1}}});
    let reply = world.post(&path(&event["apiUrl"]), &other).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.text.contains("value.arguments"), "{}", reply.text);
}

#[tokio::test]
async fn whatever_is_in_an_action_stays_text() {
    let evil = "\"><script>alert(1)</script>\u{202e}";
    let world = World::new().await;
    let input = json!({"review": {
        "action": evil, "arguments": json!({evil: evil, "n": 1}).to_string(),
    }});
    let event = world.ask(input, json!({})).await;
    let form = path(&event["formUrl"]);
    let page = world.get(&form).await.text;
    assert!(!page.contains("<script>alert"), "{page}");
    let pairs = [("value.decision", "reject"), ("value.message", evil)];
    assert_eq!(world.post_form(&form, &pairs).await.status, StatusCode::SEE_OTHER);
    let page = world.get(&form).await.text;
    assert!(!page.contains("<script>alert") && !page.contains('\u{202e}'), "{page}");
}
