//! Clients that others write, none of which knows hitl: each asks, waits and reads, in plain text and within TLS, with
//! a token. grpcurl has a file of its own, and `connect-web` runs in a browser.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value as Json, json};
use support::server::{ADMIN, Server};
use support::tls::Certificates;
use support::tools;
use tempfile::TempDir;
use tokio::process::Command;

use crate::processes::run;
use crate::site::{config, start};

/// More than a double holds.
const ANSWER: &str = "9007199254740993";
const EVENTS: &str = "hitl.v1.EventService";

/// A server that wants a token, and how to trust it.
struct Place {
    server: Server,
    /// The certificates of a server within TLS.
    certificates: Option<Certificates>,
    _dir: TempDir,
}

impl Place {
    async fn plain() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let (server, _) = start(config().with_admin(dir.path())).await;
        Self { server, certificates: None, _dir: dir }
    }

    async fn secure() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let certificates = Certificates::make(dir.path()).expect("certificates");
        let config = config().with_admin(dir.path()).tls(&certificates, "server");
        let (server, _) = start(config).await;
        Self { server, certificates: Some(certificates), _dir: dir }
    }

    async fn both() -> [Self; 2] {
        [Self::plain().await, Self::secure().await]
    }

    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.server.port())
    }

    /// Where the authority of the server is; none in plain text.
    fn ca(&self) -> Option<String> {
        self.certificates.as_ref().map(|certificates| certificates.file("ca.pem"))
    }

    /// `program` with `plain` in plain text, and with `secure` and the authority within TLS.
    fn command(&self, program: PathBuf, plain: &[&str], secure: &[&str]) -> Command {
        let mut command = Command::new(program);
        match self.ca() {
            Some(ca) => command.args(secure).arg(ca),
            None => command.args(plain),
        };
        command
    }
}

fn question() -> Json {
    let input = json!({"int": {"min": "0"}});
    json!({"name": "n", "prompt": "How many?", "input": input, "allowSelfAnswer": true})
}

fn authorization() -> String {
    format!("Bearer {ADMIN}")
}

