//! The HTTP side of a server: the JSON API, the links and the form.

use hitl_proto::v1::Event;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::site::Site;

/// More than fits in an address.
const LONG_BYTES: usize = 4_096;

impl Site {
    pub(crate) async fn fetch(&self, url: &str) -> Response {
        self.http.get(url).send().await.expect("the server replies")
    }

    /// The JSON below `path`, which must be there.
    pub(crate) async fn read(&self, path: &str) -> Json {
        ok_json(self.fetch(&format!("{}{path}", self.url)).await).await
    }

    /// Sends JSON to `path` of the API.
    pub(crate) async fn call(&self, path: &str, body: &Json) -> Response {
        post_json(&self.http, &format!("{}{path}", self.url), body).await
    }

    /// Sends JSON to the link of an event.
    pub(crate) async fn post_link(&self, event: &Event, body: &Json) -> Response {
        post_json(&self.http, &event.api_url, body).await
    }

    /// Submits the form of an event without following where it leads.
    pub(crate) async fn submit(&self, event: &Event, fields: &[(String, String)]) -> Response {
        let client = support::http::client().redirect(reqwest::redirect::Policy::none());
        let client = client.build().expect("a client without special settings");
        client.post(&event.form_url).form(fields).send().await.expect("the server replies")
    }

    /// Submits the form of an event with what it does not accept, and returns the page that says so: behind a redirect,
    /// or at once if what was typed is too long for an address.
    pub(crate) async fn submit_refused(
        &self,
        event: &Event,
        fields: &[(String, String)],
    ) -> String {
        let reply = self.submit(event, fields).await;
        if fields.iter().map(|(_, value)| value.len()).sum::<usize>() > LONG_BYTES {
            assert_eq!(reply.status(), StatusCode::UNPROCESSABLE_ENTITY);
            return reply.text().await.expect("a page");
        }
        assert_eq!(reply.status(), StatusCode::SEE_OTHER, "{fields:?}");
        let target = reply.headers()["location"].to_str().expect("a location is text");
        let target = reply.url().join(target).expect("a location is an address");
        assert!(target.as_str().starts_with(&format!("{}?", event.form_url)), "{target}");
        let page = self.fetch(target.as_str()).await;
        assert_eq!(page.status(), StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        page.text().await.expect("a page")
    }

    /// Submits the form of an event as a browser would, and returns the page it leads to.
    pub(crate) async fn submit_and_follow(
        &self,
        event: &Event,
        fields: &[(String, String)],
    ) -> String {
        let reply = self.submit(event, fields).await;
        assert_eq!(reply.status(), StatusCode::SEE_OTHER, "{}", event.form_url);
        let target = reply.headers()["location"].to_str().expect("a location is text");
        let target = reply.url().join(target).expect("a location is an address");
        assert_eq!(target.as_str(), event.form_url, "the form leads to itself");
        page(self.fetch(target.as_str()).await).await
    }
}

pub(crate) async fn post_json(client: &Client, url: &str, body: &Json) -> Response {
    client.post(url).json(body).send().await.expect("the server replies")
}

/// The body of a reply that must be a success.
pub(crate) async fn ok_json(reply: Response) -> Json {
    let (url, status) = (reply.url().clone(), reply.status());
    let body = reply.text().await.expect("a body");
    assert_eq!(status, StatusCode::OK, "{url}: {body}");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{url}: {error}: {body}"))
}

/// The page of a reply that must be a success.
pub(crate) async fn page(reply: Response) -> String {
    assert_eq!(reply.status(), StatusCode::OK, "{}", reply.url());
    let kind = reply.headers()["content-type"].to_str().expect("a type is text");
    assert_eq!(kind, "text/html; charset=utf-8");
    reply.text().await.expect("a body")
}

/// The event that a reply holds, or why there is none.
pub(crate) async fn event_of(reply: Response) -> Result<Json, Failure> {
    if reply.status().is_success() {
        Ok(ok_json(reply).await["event"].clone())
    } else {
        Err(Failure::of_reply(reply).await)
    }
}

/// The fields of a form that is sent with `fields`, the button "answer" and an id of the page.
pub(crate) fn answered(
    mut fields: Vec<(String, String)>,
    answer_id: &str,
) -> Vec<(String, String)> {
    for (name, value) in [("action", "answer"), ("answer_id", answer_id), ("responder", "Ann")] {
        fields.push((name.to_owned(), value.to_owned()));
    }
    fields
}

/// The fields of a form that is sent with the button "decline".
pub(crate) fn declined(reason: &str, answer_id: &str) -> Vec<(String, String)> {
    let fields = [("action", "decline"), ("reason", reason), ("answer_id", answer_id)];
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// The body that answers a link with plain JSON.
pub(crate) fn link_answer(value: &Json, answer_id: &str) -> Json {
    json!({"value": value, "answer_id": answer_id, "responder": "Ann"})
}
