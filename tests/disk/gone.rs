//! A directory that is deleted, emptied or replaced while a server uses it, or before it starts.

use std::fs;
use std::path::Path;
use std::process::Output;

use support::tools;
use tonic::Code;

use crate::caller::{SOON, Site, embedded, files, soon};

/// What comes of `hitl serve` with its events in `store`, which must end by itself.
async fn serve(store: &str, data_dir: &Path) -> Output {
    let mut serve = tokio::process::Command::new(tools::hitl());
    serve.args(["serve", "--listen", "127.0.0.1:0", "--store", store]).kill_on_drop(true);
    let serve = serve.env("HITL_DATA_DIR", data_dir).output();
    soon("the end of the process", serve).await.expect("it runs")
}

/// Something that happens to the directory of a store.
type Blow = fn(&Path);

const DELETED: Blow = |store| fs::remove_dir_all(store).expect("it can be deleted");
const REPLACED: Blow = |store| {
    fs::rename(store, store.with_extension("aside")).expect("it can be moved");
    fs::create_dir(store).expect("another can be made");
};
const EMPTIED: Blow = |store| {
    for entry in fs::read_dir(store).expect("it can be listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
            .expect("it can be deleted");
    }
};
const NO_JOURNAL: Blow = |store| {
    for entry in fs::read_dir(store.join("db")).expect("it can be listed") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            fs::remove_file(&path).expect("it can be deleted");
        }
    }
};

async fn a_blow_is_noticed(kind: fn(&Path) -> String, blow: Blow) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("store");
    let mut site = Site::start(&kind(&store)).await;
    let event = site.ask(10).await.expect("there is room");
    blow(&store);
    // Neither new work nor an answer is acknowledged from here on.
    let refused = site.ask(10).await.expect_err("a create is acknowledged that is gone");
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    let refused = site.answer(&event.id).await.expect_err("an answer is acknowledged that is gone");
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    let status = site.server.exited(SOON).await.expect("the process ends");
    assert_eq!(status.code(), Some(70));
    let log = site.server.log();
    assert!(log.contains("in use") && log.contains(&store.display().to_string()), "{log}");
}

#[tokio::test]
async fn a_store_that_is_deleted_replaced_or_emptied_acknowledges_nothing_more_and_ends() {
    for blow in [DELETED, REPLACED, EMPTIED, NO_JOURNAL] {
        a_blow_is_noticed(embedded, blow).await;
    }
    for blow in [DELETED, REPLACED, EMPTIED] {
        a_blow_is_noticed(files, blow).await;
    }
}

#[tokio::test]
async fn readiness_says_that_the_store_is_gone_and_a_server_with_nothing_to_do_ends_too() {
    for kind in [embedded, files] {
        let dir = tempfile::tempdir().expect("a directory");
        let store = dir.path().join("store");
        let mut site = Site::start(&kind(&store)).await;
        assert_eq!(site.look("/readyz").await.0, 200);
        DELETED(&store);
        let (status, body) = site.look("/readyz").await;
        assert_eq!(status, 503);
        assert!(body.contains("deleted"), "{body}");
        let status = site.server.exited(SOON).await.expect("the process ends");
        assert_eq!(status.code(), Some(70));

        let other = dir.path().join("other");
        let mut idle = Site::start(&kind(&other)).await;
        DELETED(&other);
        let status = idle.server.exited(SOON).await.expect("the process ends unasked");
        assert_eq!(status.code(), Some(70));
    }
}

#[tokio::test]
async fn where_there_was_a_store_none_is_made_anew_until_somebody_says_so() {
    for kind in [embedded, files] {
        let dir = tempfile::tempdir().expect("a directory");
        let store = dir.path().join("store");
        let mut site = Site::start(&kind(&store)).await;
        site.ask(10).await.expect("there is room");
        site.server.terminate().await.expect("it ends");
        // As where its disk is not mounted: the mount point alone is left.
        EMPTIED(&store);
        let refused = serve(&kind(&store), dir.path()).await;
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success(), "{said}");
        for part in ["there was one", "not mounted", "store.made", "begin anew"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        for sign in ["store.made", "store.link.key"] {
            let _ = fs::remove_file(dir.path().join(sign));
        }
        site.server.restart().await.expect("it starts anew");
        site.ask(10).await.expect("there is room");
    }
}

/// A server of an earlier version left no marker, but a link key.
#[tokio::test]
async fn a_link_key_beside_an_empty_path_says_that_there_was_a_store() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("store");
    let mut site = Site::start(&embedded(&store)).await;
    site.server.terminate().await.expect("it ends");
    fs::remove_file(dir.path().join("store.made")).expect("there is a marker");
    DELETED(&store);
    let refused = serve(&embedded(&store), dir.path()).await;
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("store.link.key"), "{said}");
    assert!(!store.join("db").exists());
}
