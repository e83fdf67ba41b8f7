//! The pages where people answer.

use super::*;

const EVIL: &str = "\"><script>alert(1)</script>";

#[tokio::test]
async fn every_kind_of_answer_can_be_given() {
    let schema = json!({"type": "object", "required": ["n"], "properties": {
        "n": {"type": "integer"}, "why": {"type": "string", "default": "so"}, "ok": {"type": "boolean"},
    }});
    let colours = json!([{"value": "r", "label": "Red"}, {"value": "g"}]);
    let cases = [
        (json!({"int": {}}), vec![("value", "-4")], json!({"int": "-4"})),
        (json!({"float": {}}), vec![("value", "1.5")], json!({"float": 1.5})),
        (json!({"str": {}}), vec![("value", "a")], json!({"str": "a"})),
        (json!({"str": {"multiline": true}}), vec![("value", "a\r\nb")], json!({"str": "a\nb"})),
        (json!({"bool": {}}), vec![("value", "false")], json!({"bool": false})),
        (
            json!({"choice": {"options": colours}}),
            vec![("value", "r")],
            json!({"choice": {"selected": ["r"]}}),
        ),
        (
            json!({"choice": {"options": colours, "maxSelected": 2}}),
            vec![("value", "g"), ("value", "r")],
            json!({"choice": {"selected": ["r", "g"]}}),
        ),
        (
            json!({"object": {"jsonSchema": schema.to_string()}}),
            vec![("value.n", "1"), ("value.ok", "true"), ("value.why", "")],
            json!({"object": {"fields": {"n": {"int": "1"}, "ok": {"bool": true}}}}),
        ),
    ];
    let world = World::new().await;
    for (input, mut pairs, value) in cases {
        let event = world.ask(input.clone(), json!({})).await;
        let form = path(&event["formUrl"]);
        let page = world.get(&form).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains(&format!("name=\"{}\"", pairs[0].0)), "{input}");
        assert!(!page.text.contains(" checked") && !page.text.contains(" selected"), "{input}");
        pairs.extend([("answer_id", page.answer_id()), ("action", "answer"), ("responder", "Ann")]);
        for _ in 0..2 {
            let sent = world.post_form(&form, &pairs).await;
            assert_eq!(sent.status, StatusCode::SEE_OTHER, "{input}: {}", sent.text);
            assert!(form.ends_with(&format!("/{}", sent.header("location"))));
        }
        let at = format!("/v1/events/{}", event["id"].as_str().unwrap());
        let response = world.get(&at).await.json()["event"]["response"].clone();
        assert_eq!(response["value"], value);
        assert_eq!(response["responder"]["name"], "Ann");
        let outcome = world.get(&form).await;
        let by = "On this page, by somebody who gave the name <bdi class=\"given\">Ann</bdi>";
        assert!(outcome.text.contains("Answered") && outcome.text.contains(by), "{}", outcome.text);
    }
}

#[tokio::test]
async fn looking_changes_nothing() {
    let world = World::new().await;
    let event = world.ask(json!({"bool": {}}), json!({})).await;
    let form = path(&event["formUrl"]);
    for query in ["", "?action=answer&value=true", "?value=true"] {
        assert_eq!(world.get(&format!("{form}{query}")).await.status, StatusCode::OK);
        let head = Request::head(format!("{form}{query}")).body(Body::empty()).unwrap();
        let reply = world.send(head).await;
        assert_eq!((reply.status, reply.text.as_str()), (StatusCode::OK, ""));
    }
    let at = format!("/v1/events/{}", event["id"].as_str().unwrap());
    assert_eq!(world.get(&at).await.json()["event"]["state"], "EVENT_STATE_PENDING");
}

