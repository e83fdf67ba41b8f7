//! Tests of what only the inside can provoke: a sync that fails or has not ended yet, and the
//! cost of a listing.

use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutResult};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::commit::{Changes, Commit, EngineCommit};
use crate::{EmbeddedStore, Options, StoreError, key, list};

/// Long enough for a busy machine; only a failing test waits this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Commits, then waits for the test before saying so: the data is written, the sync "runs".
struct Slow {
    engine: EngineCommit,
    started: UnboundedSender<usize>,
    finish: mpsc::Receiver<fjall::Result<()>>,
}

impl Commit for Slow {
    fn commit_and_sync(&mut self, changes: Changes) -> fjall::Result<()> {
        let count = changes.len();
        self.engine.commit_and_sync(changes)?;
        self.started.send(count).unwrap();
        // A test that is over lets everything through.
        self.finish.recv().unwrap_or(Ok(()))
    }
}

/// The test's end of a [`Slow`].
struct Syncs {
    started: UnboundedReceiver<usize>,
    finish: mpsc::Sender<fjall::Result<()>>,
}

impl Syncs {
    /// The number of entries in the batch that is now syncing.
    async fn next(&mut self) -> usize {
        let next = tokio::time::timeout(PATIENCE, self.started.recv());
        next.await.unwrap().unwrap()
    }

    fn end(&self, result: fjall::Result<()>) {
        self.finish.send(result).unwrap();
    }
}

fn slow(dir: &FilePath, options: Options) -> (EmbeddedStore, Syncs) {
    let (started, test_started) = unbounded_channel();
    let (test_finish, finish) = mpsc::channel();
    let store =
        EmbeddedStore::open_with(dir, options, |engine| Box::new(Slow { engine, started, finish }));
    let syncs = Syncs { started: test_started, finish: test_finish };
    (store.unwrap(), syncs)
}

type Put = tokio::task::JoinHandle<object_store::Result<PutResult>>;

fn spawn_create(store: &EmbeddedStore, path: &'static str, body: &'static str) -> Put {
    let store = store.clone();
    let mode = PutMode::Create.into();
    tokio::spawn(async move { store.put_opts(&path.into(), body.into(), mode).await })
}

/// Lets spawned tasks queue what they will: they do so before they first have to wait.
async fn let_queue() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn is_stopped(error: &Error) -> bool {
    let Error::Generic { source, .. } = error else {
        return false;
    };
    matches!(source.downcast_ref(), Some(StoreError::Stopped { .. }))
}

#[tokio::test]
async fn what_is_not_synced_yet_is_seen_by_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut syncs) = slow(dir.path(), Options::default());
    let path = Path::from("a/b");
    let put = spawn_create(&store, "a/b", "x");
    syncs.next().await;
    let seen = store.get(&path).await.unwrap_err();
    assert!(matches!(seen, Error::NotFound { .. }), "{seen}");
    let listed = store.list_with_delimiter(None).await.unwrap();
    assert!(listed.common_prefixes.is_empty());
    assert!(!put.is_finished());

    syncs.end(Ok(()));
    put.await.unwrap().unwrap();
    assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "x");
}

#[tokio::test]
async fn a_refusal_waits_for_the_sync_of_what_refused_it() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut syncs) = slow(dir.path(), Options::default());
    let first = spawn_create(&store, "first", "x");
    syncs.next().await;
    let winner = spawn_create(&store, "race", "w");
    let_queue().await;
    let loser = spawn_create(&store, "race", "l");
    let_queue().await;
    syncs.end(Ok(()));
    first.await.unwrap().unwrap();

    assert_eq!(syncs.next().await, 1, "both are in one batch, with one entry");
    let_queue().await;
    assert!(!loser.is_finished(), "refused before the winner is durable");
    syncs.end(Ok(()));
    winner.await.unwrap().unwrap();
    let refused = loser.await.unwrap().unwrap_err();
    assert!(matches!(refused, Error::AlreadyExists { .. }), "{refused}");
}

