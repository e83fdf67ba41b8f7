//! The server as a process: what it refuses to start with, and what it keeps where.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use hitl_proto::v1::value::Kind as Value;
use support::stores::Kind;
use support::tools;
use tokio::process::Command;

use crate::kinds;
use crate::site::{Site, config, is_pending, soon, start, typed, value_of};

/// What comes of `hitl serve` with `args`, which must end by itself.
async fn serve(args: &[&str], data_dir: &Path) -> Output {
    run(Command::new(tools::hitl()).arg("serve").args(args).env("HITL_DATA_DIR", data_dir)).await
}

/// What comes of `command`, which must end by itself.
pub(crate) async fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let process = command.spawn().expect("the binary runs");
    soon("the end of the process", process.wait_with_output()).await.expect("output")
}

/// Checks that the process did nothing, and said so in words that have all of `parts`.
pub(crate) fn assert_refused(output: &Output, parts: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it started: {said}");
    assert!(output.stdout.is_empty(), "a server that is not there does not say it listens");
    for part in parts {
        assert!(said.to_lowercase().contains(part), "{part:?} is missing: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[tokio::test]
async fn a_second_server_on_the_same_directory_is_refused_and_the_first_goes_on() {
    let (server, site) = start(config().kind(Kind::Embedded)).await;
    let event = site.ask(kinds::int()).await;
    let store = server.place().url.clone();
    let second = serve(&["--listen", "127.0.0.1:0", "--store", &store], server.dir()).await;
    assert_refused(&second, &[&store.to_lowercase(), "another"]);
    site.answer(&event, typed(&Value::Int(1))).await.expect("the first goes on");
}

#[tokio::test]
async fn a_second_server_on_the_same_port_is_refused() {
    let (server, _site) = start(config()).await;
    let dir = tempfile::tempdir().expect("a directory");
    let address = format!("127.0.0.1:{}", server.port());
    let second = serve(&["--listen", &address, "--store", "memory://"], dir.path()).await;
    assert_refused(&second, &[&address, "in use"]);
}

#[tokio::test]
async fn plain_text_beyond_loopback_has_to_be_asked_for() {
    let dir = tempfile::tempdir().expect("a directory");
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = serve(&["--listen", address, "--store", "memory://"], dir.path()).await;
        assert_refused(&refused, &["--plain-text", "--insecure", "127.0.0.1"]);
    }
}

#[tokio::test]
async fn a_machine_that_trusts_no_authority_can_have_a_server() {
    let config = config().kind(Kind::Embedded);
    let (_server, site) =
        start(config.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/dev/null")).await;
    let event = site.ask(kinds::int()).await;
    assert!(is_pending(&event));
}

#[tokio::test]
async fn insecure_listens_beyond_loopback() {
    let (_server, site) = start(config().arg("--insecure")).await;
    assert!(is_pending(&site.ask(kinds::int()).await));
}

#[tokio::test]
async fn nonsense_on_the_command_line_is_a_usage_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let cases: [&[&str]; 4] = [
        &["--listen", "nowhere"],
        &["--store", "ftp://example.org/x"],
        &["--idle-exit", "soon"],
        &["--no-such-flag"],
    ];
    for args in cases {
        let refused = serve(args, dir.path()).await;
        assert_refused(&refused, &[]);
        assert_eq!(refused.status.code(), Some(2), "{args:?}");
    }
}

#[tokio::test]
async fn a_store_of_a_newer_format_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("files");
    std::fs::create_dir(&store).expect("a directory");
    let url = format!("file://{}", store.display());
    let (mut server, site) = start(config().store(&url)).await;
    site.ask(kinds::int()).await;
    server.terminate().await.expect("it ends");
    let format = store.join("meta/format.json");
    let text = std::fs::read_to_string(&format).expect("the format is a file");
    let mut json: serde_json::Value = serde_json::from_str(&text).expect("the format is JSON");
    let version =
        json.as_object_mut().and_then(|members| members.values_mut().find(|v| v.is_u64()));
    *version.expect("a version") = 999.into();
    let newer = json.to_string();
    std::fs::write(&format, &newer).expect("it can be written");
    let refused = serve(&["--listen", "127.0.0.1:0", "--store", &url], dir.path()).await;
    assert_refused(&refused, &["999", "upgrade"]);
    assert_eq!(std::fs::read_to_string(&format).expect("it is there"), newer);
}

#[tokio::test]
async fn plain_files_keep_events_through_kill_9_and_a_person_can_read_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("files");
    let (mut server, site) = start(config().store(format!("file://{}", store.display()))).await;
    let event = site.ask(kinds::int()).await;
    site.answer(&event, typed(&Value::Int(77))).await.expect("the answer is good");
    server.kill().await.expect("it dies");
    let of_event = store.join("events/default").join(&event.id);
    for (file, part) in [("request.json", "What is it?"), ("response.json", "77")] {
        let text = std::fs::read_to_string(of_event.join(file)).expect("a record is a file");
        assert!(text.contains(part), "{text}");
    }
    server.restart().await.expect("it starts again");
    let again = Site::at(&site.url).get(&event).await;
    assert_eq!((value_of(&again), &again.form_url), (Some(&Value::Int(77)), &event.form_url));
}

