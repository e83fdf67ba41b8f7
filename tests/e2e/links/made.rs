//! Links that are made for one person each: whom they name, how they end, and what they show afterwards.

use std::time::{Duration, Instant};

use hitl_proto::v1::value::Kind as Value;
use hitl_proto::v1::{self, CredentialKind, Event};
use reqwest::StatusCode;
use serde_json::json;
use support::stores::Kind;

use crate::failure::Failure;
use crate::kinds;
use crate::shell::Shell;
use crate::site::{Site, config, is_pending, millis, soon, start, typed};
use crate::web::{answered, declined, ok_json, page, post_json};

impl Site {
    /// A link to `event` for the person of this name, good for so many milliseconds or as long as the event waits.
    pub(crate) async fn link(
        &self,
        event: &Event,
        responder: &str,
        ttl_ms: Option<i64>,
    ) -> v1::CreateLinkResponse {
        let request = v1::CreateLinkRequest {
            namespace: event.namespace.clone(),
            event_id: event.id.clone(),
            responder: responder.to_owned(),
            ttl: ttl_ms.map(millis),
        };
        self.grpc.clone().create_link(request).await.expect("a link is made").into_inner()
    }

    /// Revokes the links of `event` for the person of this name, or all if it is empty.
    pub(crate) async fn revoke_links(&self, event: &Event, responder: &str) {
        let request = v1::RevokeLinksRequest {
            namespace: event.namespace.clone(),
            event_id: event.id.clone(),
            responder: responder.to_owned(),
        };
        self.grpc.clone().revoke_links(request).await.expect("they are revoked");
    }
}

/// The event of `event` as a link shows it.
fn linked(event: &Event, link: &v1::CreateLinkResponse) -> Event {
    let (form_url, api_url) = (link.form_url.clone(), link.api_url.clone());
    Event { form_url, api_url, ..event.clone() }
}

async fn status(site: &Site, url: &str) -> u16 {
    site.fetch(url).await.status().as_u16()
}

#[tokio::test]
async fn whoever_answers_by_a_link_is_recorded_as_whom_it_was_made_for() {
    let site = Site::shared().await;
    for by_form in [true, false] {
        let event = site.ask(kinds::int()).await;
        let link = site.link(&event, "Ann", None).await;
        assert_eq!(link.form_url.rsplit('/').next().map(str::len), Some(43));
        assert_eq!(link.expire_time, event.deadline);
        let of_ann = linked(&event, &link);
        if by_form {
            let shown = page(site.fetch(&link.form_url).await).await;
            assert!(!shown.contains("name=\"responder\"") && shown.contains("Ann"), "{shown}");
            let mut fields = answered(kinds::form(&Value::Int(1)), "x");
            fields.retain(|(name, _)| name != "responder");
            fields.push(("responder".to_owned(), "Mallory".to_owned()));
            let shown = site.submit_and_follow(&of_ann, &fields).await;
            assert!(shown.contains("Ann") && !shown.contains("Mallory"), "{shown}");
        } else {
            let body = json!({"value": 1, "responder": "Mallory"});
            let said = ok_json(site.post_link(&of_ann, &body).await).await;
            assert_eq!(said["response"]["responder"]["name"], "Ann");
            assert!(said.get("formUrl").is_none() && said.get("apiUrl").is_none(), "{said}");
        }
        let response = site.get(&event).await.response.expect("it has ended");
        let responder = response.responder.expect("somebody has answered");
        assert_eq!((responder.name.as_str(), responder.principal.as_str()), ("Ann", "Ann"));
        assert_eq!(responder.known_by(), CredentialKind::Link);
    }
}

