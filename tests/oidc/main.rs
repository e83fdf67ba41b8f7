//! Sign-in with a real OIDC provider: people in Chromium, programs by JWTs over JSON and gRPC.
//!
//! The provider is the npm package `oidc-provider`, and the script of the browser starts and kills it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use hitl_proto::v1::input::Kind as Input;
use hitl_proto::v1::{BoolInput, CreateEventRequest, Input as InputMessage};
use support::server::{Config, Server};
use support::tools;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tonic::{Code, Request};

/// Longest that a script may take.
const SCRIPT_LIMIT: Duration = Duration::from_secs(400);

fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/oidc"))
}

fn node(script: &str) -> Command {
    let dir = directory();
    let installed = dir.join("node_modules/oidc-provider").is_dir();
    assert!(installed, "run `npm ci` in {}, or `cargo xtask test oidc`", dir.display());
    let mut node = Command::new("node");
    node.arg(script).current_dir(dir).kill_on_drop(true);
    node
}

/// A server that asks for credentials, and trusts the provider on `port`, which need not run yet.
async fn server(port: u16) -> Server {
    let secrets = tempfile::tempdir().expect("a directory");
    let secret = secrets.path().join("secret");
    std::fs::write(&secret, "a secret: of two & no more\n").expect("a file");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&secret, private).expect("its owner may");
    let config = Config::new(tools::hitl())
        .with_credentials()
        .arg("--oidc-issuer")
        .arg(format!("http://127.0.0.1:{port}"))
        .arg("--oidc-client-id=hitl")
        .arg("--oidc-client-secret-file")
        .arg(secret.display().to_string())
        .arg("--oidc-audience=https://hitl.example")
        .arg("--oidc-role=approvers=responder")
        .arg("--oidc-role=client:pipeline=requester");
    Server::start(config).await.expect("the server starts")
}

#[tokio::test]
async fn people_sign_in_and_out_with_a_provider_in_a_browser() {
    let port = support::free_port().expect("a port");
    let server = server(port).await;
    let mut script = node("sign-in.mjs");
    script.arg(server.endpoint()).arg(port.to_string());
    script.env("HITL_TEST_CHROMIUM", tools::chromium());
    let ended = tokio::time::timeout(SCRIPT_LIMIT, script.output()).await;
    let output = ended.expect("the script ends in time").expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(!server.log().contains("a secret"), "the log has a secret");
}

#[tokio::test]
async fn a_program_creates_an_event_over_grpc_with_a_jwt_of_its_own() {
    let port = support::free_port().expect("a port");
    let server = server(port).await;
    let _provider = provider(port, &server).await;
    let token = token(port).await;
    let create = |token: &str| {
        let mut request = Request::new(CreateEventRequest {
            name: "Release 7".to_owned(),
            prompt: "Is it good?".to_owned(),
            input: Some(InputMessage { kind: Some(Input::Bool(BoolInput::default())) }),
            ..CreateEventRequest::default()
        });
        let bearer = format!("Bearer {token}").parse().expect("it is ASCII");
        request.metadata_mut().insert("authorization", bearer);
        request
    };
    let mut client = server.client();
    let created = client.create_event(create(&token)).await.expect("the JWT is good").into_inner();
    let creator = created.event.and_then(|event| event.created_by).expect("the creator is known");
    assert!(creator.principal.contains("pipeline"), "{creator:?}");
    for bad in [&token[..token.len() - 4], "x", "a.b.c"] {
        let refused = client.create_event(create(bad)).await.expect_err("it is not good");
        assert_eq!(refused.code(), Code::Unauthenticated, "{bad}");
    }
}

/// A data directory of its own, and the local server that a command may have started for it.
struct Home(tempfile::TempDir);

impl Home {
    fn hitl(&self, args: &[&str]) -> std::process::Command {
        let mut hitl = std::process::Command::new(tools::hitl());
        hitl.args(args).env("HITL_DATA_DIR", self.0.path().join("data"));
        hitl.env_remove("HITL_ENDPOINT").env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        hitl
    }
}

