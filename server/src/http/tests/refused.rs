//! What is refused, or prefilled: it comes back as it was typed, on pages that can be gone back to.

use super::*;

#[tokio::test]
async fn what_was_refused_is_corrected_and_its_page_then_shows_what_became_of_the_event() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let form = path(&event["formUrl"]);
    let pairs = [("value", "many"), ("answer_id", "mine"), ("action", "answer"), ("junk", "junk")];
    let sent = world.post_form(&form, &pairs).await;
    assert_eq!(sent.header("cache-control"), "no-store");
    let draft = format!("{}/{}", form.rsplit_once('/').unwrap().0, sent.header("location"));
    for _ in 0..2 {
        let page = world.get(&draft).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains("value=\"many\""), "{}", page.text);
        assert!(page.text.contains("A whole number, such as 42"), "{}", page.text);
        assert_eq!(page.answer_id(), "mine");
    }
    let corrected = [("value", "7"), ("answer_id", "mine"), ("action", "answer")];
    assert_eq!(world.post_form(&draft, &corrected).await.status, StatusCode::SEE_OTHER);
    let page = world.get(&draft).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("Answered") && !page.text.contains("not recorded"), "{}", page.text);
}

#[tokio::test]
async fn the_page_of_what_was_refused_says_so_if_somebody_else_came_first() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let form = path(&event["formUrl"]);
    let sent = world.post_form(&form, &[("value", "many"), ("answer_id", "mine")]).await;
    let draft = format!("{}/{}", form.rsplit_once('/').unwrap().0, sent.header("location"));
    world.post_form(&form, &[("value", "8"), ("answer_id", "theirs")]).await;
    let page = world.get(&draft).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    for part in ["was not recorded", "many", "8"] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
}

#[tokio::test]
async fn a_draft_that_no_server_with_the_key_has_sealed_for_this_link_fills_nothing_in() {
    let world = World::new().await;
    let event = world.ask(json!({"str": {"maxLength": 3}}), json!({})).await;
    let form = path(&event["formUrl"]);
    let sent = world.post_form(&form, &[("value", "typed")]).await;
    let (_, sealed) = sent.header("location").split_once("?draft=").unwrap();
    let there = format!("{form}?draft={sealed}");
    assert!(world.get(&there).await.text.contains("value=\"typed\""));
    let replica = World { app: World::app(&world.service, 100), ..world };
    assert!(replica.get(&there).await.text.contains("value=\"typed\""), "any replica shows it");

    let other = replica.ask(json!({"str": {"maxLength": 3}}), json!({})).await;
    for page in [
        format!("{form}?draft=x{sealed}"),
        format!("{form}?draft={}", &sealed[..sealed.len() - 1]),
        format!("{form}?draft="),
        format!("{}?draft={sealed}", path(&other["formUrl"])),
    ] {
        let page = replica.get(&page).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.text.contains("value=\"typed\"") && !page.text.contains("role=\"alert\""));
    }
}

#[tokio::test]
async fn a_default_keeps_its_line_breaks() {
    let world = World::new().await;
    let schema = r#"{"type":"object","properties":{"p":{"type":"string","default":"\na\nb"},
        "q":{"type":"string","default":"c"}}}"#;
    let event = world.ask(json!({"object": {"jsonSchema": schema}}), json!({})).await;
    let form = path(&event["formUrl"]);
    let page = world.get(&form).await;
    assert!(page.text.contains(">\n\na\nb</textarea>"), "{}", page.text);
    assert!(page.text.contains("name=\"value.q\" type=\"text\""), "{}", page.text);
    let sent = [("value.p", "\r\na\r\nb"), ("value.q", "c"), ("answer_id", page.answer_id())];
    assert_eq!(world.post_form(&form, &sent).await.status, StatusCode::SEE_OTHER);
    let ended = world.get(&path(&event["apiUrl"])).await.json();
    let fields = &ended["response"]["value"]["object"]["fields"];
    assert_eq!(*fields, json!({"p": {"str": "\na\nb"}, "q": {"str": "c"}}));
}