#[tokio::test]
async fn a_link_that_has_expired_leads_nowhere_and_takes_no_answer() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    let link = site.link(&event, "Ann", Some(1_500)).await;
    assert!(link.expire_time.expect("a time").seconds < event.deadline.expect("a time").seconds);
    assert_eq!(status(&site, &link.form_url).await, 200);
    soon("the expiry", async {
        while status(&site, &link.form_url).await == 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let nonsense = site.fetch(&format!("{}/q/nonsense", site.url)).await;
    let expired = site.fetch(&link.form_url).await;
    assert_eq!(expired.status(), nonsense.status());
    assert_eq!(expired.text().await.expect("a page"), nonsense.text().await.expect("a page"));
    let of_ann = linked(&event, &link);
    let fields = answered(kinds::form(&Value::Int(1)), "x");
    assert_eq!(site.submit(&of_ann, &fields).await.status(), StatusCode::NOT_FOUND);
    let refused = Failure::of_reply(site.post_link(&of_ann, &json!({"value": 1})).await).await;
    assert!(refused.is(tonic::Code::PermissionDenied, "LINK_INVALID"), "{refused:?}");
    assert!(is_pending(&site.get(&event).await));
    assert_eq!(status(&site, &event.form_url).await, 200, "the others are good");
}

#[tokio::test]
async fn links_that_were_revoked_at_one_server_are_refused_by_another_within_five_seconds() {
    if !matches!(Kind::of_this_run(), Kind::Embedded) {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let store = format!("file://{}", dir.path().join("shared").display());
    let key = dir.path().join("link.key").display().to_string();
    let replica = || config().store(&store).arg("--link-key-file").arg(&key);
    let ((_one, here), (other, there)) = (start(replica()).await, start(replica()).await);
    let event = here.ask(kinds::int()).await;
    let (ann, bob) = (here.link(&event, "Ann", None).await, here.link(&event, "Bob", None).await);
    let at_other = |url: &str| {
        let (_, link) = url.rsplit_once('/').expect("a link ends with its token");
        other.url(&format!("/q/{link}"))
    };
    for url in [&ann.form_url, &bob.form_url, &event.form_url] {
        assert_eq!(status(&there, &at_other(url)).await, 200);
    }
    let is_refused = async |url: &str| {
        let begun = Instant::now();
        while status(&there, &at_other(url)).await == 200 {
            assert!(begun.elapsed().as_secs() < 5, "it is still good");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    here.revoke_links(&event, "Ann").await;
    is_refused(&ann.form_url).await;
    for url in [&bob.form_url, &event.form_url] {
        assert_eq!(status(&there, &at_other(url)).await, 200, "nobody else's");
    }
    here.revoke_links(&event, "").await;
    is_refused(&bob.form_url).await;
    is_refused(&event.form_url).await;
    let again = here.link(&event, "Ann", None).await;
    assert_eq!(status(&there, &at_other(&again.form_url)).await, 200);
    assert!(is_pending(&here.get(&event).await));
}

#[tokio::test]
async fn whoever_waits_by_a_link_is_told_nothing_once_it_was_revoked() {
    let site = Site::shared().await;
    let event = site.ask(kinds::text()).await;
    let link = site.link(&event, "Ann", None).await;
    let wait = tokio::spawn(site.http.get(format!("{}?wait=30s", link.api_url)).send());
    site.revoke_links(&event, "Ann").await;
    site.answer(&event, typed(&Value::Str("secret".to_owned()))).await.expect("it is good");
    let reply = soon("the reply", wait).await.expect("no panic").expect("the server replies");
    assert_eq!(reply.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn once_an_event_has_ended_a_link_says_how_and_what_only_to_who_has_said_it() {
    let site = Site::shared().await;
    for declines in [false, true] {
        let event = site.ask(kinds::text()).await;
        let [ann, bob] = [
            linked(&event, &site.link(&event, "Ann", None).await),
            linked(&event, &site.link(&event, "Bob", None).await),
        ];
        let said = "only-between-us";
        let fields = if declines {
            declined(said, "ann")
        } else {
            answered(kinds::form(&Value::Str(said.to_owned())), "ann")
        };
        let outcome = if declines { "Declined" } else { "Answered" };
        let shown = site.submit_and_follow(&ann, &fields).await;
        assert!(shown.contains(said) && shown.contains(outcome), "{shown}");
        let own = ok_json(site.fetch(&ann.api_url).await).await;
        assert!(own.to_string().contains(said), "{own}");
        for other in [&bob, &event] {
            let shown = page(site.fetch(&other.form_url).await).await;
            assert!(shown.contains(outcome) && shown.contains("Ann"), "{shown}");
            assert!(!shown.contains(said), "{shown}");
            let json = ok_json(site.fetch(&other.api_url).await).await;
            assert_eq!(json["state"], format!("EVENT_STATE_{}", outcome.to_uppercase()));
            assert!(!json.to_string().contains(said), "{json}");
            let fields = answered(kinds::form(&Value::Str("too late".to_owned())), "late");
            let refused = site.submit(other, &fields).await;
            assert_eq!(refused.status(), StatusCode::CONFLICT);
            let refused = refused.text().await.expect("a page");
            for part in ["not recorded", "too late", outcome] {
                assert!(refused.contains(part), "{part}: {refused}");
            }
            assert!(!refused.contains(said), "{refused}");
            let refused = site.post_link(other, &json!({"value": "too late"})).await;
            assert_eq!(refused.status(), StatusCode::CONFLICT);
            let refused = refused.text().await.expect("JSON");
            assert!(refused.contains("ALREADY_FINAL") && !refused.contains(said), "{refused}");
        }
        let request = v1::CreateLinkRequest {
            event_id: event.id.clone(),
            responder: "Eve".to_owned(),
            ..Default::default()
        };
        let refused = site.grpc.clone().create_link(request).await.expect_err("it has ended");
        let refused = Failure::of(&refused);
        assert!(refused.is(tonic::Code::FailedPrecondition, "EVENT_ALREADY_FINAL"), "{refused:?}");
    }
}

#[tokio::test]
async fn links_are_made_and_ended_over_http_and_at_the_command_line() {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    let event = site.ask(kinds::int()).await;
    let at = |verb: &str| format!("{}/v1/events/{}/{verb}", site.url, event.id);
    let body = json!({"responder": "Ann", "ttl": "60s"});
    let made = ok_json(post_json(&site.http, &at("links"), &body).await).await;
    let by_http = made["formUrl"].as_str().expect("a link").to_owned();
    for bad in [json!({}), json!({"responder": "a\nb"}), json!({"responder": "Ann", "ttl": "0s"})] {
        let refused = post_json(&site.http, &at("links"), &bad).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{bad}");
    }
    let done = shell.run(&["link", &event.id, "--for", "Bob", "--expires", "1h"]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("for Bob") && !done.err.contains("/q/"), "{done:?}");
    let by_shell = done.out.trim();
    let json = shell.out(&["link", &event.id, "--for", "Bob", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let as_json = json["url"].as_str().expect("a link");
    assert!(json["expireTime"].is_string() && json["apiUrl"].is_string(), "{json}");
    for link in [by_http.as_str(), by_shell, as_json] {
        assert_eq!(status(&site, link).await, 200);
    }
    shell.out(&["link", "revoke", &event.id, "--for", "Bob"]).await;
    for link in [by_shell, as_json] {
        assert_eq!(status(&site, link).await, 404);
    }
    assert_eq!(status(&site, &by_http).await, 200);
    let all = post_json(&site.http, &at("links:revoke"), &json!({})).await;
    assert_eq!(ok_json(all).await, json!({}));
    for link in [&by_http, &event.form_url] {
        assert_eq!(status(&site, link).await, 404);
    }
    let wrong = shell.run(&["link", &event.id]).await;
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    let unknown = shell.run(&["link", &"0".repeat(32), "--for", "Ann"]).await;
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
}
