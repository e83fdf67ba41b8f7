//! Each fault does what its name says, and nothing else.

use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use support::history::Recorder;
use tokio::time::{Instant, timeout};

use super::*;
use crate::trace::Trace;

const OURS: &[u8] = b"ours, and long enough to be cut or spoilt";

/// A store, and two ways to it: one on which nothing goes wrong, and one on which `fault` always does.
struct Two {
    clear: FaultStore,
    faulty: FaultStore,
}

impl Two {
    fn with(fault: Option<Fault>) -> Self {
        let (trace, recorder) = (Trace::new(false), Recorder::of_virtual_time(0));
        let bucket = Bucket::new(Arc::new(InMemory::new()), trace.into(), recorder.into());
        let bucket = Arc::new(bucket);
        let way = || FaultStore::new("test".to_owned(), bucket.clone(), Link::new(1, 0.0).into());
        let (clear, faulty) = (way(), way());
        faulty.link.always(fault);
        Self { clear, faulty }
    }

    async fn create(&self) -> Result<PutResult> {
        create(&self.faulty, OURS).await
    }

    /// What is there, in truth.
    async fn found(&self) -> Option<Bytes> {
        let found = self.clear.bucket.store().get(&path()).await.ok()?;
        Some(found.bytes().await.unwrap())
    }
}

fn path() -> Path {
    Path::from("a/b")
}

async fn create(store: &FaultStore, bytes: &'static [u8]) -> Result<PutResult> {
    store.put_opts(&path(), PutPayload::from_static(bytes), PutMode::Create.into()).await
}

async fn read(store: &FaultStore) -> Result<Bytes> {
    store.get(&path()).await?.bytes().await
}

async fn list(store: &FaultStore) -> Result<Vec<String>> {
    store.list(None).map_ok(|object| object.location.to_string()).try_collect().await
}

