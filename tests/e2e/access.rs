//! Who may do what: the tables of `docs/access.md`, walked with every kind of credential.

mod calls;
pub(crate) mod world;

use std::collections::BTreeMap;

use hitl_proto::v1::{self, Event, Role};
use reqwest::StatusCode;
use serde_json::{Value as Json, json};
use tonic_types::StatusExt;

use crate::kinds;
use crate::links::OLD_LINKS;
use crate::site::{request, soon};
use calls::Came;
use support::server::ADMIN;
use world::World;
pub(crate) use world::with;

const DOC: &str = include_str!("../../docs/access.md");
/// An id of no event.
const NO_ID: &str = "00000000000000000000000000000001";

/// The rows of the table whose first heading is `what` and second `second`: cells by heading.
fn table(second: &str) -> Vec<BTreeMap<&'static str, &'static str>> {
    let cells = |line: &'static str| -> Vec<&'static str> {
        line.trim_matches('|').split(" | ").map(str::trim).collect()
    };
    let mut lines =
        DOC.lines().skip_while(|line| !line.starts_with(&format!("| what | {second} |")));
    let headings = cells(lines.next().expect("there is such a table"));
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|row| headings.iter().copied().zip(cells(row)).collect()).collect()
}

#[tokio::test]
async fn every_call_is_allowed_or_refused_to_every_token_as_the_table_says() {
    let world = World::new().await;
    let rows = table("nobody");
    assert!(rows.len() > 15, "{} rows", rows.len());
    for row in rows {
        let what = row["what"];
        if what.starts_with("`form_url`") {
            continue;
        }
        for (heading, token) in &world.tokens {
            let event = world.event().await;
            let expected = if row[heading.as_str()] == "yes" { Came::Done } else { Came::Denied };
            let there = world.call(what, &event.id, Some(token)).await;
            for (called, came, said) in &there {
                assert_eq!(*came, expected, "{called} by {heading}: {said}");
            }
            if expected == Came::Denied {
                let absent = world.call(what, NO_ID, Some(token)).await;
                let hidden = |said: &str| said.replace(&event.id, NO_ID);
                for (there, absent) in there.iter().zip(&absent) {
                    assert_eq!(hidden(&there.2), absent.2, "{heading} can tell what is there");
                }
            }
        }
    }
}

#[tokio::test]
async fn whoever_has_no_good_token_is_refused_everywhere_and_always_alike() {
    let world = World::new().await;
    let bad = world.bad_tokens().await;
    for row in table("nobody") {
        let what = row["what"];
        if what.starts_with("`form_url`") {
            continue;
        }
        let event = world.event().await;
        let without = world.call(what, &event.id, None).await;
        for (called, came, said) in &without {
            assert_eq!(*came, Came::Unauthenticated, "{called}: {said}");
        }
        for (kind, token) in &bad {
            assert_eq!(world.call(what, NO_ID, Some(token)).await, without, "{what}: {kind}");
        }
    }
}

#[tokio::test]
async fn links_are_shown_to_those_who_may_hand_them_out_and_to_nobody_else() {
    let world = World::new().await;
    let event = world.event().await;
    assert!(!event.form_url.is_empty() && !event.api_url.is_empty());
    let rows = table("nobody");
    let may = rows.iter().find(|row| row["what"].starts_with("`form_url`")).expect("a row");
    let looks = rows.iter().find(|row| row["what"].starts_with("`GetEvent`")).expect("a row");
    for (heading, token) in &world.tokens {
        if looks[heading.as_str()] == "no" {
            continue;
        }
        let get = v1::GetEventRequest { event_id: event.id.clone(), ..Default::default() };
        let got = world.events().get_event(with(Some(token), get)).await.expect("it may look");
        let got = got.into_inner().event.expect("the event");
        let listed = world.events().list_events(with(Some(token), Default::default())).await;
        let listed = listed.expect("it may look").into_inner().events.remove(0);
        let path = format!("/v1/events/{}", event.id);
        let json = world.http.get(world.server.url(&path)).bearer_auth(token).send().await;
        let json: Json = json.expect("a reply").json().await.expect("JSON");
        let sees = may[heading.as_str()] == "yes";
        for shown in [&got, &listed] {
            assert_eq!(!shown.form_url.is_empty(), sees, "{heading}");
            assert_eq!(!shown.api_url.is_empty(), sees, "{heading}");
        }
        assert_eq!(json["event"].get("formUrl").is_some(), sees, "{heading}: {json}");
    }
    // Of several roles each adds what it lets its holder do.
    let create = v1::CreateTokenRequest {
        name: "notifier".to_owned(),
        roles: vec![Role::Auditor.into(), Role::Notifier.into()],
        ..Default::default()
    };
    let both = world.admin().create_token(with(Some(ADMIN), create)).await.expect("it may");
    let get = v1::GetEventRequest { event_id: event.id.clone(), ..Default::default() };
    let got = world.events().get_event(with(Some(&both.into_inner().secret), get)).await;
    assert_eq!(
        got.expect("it may").into_inner().event.expect("the event").form_url,
        event.form_url
    );
}

