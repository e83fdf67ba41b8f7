//! Which stores are opened, and which are refused.

use super::*;
use crate::LinkKeyPrints;
use crate::random::SystemRandom;

fn options() -> Options {
    Options { disk_reserve: Some(0), ..Options::default() }
}

fn objects() -> Objects {
    Objects::new(Arc::new(InMemory::new()), StoreMetrics::default())
}

#[tokio::test]
async fn a_store_of_a_newer_layout_is_refused() {
    let objects = objects();
    check_format(&objects).await.unwrap();
    check_format(&objects).await.unwrap();
    let newer = record::encode(&FormatRecord { version: VERSION + 1 });
    objects.put(&keys::format(), newer, PutMode::Overwrite).await.unwrap();
    assert!(matches!(check_format(&objects).await, Err(OpenError::NewerFormat { .. })));
}

#[tokio::test]
async fn half_a_copy_is_refused() {
    let objects = objects();
    objects.put(&keys::copying(), "data".into(), PutMode::Overwrite).await.unwrap();
    let refused = check_format(&objects).await.unwrap_err().to_string();
    assert!(refused.contains("unfinished copy of data"), "{refused}");
}

#[tokio::test]
async fn files_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let url = StoreUrl::Files(directory.path().to_owned());
    assert!(open(&url, options()).await.unwrap().is_shared());
    assert!(open(&url, options()).await.is_ok());
}

/// As one that may not be read, which nothing stops a test that runs as root from reading.
#[tokio::test]
async fn files_that_cannot_be_read_are_named_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("meta"), "not a directory").unwrap();
    let url = StoreUrl::Files(directory.path().to_owned());
    let refused = open(&url, options()).await.unwrap_err().to_string();
    let path = directory.path().display().to_string();
    assert!(refused.starts_with(&format!("cannot use the directory {path}:")), "{refused}");
    assert!(refused.contains("May this program read and write"), "{refused}");
}

#[tokio::test]
async fn a_probe_leaves_nothing_behind() {
    let objects = objects();
    probe::probe(&objects, &SystemRandom).await.unwrap();
    assert!(objects.list(&"meta".into()).await.unwrap().found.is_empty());
}

fn signing(key: &str) -> LinkKeyPrints<'_> {
    LinkKeyPrints { signing: key, previous: None, next: None }
}

#[tokio::test]
async fn every_server_of_a_store_signs_links_with_the_same_key() {
    let directory = tempfile::tempdir().unwrap();
    let url = StoreUrl::Files(directory.path().to_owned());
    let first = open(&url, options()).await.unwrap();
    first.hold_to_link_key(signing("one")).await.unwrap();
    let second = open(&url, options()).await.unwrap();
    second.hold_to_link_key(signing("one")).await.unwrap();
    assert!(matches!(second.hold_to_link_key(signing("two")).await, Err(OpenError::OtherLinkKey)));
}

#[tokio::test]
async fn another_key_is_taken_from_a_server_that_still_knows_the_one_before() {
    let directory = tempfile::tempdir().unwrap();
    let url = StoreUrl::Files(directory.path().to_owned());
    let store = open(&url, options()).await.unwrap();
    let staged = LinkKeyPrints { next: Some("two"), ..signing("one") };
    let rotated = LinkKeyPrints { previous: Some("one"), ..signing("two") };
    for prints in [signing("one"), staged, rotated, staged, rotated, signing("two")] {
        store.hold_to_link_key(prints).await.unwrap();
    }
    // Nobody goes back, and nobody who does not know it comes in.
    for prints in [signing("one"), LinkKeyPrints { next: Some("three"), ..signing("one") }] {
        let refused = store.hold_to_link_key(prints).await;
        assert!(matches!(refused, Err(OpenError::OtherLinkKey)), "{prints:?}");
    }
}
