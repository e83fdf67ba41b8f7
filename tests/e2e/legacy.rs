//! The routes of the plugin that hitl replaces: old clients go on, old holes do not.

use hitl_proto::v1::value::Kind as Value;
use serde_json::json;

use crate::kinds;
use crate::site::{Site, is_pending, value_of};

#[tokio::test]
async fn the_routes_of_the_old_plugin_still_work() {
    let site = Site::shared().await;
    for by_json in [false, true] {
        let event = site.ask(kinds::int()).await;
        let status = site.read(&format!("/status/{}", event.id)).await;
        assert_eq!(status["status"], "pending", "{status}");
        let reply = if by_json {
            let body = json!({"request_id": event.id, "value": 42});
            site.call("/submit/json", &body).await
        } else {
            let fields = [("request_id", event.id.as_str()), ("value", "42")];
            let call = site.http.post(format!("{}/submit", site.url)).form(&fields);
            call.send().await.expect("the server replies")
        };
        assert!(reply.status().is_success(), "{}", reply.status());
        let ended = site.get(&event).await;
        assert_eq!(value_of(&ended), Some(&Value::Int(42)));
        let status = site.read(&format!("/status/{}", event.id)).await;
        assert_eq!(status["status"], "completed", "{status}");
        assert_eq!(status["response"]["value"], 42, "{status}");
    }
}

#[tokio::test]
async fn a_type_or_path_that_the_caller_names_counts_for_nothing() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    let chosen = [
        ("data_type", "str"),
        ("response_path", "/tmp/hitl-owned.json"),
        ("request_path", "/etc/passwd"),
    ];
    let mut body = json!({"request_id": event.id, "value": "not a number"});
    let mut fields = vec![("request_id", event.id.as_str()), ("value", "not a number")];
    for (name, value) in chosen {
        body[name] = json!(value);
        fields.push((name, value));
    }
    let by_json = site.call("/submit/json", &body).await;
    assert_eq!(by_json.status().as_u16(), 400);
    let by_form = site.http.post(format!("{}/submit", site.url)).form(&fields);
    let by_form = by_form.send().await.expect("the server replies");
    assert!(by_form.status().is_client_error(), "{}", by_form.status());
    assert!(is_pending(&site.get(&event).await));
    body["value"] = json!("7");
    assert!(site.call("/submit/json", &body).await.status().is_success());
    assert_eq!(value_of(&site.get(&event).await), Some(&Value::Int(7)));
    assert!(!std::path::Path::new("/tmp/hitl-owned.json").exists());
    let page = site.fetch(&format!("{}/q/{}?request_path=/etc/passwd", site.url, event.id)).await;
    assert!(page.status().is_client_error(), "{}", page.status());
}

#[tokio::test]
async fn the_address_of_an_event_takes_the_body_of_the_plugin() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    let other = json!({"request_id": "0".repeat(32), "value": 7});
    assert_eq!(site.post_link(&event, &other).await.status().as_u16(), 400);
    let response_path = format!("events/default/{}/response.json", event.id);
    let body = json!({
        "request_id": event.id, "response_path": response_path, "value": 7, "data_type": "str",
    });
    assert!(site.post_link(&event, &body).await.status().is_success());
    assert_eq!(value_of(&site.get(&event).await), Some(&Value::Int(7)));
}