#[tokio::test]
async fn a_wrong_answer_comes_back_with_what_was_typed() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {"max": 9}}), json!({})).await;
    let form = path(&event["formUrl"]);
    let pairs = [("value", EVIL), ("responder", "Ann"), ("answer_id", "x"), ("action", "answer")];
    let page = world.refused(&form, &pairs).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!page.text.contains("<script>alert"));
    for part in [
        "role=\"alert\"",
        "href=\"#f\"",
        "aria-invalid=\"true\" autofocus",
        "id=\"f-error\"",
        "Error: ",
    ] {
        assert!(page.text.contains(part), "{part}");
    }
    assert!(
        page.text.contains("&#60;script&#62;alert(1)&#60;/script&#62;")
            && page.text.contains("Ann")
    );
    assert_eq!(page.answer_id(), "x");
    assert_eq!(world.post_form(&form, &[("value", "3")]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_refusal_needs_no_value_and_keeps_its_reason() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let form = path(&event["formUrl"]);
    let page = world.get(&form).await;
    let pairs =
        [("action", "decline"), ("reason", EVIL), ("value", ""), ("answer_id", page.answer_id())];
    assert_eq!(world.post_form(&form, &pairs).await.status, StatusCode::SEE_OTHER);
    let outcome = world.get(&form).await;
    assert!(outcome.text.contains("Declined") && !outcome.text.contains("<script>alert"));
    let long = "x".repeat(5000);
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let page = world
        .post_form(&path(&event["formUrl"]), &[("action", "decline"), ("reason", &long)])
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "it is too long for an address");
    assert_eq!(
        page.header("cache-control"),
        "private, no-cache",
        "the browser keeps it for itself"
    );
    assert!(page.text.contains("<details class=\"decline\" open>") && page.text.contains(&long));
}

#[tokio::test]
async fn an_answer_that_comes_second_is_told_so() {
    let world = World::new().await;
    let event = world.ask(json!({"str": {}}), json!({})).await;
    let form = path(&event["formUrl"]);
    world.post_form(&form, &[("value", "first"), ("answer_id", "a")]).await;
    let page = world.post_form(&form, &[("value", "second"), ("answer_id", "b")]).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert_eq!(
        page.header("cache-control"),
        "private, no-cache",
        "the browser keeps it for itself"
    );
    for part in ["was not recorded", "first", "second"] {
        assert!(page.text.contains(part), "{part}");
    }
    let event = world
        .ask(json!({"str": {}}), json!({"onTimeout": {"defaultValue": {"str": "silence"}}}))
        .await;
    let form = path(&event["formUrl"]);
    assert!(world.get(&form).await.text.contains("silence"));
    world.clock.advance_ms(3_600_000);
    let page = world.post_form(&form, &[("value", "late")]).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.text.contains("after the deadline") && page.text.contains("late"));
    assert!(page.text.contains("the default was used") && !page.text.contains("silence"));
}

#[tokio::test]
async fn every_link_that_is_not_valid_looks_the_same() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let form = path(&event["formUrl"]);
    let mut other = form.clone();
    other.replace_range(6..7, if &form[6..7] == "0" { "1" } else { "0" });
    let unknown = format!("/q/{}", "A".repeat(43));
    let mut seen = Vec::new();
    let short = [&form[..form.len() - 1], &other, &unknown, "/q/", "/q/x", "/q/%FF", "/q/a/b"];
    for bad in short.into_iter().chain(["/form/x/y", "/form/x", "/form/%FF/%FE", "/form/a/b/c"]) {
        let reply = world.get(bad).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{bad}");
        seen.push((reply.text, format!("{:?}", reply.headers)));
    }
    world.clock.advance_ms(32 * 24 * 3_600_000);
    let expired = world.get(&form).await;
    seen.push((expired.text, format!("{:?}", expired.headers)));
    assert!(seen.iter().all(|reply| *reply == seen[0]), "{seen:?}");
}

