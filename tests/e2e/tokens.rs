//! `hitl token`: how tokens are made and ended, on a server, on a store itself, and for the local server.

use serde_json::Value as Json;
use support::stores::Kind;
use support::tools;
use tokio::process::Command;

use crate::shell::{Done, Shell};
use crate::site::{config, soon, start};

/// The tokens as `hitl token list --json` prints them.
fn listed(lines: &str) -> Vec<Json> {
    lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// What comes of `hitl ARGS` with this token, against the server at `url`.
async fn as_holder(shell: &Shell, url: &str, token: &str, args: &[&str]) -> Done {
    let mut command = shell.command(&tools::hitl());
    command.env("HITL_ENDPOINT", url).env("HITL_TOKEN", token).args(args);
    let output = soon("a command", command.output()).await.expect("it runs");
    Done {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

fn assert_refused(done: &Done, part: &str) {
    assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{done:?}");
    assert!(done.err.contains(part), "{part:?} is missing: {done:?}");
}

#[tokio::test]
async fn the_first_token_is_made_in_the_store_and_makes_the_others_which_are_ended_one_by_one() {
    let shell = Shell::with("HITL_RUN_ID", "");
    let store = shell.dir().join("tokens").display().to_string();
    // Made for the first server, too, so that there is a store.
    let create =
        ["token", "create", "root", "--role", "admin", "--namespace", "*", "--store", &store];
    let root = shell.out(&create).await;
    let root = root.trim();
    let (server, site) = start(config().with_credentials().store(&store)).await;
    let url = server.endpoint();
    assert!(!server.log().contains("nobody has a token"), "{}", server.log());

    let create = ["token", "create", "ci", "--role", "requester", "--expires", "90d"];
    let ci = as_holder(&shell, &url, root, &create).await;
    assert_eq!(ci.code, Some(0), "{ci:?}");
    assert!(ci.err.contains("not shown again") && !ci.err.contains(ci.out.trim()), "{ci:?}");
    let ci = ci.out.trim();
    let ask = ["ask", "Go on?", "--type", "bool", "--detach"];
    assert_eq!(as_holder(&shell, &url, ci, &ask).await.code, Some(0));
    assert_refused(&as_holder(&shell, &url, ci, &create).await, "do not let it");
    assert_refused(&as_holder(&shell, &url, "", &ask).await, "HITL_TOKEN");

    let tokens = listed(&as_holder(&shell, &url, root, &["token", "list", "--json"]).await.out);
    let id = tokens.iter().find(|token| token["name"] == "ci").expect("it is listed").clone();
    assert_eq!(id["roles"], serde_json::json!(["requester"]));
    let id = id["id"].as_str().expect("an id").to_owned();
    let rotated = as_holder(&shell, &url, root, &["token", "rotate", &id, "--overlap", "1h"]).await;
    let successor = rotated.out.trim();
    for token in [ci, successor] {
        assert_eq!(as_holder(&shell, &url, token, &["list"]).await.code, Some(0), "both are good");
    }
    let revoked = as_holder(&shell, &url, root, &["token", "revoke", &id]).await;
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    assert_refused(&as_holder(&shell, &url, ci, &["list"]).await, "good token");
    assert_eq!(as_holder(&shell, &url, successor, &["list"]).await.code, Some(0));
    let table = as_holder(&shell, &url, root, &["token", "list"]).await.out;
    assert_eq!(table.lines().count(), 4, "{table}");
    for secret in [root, ci, successor] {
        assert!(!table.contains(secret) && !server.log().contains(secret), "it is nowhere");
    }
    drop(site);
}

#[tokio::test]
async fn a_token_that_was_revoked_at_one_server_is_refused_by_another_within_five_seconds() {
    if !matches!(Kind::of_this_run(), Kind::Embedded) {
        return;
    }
    let shell = Shell::with("HITL_RUN_ID", "");
    let store = format!("file://{}", shell.dir().join("shared").display());
    let key = shell.dir().join("shared.key").display().to_string();
    let create =
        ["token", "create", "root", "--role", "admin", "--namespace", "*", "--store", &store];
    let root = shell.out(&create).await;
    let replica = || config().with_credentials().store(&store).arg("--link-key-file").arg(&key);
    let ((one, _), (other, _)) = (start(replica()).await, start(replica()).await);
    let create = ["token", "create", "ci", "--role", "auditor"];
    let ci = as_holder(&shell, &one.endpoint(), root.trim(), &create).await.out;
    let http = support::http::client().build().expect("a client without special settings");
    let status = async || {
        let call = http.get(other.url("/v1/events")).bearer_auth(ci.trim()).send();
        call.await.expect("the server replies").status().as_u16()
    };
    assert_eq!(status().await, 200);
    let id = hitl_core::TokenText::parse(ci.trim()).expect("it is one").id.to_string();
    let revoked = as_holder(&shell, &one.endpoint(), root.trim(), &["token", "revoke", &id]).await;
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    let begun = std::time::Instant::now();
    while status().await == 200 {
        assert!(begun.elapsed().as_secs() < 5, "it is still good");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_server_for_which_nobody_has_a_token_says_how_to_make_one() {
    let (server, _site) = start(config().with_credentials()).await;
    for part in ["nobody has a token", "--admin-token-file", "hitl token create", "--insecure"] {
        assert!(server.log().contains(part), "{part}: {}", server.log());
    }
}

#[tokio::test]
async fn a_server_without_credentials_makes_no_tokens() {
    let (server, _site) = start(config()).await;
    let shell = Shell::at(&server.endpoint());
    let done = shell.run(&["token", "create", "me", "--role", "admin"]).await;
    assert_refused(&done, "--insecure");
}

#[tokio::test]
async fn an_admin_token_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("admin.token");
    std::fs::write(&file, "0123456789abcdef".repeat(4)).expect("it can be written");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&file, open).expect("it is ours");
    let mut serve = Command::new(tools::hitl());
    serve.args(["serve", "--listen", "127.0.0.1:0", "--store", "memory://", "--admin-token-file"]);
    serve.arg(&file).env("HITL_DATA_DIR", dir.path()).kill_on_drop(true);
    let refused = soon("the end of the process", serve.output()).await.expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("chmod 600"), "{said}");
}

#[tokio::test]
async fn the_token_of_the_local_server_is_printed_and_lets_any_program_call_it() {
    let shell = Shell::alone(crate::tasks::free_port()).await;
    let said: Json = serde_json::from_str(&shell.out(&["up"]).await).expect("a line of JSON");
    let token = shell.out(&["token", "local"]).await;
    assert_eq!(said["token"], token.trim());
    let url = format!("{}/v1/events", said["endpoint"].as_str().expect("an endpoint"));
    let http = support::http::client().build().expect("a client without special settings");
    let status = async |call: reqwest::RequestBuilder| {
        call.send().await.expect("the server replies").status().as_u16()
    };
    assert_eq!(status(http.get(&url)).await, 401);
    assert_eq!(status(http.get(&url).bearer_auth(token.trim())).await, 200);
    // Its owner makes tokens like an admin, and the next server has another token of its own.
    shell.out(&["token", "create", "ci", "--role", "auditor"]).await;
    shell.kill_servers().await;
    let next = shell.out(&["token", "local"]).await;
    assert_ne!(next, token);
    assert_eq!(status(http.get(&url).bearer_auth(token.trim())).await, 401, "it is void");
}
