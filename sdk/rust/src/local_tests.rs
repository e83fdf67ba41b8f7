//! What becomes of what `hitl up` says. What it does is tested with the server.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;
use tonic::transport::Uri;
use tower::Service;

use crate::config::Server;
use crate::local::{Local, connector};
use crate::{Client, Config, ErrorKind};

/// One whose `hitl` is a script.
fn local(dir: &Path, script: &str) -> Local {
    let binary = dir.join("hitl");
    std::fs::write(&binary, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();
    Local::new(Some(binary))
}

fn client(local: Local) -> Client {
    let mut settings = Config::default().resolve(|_| None).unwrap();
    settings.server = Server::Local(local);
    Client::with(settings, OnceLock::new())
}

#[tokio::test]
async fn a_missing_program_says_what_to_install_or_set_through_the_whole_client() {
    let dir = tempfile::tempdir().unwrap();
    let error = client(Local::new(Some(dir.path().join("absent")))).get("id").await.unwrap_err();
    assert!(error.message().contains("install hitl, or set HITL_BIN"), "{error}");
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, false));
}

#[tokio::test]
async fn what_up_says_when_it_fails_is_the_error() {
    for script in [
        "echo \"hitl: told $@\" >&2; echo disk full >&2; exit 1",
        "echo no JSON; echo 'told up\ndisk full' >&2",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let error = client(local(dir.path(), script)).get("id").await.unwrap_err();
        assert!(error.message().ends_with(":\ntold up\ndisk full"), "{error}");
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, false));
    }
}

#[tokio::test]
async fn each_connect_goes_where_up_says_even_if_its_call_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let local = local(dir.path(), "sleep 0.1; cat \"$0.said\"");
    let mut connector = connector(local.clone());
    for _ in 0..2 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let line = format!("{{\"endpoint\":\"{endpoint}\",\"token\":\"of later\"}}\n");
        std::fs::write(dir.path().join("hitl.said"), line).unwrap();
        let mut connecting = Box::pin(connector.call(Uri::default()));
        assert!(timeout(Duration::from_millis(1), &mut connecting).await.is_err());
        listener.accept().await.unwrap();
        connecting.await.unwrap();
        assert_eq!(client(local.clone()).endpoint(), endpoint);
    }
}