#[tokio::test(start_paused = true)]
async fn an_error_before_does_nothing() {
    for fault in [Fault::ErrorBefore, Fault::Hang, Fault::SlowDown] {
        let two = Two::with(Some(fault));
        assert!(matches!(two.create().await, Err(Error::Generic { .. })));
        assert_eq!(two.found().await, None, "{fault:?}");
    }
    let two = Two::with(Some(Fault::FalseConflict));
    assert!(matches!(two.create().await, Err(Error::AlreadyExists { .. })));
    assert_eq!(two.found().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_commit_is_one_whatever_the_reply() {
    for fault in
        [Fault::CommitThenError, Fault::CommitThenHang, Fault::OwnConflict, Fault::OwnPrecondition]
    {
        let two = Two::with(Some(fault));
        let begun = Instant::now();
        let error = two.create().await.unwrap_err();
        match fault {
            Fault::OwnConflict => assert!(matches!(error, Error::AlreadyExists { .. })),
            Fault::OwnPrecondition => assert!(matches!(error, Error::Precondition { .. })),
            _ => assert!(matches!(error, Error::Generic { .. })),
        }
        assert_eq!(two.found().await.unwrap(), OURS, "{fault:?}");
        assert!(fault != Fault::CommitThenHang || begun.elapsed() >= millis(3_000));
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_write_lands_after_its_caller_was_told_and_only_if_its_condition_holds_then() {
    let two = Two::with(Some(Fault::LateLanding));
    two.create().await.unwrap_err();
    assert_eq!(two.found().await, None);
    sleep(millis(25_000)).await;
    assert_eq!(two.found().await.unwrap(), OURS);

    let two = Two::with(Some(Fault::LateLanding));
    two.create().await.unwrap_err();
    create(&two.clear, b"theirs").await.unwrap();
    sleep(millis(25_000)).await;
    assert_eq!(two.found().await.unwrap(), &b"theirs"[..]);
}

#[tokio::test(start_paused = true)]
async fn what_is_delivered_twice_is_done_twice() {
    let two = Two::with(Some(Fault::DuplicateDelivery));
    create(&two.clear, OURS).await.unwrap();
    two.faulty.delete(&path()).await.unwrap();
    two.clear.bucket.apply(&Write::Put(path(), OURS.into(), PutMode::Create.into())).await.unwrap();
    sleep(millis(25_000)).await;
    assert_eq!(two.found().await, None);
}

#[tokio::test(start_paused = true)]
async fn bodies_are_spoilt_in_every_way() {
    for fault in [Fault::TruncatedBody, Fault::GarbageBody, Fault::BrokenBody, Fault::SlowBody] {
        let two = Two::with(Some(fault));
        create(&two.clear, OURS).await.unwrap();
        let begun = Instant::now();
        let body = read(&two.faulty).await;
        match fault {
            Fault::TruncatedBody => {
                let body = body.unwrap();
                assert!(OURS.starts_with(&body) && body != OURS);
            }
            Fault::GarbageBody => assert_ne!(body.unwrap(), OURS),
            Fault::BrokenBody => assert!(body.is_err()),
            _ => {
                assert_eq!(body.unwrap(), OURS);
                assert!(begun.elapsed() >= millis(3_000));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn listings_are_old_short_or_in_no_order() {
    let stale = Two::with(Some(Fault::StaleListing));
    create(&stale.clear, OURS).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..20 {
        seen.push(list(&stale.faulty).await.unwrap().len());
    }
    assert!(seen.contains(&0) && seen.contains(&1), "{seen:?}");
    sleep(millis(5_000)).await;
    stale.clear.delete(&path()).await.unwrap();
    let children = stale.faulty.list_with_delimiter(None).await.unwrap().common_prefixes;
    assert_eq!((children, list(&stale.clear).await.unwrap().len()), (vec![Path::from("a")], 0));

    let names: Vec<_> = (0..9).map(|name| format!("{name}")).collect();
    for fault in [Fault::ShortListing, Fault::UnorderedListing] {
        let two = Two::with(Some(fault));
        for name in &names {
            two.clear.put(&Path::from(name.as_str()), OURS.into()).await.unwrap();
        }
        let Ok(mut listed) = list(&two.faulty).await else {
            assert_eq!(fault, Fault::ShortListing);
            continue;
        };
        assert_ne!(listed, names);
        listed.sort_unstable();
        assert_eq!((fault, listed), (Fault::UnorderedListing, names.clone()));
    }
}

#[tokio::test(start_paused = true)]
async fn listings_do_not_end_or_lack_keys() {
    let endless = Two::with(Some(Fault::EndlessListing));
    create(&endless.clear, OURS).await.unwrap();
    let listed = endless.faulty.list(None).take(100).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(listed.len(), 100);

    let skipping = Two::with(Some(Fault::SkippedKeys));
    for name in 0..40 {
        let path = Path::from(format!("{name:02}/x"));
        skipping.clear.put(&path, OURS.into()).await.unwrap();
    }
    let listed = list(&skipping.faulty).await.unwrap().len();
    let children = skipping.faulty.list_with_delimiter(None).await.unwrap().common_prefixes.len();
    assert!([listed, children].iter().all(|count| (5..35).contains(count)), "{listed} {children}");
}

#[tokio::test(start_paused = true)]
async fn permission_is_revoked_for_everything_and_for_a_while() {
    let two = Two::with(Some(Fault::Revoked));
    assert!(matches!(two.create().await, Err(Error::PermissionDenied { .. })));
    two.faulty.link.always(Some(Fault::SlowBody));
    assert!(matches!(read(&two.faulty).await, Err(Error::PermissionDenied { .. })));
    assert!(matches!(list(&two.faulty).await, Err(Error::PermissionDenied { .. })));
    sleep(millis(2_000)).await;
    two.create().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_killed_process_hears_nothing_and_what_it_sent_lands_or_not() {
    let mut landed = Vec::new();
    for seed in 0..20 {
        let two = Two::with(None);
        let link = Arc::new(Link::new(seed, 0.0));
        let faulty = FaultStore { link: link.clone(), ..two.faulty.clone() };
        let create = tokio::spawn(async move { create(&faulty, OURS).await });
        tokio::task::yield_now().await;
        link.kill();
        assert!(timeout(millis(60_000), create).await.is_err());
        landed.push(two.found().await.is_some());
    }
    assert!(landed.contains(&true) && landed.contains(&false), "{landed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_process_goes_on_later() {
    let two = Two::with(None);
    two.faulty.link.pause(true);
    assert!(timeout(millis(60_000), two.create()).await.is_err());
    assert_eq!(two.found().await, None);
    two.faulty.link.pause(false);
    two.create().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_way_that_is_cut_lets_through_what_it_says() {
    for (cut, arrives) in [(Cut::Refused, false), (Cut::Silent, false), (Cut::OneWay, true)] {
        let two = Two::with(None);
        two.faulty.link.cut(Some(cut));
        two.create().await.unwrap_err();
        assert_eq!(two.found().await.is_some(), arrives, "{cut:?}");
        two.faulty.link.cut(None);
        assert_eq!(two.create().await.is_ok(), !arrives);
    }
}
