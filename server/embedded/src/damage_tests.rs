//! A store of which a file has changed or is gone: what else is in it is read and written on, and what is not says so.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path as FilePath, PathBuf};

use futures::StreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode};

use crate::engine::Work;
use crate::{EmbeddedStore, OpenError, Options, Purpose, StoreError};

const OBJECTS: usize = 2_000;

fn path(number: usize) -> Path {
    Path::from(format!("events/{:02}/{number:06}", number % 10))
}

/// What cannot be compressed, so that no byte of a table is without meaning.
fn body(number: usize) -> Vec<u8> {
    format!("{number:08}").repeat(100).into_bytes()
}

fn open(dir: &FilePath) -> EmbeddedStore {
    EmbeddedStore::open(dir, Options::default()).unwrap()
}

fn salvage(dir: &FilePath) -> EmbeddedStore {
    EmbeddedStore::open(dir, Options { purpose: Purpose::Salvage, ..Options::default() }).unwrap()
}

/// A store whose objects are all in tables.
async fn filled(dir: &FilePath) {
    let store = open(dir);
    let puts = (0..OBJECTS).map(|number| {
        let store = store.clone();
        async move { store.put(&path(number), body(number).into()).await }
    });
    futures::future::try_join_all(puts).await.unwrap();
    store.shared().objects.rotate_memtable_and_wait().unwrap();
}

fn tables(dir: &FilePath) -> Vec<PathBuf> {
    let mut tables = Vec::new();
    for keyspace in fs::read_dir(dir.join("db/keyspaces")).unwrap() {
        let keyspace = keyspace.unwrap();
        if keyspace.file_name() != "0" {
            let entries = fs::read_dir(keyspace.path().join("tables")).unwrap();
            tables.extend(entries.map(|entry| entry.unwrap().path()));
        }
    }
    tables
}

fn flip(file: &FilePath, at: impl Fn(usize) -> usize) {
    let mut bytes = fs::read(file).unwrap();
    let at = at(bytes.len());
    bytes[at] ^= 0x40;
    fs::write(file, bytes).unwrap();
}

/// A filled store with a byte flipped in the middle of its largest table.
async fn damaged(dir: &FilePath) -> PathBuf {
    filled(dir).await;
    let table = tables(dir).into_iter().max_by_key(|table| fs::metadata(table).unwrap().len());
    let table = table.unwrap();
    flip(&table, |length| length / 2);
    table
}

fn is_damage(error: &Error) -> bool {
    let Error::Generic { source, .. } = error else { return false };
    source.downcast_ref::<StoreError>().is_some_and(StoreError::is_damage)
}

/// The numbers of the objects that can be read, and the failures of the others.
async fn read_all(store: &EmbeddedStore) -> (BTreeSet<usize>, Vec<Error>) {
    let (mut found, mut failures) = (BTreeSet::new(), Vec::new());
    for number in 0..OBJECTS {
        match store.get(&path(number)).await {
            Ok(object) => {
                assert_eq!(object.bytes().await.unwrap(), body(number));
                found.insert(number);
            }
            Err(error) => failures.push(error),
        }
    }
    (found, failures)
}

#[tokio::test]
async fn a_flipped_byte_costs_the_objects_of_its_block_and_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let table = damaged(dir.path()).await;
    let store = open(dir.path());
    let (found, failures) = read_all(&store).await;
    assert!(!failures.is_empty() && failures.len() < 20, "{} are lost", failures.len());
    assert_eq!(found.len() + failures.len(), OBJECTS);
    for failure in &failures {
        assert!(is_damage(failure), "{failure}");
        assert!(failure.to_string().contains(&table.display().to_string()), "{failure}");
        assert!(failure.to_string().contains("events/"), "{failure}");
    }
    let files = store.damaged_files().await.unwrap();
    assert_eq!(files.iter().map(|(file, _)| file).collect::<Vec<_>>(), [&table]);
}

#[tokio::test]
async fn a_listing_goes_around_what_it_cannot_read_and_says_so_there() {
    let dir = tempfile::tempdir().unwrap();
    damaged(dir.path()).await;
    let store = open(dir.path());
    let (found, _) = read_all(&store).await;
    let listed: Vec<_> = store.list(None).collect().await;
    let failures: Vec<_> = listed.iter().filter_map(|object| object.as_ref().err()).collect();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(is_damage(failures[0]), "{failures:?}");
    let listed: Vec<_> =
        listed.iter().flatten().map(|object| object.location.to_string()).collect();
    let mut wanted: Vec<_> = found.iter().map(|number| path(*number).to_string()).collect();
    wanted.sort();
    assert_eq!(listed, wanted);
    // Where nothing is damaged nothing is said.
    let mut whole = 0;
    for part in 0..10 {
        let part = Path::from(format!("events/{part:02}"));
        let listed: Vec<_> = store.list(Some(&part)).collect().await;
        whole += usize::from(listed.iter().all(Result::is_ok));
    }
    assert!(whole >= 8, "{whole} of 10 parts are listed without a failure");
}

