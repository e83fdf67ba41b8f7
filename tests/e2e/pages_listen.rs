//! People at a listener of their own: forms and links there, everything else at the other.

use hitl_proto::v1::value::Kind as Value;
use reqwest::StatusCode;
use serde_json::json;
use support::server::Server;
use tonic::Code;

use crate::kinds;
use crate::site::{Site, config, is_pending, soon, start, value_of};

/// A server with both, and the one for people as a site.
async fn both() -> (Server, Site, Site) {
    let port = support::free_port().expect("a port");
    let address = format!("127.0.0.1:{port}");
    let (server, programs) = start(config().arg("--pages-listen").arg(&address)).await;
    (server, programs, Site::at(&format!("http://{address}")))
}

#[tokio::test]
async fn links_lead_to_the_listener_for_people_and_are_answered_there() {
    let (_server, programs, people) = both().await;
    let event = programs.ask(kinds::int()).await;
    for link in [&event.form_url, &event.api_url] {
        assert!(link.starts_with(&format!("{}/", people.url)), "{link}");
        assert_eq!(people.fetch(link).await.status(), StatusCode::OK, "{link}");
    }
    let answer = people.http.post(&event.api_url).json(&json!({"value": 7})).send();
    let reply = soon("the reply", answer).await.expect("it arrives");
    assert_eq!(reply.status(), StatusCode::OK);
    assert_eq!(value_of(&programs.get(&event).await), Some(&Value::Int(7)));
}

#[tokio::test]
async fn each_listener_refuses_what_belongs_to_the_other() {
    let (_server, programs, people) = both().await;
    let event = programs.ask(kinds::int()).await;
    let of_programs = [
        format!("/v1/events/{}", event.id),
        "/v1/events".to_owned(),
        "/v1/openapi.json".to_owned(),
        "/metrics".to_owned(),
        "/health".to_owned(),
        format!("/status/{}", event.id),
    ];
    for path in of_programs {
        let status = async |site: &Site| site.fetch(&format!("{}{path}", site.url)).await.status();
        assert_eq!(status(&programs).await, StatusCode::OK, "{path}");
        assert_eq!(status(&people).await, StatusCode::NOT_FOUND, "{path}");
    }
    for link in [&event.form_url, &event.api_url] {
        let elsewhere = link.replace(&people.url, &programs.url);
        assert_ne!(&elsewhere, link);
        assert_eq!(programs.fetch(&elsewhere).await.status(), StatusCode::NOT_FOUND, "{elsewhere}");
        let posted = programs.http.post(&elsewhere).json(&json!({"value": 7})).send();
        let posted = soon("the reply", posted).await.expect("it arrives");
        assert_eq!(posted.status(), StatusCode::NOT_FOUND, "{elsewhere}");
    }
    let refused = people.try_get(&event).await.expect_err("no RPC is served there");
    assert_eq!(refused.code(), Code::Unimplemented, "{refused:?}");
    for site in [&programs, &people] {
        for path in ["/healthz", "/readyz"] {
            let reply = site.fetch(&format!("{}{path}", site.url)).await;
            assert_eq!(reply.status(), StatusCode::OK, "{path}");
        }
    }
    assert!(is_pending(&programs.get(&event).await));
}
