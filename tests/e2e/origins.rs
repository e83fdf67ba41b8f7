//! A server without credentials obeys the machine it runs on, not the pages that its browser has open.

use hitl_proto::v1::value::Kind as Value;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::kinds;
use crate::site::{Site, config, is_pending, start};
use crate::web::answered;

const EVIL: &str = "https://evil.example";

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pairs = pairs
        .iter()
        .map(|&(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")));
    pairs.collect()
}

fn body() -> Json {
    json!({"name": "n", "prompt": "p", "input": {"int": {}}})
}

#[tokio::test]
async fn a_page_of_another_origin_can_neither_ask_nor_answer() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    let path = |verb: &str| format!("{}/v1/events/{}/{verb}", site.url, event.id);
    let sources = [
        vec![("origin", EVIL)],
        vec![("origin", "null")],
        vec![("origin", "http://127.0.0.1:1")],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
    ];
    for source in sources {
        let calls = [
            site.http.post(format!("{}/v1/events", site.url)).json(&body()),
            site.http.post(path("cancel")).json(&json!({})),
            site.http.post(path("answer")).json(&json!({"json": "1"})),
            site.http
                .post(format!("{}/submit", site.url))
                .form(&[("request_id", event.id.as_str()), ("value", "1")]),
        ];
        for call in calls {
            let reply = call.headers(headers(&source)).send().await.expect("the server replies");
            assert_eq!(reply.status().as_u16(), 403, "{source:?} {}", reply.url());
        }
    }
    let call = site.http.post(path("cancel")).json(&json!({})).header("origin", EVIL);
    let refused = Failure::of_reply(call.send().await.expect("the server replies")).await;
    assert!(refused.is(tonic::Code::PermissionDenied, "ORIGIN_REFUSED"), "{refused:?}");
    assert!(is_pending(&site.get(&event).await));
}

#[tokio::test]
async fn a_link_is_followed_from_anywhere_and_used_from_its_own_page_alone() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    let cross = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    let visit = site.http.get(&event.form_url).headers(headers(&cross));
    assert_eq!(visit.send().await.expect("the server replies").status().as_u16(), 200);
    let fields = answered(kinds::form(&Value::Int(1)), "x");
    for source in [vec![("origin", EVIL)], cross.to_vec()] {
        for url in [&event.form_url, &event.api_url] {
            let call = site.http.post(url).headers(headers(&source)).form(&fields);
            let reply = call.send().await.expect("the server replies");
            assert_eq!(reply.status().as_u16(), 403, "{source:?}");
        }
    }
    assert!(is_pending(&site.get(&event).await));
    // Its page sends `null` itself, because its address must not leak.
    let call = site.http.post(&event.form_url).header("origin", "null").form(&fields);
    assert_eq!(call.send().await.expect("the server replies").status().as_u16(), 200);
    assert!(!is_pending(&site.get(&event).await));
}

#[tokio::test]
async fn a_page_of_our_own_origin_may_answer() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    let own = [("origin", site.url.as_str()), ("sec-fetch-site", "same-origin")];
    let fields = answered(kinds::form(&Value::Int(1)), "x");
    let call = site.http.post(&event.form_url).headers(headers(&own)).form(&fields);
    assert_eq!(call.send().await.expect("the server replies").status().as_u16(), 200);
    assert!(!is_pending(&site.get(&event).await));
}

#[tokio::test]
async fn a_foreign_host_name_is_refused_because_it_may_have_been_rebound_to_us() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    let port = site.url.rsplit(':').next().expect("a port");
    let foreign =
        ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example"];
    for host in foreign.map(str::to_owned).into_iter().chain([format!("evil.example:{port}")]) {
        for (method, path) in [
            (Method::GET, "/v1/events".to_owned()),
            (Method::GET, format!("/v1/events/{}", event.id)),
            (Method::GET, format!("/status/{}", event.id)),
            (Method::POST, format!("/v1/events/{}/cancel", event.id)),
            (Method::POST, "/v1/events".to_owned()),
        ] {
            let call =
                site.http.request(method, format!("{}{path}", site.url)).header("host", &host);
            let reply = call.json(&body()).send().await.expect("the server replies");
            assert!(
                matches!(reply.status().as_u16(), 403 | 421),
                "{host} {path}: {}",
                reply.status()
            );
        }
    }
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")]
    {
        let call =
            site.http.get(format!("{}/v1/events?page_size=1", site.url)).header("host", &host);
        assert_eq!(call.send().await.expect("the server replies").status().as_u16(), 200, "{host}");
    }
    assert!(is_pending(&site.get(&event).await));
}

#[tokio::test]
async fn only_a_configured_origin_is_let_in_by_cors() {
    let friend = "https://app.example";
    let (_server, site) = start(config().arg("--cors-origin").arg(friend)).await;
    let url = format!("{}/v1/events", site.url);
    let preflight = async |origin: &str| {
        let asked = headers(&[
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,x-grpc-web,grpc-timeout"),
        ]);
        let call = site.http.request(Method::OPTIONS, &url).headers(asked);
        call.send().await.expect("the server replies").headers().clone()
    };
    let allowed = preflight(friend).await;
    assert_eq!(allowed["access-control-allow-origin"], friend);
    let names = allowed["access-control-allow-headers"].to_str().expect("text").to_lowercase();
    assert!(names.contains("x-grpc-web") && names.contains("content-type"), "{names}");
    assert!(!preflight(EVIL).await.contains_key("access-control-allow-origin"));
    let post = async |origin: &str| {
        let call = site.http.post(&url).json(&body()).header("origin", origin);
        call.send().await.expect("the server replies").status().as_u16()
    };
    assert_eq!((post(friend).await, post(EVIL).await), (200, 403));
}
