//! Servers that are started and are not, and what else may listen in their place.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tonic::transport::Uri;
use tower::Service;

use crate::serve::{Launcher, connector};
use crate::{Client, Config, ErrorKind};

const ALIVE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nalive\n";

fn launcher(dir: &Path, script: &str) -> Launcher {
    let binary = dir.join("hitl");
    std::fs::write(&binary, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    Launcher {
        address: listener.local_addr().unwrap(),
        binary: Some(binary),
        data_dir: Some(dir.join("data")),
        start_limit: Duration::from_secs(1),
    }
}

fn client(launcher: Launcher) -> Client {
    let mut settings = Config::default().resolve(|_| None).unwrap();
    settings.launcher = Some(launcher);
    Client::with(settings, OnceLock::new())
}

#[tokio::test]
async fn a_missing_program_says_what_to_install_or_set_through_the_whole_client() {
    let dir = tempfile::tempdir().unwrap();
    let mut launcher = launcher(dir.path(), "");
    launcher.binary = Some(dir.path().join("absent"));
    let error = client(launcher).get("id").await.unwrap_err();
    assert!(error.message().contains("install hitl, or set HITL_BIN"), "{error}");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn a_server_that_cannot_start_shows_the_end_of_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let launcher = launcher(dir.path(), "echo told \"$@\"; echo disk full >&2; exit 1");
    let error = launcher.connect().await.unwrap_err();
    assert!(error.message().contains("disk full"), "{error}");
    let told = format!("told serve --idle-exit 10m --listen {}", launcher.address);
    assert!(error.message().contains(&told), "{error}");
}

/// Listens at the launcher's address after `delay`, and greets whoever connects.
fn listen(launcher: &Launcher, delay: Duration, greeting: &'static str) -> JoinHandle<()> {
    let address = launcher.address;
    tokio::spawn(async move {
        sleep(delay).await;
        let listener = TcpListener::bind(address).await.unwrap();
        let mut streams = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(greeting.as_bytes()).await.unwrap();
            // No more than this half: what was asked is not read.
            stream.shutdown().await.unwrap();
            streams.push(stream);
        }
    })
}

#[tokio::test]
async fn a_server_that_loses_the_race_is_no_failure() {
    let dir = tempfile::tempdir().unwrap();
    let launcher = launcher(dir.path(), "exit 1");
    listen(&launcher, Duration::from_millis(200), ALIVE);
    launcher.connect().await.unwrap();
}

#[tokio::test]
async fn a_call_given_up_does_not_hold_up_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let launcher = launcher(dir.path(), "exit 1");
    listen(&launcher, Duration::from_millis(200), ALIVE);
    let limit = launcher.start_limit;
    let mut connecting = Box::pin(connector(launcher).call(Uri::default()));
    assert!(timeout(Duration::from_millis(50), &mut connecting).await.is_err());
    sleep(limit).await;
    connecting.await.unwrap();
}

#[tokio::test]
async fn what_listens_and_is_not_hitl_is_named_at_once() {
    let not_alive = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK";
    for greeting in ["HTTP/1.1 404 Not Found\r\n\r\n", "SSH-2.0-OpenSSH_9.6\r\n", not_alive] {
        let dir = tempfile::tempdir().unwrap();
        let launcher = launcher(dir.path(), "exit 1");
        listen(&launcher, Duration::ZERO, greeting);
        let told = format!(
            "something that is not hitl listens on {}: set HITL_PORT to another port, or \
             HITL_ENDPOINT to a server",
            launcher.address
        );
        let error = client(launcher).get("id").await.unwrap_err();
        assert_eq!(error.message(), told);
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, false));
    }
}

#[tokio::test]
async fn a_server_that_is_too_busy_to_reply_is_taken_for_hitl() {
    let dir = tempfile::tempdir().unwrap();
    let launcher = launcher(dir.path(), "exit 1");
    let _listener = TcpListener::bind(launcher.address).await.unwrap();
    launcher.connect().await.unwrap();
}

#[tokio::test]
async fn a_program_at_a_relative_path_is_found_from_here() {
    let dir = tempfile::tempdir().unwrap();
    let mut launcher = launcher(dir.path(), "echo started; exit 1");
    let here = std::env::current_dir().unwrap();
    let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
    let program = dir.path().strip_prefix("/").unwrap().join("hitl");
    // Through a directory that is here alone, since `..` of the root is the root.
    launcher.binary = Some(Path::new("src/..").join(up).join(program));
    let error = launcher.connect().await.unwrap_err();
    assert!(error.message().ends_with("started"), "{error}");
}
