//! Who can open what a server keeps: its user alone, whatever the umask, and whoever made the directory.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use support::tools;

use crate::caller::{Site, embedded, files, soon};

/// Everything below `dir`, itself included.
fn all_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = vec![dir.to_owned()];
    if dir.is_dir() {
        for entry in fs::read_dir(dir).into_iter().flatten() {
            found.extend(all_below(&entry.expect("an entry").path()));
        }
    }
    found
}

/// What others may do with anything below `dir`.
fn exposed(dir: &Path) -> Vec<String> {
    // The engine removes files of its own at any time.
    let mode = |path: &PathBuf| fs::symlink_metadata(path).ok().map(|found| found.mode());
    let all = all_below(dir).into_iter().filter_map(|path| Some((mode(&path)? & 0o777, path)));
    let loose = all.filter(|(mode, _)| mode & 0o077 != 0);
    loose.map(|(mode, path)| format!("{mode:o} {}", path.display())).collect()
}

/// The server in a shell of this umask, since a test must not change its own.
fn with_umask(dir: &Path, umask: &str) -> PathBuf {
    let script = dir.join(format!("hitl-{umask}"));
    let binary = tools::hitl();
    let text = format!("#!/bin/sh\numask {umask}\nexec '{}' \"$@\"\n", binary.display());
    fs::write(&script, text).expect("a script");
    fs::set_permissions(&script, Permissions::from_mode(0o700)).expect("it is ours");
    script
}

#[tokio::test]
async fn whatever_the_umask_only_the_user_can_open_what_a_server_keeps() {
    for (umask, kind) in
        [("000", embedded as fn(&Path) -> String), ("027", files as fn(&Path) -> String)]
    {
        let dir = tempfile::tempdir().expect("a directory");
        let home = dir.path().join("home");
        let script = with_umask(dir.path(), umask);
        let config = support::server::Config::new(script).store(kind(&home.join("store")));
        let site = Site::with(config).await;
        let event = site.ask(10).await.expect("there is room");
        site.answer(&event.id).await.expect("it is open");
        assert!(home.join("store.made").exists() && home.join("store").exists());
        assert_eq!(exposed(&home), Vec::<String>::new(), "umask {umask}");
    }
}

#[tokio::test]
async fn a_store_that_others_could_open_is_closed_to_them_before_it_is_used() {
    for kind in [embedded, files] {
        let dir = tempfile::tempdir().expect("a directory");
        let store = dir.path().join("store");
        let mut site = Site::start(&kind(&store)).await;
        let event = site.ask(10).await.expect("there is room");
        site.server.terminate().await.expect("it ends");
        let opened = Command::new("chmod").args(["-R", "a+rwX"]).arg(&store).status();
        assert!(opened.expect("chmod runs").success() && !exposed(&store).is_empty());
        site.server.restart().await.expect("it starts again");
        assert_eq!(exposed(&store), Vec::<String>::new());
        site.get(&event.id).await.expect("it is still there");
    }
}

/// As another user: this needs root, and where it is not to be had the mode itself is what is shown.
#[tokio::test]
async fn another_user_cannot_hold_the_lock_of_a_store() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("store");
    fs::create_dir(&store).expect("a directory");
    fs::write(store.join("LOCK"), "").expect("a lock file of an earlier version");
    for path in [dir.path(), &store] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("it is ours");
    }
    let mut site = Site::start(&embedded(&store)).await;
    site.server.terminate().await.expect("it ends");
    let lock = store.join("LOCK");
    assert_eq!(fs::metadata(&lock).expect("it is there").mode() & 0o777, 0o600);
    if rustix::process::geteuid().is_root() {
        let mut flock = Command::new("setpriv");
        flock.args(["--reuid=65534", "--regid=65534", "--clear-groups", "flock", "--nonblock"]);
        let held = flock.arg(&lock).arg("true").status().expect("setpriv runs");
        assert!(!held.success(), "another user got hold of {}", lock.display());
    }
}

#[tokio::test]
async fn a_link_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let key = dir.path().join("key");
    fs::write(&key, "0123456789abcdef".repeat(4)).expect("a key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("it is ours");
    let mut serve = tokio::process::Command::new(tools::hitl());
    serve.args(["serve", "--listen", "127.0.0.1:0", "--store", "memory://", "--link-key-file"]);
    serve.arg(&key).env("HITL_DATA_DIR", dir.path()).kill_on_drop(true);
    let refused = soon("the end of the process", serve.output()).await.expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("chmod 600"), "{said}");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("it is ours");
    let config = support::server::Config::new(tools::hitl()).store("memory://");
    Site::with(config.arg("--link-key-file").arg(key.display().to_string())).await;
}

#[tokio::test]
async fn a_log_that_others_could_read_is_closed_to_them() {
    let mut site = Site::start("memory://").await;
    let log = site.server.dir().join("serve.log");
    fs::write(&log, "what was asked").expect("a log of an earlier version");
    fs::set_permissions(&log, Permissions::from_mode(0o644)).expect("it is ours");
    site.server.restart().await.expect("it starts again");
    assert_eq!(fs::metadata(&log).expect("it is there").mode() & 0o777, 0o600);
}
