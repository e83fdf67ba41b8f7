//! The form in a real browser: the scripts of `tests/browser`, each run against a server.

use std::path::PathBuf;
use std::time::Duration;

use support::server::ADMIN;
use support::tools;
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::site::{Site, config, start};

/// Longest that a script may take once its turn has come: many times what it takes on a quiet machine, since other
/// tests run beside it.
const SCRIPT_LIMIT: Duration = Duration::from_secs(600);

/// Scripts that run at a time. A browser keeps a core busy: with more of them than cores, each is slower than people
/// are and runs into the limits of its own actions.
static TURNS: Semaphore = Semaphore::const_new(2);

fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/browser"))
}

/// Runs a script of `tests/browser` against `site`; what it prints comes out with the result of the test.
async fn run(script: &str, site: &Site) {
    run_with(script, site, &[]).await;
}

/// The same, with `more` arguments after the address of the server.
async fn run_with(script: &str, site: &Site, more: &[&str]) {
    let dir = directory();
    let installed = dir.join("node_modules/playwright-core").is_dir();
    assert!(installed, "run `npm ci` in {}, or `cargo xtask test`", dir.display());
    let mut node = Command::new("node");
    node.arg(script).arg(&site.url).args(more).current_dir(&dir).kill_on_drop(true);
    node.env("HITL_TEST_CHROMIUM", tools::chromium());
    let _turn = TURNS.acquire().await.expect("it is never closed");
    let ended = tokio::time::timeout(SCRIPT_LIMIT, node.output()).await;
    let output = ended.expect("the script ends in time").expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn people_answer_in_a_browser() {
    let (_server, site) = start(config()).await;
    run("form.mjs", &site).await;
}

#[tokio::test]
async fn hostile_text_does_nothing_in_a_browser() {
    let (_server, site) = start(config()).await;
    run("hostile.mjs", &site).await;
}

#[tokio::test]
async fn the_inbox_is_live_in_a_browser() {
    let (_server, site) = start(config()).await;
    run("inbox.mjs", &site).await;
}

#[tokio::test]
async fn the_audit_is_read_in_a_browser_without_scripts() {
    let (_server, site) = start(config()).await;
    run("audit.mjs", &site).await;
}

#[tokio::test]
async fn the_history_is_searched_and_exported_in_a_browser() {
    let (_server, site) = start(config()).await;
    run("history.mjs", &site).await;
}

#[tokio::test]
async fn every_page_is_accessible_in_both_themes() {
    let (_server, site) = start(config()).await;
    run("pictures.mjs", &site).await;
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_calls_by_connect_web() {
    let dir = tempfile::tempdir().expect("a directory");
    let port = support::free_port().expect("a port").to_string();
    let origin = format!("http://127.0.0.1:{port}");
    let config = config().with_admin(dir.path()).arg("--cors-origin").arg(origin);
    let (_server, site) = start(config).await;
    run_with("connect.mjs", &site, &[&port, ADMIN]).await;
}