#[tokio::test]
async fn what_was_written_since_is_listed_within_the_damaged_place() {
    let dir = tempfile::tempdir().unwrap();
    damaged(dir.path()).await;
    let store = open(dir.path());
    let (found, _) = read_all(&store).await;
    let lost: Vec<_> = (0..OBJECTS).filter(|number| !found.contains(number)).collect();
    // Beside every object that is lost a new one.
    let new: Vec<_> = lost.iter().map(|number| Path::from(format!("{}x", path(*number)))).collect();
    for path in &new {
        store.put_opts(path, "new".into(), PutMode::Create.into()).await.unwrap();
    }
    let listed: Vec<_> = store.list(None).collect().await;
    let listed: BTreeSet<_> = listed.into_iter().flatten().map(|object| object.location).collect();
    assert!(new.iter().all(|path| listed.contains(path)));
    assert_eq!(listed.len(), found.len() + new.len());
}

#[tokio::test]
async fn once_damage_was_met_the_next_start_merges_nothing_and_serves_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    damaged(dir.path()).await;
    let store = open(dir.path());
    assert_eq!(store.shared().work, Work::All);
    let (found, _) = read_all(&store).await;
    drop(store);
    for _ in 0..2 {
        let store = open(dir.path());
        assert_eq!(store.shared().work, Work::None);
        assert_eq!(read_all(&store).await.0, found);
        store.put(&"later".into(), "x".into()).await.unwrap();
        assert_eq!(store.get(&"later".into()).await.unwrap().bytes().await.unwrap(), "x");
    }
}

#[tokio::test]
async fn a_merge_that_met_damage_ends_the_store_once_and_not_again() {
    let dir = tempfile::tempdir().unwrap();
    damaged(dir.path()).await;
    {
        let store = open(dir.path());
        // What the engine's own worker does when there is enough to merge.
        let objects = &store.shared().objects;
        let mut ended = None;
        for round in 0..40 {
            for number in (0..OBJECTS).step_by(50) {
                if let Err(error) = store.put(&path(number), body(round).into()).await {
                    ended = Some(error);
                }
            }
            if ended.is_some() || objects.rotate_memtable_and_wait().is_err() {
                break;
            }
        }
        assert!(ended.is_some_and(|error| error.to_string().contains("the next start looks")));
    }
    let store = open(dir.path());
    assert_eq!(store.shared().work, Work::None);
    store.put(&"later".into(), "x".into()).await.unwrap();
}

#[tokio::test]
async fn a_suspicion_that_proves_wrong_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;
    open(dir.path()).shared().dir.suspect_damage();
    assert_eq!(open(dir.path()).shared().work, Work::All);
    assert!(!dir.path().join("db/suspect").exists());
}

#[tokio::test]
async fn a_damaged_store_takes_no_more_than_it_can_hold_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    damaged(dir.path()).await;
    let store = salvage(dir.path());
    let large = vec![b'x'; 16 << 20];
    let mut taken = 0;
    let refusal = loop {
        match store.put(&Path::from(format!("large/{taken}")), large.clone().into()).await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!((4..8).contains(&taken), "{taken}");
    assert!(refusal.to_string().contains("--skip-unreadable"), "{refusal}");
    assert_eq!(store.head(&"large/0".into()).await.unwrap().size, 16 << 20);
}

#[tokio::test]
async fn what_cannot_be_read_can_be_deleted() {
    let dir = tempfile::tempdir().unwrap();
    damaged(dir.path()).await;
    let store = open(dir.path());
    let (found, _) = read_all(&store).await;
    let lost = (0..OBJECTS).find(|number| !found.contains(number)).unwrap();
    store.delete(&path(lost)).await.unwrap();
    let gone = store.get(&path(lost)).await.unwrap_err();
    assert!(matches!(gone, Error::NotFound { .. }), "{gone}");
}

#[tokio::test]
async fn a_missing_journal_says_what_it_held_and_the_rest_can_be_saved() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;
    for entry in fs::read_dir(dir.path().join("db")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            fs::remove_file(path).unwrap();
        }
    }
    let error = EmbeddedStore::open(dir.path(), Options::default()).unwrap_err();
    assert!(matches!(error, OpenError::Missing { .. }), "{error}");
    for part in ["the journal", "backup", "hitl store copy --skip-unreadable"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let saved = salvage(dir.path());
    assert!(saved.losses()[0].1.contains("the journal"), "{:?}", saved.losses());
    assert_eq!(read_all(&saved).await.0.len(), OBJECTS);
}