#[tokio::test]
async fn a_link_opens_its_own_event_alone_and_what_is_open_is_open_to_all() {
    let world = World::new().await;
    let (own, other) =
        (world.asked(OLD_LINKS[0].request()).await, world.asked(OLD_LINKS[1].request()).await);
    for row in table("anybody") {
        let (method, path) = row["what"].trim_matches('`').split_once(' ').expect("a route");
        let is_old = path.contains("{token}");
        let token = |event: &Event| match OLD_LINKS.iter().find(|link| link.id == event.id) {
            Some(old) if is_old => old.token.to_owned(),
            _ => event.form_url.rsplit('/').next().expect("a token").to_owned(),
        };
        let call = async |link: &str| {
            let path = path.replace("{event_id}", &own.id);
            let path = path.replace("{token}", link).replace("{link}", link);
            let call = match method {
                "GET" => world.http.get(world.server.url(&path)),
                _ => world.http.post(world.server.url(&path)).json(&json!({"decline": ""})),
            };
            call.send().await.expect("the server replies").status()
        };
        let refused = StatusCode::FORBIDDEN;
        let tried = [
            ("anybody", "x".to_owned()),
            ("whoever has a link to the event", token(&own)),
            ("whoever has a link to another", token(&other)),
        ];
        for (heading, link) in tried {
            // The whole address is the link, so it cannot be tried on another event.
            if heading == "whoever has a link to another" && path.contains("{link}") {
                continue;
            }
            let status = call(&link).await;
            assert_eq!(
                status != refused && status != StatusCode::NOT_FOUND,
                row[heading] == "yes",
                "{path} by {heading}: {status}"
            );
        }
    }
}

#[tokio::test]
async fn whoever_answers_is_named_by_what_was_proved_and_does_not_answer_itself() {
    let world = World::new().await;
    let create = v1::CreateTokenRequest {
        name: "pipeline".to_owned(),
        roles: vec![Role::Requester.into(), Role::Responder.into()],
        ..Default::default()
    };
    let both = world.admin().create_token(with(Some(ADMIN), create)).await.expect("it may");
    let both = both.into_inner().secret;
    for allow_self_answer in [false, true] {
        let asked = v1::CreateEventRequest { allow_self_answer, ..request(kinds::int()) };
        let created = world.events().create_event(with(Some(&both), asked)).await.expect("it may");
        let event = created.into_inner().event.expect("the event");
        let creator = event.created_by.clone().expect("it is known");
        assert_eq!(creator.principal, "pipeline");
        assert_eq!(creator.known_by(), v1::CredentialKind::Token);
        let answer = |responder: &str| v1::AnswerEventRequest {
            event_id: event.id.clone(),
            answer: Some(v1::answer_event_request::Answer::Json("1".to_owned())),
            responder: responder.to_owned(),
            ..Default::default()
        };
        let itself = world.events().answer_event(with(Some(&both), answer("CFO"))).await;
        let answered = if allow_self_answer {
            itself.expect("that was allowed")
        } else {
            let refused = itself.expect_err("it asked itself");
            let info = refused.get_details_error_info().expect("it says why");
            assert_eq!(info.reason, "ERROR_REASON_SELF_ANSWER");
            let token = &world.tokens["responder"];
            world.events().answer_event(with(Some(token), answer("CFO"))).await.expect("it may")
        };
        let response = answered.into_inner().event.and_then(|event| event.response);
        let responder = response.and_then(|response| response.responder).expect("somebody");
        assert_eq!(responder.name, "CFO", "what was claimed");
        assert_eq!(responder.known_by(), v1::CredentialKind::Token);
        assert_eq!(responder.principal, if allow_self_answer { "pipeline" } else { "test" });
    }
}

#[tokio::test]
async fn streams_end_when_their_token_is_revoked() {
    let world = World::new().await;
    let event = world.event().await;
    let made = world.made(Role::Auditor, "default").await;
    let token = Some(made.secret.as_str());
    let wait = v1::WaitEventRequest { event_id: event.id.clone(), ..Default::default() };
    let mut wait = world.events().wait_event(with(token, wait)).await.expect("it may").into_inner();
    let watch = v1::WatchEventsRequest::default();
    let mut watch =
        world.events().watch_events(with(token, watch)).await.expect("it may").into_inner();
    let watch_on = v1::WatchEventsRequest {
        bookmark_interval: Some(crate::site::millis(1_000)),
        ..Default::default()
    };
    let admins = world.events().watch_events(with(Some(ADMIN), watch_on)).await.expect("it may");
    let mut admins = admins.into_inner();
    let url = world.server.url("/v1/events:watch");
    let sse = world.http.get(url).bearer_auth(&made.secret).send().await.expect("a reply");
    let token_id = made.token.expect("it is there").id;
    let revoke = v1::RevokeTokenRequest { token_id };
    world.admin().revoke_token(with(Some(ADMIN), revoke)).await.expect("the admin may");
    let ended = async {
        while let Ok(message) = wait.message().await {
            message.expect("it does not end without a word");
        }
        while let Ok(message) = watch.message().await {
            message.expect("it does not end without a word");
        }
        sse.text().await.expect("it ends")
    };
    let said = soon("the end of the streams", ended).await;
    assert!(said.contains("ERROR_REASON_UNAUTHENTICATED"), "{said}");
    for _ in 0..4 {
        let message = soon("a bookmark", admins.message()).await;
        message.expect("the others go on").expect("the others go on");
    }
    let get = v1::GetEventRequest { event_id: event.id, ..Default::default() };
    let refused = world.events().get_event(with(token, get)).await;
    assert_eq!(refused.expect_err("it is revoked").code(), tonic::Code::Unauthenticated);
}
