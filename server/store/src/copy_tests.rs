//! A copy is whole or says that it is not.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};

use super::*;
use crate::clock::SystemClock;
use crate::open;
use hitl_testing::scripted::{self, Op, Scripted, Step, broken, exists};

const LINK_KEY: crate::LinkKeyPrints<'_> =
    crate::LinkKeyPrints { signing: "k", previous: None, next: None };

struct World {
    _directory: tempfile::TempDir,
    from: StoreUrl,
    to: StoreUrl,
}

impl World {
    /// A source of files with `events` objects, and a place for a copy of the embedded kind.
    async fn with(events: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let from = StoreUrl::Files(directory.path().join("from"));
        let to = StoreUrl::Embedded(directory.path().join("to"));
        let world = Self { _directory: directory, from, to };
        open(&world.from, options()).await.unwrap().hold_to_link_key(LINK_KEY).await.unwrap();
        let source = world.source();
        for number in 0..events {
            let key = Path::from(format!("events/default/{number}/request.json"));
            source.put(&key, vec![7; number].into()).await.unwrap();
        }
        source.put(&timer(1), Bytes::new().into()).await.unwrap();
        world
    }

    fn source(&self) -> Arc<dyn ObjectStore> {
        bare(&self.from)
    }

    async fn copy(&self) -> Result<Copied, CopyError> {
        copy(&self.from, &self.to, Unreadable::Fails, options(), |_, _| ()).await
    }
}

fn whole(objects: u64, before: u64) -> Copied {
    Copied { objects, before, left: Vec::new(), left_count: 0 }
}

fn bare(url: &StoreUrl) -> Arc<dyn ObjectStore> {
    open::connect(url, Purpose::Serve, Arc::new(SystemClock), Arc::default(), Box::new(|_| ()))
        .unwrap()
}

fn timer(number: u64) -> Path {
    Path::from(format!("timers/2026-11-22T13/37/{number}"))
}

fn options() -> Options {
    Options { disk_reserve: Some(0), ..Options::default() }
}

#[tokio::test]
async fn a_store_goes_to_another_kind_and_back() {
    let world = World::with(100).await;
    let key = hitl_receipt::SigningKey::from_seed(&[1; 32]).public();
    open(&world.from, options()).await.unwrap().publish_receipt_key(&key).await.unwrap();
    let seen = AtomicUsize::new(0);
    let count = |done, total| {
        assert!(done <= total && total == 103);
        seen.fetch_add(1, Ordering::Relaxed);
    };
    let copied = copy(&world.from, &world.to, Unreadable::Fails, options(), count).await.unwrap();
    assert_eq!(copied, whole(103, 0));
    assert_eq!(seen.into_inner(), 104);
    let there = open(&world.to, options()).await.unwrap();
    there.hold_to_link_key(LINK_KEY).await.unwrap();
    assert_eq!(there.receipt_keys().await.unwrap()[0].key, key);
    drop(there);
    let back = StoreUrl::Files(world._directory.path().join("back"));
    copy(&world.to, &back, Unreadable::Fails, options(), |_, _| ()).await.unwrap();
    let copied = bare(&back).get(&Path::from("events/default/42/request.json")).await.unwrap();
    assert_eq!(copied.bytes().await.unwrap(), vec![7; 42]);
}

#[tokio::test]
async fn a_copy_that_was_cut_short_goes_on_and_nobody_opens_it_until_then() {
    let world = World::with(10).await;
    {
        let target = bare(&world.to);
        target.put(&keys::copying(), world.from.to_string().into()).await.unwrap();
        let key = Path::from("events/default/3/request.json");
        target.put(&key, vec![7; 3].into()).await.unwrap();
        // Settled since, and an hour of which all is.
        target.put(&timer(2), Bytes::new().into()).await.unwrap();
        let hour = Path::from("timers/2026-11-22T14/00/3");
        target.put(&hour, Bytes::new().into()).await.unwrap();
    }
    assert!(matches!(open(&world.to, options()).await, Err(OpenError::UnfinishedCopy(_))));
    assert_eq!(world.copy().await.unwrap(), whole(12, 1));
    open(&world.to, options()).await.unwrap();
}

#[tokio::test]
async fn what_was_removed_between_two_attempts_is_not_copied_back() {
    let world = World::with(0).await;
    let event = format!("events/default/{}", "ab".repeat(16));
    let request = Path::from(format!("{event}/request.json"));
    let removed = format!(
        r#"{{"version":1,"nonce":"0","removed":{{"event":"default/{}","time":1}}}}"#,
        "ab".repeat(16)
    );
    world.source().put(&request, removed.clone().into()).await.unwrap();
    {
        let target = bare(&world.to);
        target.put(&keys::copying(), world.from.to_string().into()).await.unwrap();
        target.put(&request, "what was asked".into()).await.unwrap();
        let response = Path::from(format!("{event}/response.json"));
        target.put(&response, "what was answered".into()).await.unwrap();
        let job = Path::from("jobs/2026-11-22T14/00/3");
        target.put(&job, Bytes::new().into()).await.unwrap();
    }
    world.copy().await.unwrap();
    let target = bare(&world.to);
    let copied = target.get(&request).await.unwrap().bytes().await.unwrap();
    assert_eq!(copied, removed.as_bytes());
    let listed: Vec<_> = target.list(None).try_collect().await.unwrap();
    let is_left = |part: &str| listed.iter().any(|it| it.location.as_ref().contains(part));
    assert!(!is_left("response.json") && !is_left("jobs/"), "{listed:?}");
}

