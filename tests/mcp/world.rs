//! A server that asks for credentials, and people who answer at it.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use support::server::{ADMIN, Config, Server};
use support::{http, tools};
use tempfile::TempDir;

use crate::client::Way;

/// Longest that a person looks for a question.
const LIMIT: Duration = Duration::from_secs(30);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(20);

pub(crate) struct World {
    pub(crate) server: Server,
    http: reqwest::Client,
    _dir: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let config = Config::new(tools::hitl()).with_admin(dir.path());
        let server = Server::start(config).await.expect("the server starts");
        let http = http::client().redirect(reqwest::redirect::Policy::none()).build();
        Self { server, http: http.expect("a client"), _dir: dir }
    }

    /// Both ways to its tools.
    pub(crate) fn ways(&self) -> [Way; 2] {
        [self.over_http(ADMIN), self.over_stdio(ADMIN)]
    }

    pub(crate) fn over_http(&self, token: &str) -> Way {
        Way::Http { url: self.server.url("/mcp"), token: token.to_owned() }
    }

    pub(crate) fn over_stdio(&self, token: &str) -> Way {
        let env = [("HITL_ENDPOINT", self.server.endpoint().as_str()), ("HITL_TOKEN", token)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Way::Stdio { env: env.into() }
    }

    /// Sends `body` as it is to the tools.
    pub(crate) async fn post(&self, headers: &[(&str, &str)], body: String) -> reqwest::Response {
        let mut post = self.http.post(self.server.url("/mcp")).body(body);
        for (name, value) in headers {
            post = post.header(*name, *value);
        }
        post.send().await.expect("the server replies")
    }

    /// The event of this id.
    pub(crate) async fn event(&self, id: &Value) -> Value {
        let id = id.as_str().expect("an id");
        self.get(&format!("/v1/events/{id}")).await["event"].take()
    }

    /// The events with this prompt.
    pub(crate) async fn events(&self, prompt: &str) -> Vec<Value> {
        let mut listed = self.get("/v1/events?page_size=1000").await["events"].take();
        let all = listed.as_array_mut().map(std::mem::take).unwrap_or_default();
        all.into_iter().filter(|event| event["prompt"] == prompt).collect()
    }

    /// The event with this prompt, as soon as there is one that is open.
    pub(crate) async fn asked(&self, prompt: &str) -> Value {
        let look = async {
            loop {
                let events = self.events(prompt).await;
                let open = events.into_iter().find(|event| event["state"] == "EVENT_STATE_PENDING");
                match open {
                    Some(event) => return event,
                    None => tokio::time::sleep(LOOK).await,
                }
            }
        };
        tokio::time::timeout(LIMIT, look).await.expect("it is asked in time")
    }

    /// A person answers the open question with this prompt in the form.
    pub(crate) async fn answer_form(&self, prompt: &str, value: &str) {
        let event = self.asked(prompt).await;
        let form = event["formUrl"].as_str().expect("a link");
        let fields =
            [("value", value), ("action", "answer"), ("answer_id", "1"), ("responder", "Ann")];
        let reply = self.http.post(form).form(&fields).send().await.expect("the server replies");
        assert_eq!(reply.status(), 303, "{}", reply.text().await.unwrap_or_default());
    }

    /// A person answers at `link` of the event with plain JSON.
    pub(crate) async fn answer_link(&self, event: &Value, value: Value) {
        let link = event["apiUrl"].as_str().expect("a link");
        let mut body = json!({});
        body["value"] = value;
        let reply = self.http.post(link).json(&body).send().await;
        let reply = reply.expect("the server replies");
        assert_eq!(reply.status(), 200, "{}", reply.text().await.unwrap_or_default());
    }

    async fn get(&self, path: &str) -> Value {
        let reply = self.http.get(self.server.url(path)).bearer_auth(ADMIN).send().await;
        let reply = reply.expect("the server replies");
        assert_eq!(reply.status(), 200);
        reply.json().await.expect("JSON")
    }
}

/// What `hitl` prints, run by the user of a machine whose data is in `dir`.
pub(crate) async fn hitl(dir: &Path, args: &[&str]) -> String {
    let mut hitl = tokio::process::Command::new(tools::hitl());
    hitl.args(args).env("HITL_DATA_DIR", dir).env_remove("HITL_ENDPOINT");
    let output = hitl.output().await.expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}
