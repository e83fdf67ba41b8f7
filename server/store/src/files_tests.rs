//! What plain files promise beyond those of `object_store`.

use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;

use object_store::{ObjectStoreExt, PutMode};

use super::*;

type Reasons = Arc<Mutex<Vec<String>>>;

fn open(root: &FilePath, reserve_bytes: Option<u64>) -> (Arc<Files>, Reasons) {
    let reasons = Reasons::default();
    let on_fatal = {
        let reasons = reasons.clone();
        Box::new(move |reason: &str| reasons.lock().unwrap().push(reason.to_owned()))
    };
    (Files::open(root, reserve_bytes, on_fatal).unwrap(), reasons)
}

fn new_work() -> PutOptions {
    let mut options = PutOptions::from(PutMode::Create);
    options.extensions.insert(NewWork);
    options
}

fn source(error: &Error) -> String {
    let mut source: &dyn std::error::Error = error;
    while let Some(deeper) = source.source() {
        source = deeper;
    }
    source.to_string()
}

#[tokio::test]
async fn a_directory_that_is_deleted_or_emptied_takes_no_write_and_is_not_made_anew() {
    for emptied in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("store");
        let (store, reasons) = open(&root, Some(0));
        store.put(&keys::format(), "{}".into()).await.unwrap();
        store.put(&"events/a".into(), "x".into()).await.unwrap();
        std::fs::remove_dir_all(&root).unwrap();
        if emptied {
            std::fs::create_dir(&root).unwrap();
        }
        store.put(&"events/b".into(), "x".into()).await.unwrap_err();
        store.put(&"events/c".into(), "x".into()).await.unwrap_err();
        assert!(!root.join("events").exists());
        let reasons = reasons.lock().unwrap();
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        assert!(reasons[0].contains("in use"), "{reasons:?}");
    }
}

#[tokio::test]
async fn new_work_is_refused_while_the_reserve_is_needed_and_the_rest_is_written() {
    let dir = tempfile::tempdir().unwrap();
    // No disk has so much.
    let (store, _) = open(dir.path(), Some(u64::MAX));
    let refused = store.put_opts(&"events/a".into(), "x".into(), new_work()).await.unwrap_err();
    assert_eq!(source(&refused), "the disk is full");
    store.put(&"events/a".into(), "x".into()).await.unwrap();
    let again = store.put_opts(&"events/a".into(), "x".into(), new_work()).await.unwrap_err();
    assert!(matches!(again, Error::AlreadyExists { .. }), "{again}");
}

#[tokio::test]
async fn the_reserve_is_no_object() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path(), Some(1 << 20));
    store.reserve().grow(Files::FLOOR);
    assert!(dir.path().join(RESERVE).exists());
    let listed = store.list_with_delimiter(None).await.unwrap();
    assert!(listed.objects.is_empty(), "{listed:?}");
}

#[test]
fn a_directory_that_others_can_open_is_closed_and_one_of_other_files_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mode = || std::fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777;
    let loosen = || std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    loosen();
    open(dir.path(), Some(0));
    assert_eq!(mode(), 0o700);
    loosen();
    std::fs::write(dir.path().join("thesis.txt"), "x").unwrap();
    let refused = Files::open(dir.path(), Some(0), Box::new(|_| ())).unwrap_err().to_string();
    assert!(refused.contains("thesis.txt"), "{refused}");
    assert_eq!(mode(), 0o755);
}