#[tokio::test]
async fn memory_works_and_is_gone_after_the_process() {
    let (mut server, site) = start(config().store("memory://")).await;
    let event = site.ask(kinds::int()).await;
    site.answer(&event, typed(&Value::Int(1))).await.expect("the answer is good");
    server.kill().await.expect("it dies");
    server.restart().await.expect("it starts again");
    let request = hitl_proto::v1::GetEventRequest { event_id: event.id, ..Default::default() };
    let gone = Site::at(&site.url).grpc.get_event(request).await.expect_err("it is gone");
    assert_eq!(gone.code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn links_hold_the_public_url_and_never_reach_the_log() {
    let public = "https://hitl.example.org/sub";
    let (mut server, site) = start(config().arg("--public-url").arg(public)).await;
    let event = site.ask(kinds::int()).await;
    assert!(event.form_url.starts_with(&format!("{public}/q/")), "{event:?}");
    let (_, token) = event.form_url.rsplit_once('/').expect("a link ends with its token");
    let made = site.link(&event, "Ann", None).await;
    assert!(made.form_url.starts_with(&format!("{public}/q/")), "{made:?}");
    let (_, of_ann) = made.form_url.rsplit_once('/').expect("a link ends with its token");
    let path = |base: &str| format!("{}/{base}/{token}", site.url);
    let paths = |base: &str| [path(base), path(base).replace(token, of_ann)];
    let secret = "a-secret-answer-4711";
    let changed = format!("{}x", path("q"));
    let old = format!("{}/form/{}/{token}", site.url, event.id);
    for url in paths("q").into_iter().chain(paths("v1/links")).chain([changed, old]) {
        let call = site.http.get(&url).header("host", "hitl.example.org");
        call.send().await.expect("the server replies");
        let call = site.http.post(&url).json(&serde_json::json!({"value": secret}));
        call.send().await.expect("the server replies");
    }
    server.terminate().await.expect("it ends");
    let log = server.log();
    assert!(![token, of_ann, secret].iter().any(|part| log.contains(part)), "{log}");
}

#[tokio::test]
async fn a_store_holds_no_link_and_not_the_key_of_the_links() {
    let dir = tempfile::tempdir().expect("a directory");
    let (store, key) = (dir.path().join("files"), dir.path().join("link.key"));
    let config = config().store(format!("file://{}", store.display()));
    let (mut server, site) =
        start(config.arg("--link-key-file").arg(key.display().to_string())).await;
    let event = site.ask(kinds::int()).await;
    let made = site.link(&event, "Ann", None).await;
    site.answer(&event, typed(&Value::Int(77))).await.expect("the answer is good");
    server.terminate().await.expect("it ends");
    let key = std::fs::read_to_string(key).expect("the key was made");
    let of = |url: &str| url.rsplit('/').next().expect("a link ends with its token").to_owned();
    let tokens = [of(&event.form_url), of(&made.form_url)];
    let mut files = 0;
    for file in files_below(&store) {
        let bytes = std::fs::read(&file).expect("a record is a file");
        let text = String::from_utf8_lossy(&bytes);
        // Half of a token is the proof, which nobody can make without the key.
        let proofs = tokens.iter().map(|token| &token[token.len() / 2 + 1..]);
        let is_there = proofs.chain([key.trim()]).any(|secret| text.contains(secret));
        assert!(!is_there, "{}", file.display());
        files += 1;
    }
    assert!(files >= 3, "{files} files");
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
