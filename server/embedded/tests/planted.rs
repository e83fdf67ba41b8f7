//! The planted faults really are faults: a checker that misses them is no checker.
#![cfg(feature = "planted-faults")]
#![expect(clippy::unwrap_used, reason = "helpers of tests, where a panic is the report")]

use hitl_embedded::{EmbeddedStore, Options, PlantedFault};
use object_store::{ObjectStore, ObjectStoreExt, PutMode};

fn open(dir: &std::path::Path, fault: PlantedFault) -> EmbeddedStore {
    let options = Options { planted: Some(fault), ..Options::default() };
    EmbeddedStore::open(dir, options).unwrap()
}

#[tokio::test]
async fn overwrite_lets_two_creates_win() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), PlantedFault::Overwrite);
    for body in ["first", "second"] {
        let mode = PutMode::Create.into();
        store.put_opts(&"a".into(), body.into(), mode).await.unwrap();
    }
    let body = store.get(&"a".into()).await.unwrap().bytes().await.unwrap();
    assert_eq!(body, "second");
}

#[tokio::test]
async fn ack_before_sync_answers_before_the_write() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), PlantedFault::AckBeforeSync);
    store.put(&"a".into(), "x".into()).await.unwrap();
    store.head(&"a".into()).await.unwrap_err();
    drop(store);
    let store = open(dir.path(), PlantedFault::AckBeforeSync);
    store.head(&"a".into()).await.unwrap();
}
