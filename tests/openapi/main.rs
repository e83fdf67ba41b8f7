//! The OpenAPI document, held against the server by schemathesis: every reply is one that the document knows, whatever
//! is sent, and none is a fault of the server. What is not held against it is in `schemathesis.toml`, each with the
//! reason.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use support::server::{ADMIN, Config, Server};
use support::stores::Kind;
use support::{http, tools};

/// Requests that are made up for each operation, besides those on the edges of what the document allows.
const EXAMPLES: &str = "40";

/// Each reply is there soon: nothing that is tried waits for an event.
const REQUEST_TIMEOUT_S: &str = "10";

/// A server that asks for a token, since the document says that it does.
async fn server(dir: &Path) -> Server {
    let config = Config::new(tools::hitl()).kind(Kind::Memory).with_admin(dir);
    Server::start(config).await.expect("it starts")
}

async fn get_json(url: String) -> Value {
    let client = http::client().build().expect("a client");
    let reply = client.get(url).bearer_auth(ADMIN).send().await.expect("the server replies");
    reply.json().await.expect("the reply is JSON")
}

/// What schemathesis says of `document` and the server at `url`: all it says, and whether it found nothing.
fn hold(
    dir: &Path,
    document: &Value,
    url: &str,
    parameters: &str,
    more: &[&str],
) -> (String, bool) {
    // The tables of the file come after what is of all operations.
    let config = format!("{parameters}\n{}", include_str!("schemathesis.toml"));
    std::fs::write(dir.join("schemathesis.toml"), config).expect("it can be written");
    let file = dir.join("openapi.json");
    std::fs::write(&file, document.to_string()).expect("it can be written");
    let mut run = Command::new(tools::schemathesis());
    run.arg("--config-file").arg(dir.join("schemathesis.toml")).arg("run").arg(&file);
    run.args(["--header", &format!("Authorization: Bearer {ADMIN}")]);
    run.args(["--url", url, "--phases", "coverage,fuzzing", "--max-examples", EXAMPLES]);
    run.args(["--request-timeout", REQUEST_TIMEOUT_S, "--suppress-health-check", "all"]);
    run.args(["--continue-on-failure", "--warnings", "off"]).args(more).current_dir(dir);
    let output = run.output().unwrap_or_else(|error| panic!("{run:?} cannot be run: {error}"));
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.success())
}

/// Asserts that nothing was found, in at least so many cases.
fn assert_right((said, is_right): (String, bool), cases_min: u64) {
    assert!(is_right, "{said}");
    let number = |word: &str| word.parse::<u64>().ok();
    let cases = said.lines().find_map(|line| number(line.trim().split_once(" generated")?.0));
    println!("{}", said.lines().rev().find(|line| line.contains("generated")).unwrap_or_default());
    assert!(cases.is_some_and(|cases| cases >= cases_min), "{said}");
}

#[tokio::test]
async fn every_reply_is_one_that_the_document_knows() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = server(dir.path()).await;
    let document = get_json(server.url("/v1/openapi.json")).await;
    assert_right(hold(dir.path(), &document, &server.endpoint(), "", &[]), 1_000);
}

#[tokio::test]
async fn every_reply_about_an_event_that_exists_is_one_that_the_document_knows() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = server(dir.path()).await;
    let document = get_json(server.url("/v1/openapi.json")).await;
    let question = json!({"name": "n", "prompt": "p", "input": {"str": {}}, "ttl": "3600s"});
    let client = http::client().build().expect("a client");
    let created = client.post(server.url("/v1/events")).bearer_auth(ADMIN).json(&question).send();
    let created = created.await;
    let created: Value = created.expect("the server replies").json().await.expect("JSON");
    let (id, link) = (&created["event"]["id"], created["event"]["apiUrl"].as_str());
    let token = link.and_then(|link| link.rsplit('/').next()).expect("a link");
    // It may be pending still, and then nothing is to wait for its end.
    let parameters =
        format!("[parameters]\nevent_id = {id}\nlink = \"{token}\"\nwait = \"10ms\"\n");
    let of_one = ["--include-path-regex", r"\{(event_id|link)\}"];
    assert_right(hold(dir.path(), &document, &server.endpoint(), &parameters, &of_one), 300);
}

#[tokio::test]
async fn a_document_that_promises_what_is_not_so_is_found_out() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = server(dir.path()).await;
    let mut document = get_json(server.url("/v1/openapi.json")).await;
    document["components"]["schemas"]["ListEventsResponse"]["properties"]["resumeToken"] =
        json!({"type": "integer"});
    let only_list = ["--include-operation-id", "ListEvents"];
    let (said, is_right) = hold(dir.path(), &document, &server.endpoint(), "", &only_list);
    assert!(!is_right && said.contains("resumeToken"), "{said}");
}