#[tokio::test]
async fn a_batch_keeps_the_order_of_its_writes() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut syncs) = slow(dir.path(), Options::default());
    let blocker = spawn_create(&store, "blocker", "x");
    syncs.next().await;
    let put = spawn_create(&store, "key", "first");
    let_queue().await;
    let delete = tokio::spawn({
        let store = store.clone();
        async move { store.delete(&"key".into()).await }
    });
    let_queue().await;
    let put_again = spawn_create(&store, "key", "second");
    let_queue().await;
    syncs.end(Ok(()));
    assert_eq!(syncs.next().await, 1);
    syncs.end(Ok(()));
    blocker.await.unwrap().unwrap();
    put.await.unwrap().unwrap();
    delete.await.unwrap().unwrap();
    put_again.await.unwrap().unwrap();
    let body = store.get(&"key".into()).await.unwrap().bytes().await;
    assert_eq!(body.unwrap(), "second");
}

#[tokio::test]
async fn refused_creates_alone_need_no_sync() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut syncs) = slow(dir.path(), Options::default());
    let put = spawn_create(&store, "a", "x");
    syncs.next().await;
    syncs.end(Ok(()));
    put.await.unwrap().unwrap();
    // Would wait for ever if it synced.
    let refused = spawn_create(&store, "a", "y").await.unwrap().unwrap_err();
    assert!(matches!(refused, Error::AlreadyExists { .. }), "{refused}");
    store.delete(&"not there".into()).await.unwrap();
}

#[tokio::test]
async fn a_failed_sync_stops_the_store_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let reasons = Arc::new(Mutex::new(Vec::new()));
    let (hook_ran, hook) = mpsc::channel();
    let options = Options {
        on_fatal: Box::new({
            let reasons = Arc::clone(&reasons);
            move |reason| {
                reasons.lock().unwrap().push(reason.to_owned());
                hook_ran.send(()).unwrap();
            }
        }),
        ..Options::default()
    };
    let (store, mut syncs) = slow(dir.path(), options);
    let failing = spawn_create(&store, "failing", "x");
    syncs.next().await;
    let waiting = spawn_create(&store, "waiting", "x");
    let_queue().await;
    syncs.end(Err(std::io::Error::other("the disk is gone").into()));

    for put in [failing, waiting] {
        assert!(is_stopped(&put.await.unwrap().unwrap_err()));
    }
    hook.recv_timeout(PATIENCE).unwrap();
    assert!(is_stopped(&store.put(&"later".into(), "x".into()).await.unwrap_err()));
    assert!(is_stopped(&store.delete(&"later".into()).await.unwrap_err()));
    assert!(is_stopped(&store.head(&"failing".into()).await.unwrap_err()));
    assert!(is_stopped(&store.list_with_delimiter(None).await.unwrap_err()));
    let reasons = reasons.lock().unwrap();
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].contains("the disk is gone"), "{reasons:?}");
}

#[tokio::test]
async fn a_panic_of_the_writer_stops_the_store_too() {
    struct Panics;
    impl Commit for Panics {
        fn commit_and_sync(&mut self, _changes: Changes) -> fjall::Result<()> {
            panic!("planned by the test");
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let (hook_ran, hook) = mpsc::channel();
    let options = Options {
        on_fatal: Box::new(move |reason| hook_ran.send(reason.to_owned()).unwrap()),
        ..Options::default()
    };
    let store = EmbeddedStore::open_with(dir.path(), options, |_| Box::new(Panics)).unwrap();
    let error = store.put(&"a".into(), "x".into()).await.unwrap_err();
    assert!(is_stopped(&error), "{error}");
    hook.recv_timeout(PATIENCE).unwrap();
    assert!(is_stopped(&store.head(&"a".into()).await.unwrap_err()));
}

#[tokio::test]
async fn a_delimited_listing_jumps_over_what_is_below() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), Options::default()).unwrap();
    let puts = (0..2_000).map(|number| {
        let path = Path::from(format!("timers/{:02}/{:02}/{number}", number % 4, number % 60));
        let store = store.clone();
        async move { store.put(&path, "x".into()).await }
    });
    futures::future::try_join_all(puts).await.unwrap();
    store.put(&"timers/direct".into(), "x".into()).await.unwrap();

    let shared = store.shared();
    let directory = key::directory(Some(&"timers".into()));
    let children = list::children(&shared.durable().unwrap(), shared, &directory).unwrap();
    let names: Vec<_> = children.result.common_prefixes.iter().map(Path::as_ref).collect();
    assert_eq!(names, ["timers/00", "timers/01", "timers/02", "timers/03"]);
    assert_eq!(children.result.objects.len(), 1);
    assert_eq!(children.entries_read, 5, "one for each child, whatever is below it");
}