#[tokio::test]
async fn whatever_whoever_asks_writes_stays_text() {
    let world = World::new().await;
    let schema = json!({"type": "object", "title": EVIL, "properties": {
        EVIL: {"type": "string", "title": EVIL, "description": EVIL, "default": EVIL},
        "c": {"type": "string", "oneOf": [{"const": EVIL, "title": EVIL}]},
    }});
    let option = json!({"value": EVIL, "label": EVIL, "description": EVIL});
    let inputs = [
        json!({"bool": {"trueLabel": EVIL}}),
        json!({"str": {"pattern": EVIL}}),
        json!({"choice": {"options": [option]}}),
        json!({"object": {"jsonSchema": schema.to_string()}}),
    ];
    for input in inputs {
        for format in ["PROMPT_FORMAT_TEXT", "PROMPT_FORMAT_MARKDOWN"] {
            let more = json!({
                "name": EVIL, "prompt": EVIL, "promptFormat": format, "scope": EVIL, "labels": {EVIL: EVIL},
            });
            let event = world.ask(input.clone(), more).await;
            let page = world.get(&path(&event["formUrl"])).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(!page.text.contains("<script>alert"), "{}", page.text);
            assert!(!page.text.contains("value=\"\"><"), "{}", page.text);
        }
    }
}

#[tokio::test]
async fn pages_forbid_everything_that_they_do_not_need() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let page = world.get(&path(&event["formUrl"])).await;
    let policy = page.header("content-security-policy");
    for part in
        ["default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"]
    {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert!(page.header("x-robots-tag").contains("noindex"));
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    let (before, script) = page.text.split_once("<script>").unwrap();
    assert!(policy.contains("script-src 'sha256-") && script.matches("<script").count() == 0);
    for part in [" on", "javascript:", "src="] {
        let tags = before.split('<').map(|rest| rest.split('>').next().unwrap_or_default());
        assert!(!tags.into_iter().any(|tag| tag.contains(part)), "{part}");
    }
}

