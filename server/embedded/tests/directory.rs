//! What the directory keeps across closing, crashing and other processes, and that it does not
//! grow without end.
#![expect(clippy::unwrap_used, reason = "helpers of tests, where a panic is the report")]

use std::fs;
use std::path::Path as FilePath;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use hitl_embedded::{EmbeddedStore, OpenError, Options, StoreError};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode};

fn open(dir: &FilePath) -> EmbeddedStore {
    EmbeddedStore::open(dir, Options::default()).unwrap()
}

async fn put_all(store: &EmbeddedStore, paths: &[Path], body: &[u8]) {
    stream::iter(paths)
        .map(async |path| store.put(path, body.to_vec().into()).await.map(drop))
        .buffer_unordered(256)
        .try_collect::<()>()
        .await
        .unwrap();
}

async fn listed(store: &EmbeddedStore) -> Vec<Path> {
    let all = store.list(None).map_ok(|meta| meta.location);
    all.try_collect().await.unwrap()
}

fn numbered(count: usize) -> Vec<Path> {
    let number = |number| Path::from(format!("events/{number:06}/request.json"));
    (0..count).map(number).collect()
}

fn copy_dir(from: &FilePath, to: &FilePath) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn size_of(dir: &FilePath) -> u64 {
    let size = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => size_of(&entry.path()),
        // A compaction may have removed it meanwhile.
        _ => entry.metadata().map_or(0, |meta| meta.len()),
    };
    fs::read_dir(dir).map_or(0, |entries| entries.flatten().map(size).sum())
}

#[tokio::test]
async fn reopening_finds_everything_and_gives_new_etags() {
    let dir = tempfile::tempdir().unwrap();
    let paths = numbered(500);
    let store = open(dir.path());
    put_all(&store, &paths, b"one").await;
    let before = store.head(&paths[7]).await.unwrap();
    drop(store);

    let store = open(dir.path());
    assert_eq!(listed(&store).await, paths);
    assert_eq!(store.head(&paths[7]).await.unwrap(), before);
    let mut etags = vec![before.e_tag];
    for _ in 0..3 {
        etags.push(store.put(&paths[7], "two".into()).await.unwrap().e_tag);
    }
    let number = |etag: &Option<String>| {
        u64::from_str_radix(etag.as_ref().unwrap().trim_matches('"'), 16).unwrap()
    };
    assert!(etags.iter().map(number).is_sorted_by(|a, b| a < b), "{etags:?}");
}

#[tokio::test]
async fn a_copy_of_the_files_of_an_open_store_has_every_acknowledged_write() {
    let dir = tempfile::tempdir().unwrap();
    let (live, copy) = (dir.path().join("live"), dir.path().join("copy"));
    let paths = numbered(1_000);
    let store = open(&live);
    put_all(&store, &paths, &[b'x'; 450]).await;
    store.delete(&paths[3]).await.unwrap();
    copy_dir(&live, &copy);

    let copied = open(&copy);
    let found = listed(&copied).await;
    assert_eq!(found.len(), paths.len() - 1);
    assert!(!found.contains(&paths[3]));
    assert_eq!(found, listed(&store).await);
}

#[tokio::test]
async fn of_64_racing_creates_one_wins_and_its_body_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(open(dir.path()));
    for round in 0..20 {
        let path = Path::from(format!("race/{round}"));
        let racers = (0..64).map(|racer| {
            let (store, path) = (Arc::clone(&store), path.clone());
            tokio::spawn(async move {
                let mode = PutMode::Create.into();
                (racer, store.put_opts(&path, racer.to_string().into(), mode).await)
            })
        });
        let mut winners = Vec::new();
        for raced in futures::future::join_all(racers).await {
            match raced.unwrap() {
                (racer, Ok(_)) => winners.push(racer.to_string()),
                (_, Err(Error::AlreadyExists { .. })) => {}
                (_, Err(error)) => panic!("{error}"),
            }
        }
        assert_eq!(winners.len(), 1);
        let body = store.get(&path).await.unwrap().bytes().await.unwrap();
        assert_eq!(body, winners[0]);
    }
}

