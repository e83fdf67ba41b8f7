//! The pages for people who keep house: settings, history, and many answers at once.

use super::sign_in::{ask, cookie, form_token, get, local, post};
use super::*;

/// Somebody who has signed in on their own machine.
async fn signed_in() -> (World, String) {
    let (world, code) = local().await;
    let cookie = cookie(&get(&world, &format!("/sign-in/local?code={code}"), "").await);
    (world, cookie)
}

#[tokio::test]
async fn a_token_is_made_shown_once_rotated_and_revoked() {
    let (world, cookie) = signed_in().await;
    let page = get(&world, "/settings", &cookie).await;
    let token = form_token(&page);
    let form = |fields: &str| format!("form_token={token}&{fields}");
    for foreign in ["", "form_token=AAAA"] {
        let fields = format!("{foreign}&name=ci&role=requester");
        let sent = post(&world, "/settings/tokens", &cookie, &fields).await;
        assert_eq!(sent.status, StatusCode::FORBIDDEN);
    }
    let made = form("name=ci&role=requester&namespaces=team-1,+team-2&days=90");
    let made = post(&world, "/settings/tokens", &cookie, &made).await;
    assert!(
        made.status == StatusCode::OK && made.text.contains("shown this once"),
        "{}",
        made.text
    );
    // Only the reply has it, and no browser may keep that.
    assert_ne!(made.header("cache-control"), "private, no-cache");
    let page = get(&world, "/settings", &cookie).await;
    assert!(page.text.contains("<bdi>ci</bdi>") && page.text.contains("team-1, team-2"));
    assert!(!page.text.contains("shown this once"));
    let (_, rest) = page.text.split_once("name=\"id\" value=\"").unwrap();
    let id = rest.split('"').next().unwrap();
    let rotated = post(&world, "/settings/rotate-token", &cookie, &form(&format!("id={id}"))).await;
    assert!(rotated.text.contains("shown this once"), "{}", rotated.text);
    let revoked = post(&world, "/settings/revoke-token", &cookie, &form(&format!("id={id}"))).await;
    assert!(revoked.text.contains("ci was revoked."), "{}", revoked.text);
    assert!(get(&world, "/settings", &cookie).await.text.contains("revoked on"));
    for (path, fields) in [
        ("/settings/tokens", "name=&role=admin"),
        ("/settings/tokens", "name=x"),
        ("/settings/tokens", "name=x&role=admin&days=many"),
        ("/settings/revoke-token", "id=none"),
        ("/settings/revoke-links", "event=none"),
    ] {
        let refused = post(&world, path, &cookie, &form(fields)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {fields}");
        assert!(refused.text.contains("Nothing was changed"), "{}", refused.text);
    }
}

#[tokio::test]
async fn links_are_ended_by_the_address_of_a_question() {
    let (world, cookie) = signed_in().await;
    let id = ask(&world).await;
    let open = World::app(&world.service, 100);
    let shown = World { app: open, clock: world.clock.clone(), service: world.service.clone() };
    let event: Value =
        serde_json::from_str(&shown.get(&format!("/v1/events/{id}")).await.text).unwrap();
    let link = event["event"]["formUrl"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
    assert_eq!(world.get(&format!("/q/{link}")).await.status, StatusCode::OK);
    let token = form_token(&get(&world, "/settings", &cookie).await);
    let form = format!("form_token={token}&event=http://127.0.0.1/events/default/{id}");
    let ended = post(&world, "/settings/revoke-links", &cookie, &form).await;
    assert!(ended.text.contains("The links were ended."), "{}", ended.text);
    assert_eq!(world.get(&format!("/q/{link}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_look_is_on_every_page_and_cannot_break_out_of_it() {
    let world = World::new().await;
    let token = form_token(&world.get("/settings").await);
    let form = format!("form_token={token}&theme=dark&zone=Europe/Berlin&keys=off");
    let kept = post(&world, "/settings/look", "", &form).await;
    assert_eq!((kept.status, kept.header("location")), (StatusCode::SEE_OTHER, "../settings"));
    let cookie = cookie(&kept);
    let tag =
        "<html lang=\"en\" data-theme=\"dark\" data-zone=\"Europe/Berlin\" data-keys=\"off\">";
    for path in ["/", "/history", "/settings", "/q/none"] {
        let page = get(&world, path, &cookie).await;
        assert!(page.text.contains(tag), "{path}");
    }
    let (name, _) = cookie.split_once('=').unwrap();
    let forged = format!("{name}=dark~~\"><script>");
    assert!(get(&world, "/", &forged).await.text.contains("<html lang=\"en\">"));
    let wrong = format!("form_token={token}&zone=a+b%22");
    let wrong = post(&world, "/settings/look", "", &wrong).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn many_are_answered_only_by_a_form_that_was_made_for_it() {
    let world = World::new().await;
    let mut keys = String::new();
    for _ in 0..2 {
        let id = ask(&world).await;
        keys.push_str(&format!("&e=default/{id}"));
    }
    let page = world.get(&format!("/bulk?{keys}")).await;
    assert!(page.text.contains("2 alike"), "{}", page.text);
    let foreign = post(&world, "/bulk", "", &format!("value=true&action=answer{keys}")).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let token = form_token(&page);
    let empty = format!("form_token={token}&action=answer&answer_id=a{keys}");
    let empty = post(&world, "/bulk", "", &empty).await;
    assert!(empty.status == StatusCode::UNPROCESSABLE_ENTITY && empty.text.contains("Pick one."));
    let form = format!("form_token={token}&value=true&action=answer&answer_id=a{keys}");
    for _ in 0..2 {
        let done = post(&world, "/bulk", "", &form).await;
        assert!(done.text.contains("2 of 2 answers were recorded"), "{}", done.text);
    }
    let history = world.get("/history").await;
    assert_eq!(history.text.matches("Is it good?</bdi>").count(), 2, "{}", history.text);
    let exported = world.get("/history/export?format=csv").await;
    assert_eq!(exported.text.lines().count(), 3, "{}", exported.text);
    let json: Value =
        serde_json::from_str(&world.get("/history/export?format=json").await.text).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2);
    assert_eq!(world.get("/history/export").await.status, StatusCode::NOT_FOUND);
}