/// A store whose objects are all in its journal, which is returned with its length.
async fn journalled(dir: &FilePath) -> (PathBuf, usize) {
    let store = open(dir);
    for number in 0..20 {
        store.put(&path(number), body(number).into()).await.unwrap();
    }
    drop(store);
    let mut files = fs::read_dir(dir.join("db")).unwrap().map(|file| file.unwrap().path());
    let journal = files.find(|path| path.extension().is_some_and(|it| it == "jnl")).unwrap();
    let end = crate::journal::all(&dir.join("db")).unwrap()[0].end();
    (journal, usize::try_from(end).unwrap())
}

/// The engine would cut off all later writes, or none could be read.
#[tokio::test]
async fn a_byte_flipped_in_a_journal_is_refused_and_costs_a_copy_one_batch() {
    for offset in 0..40 {
        let dir = tempfile::tempdir().unwrap();
        let (journal, length) = journalled(dir.path()).await;
        // Of the last twenty batches, each of which has one object, somewhere in the tenth.
        flip(&journal, |_| length - 10 * 850 + offset * 21);
        for purpose in [Purpose::Serve, Purpose::Check] {
            let options = Options { purpose, ..Options::default() };
            let refused = EmbeddedStore::open(dir.path(), options).unwrap_err().to_string();
            assert!(refused.contains(&journal.display().to_string()), "{refused}");
            assert!(refused.contains("--skip-unreadable"), "{refused}");
        }
        let saved = salvage(dir.path());
        assert_eq!(saved.losses().len(), 1, "{:?}", saved.losses());
        let (found, _) = read_all(&saved).await;
        assert!(found.len() >= 18, "{found:?}");
        assert!(journal.with_extension("damaged").exists(), "the journal is kept as it was");
    }
}

#[tokio::test]
async fn a_missing_version_or_keyspace_is_never_made_anew() {
    for (name, part) in [("version", "printf 'FJL\\003'"), ("keyspaces", "backup")] {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path()).await;
        let away = dir.path().join("db").join(name);
        let kept = dir.path().join("db").join(format!("{name}.away"));
        fs::rename(&away, &kept).unwrap();
        let error = EmbeddedStore::open(dir.path(), Options::default()).unwrap_err();
        assert!(matches!(error, OpenError::Missing { .. }), "{error}");
        assert!(error.to_string().contains(part), "{error}");
        fs::rename(&kept, &away).unwrap();
        assert_eq!(read_all(&open(dir.path())).await.0.len(), OBJECTS);
    }
}

#[tokio::test]
async fn what_is_cut_from_a_journal_is_counted_without_the_room_made_in_advance() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let mut files = fs::read_dir(dir.path().join("db")).unwrap().map(|file| file.unwrap().path());
    let journal = files.find(|path| path.extension().is_some_and(|it| it == "jnl")).unwrap();
    let whole = crate::journal::all(&dir.path().join("db")).unwrap();
    let end = whole[0].end();
    // Half a batch, and room behind it.
    let mut bytes = fs::read(&journal).unwrap();
    bytes.truncate(usize::try_from(end).unwrap());
    bytes.extend([1; 37]);
    bytes.extend([0; 5_000]);
    fs::write(&journal, bytes).unwrap();
    let before = crate::journal::all(&dir.path().join("db")).unwrap();
    drop(open(dir.path()));
    assert_eq!(before[0].cut(), Some(37));
    drop(open(dir.path()));
    assert_eq!(crate::journal::all(&dir.path().join("db")).unwrap()[0].cut(), Some(0));
}

#[tokio::test]
async fn a_byte_flipped_in_any_kind_of_file_is_refused_or_noticed_and_never_passed_on() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;
    // Its journal has no room made in advance any more.
    drop(open(dir.path()));
    let mut files = Vec::new();
    walk(dir.path(), dir.path(), &mut files);
    assert!(files.len() > 6, "{files:?}");
    for (number, file) in files.iter().enumerate() {
        for part in 0..4 {
            let copy = dir.path().join(format!("copy-{number}-{part}"));
            for file in &files {
                let to = copy.join(file);
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(dir.path().join(file), to).unwrap();
            }
            if fs::metadata(copy.join(file)).unwrap().len() > 0 {
                flip(&copy.join(file), |length| (length * part / 3).min(length - 1));
            }
            let opened = std::panic::catch_unwind(|| {
                EmbeddedStore::open(
                    &copy,
                    Options { purpose: Purpose::Salvage, ..Options::default() },
                )
            });
            if let Ok(Ok(store)) = opened {
                // It asserts that what is read is what was written.
                read_all(&store).await;
            }
            fs::remove_dir_all(copy).unwrap();
        }
    }
}

/// The files below `dir`, as their paths from `root`.
fn walk(root: &FilePath, dir: &FilePath, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, files);
        } else {
            files.push(path.strip_prefix(root).unwrap().to_owned());
        }
    }
}