#[test]
fn a_second_store_on_the_directory_is_refused_until_the_first_closes() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let error = EmbeddedStore::open(dir.path(), Options::default()).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }));
    let expected = format!(
        "another hitl process already uses {}: process {}; stop it, or use another directory",
        dir.path().display(),
        std::process::id()
    );
    assert_eq!(error.to_string(), expected);
    drop(first);
    open(dir.path());
}

#[test]
fn an_unlocked_lock_file_and_an_unfinished_first_start_do_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("LOCK"), "12345\n").unwrap();
    fs::create_dir(dir.path().join("db.new")).unwrap();
    fs::write(dir.path().join("db.new/0.jnl"), "half").unwrap();
    open(dir.path());
    assert!(!dir.path().join("db.new").exists());
}

#[test]
fn what_is_not_a_store_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("thesis.txt"), "x").unwrap();
    let error = EmbeddedStore::open(dir.path(), Options::default()).unwrap_err();
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);

    let file = dir.path().join("thesis.txt");
    let error = EmbeddedStore::open(&file, Options::default()).unwrap_err();
    assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
}

#[test]
fn damaged_and_newer_data_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let marker = dir.path().join("db/version");
    fs::write(&marker, b"XXXX").unwrap();
    let error = EmbeddedStore::open(dir.path(), Options::default()).unwrap_err();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
    fs::write(&marker, b"FJL\x02").unwrap();
    let error = EmbeddedStore::open(dir.path(), Options::default()).unwrap_err();
    assert!(matches!(error, OpenError::Newer { .. }), "{error}");
    fs::write(&marker, b"FJL\x03").unwrap();
    open(dir.path());
}

#[tokio::test]
async fn limits_are_errors_that_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { max_object_bytes: 10, max_key_bytes: 8, ..Options::default() };
    let store = EmbeddedStore::open(dir.path(), options).unwrap();
    let large = store.put(&"a".into(), vec![0; 11].into()).await.unwrap_err();
    assert!(source(&large).contains("11 bytes"), "{large}");
    let long = store.put(&"123456789".into(), "x".into()).await.unwrap_err();
    assert!(source(&long).contains("from 1 to 8"), "{long}");
    assert!(store.put(&Path::ROOT, "x".into()).await.is_err());

    let mut upload = store.put_multipart(&"a".into()).await.unwrap();
    upload.put_part(vec![0; 6].into()).await.unwrap();
    upload.put_part(vec![0; 6].into()).await.unwrap_err();
    upload.complete().await.unwrap_err();
    assert_eq!(listed(&store).await, []);
    store.put(&"12345678".into(), vec![0; 10].into()).await.unwrap();
}

fn source(error: &Error) -> String {
    let Error::Generic { source, .. } = error else {
        panic!("{error}");
    };
    source.downcast_ref::<StoreError>().unwrap().to_string()
}

/// Callers wait for a place in a queue of one, and all get through.
#[tokio::test]
async fn a_full_queue_makes_callers_wait() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { max_queued_ops: 1, ..Options::default() };
    let store = EmbeddedStore::open(dir.path(), options).unwrap();
    let paths = numbered(300);
    put_all(&store, &paths, b"x").await;
    assert_eq!(listed(&store).await, paths);
}

#[tokio::test]
async fn space_comes_back_after_deletes() {
    const ROUND_BYTES: u64 = 48 << 20;
    let dir = tempfile::tempdir().unwrap();
    // What is kept of the disk is no space of deleted objects.
    let options = Options { reserve_bytes: Some(0), ..Options::default() };
    let store = EmbeddedStore::open(dir.path(), options).unwrap();
    let mut largest = 0;
    for round in 0..8 {
        let name = |number| Path::from(format!("round-{round}/{number}"));
        let paths: Vec<_> = (0..ROUND_BYTES / 16_384).map(name).collect();
        put_all(&store, &paths, &[b'x'; 16_384]).await;
        let deletes = stream::iter(paths).map(Ok).boxed();
        store.delete_stream(deletes).try_collect::<Vec<_>>().await.unwrap();
        largest = size_of(dir.path()).max(largest);
    }
    assert_eq!(listed(&store).await, []);
    // One round, its journals and what compaction has not reached yet; eight rounds would be
    // 384 MB in tables alone.
    assert!(largest < 6 * ROUND_BYTES, "{} MB", largest >> 20);
}