fn says(hitl: &mut std::process::Command) -> String {
    let output = hitl.output().expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

impl Drop for Home {
    fn drop(&mut self) {
        let state = std::fs::read(self.0.path().join("data/server.json")).unwrap_or_default();
        let state: serde_json::Value = serde_json::from_slice(&state).unwrap_or_default();
        if let Some(pid) = state["pid"].as_i64() {
            let _ = std::process::Command::new("kill").arg(pid.to_string()).status();
        }
    }
}

#[tokio::test]
async fn the_user_of_a_machine_is_signed_in_by_a_code_that_works_once() {
    let home = Home(tempfile::tempdir().expect("a directory"));
    let address = says(&mut home.hitl(&["inbox"]));
    let server = address.split("/sign-in/").next().expect("it is an address").to_owned();
    let client = support::http::client().redirect(reqwest::redirect::Policy::none());
    let client = client.build().expect("a client");
    let first = client.get(&address).send().await.expect("a reply");
    assert_eq!(first.status(), 303);
    assert_eq!(first.headers()["location"], "../");
    let cookie = first.headers()["set-cookie"].to_str().expect("text").to_owned();
    assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let page = client.get(format!("{server}/account")).header("cookie", &cookie).send().await;
    let page = page.expect("a reply").text().await.expect("text");
    assert!(page.contains("the user of this machine"), "{page}");
    let again = client.get(&address).send().await.expect("a reply");
    assert_eq!(again.status(), 401);
    assert!(!again.headers().contains_key("set-cookie"));
    // A session is for pages: the API does not take it.
    let post = client.post(format!("{server}/sign-in/code")).header("cookie", &cookie);
    assert_eq!(post.send().await.expect("a reply").status(), 401);
}

#[tokio::test]
async fn no_argument_of_a_program_shows_the_code() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home(tempfile::tempdir().expect("a directory"));
    let (bin, log) = (home.0.path().join("bin"), home.0.path().join("opened"));
    std::fs::create_dir(&bin).expect("a directory");
    let opener = bin.join("xdg-open");
    let script = format!(
        "#!/bin/sh\necho \"$1\" > {0}; stat -c %a \"$1\" >> {0}; cat \"$1\" >> {0}\n",
        log.display()
    );
    std::fs::write(&opener, script).expect("a file");
    std::fs::set_permissions(&opener, PermissionsExt::from_mode(0o755)).expect("its owner may");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a path"));
    let said = says(home.hitl(&["inbox"]).env("PATH", path).env("DISPLAY", ":0"));
    assert_eq!(said, "");
    let opened = std::fs::read_to_string(log).expect("it was opened");
    let mut lines = opened.lines();
    assert!(lines.next().is_some_and(|file| file.ends_with("/data/inbox.html")), "{opened}");
    assert_eq!(lines.next(), Some("600"));
    assert!(opened.contains("/sign-in/local?code="), "{opened}");
}

/// The provider, once it listens.
async fn provider(port: u16, server: &Server) -> Child {
    let mut provider = node("provider.mjs");
    provider.arg(port.to_string()).arg(server.endpoint());
    let mut provider = provider
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("node runs");
    let mut lines = BufReader::new(provider.stdout.take().expect("it is piped")).lines();
    let first = tokio::time::timeout(SCRIPT_LIMIT, lines.next_line()).await;
    let first = first.expect("the provider starts in time").expect("its output is text");
    assert_eq!(first.as_deref(), Some("ready"));
    provider
}

/// A JWT of a program that calls in its own name.
async fn token(port: u16) -> String {
    let client = support::http::client().build().expect("a client without special settings");
    let reply = client
        .post(format!("http://127.0.0.1:{port}/token"))
        .form(&[
            ("grant_type", "client_credentials"),
            ("client_id", "pipeline"),
            ("client_secret", "another secret"),
        ])
        .send()
        .await
        .expect("the provider replies");
    let reply: serde_json::Value = reply.json().await.expect("in JSON");
    reply["access_token"].as_str().expect("the secret is good").to_owned()
}