/// What `command` prints, which must succeed.
async fn said(command: &mut Command) -> String {
    let output = run(command).await;
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn last_json(said: &str) -> Json {
    let messages = serde_json::Deserializer::from_str(said).into_iter::<Json>();
    messages.last().unwrap_or_else(|| panic!("no message: {said}")).expect("JSON")
}

/// What comes of `buf curl` in its own protocol, which is Connect. It knows the API by reflection.
async fn buf(place: &Place, method: &str, body: &Json) -> Json {
    let plain = ["curl", "--http2-prior-knowledge"];
    let mut command = place.command(tools::buf(), &plain, &["curl", "--cacert"]);
    command.args(["--header", &format!("authorization: {}", authorization())]);
    command.args(["--data", &body.to_string()]);
    command.arg(format!("{}/{method}", place.server.endpoint()));
    last_json(&said(&mut command).await)
}

#[tokio::test]
async fn buf_curl_asks_waits_and_reads_by_connect() {
    for place in Place::both().await {
        let call = async |method: &str, body: Json| {
            buf(&place, &format!("{EVENTS}/{method}"), &body).await
        };
        let event = call("CreateEvent", question()).await["event"].clone();
        assert_eq!(event["state"], "EVENT_STATE_PENDING");
        let id = json!({"eventId": event["id"]});
        let answer = json!({"eventId": event["id"], "value": {"int": ANSWER}});
        let (waited, _) = tokio::join!(call("WaitEvent", id.clone()), call("AnswerEvent", answer));
        assert_eq!(waited["event"]["response"]["value"]["int"], ANSWER);
        assert_eq!(call("GetEvent", id).await["event"], waited["event"]);
        let health = buf(&place, "grpc.health.v1.Health/List", &json!({})).await;
        assert_eq!(health["statuses"][EVENTS]["status"], "SERVING", "{health}");
    }
}

#[tokio::test]
async fn buf_curl_calls_over_http_1_with_the_protos_in_a_directory() {
    let place = Place::plain().await;
    let mut command = Command::new(tools::buf());
    command.args(["curl", "--schema", &protos().display().to_string()]);
    command.args(["--header", &format!("authorization: {}", authorization())]);
    command.args(["--data", &question().to_string()]);
    command.arg(format!("{}/{EVENTS}/CreateEvent", place.server.endpoint()));
    let created = last_json(&said(&mut command).await);
    assert_eq!(created["event"]["state"], "EVENT_STATE_PENDING");
}

/// What comes of grpc-health-probe, which needs no token, with `more`.
async fn probe(place: &Place, more: &[&str]) -> Output {
    let secure = ["-tls", "-tls-ca-cert"];
    let mut command = place.command(tools::grpc_health_probe(), &[], &secure);
    run(command.args(["-addr", &place.host()]).args(more)).await
}

#[tokio::test]
async fn the_probe_of_grpc_health_sees_the_server_and_its_services() {
    /// The status with which the probe says that the server is not well.
    const UNHEALTHY: i32 = 4;
    for place in Place::both().await {
        for service in ["", EVENTS, "hitl.v1.AdminService"] {
            let output = probe(&place, &["-service", service]).await;
            assert!(output.status.success(), "{service}: {output:?}");
        }
        let output = probe(&place, &["-service", "no.such.Service"]).await;
        assert!(!output.status.success() && output.status.code() != Some(UNHEALTHY), "{output:?}");
    }
}

/// What ghz reports of `count` calls of `method`, all of which must succeed. It knows the API by reflection.
async fn ghz(place: &Place, method: &str, body: &Json, count: u32) -> Json {
    let mut command = place.command(tools::ghz(), &["--insecure"], &["--cacert"]);
    command.args(["--call", &format!("{EVENTS}/{method}"), "--format", "json"]);
    command.args(["--metadata", &json!({"authorization": authorization()}).to_string()]);
    command.args(["--total", &count.to_string(), "--concurrency", "5"]);
    command.args(["--data", &body.to_string(), &place.host()]);
    let report = last_json(&said(&mut command).await);
    assert_eq!(report["statusCodeDistribution"], json!({"OK": count}), "{report}");
    report
}

#[tokio::test]
async fn ghz_asks_waits_and_reads_many_times_at_once() {
    const COUNT: u32 = 50;
    for place in Place::both().await {
        ghz(&place, "CreateEvent", &question(), COUNT).await;
        let listed = buf(&place, &format!("{EVENTS}/ListEvents"), &json!({"pageSize": 100})).await;
        let events = listed["events"].as_array().cloned().unwrap_or_default();
        assert_eq!(events.len(), usize::try_from(COUNT).expect("it is small"));
        let id = json!({"eventId": events[0]["id"]});
        let answer = json!({"eventId": events[0]["id"], "value": {"int": ANSWER}});
        let method = format!("{EVENTS}/AnswerEvent");
        let answered = buf(&place, &method, &answer);
        let (waited, _) = tokio::join!(ghz(&place, "WaitEvent", &id, COUNT), answered);
        assert_eq!(waited["count"], COUNT);
        ghz(&place, "GetEvent", &id, COUNT).await;
    }
}

#[tokio::test]
async fn a_client_in_ruby_asks_waits_and_reads() {
    let made = tempfile::tempdir().expect("a directory");
    let compiler = tools::grpc_tools_ruby_protoc();
    let mut command = Command::new(&compiler);
    // The second has the protos of Google.
    command.args(["--proto_path", &protos().display().to_string(), "--proto_path=/usr/include"]);
    command.args(files(&protos().join("hitl/v1")));
    for option in ["--ruby_out", "--grpc_out"] {
        command.arg(option).arg(made.path());
    }
    said(&mut command).await;
    for place in Place::both().await {
        let mut ruby = Command::new(compiler.with_file_name("ruby"));
        ruby.arg("-I").arg(made.path());
        ruby.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/foreign/client.rb"));
        ruby.arg(place.host()).args(place.ca()).env("HITL_TOKEN", ADMIN);
        assert_eq!(said(&mut ruby).await.lines().last(), Some(ANSWER));
    }
}

fn protos() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../proto"))
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = dir.read_dir().expect("a directory");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}