#[tokio::test]
async fn what_is_in_the_way_is_never_overwritten() {
    let world = World::with(3).await;
    world.copy().await.unwrap();
    assert!(matches!(world.copy().await, Err(CopyError::TargetInUse(_))));
    let same = copy(&world.from, &world.from, Unreadable::Fails, options(), |_, _| ()).await;
    assert!(matches!(same, Err(CopyError::Same)));
    let nothing = StoreUrl::Files(world._directory.path().join("nothing"));
    let none = copy(&nothing, &world.to, Unreadable::Fails, options(), |_, _| ()).await;
    assert!(matches!(none, Err(CopyError::NoSource(_))));
}

#[tokio::test]
async fn an_object_of_other_contents_is_found() {
    let world = World::with(3).await;
    {
        let target = bare(&world.to);
        target.put(&keys::copying(), world.from.to_string().into()).await.unwrap();
        target.put(&Path::from("events/default/2/request.json"), "else".into()).await.unwrap();
    }
    assert!(matches!(world.copy().await, Err(CopyError::Differs { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_conflict_over_an_object_that_is_not_there_is_no_difference() {
    let (from, to) = (StoreUrl::Memory, StoreUrl::Memory);
    let (source, target) = (Arc::new(InMemory::new()), Scripted::over(Arc::new(InMemory::new())));
    let key = Path::from("events/default/1/request.json");
    source.put(&key, "asked".into()).await.unwrap();
    let source = Side::over(&from, source, &options());
    let side = Side::over(&to, target.clone(), &options());
    let copy = Copy::new(source, side, Unreadable::Fails);
    for _ in 0..20 {
        target.next(Op::Put, "1/request", Step::RefuseAndSay(exists));
    }
    let never = copy.one(&key).await;
    assert!(matches!(never, Err(CopyError::CutShort(_))), "{never:?}");
    target.forget();
    target.next(Op::Put, "1/request", Step::RefuseAndSay(exists));
    target.next(Op::Put, "1/request", Step::RefuseAndSay(broken));
    copy.one(&key).await.unwrap();
    assert_eq!(target.get(&key).await.unwrap().bytes().await.unwrap(), "asked");
}

/// A store of which the objects whose keys contain `lost` cannot be read, copied into one in memory.
async fn copy_of_damaged(
    lost: &'static str,
    unreadable: Unreadable,
) -> (Result<Copied, CopyError>, Arc<InMemory>) {
    let (source, target) = (Scripted::over(scripted::empty()), Arc::new(InMemory::new()));
    for event in ["1", "2", "3"] {
        for record in ["request", "response"] {
            let key = Path::from(format!("events/default/{event}/{record}.json"));
            source.put(&key, "record".into()).await.unwrap();
        }
    }
    source.put(&timer(1), Bytes::new().into()).await.unwrap();
    source.damage(Some(lost));
    let (from, to) = (StoreUrl::Memory, StoreUrl::Memory);
    let (source, side) =
        (Side::over(&from, source, &options()), Side::over(&to, target.clone(), &options()));
    let copied = Copy::new(source, side, unreadable).run(&options(), |_, _| ()).await;
    (copied, target)
}

async fn keys_of(store: &InMemory) -> Vec<String> {
    let keys = store.list(None).map_ok(|object| object.location.to_string());
    keys.try_collect().await.unwrap()
}

#[tokio::test]
async fn what_cannot_be_read_stops_a_copy_and_is_named() {
    let (copied, _) = copy_of_damaged("2/request", Unreadable::Fails).await;
    let Err(error @ CopyError::Unreadable { .. }) = copied else { panic!("{copied:?}") };
    assert!(error.to_string().contains("--skip-unreadable"), "{error}");
}

/// An event without its end would wait for one once more.
#[tokio::test]
async fn an_event_of_which_a_record_cannot_be_read_is_left_out_whole() {
    for lost in ["2/request", "2/response"] {
        let (copied, target) = copy_of_damaged(lost, Unreadable::IsLeftOut).await;
        let copied = copied.unwrap();
        assert_eq!(copied.objects, 5);
        assert!(
            copied.left.iter().any(|(what, _)| what.contains("events/default/2/")),
            "{copied:?}"
        );
        let keys = keys_of(&target).await;
        assert!(!keys.iter().any(|key| key.contains("default/2/")), "{keys:?}");
        assert_eq!(keys.iter().filter(|key| key.starts_with("events/")).count(), 4);
        assert!(keys.contains(&"meta/format.json".to_owned()), "{keys:?}");
        assert!(!keys.contains(&"meta/copying".to_owned()), "{keys:?}");
    }
}

#[tokio::test]
async fn a_store_of_a_newer_layout_is_not_copied() {
    let world = World::with(1).await;
    world.source().put(&keys::format(), r#"{"version": 2}"#.into()).await.unwrap();
    let refused = world.copy().await.unwrap_err();
    let CopyError::Store { source, .. } = &refused else { panic!("{refused}") };
    assert!(matches!(**source, OpenError::NewerFormat { found: 2 }), "{refused}");
}
