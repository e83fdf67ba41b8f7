//! Space that comes back after what was stored is removed or overwritten.

use std::path::Path as FilePath;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fjall::AbstractTree;
use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::reclaim::{Entries, Worked};
use crate::{Durability, EmbeddedStore, Options, Write};

const OBJECTS: usize = 12_000;
/// One object in so many stays.
const STAYS: usize = 10;
/// Only a failing test waits this long.
const PATIENCE: Duration = Duration::from_secs(60);

fn open(dir: &FilePath) -> EmbeddedStore {
    let options = Options { durability: Durability::Buffered, ..Options::default() };
    EmbeddedStore::open(dir, options).unwrap()
}

fn path(number: usize) -> Path {
    Path::from(format!("events/{number:06}"))
}

fn other(number: usize) -> Path {
    Path::from(format!("meanwhile/{number:06}"))
}

fn body(number: usize) -> Bytes {
    format!("{number:010}").repeat(50).into()
}

async fn write(store: &EmbeddedStore, writes: impl Iterator<Item = Write>) {
    let writes: Vec<_> = writes.collect();
    let written = futures::stream::iter(writes.chunks(100))
        .map(|writes| store.write(writes.to_vec(), None))
        .buffered(16);
    written.for_each(async |written| written.unwrap()).await;
}

/// Moves what is in memory to a table, and has the engine merge what it would by itself.
fn settle(store: &EmbeddedStore) {
    store.shared().objects.rotate_memtable_and_wait().unwrap();
}

async fn filled(dir: &FilePath) -> EmbeddedStore {
    let store = open(dir);
    write(&store, (0..OBJECTS).map(|number| Write::Put(path(number), body(number)))).await;
    settle(&store);
    store
}

fn stays(number: usize) -> bool {
    number.is_multiple_of(STAYS)
}

async fn remove_most(store: &EmbeddedStore) {
    let gone = (0..OBJECTS).filter(|number| !stays(*number));
    write(store, gone.map(|number| Write::Delete(path(number)))).await;
}

async fn check_all(store: &EmbeddedStore) {
    for number in 0..OBJECTS {
        let found = store.get(&path(number)).await;
        if stays(number) {
            assert_eq!(found.unwrap().bytes().await.unwrap(), body(number));
        } else {
            assert!(matches!(found, Err(object_store::Error::NotFound { .. })));
        }
    }
    assert_eq!(store.list(None).count().await, OBJECTS / STAYS);
}

/// All files of tables in the directory, also those that are merged and not yet deleted.
fn tables_bytes(dir: &FilePath) -> u64 {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let bytes = files.map(|file| match file.metadata() {
        Ok(meta) if meta.is_dir() => tables_bytes(&file.path()),
        Ok(meta) if file.path().parent().unwrap().ends_with("tables") => meta.len(),
        // It is deleted at this moment, or no table.
        _ => 0,
    });
    bytes.sum()
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_space_of_what_was_removed_comes_back_by_itself_and_the_rest_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let before = tables_bytes(dir.path());
    assert!(before > 6 << 20, "{before}");
    remove_most(&store).await;
    until("no space came back", || tables_bytes(dir.path()) < before / 4).await;
    check_all(&store).await;
    drop(store);
    check_all(&open(dir.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_says_that_something_was_removed_goes_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let reclaimer = store.reclaimer();
    // Written and removed in one memtable: what is left meets nothing any more, in whatever level it comes to stand.
    write(&store, (0..OBJECTS).map(|number| Write::Put(path(number), body(number)))).await;
    write(&store, (0..OBJECTS).map(|number| Write::Delete(path(number)))).await;
    settle(&store);
    until("dead entries stay", move || reclaimer.entries().dead < 100).await;
    assert_eq!(store.list(None).count().await, 0);
}

/// A long removal is several passes. If each made the pause before the next longer, as passes in vain do, the space of
/// what was removed last would come back minutes later.
#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_gives_much_back_counts_as_such_however_much_is_removed_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    remove_most(&store).await;
    let reclaimer = store.reclaimer();
    let pass = tokio::task::spawn_blocking(move || {
        let worked = reclaimer.pass().unwrap();
        (worked, reclaimer.entries().dead)
    });
    while !pass.is_finished() {
        let more = 0..1_000;
        let puts = more.clone().map(|number| Write::Put(other(number), body(number)));
        write(&store, puts.chain(more.map(|number| Write::Delete(other(number))))).await;
    }
    let (worked, dead) = pass.await.unwrap();
    assert!(dead > 1_000, "nothing was removed meanwhile, {dead}");
    assert_eq!(worked, Worked::Much);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_runs_beside_writes_and_readers_who_see_an_older_state() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let mut older = store.list(None);
    older.next().await.unwrap().unwrap();
    remove_most(&store).await;
    let reclaimer = store.reclaimer();
    let passes = tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            reclaimer.pass().unwrap();
        }
        reclaimer.entries()
    });
    for number in 0..200 {
        store.put(&Path::from(format!("later/{number}")), "x".into()).await.unwrap();
    }
    passes.await.unwrap();
    // It had read a part of the old state when that was merged away.
    assert_eq!(older.count().await, OBJECTS - 1);
    let later = store.list(Some(&"later".into())).count().await;
    assert_eq!(later, 200);
    for number in 0..200 {
        store.delete(&Path::from(format!("later/{number}"))).await.unwrap();
    }
    check_all(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_table_ends_the_giving_back_and_not_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let version = store.shared().objects.tree.current_version();
    let file = version.iter_tables().next().unwrap().path.to_path_buf();
    drop(version);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(&file, bytes).unwrap();
    remove_most(&store).await;
    let suspect = dir.path().join("db/suspect");
    until("the damage was not met", || suspect.exists()).await;
    // What was written before and after is whole.
    store.put(&"later".into(), "x".into()).await.unwrap();
    assert!(store.get(&path(0)).await.is_ok());
    assert!(matches!(
        store.get(&path(1)).await,
        Err(object_store::Error::NotFound { .. } | object_store::Error::Generic { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_closes_does_not_wait_for_a_pass() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    remove_most(&store).await;
    let reclaimer = store.reclaimer();
    let Entries { all, dead } = reclaimer.entries();
    assert!(dead > 0 && all > dead);
    drop(reclaimer);
    // The look comes after a second.
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    let begun = Instant::now();
    drop(store);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    check_all(&open(dir.path())).await;
}