#[tokio::test]
async fn what_is_no_form_of_ours_is_refused_without_harm() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let form = path(&event["formUrl"]);
    assert_eq!(
        world.post(&form, &json!({"value": 1})).await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let huge = "x".repeat(BODY_BYTES_MAX + 1);
    assert_eq!(
        world.post_form(&form, &[("value", &huge)]).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let page = world.refused(&form, &[("action", "explode")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(world.get(&form).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_question_whose_name_is_its_beginning_is_shown_once() {
    let world = World::new().await;
    let question = "How many replicas\nshould I add?";
    let names = [("How many replicas should I add?", 0), ("How many repl…", 0), ("Scale", 1)];
    for (name, times) in names {
        let more = json!({"name": name, "prompt": question});
        let event = world.ask(json!({"int": {}}), more).await;
        let page = world.get(&path(&event["formUrl"])).await.text;
        assert_eq!(page.matches(&format!("<b><bdi>{name}")).count(), times, "{name}");
        assert_eq!(page.matches("<h1 dir=\"auto\">How many replicas</h1>").count(), 1, "{name}");
    }
}

/// Every kind of character that cannot be seen, but for those that no name may hold.
const HIDDEN: &str = "a\u{202E}\u{200B}\u{2066}\u{AD}\u{3164}\u{FEFF}\u{E0041}b";
const SHOWN: &str = "a\\u{202E}\\u{200B}\\u{2066}\\u{AD}\\u{3164}\\u{FEFF}\\u{E0041}b";

/// The page without what a browser sends back as it is.
fn seen(page: &str) -> String {
    let mut seen = page.to_owned();
    for (begin, end) in [(" name=\"", "\""), (" value=\"", "\""), ("<textarea", "</textarea>")] {
        let mut parts = seen.split(begin);
        let first = parts.next().unwrap().to_owned();
        seen = first + &parts.map(|part| part.split_once(end).unwrap().1).collect::<String>();
    }
    seen
}

#[tokio::test]
async fn no_character_of_whoever_asks_hides_on_a_page_and_each_comes_back_as_it_was() {
    let world = World::new().await;
    let option = json!({"value": HIDDEN, "label": HIDDEN, "description": HIDDEN});
    let schema = json!({"type": "object", "properties": {
        HIDDEN: {"type": "string", "title": HIDDEN, "description": HIDDEN, "default": HIDDEN},
    }});
    let field = format!("value.{HIDDEN}");
    for (input, name, answer) in [
        (json!({"choice": {"options": [option]}}), "value", HIDDEN),
        (json!({"bool": {"trueLabel": HIDDEN}}), "value", "true"),
        (json!({"object": {"jsonSchema": schema.to_string()}}), field.as_str(), HIDDEN),
    ] {
        for format in ["PROMPT_FORMAT_TEXT", "PROMPT_FORMAT_MARKDOWN"] {
            let more = json!({
                "name": HIDDEN, "prompt": format!("{HIDDEN}\n{HIDDEN}"), "promptFormat": format, "scope": HIDDEN,
                "labels": {"k": HIDDEN},
            });
            let event = world.ask(input.clone(), more).await;
            let form = path(&event["formUrl"]);
            let page = world.get(&form).await.text;
            let shown = seen(&page);
            assert!(shown.matches(SHOWN).count() >= 6, "{shown}");
            assert!(
                !shown.contains(['\u{202E}', '\u{200B}', '\u{AD}', '\u{3164}', '\u{E0041}']),
                "{shown}"
            );
            assert!(page.contains(&format!("name=\"{name}\"")), "{page}");
            let sent = world.post_form(&form, &[(name, answer)]).await;
            assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
            let ended = world.get(&form).await.text;
            let (_, body) = ended.split_once("<body>").unwrap();
            assert_eq!(seen(body), body, "nothing is left to send");
            assert!(ended.contains(SHOWN) && !ended.contains(HIDDEN), "{ended}");
        }
    }
}

#[tokio::test]
async fn no_character_of_whoever_answers_hides_on_a_page() {
    let world = World::new().await;
    let evil = format!("x\u{7}\r\n{HIDDEN}");
    let shown = format!("x\\u{{7}}\n{SHOWN}");
    let answers = [
        vec![("value", evil.as_str()), ("responder", HIDDEN)],
        vec![("action", "decline"), ("reason", evil.as_str()), ("responder", HIDDEN)],
    ];
    for answer in answers {
        let event = world.ask(json!({"str": {}}), json!({})).await;
        let form = path(&event["formUrl"]);
        assert_eq!(world.post_form(&form, &answer).await.status, StatusCode::SEE_OTHER);
        let lost = world.post_form(&form, &answer).await;
        assert_eq!(lost.status, StatusCode::CONFLICT);
        for page in [world.get(&form).await, lost] {
            assert!(page.text.contains(&shown), "{}", page.text);
            assert!(!page.text.contains(['\u{7}', '\u{202E}', '\u{200B}', '\r']), "{}", page.text);
        }
    }
}

#[tokio::test]
async fn a_prompt_that_makes_too_much_of_itself_is_shown_as_text_that_says_so() {
    let world = World::new().await;
    let table = format!("{}\n{}\n{}\n", "|a".repeat(362), "|-".repeat(362), "a\n".repeat(724));
    let more = json!({"prompt": table.repeat(20), "promptFormat": "PROMPT_FORMAT_MARKDOWN"});
    let event = world.ask(json!({"str": {}}), more).await;
    let form = path(&event["formUrl"]);
    for _ in 0..2 {
        let page = world.get(&form).await.text;
        assert!(page.contains("shown as it was written") && page.contains("|a|a|a"), "{page}");
        assert!(page.len() < 100_000 && !page.contains("<td"), "{} bytes", page.len());
        world.post_form(&form, &[("value", "x")]).await;
    }
}

#[tokio::test]
async fn a_form_with_more_fields_than_any_is_not_repeated() {
    let world = World::new().await;
    let event = world.ask(json!({"str": {}}), json!({})).await;
    let page = world.post_form(&path(&event["formUrl"]), &vec![("value", ""); 100_000]).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(page.text.len() < 40_000 && page.text.contains("Nothing was recorded"));
}
