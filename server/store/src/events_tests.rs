//! What the store holds after a create or an end that was repeated, raced or cut short.

use std::time::Duration;

use hitl_core::{EventId, Namespace, Outcome, Spec, Timestamp};
use object_store::PutMode;
use object_store::limit::LimitStore;

use super::*;
use crate::clock::{ManualClock, SystemClock};
use hitl_testing::scripted::{self, Op, Scripted, Step, broken};
use hitl_testing::spec;

fn store() -> EventStore {
    EventStore::over(scripted::empty(), false, Arc::new(SystemClock))
}

/// A second view of the same store, with nothing in memory: what a restart sees.
fn reopened(store: &EventStore) -> EventStore {
    EventStore::over(store.objects.shared(), false, Arc::new(SystemClock))
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms).unwrap()
}

fn request(now_ms: i64) -> Arc<Request> {
    let spec = Spec { idempotency_key: Some("k".into()), ..spec(60_000) };
    Arc::new(
        hitl_core::create(spec, Namespace::default(), EventId::from_bytes([1; 16]), at(now_ms))
            .unwrap(),
    )
}

fn response(time_ms: i64) -> Response {
    Response {
        outcome: Outcome::Cancelled { reason: String::new() },
        time: at(time_ms),
        responder: None,
        answer_id: None,
        comment: String::new(),
        votes: Vec::new(),
        weight: hitl_core::Weight::default(),
    }
}

async fn entries(store: &EventStore, index: Index) -> Vec<Entry> {
    let mut entries = Vec::new();
    for minute in store.indexes().minutes(index, at(0), at(i64::MAX >> 20)).await.unwrap().found {
        entries.extend(store.indexes().minute(index, minute).await.unwrap().found);
    }
    entries
}

#[tokio::test]
async fn a_repeated_create_finds_the_first_and_leaves_one_timer() {
    let store = store();
    let first = request(1_000);
    assert!(!store.create(first.clone(), Nonce([1; 16])).await.unwrap().existed);
    let again = store.create(request(99_000), Nonce([2; 16])).await.unwrap();
    assert!(again.existed);
    assert_eq!(again.request, first);
    assert_eq!(entries(&store, Index::Timers).await, [timer(&first)]);
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_timer_cannot_be_written_gives_up_its_request() {
    let scripted = Scripted::over(scripted::empty());
    let store = EventStore::over(scripted.clone(), true, Arc::new(SystemClock));
    scripted.next(Op::Put, "timers/", Step::RefuseAndSay(broken));
    scripted.next(Op::Put, "request.json", Step::After(Box::pin(std::future::pending())));
    let create = store.create(request(1_000), Nonce([1; 16]));
    let created = tokio::time::timeout(Duration::from_secs(60), create).await.expect("it ends");
    assert!(matches!(created, Err(Error::StoreUnavailable(_))), "{created:?}");
}

#[tokio::test]
async fn a_request_without_a_timer_is_given_it() {
    let store = store();
    let first = request(1_000);
    store.create(first.clone(), Nonce([1; 16])).await.unwrap();
    store.indexes().remove(Index::Timers, &timer(&first)).await.unwrap();
    let store = reopened(&store);
    let event = store.read(&first.key()).await.unwrap().unwrap();
    assert_eq!(event, Event { request: first.clone(), response: None });
    assert_eq!(entries(&store, Index::Timers).await, []);
    store.ensure_indexed(event).await.unwrap();
    assert_eq!(entries(&store, Index::Timers).await, [timer(&first)]);
}

#[tokio::test]
async fn a_timer_that_is_missing_because_the_event_has_just_ended_is_not_left_behind() {
    let store = Arc::new(store());
    let request = request(1_000);
    store.create(request.clone(), Nonce([1; 16])).await.unwrap();
    let scripted = Scripted::over(store.objects.shared());
    let other = EventStore::over(scripted.clone(), true, Arc::new(SystemClock));
    let pending = other.read(&request.key()).await.unwrap().unwrap();
    let end = {
        let (store, pending) = (store.clone(), pending.clone());
        async move {
            store
                .end(&pending, store.read_at(), response(2_000), Nonce([2; 16]))
                .await
                .unwrap()
                .unwrap();
            store.indexes().remove(Index::Timers, &timer(&pending.request)).await.unwrap();
        }
    };
    scripted.next(Op::Head, "timers/", Step::After(Box::pin(end)));
    let event = other.ensure_indexed(pending).await.unwrap();
    assert!(event.response.is_some(), "it says that it has ended");
    assert_eq!(entries(&store, Index::Timers).await, []);
}

#[tokio::test]
async fn the_first_end_is_the_only_one_and_history_holds_it_once() {
    let clock = Arc::new(ManualClock::at(at(3_000)));
    let store = EventStore::over(scripted::empty(), false, clock);
    let request = request(1_000);
    store.create(request.clone(), Nonce([1; 16])).await.unwrap();
    let pending = Event { request: request.clone(), response: None };
    let first = store
        .end(&pending, store.read_at(), response(2_000), Nonce([2; 16]))
        .await
        .unwrap()
        .unwrap();
    let second = store
        .end(&pending, store.read_at(), response(3_000), Nonce([3; 16]))
        .await
        .unwrap()
        .unwrap();
    assert!(first.ours && !second.ours);
    assert_eq!(first.event, second.event);
    assert_eq!(reopened(&store).read(&request.key()).await.unwrap(), Some(first.event));
    assert_eq!(
        entries(&store, Index::Resolved).await,
        [Entry { time: at(2_000), key: request.key() }]
    );
}

#[tokio::test]
async fn an_end_by_another_process_is_seen_although_the_event_is_remembered() {
    let store = store();
    let request = request(1_000);
    store.create(request.clone(), Nonce([1; 16])).await.unwrap();
    let pending = store.read(&request.key()).await.unwrap().unwrap();
    let ended = reopened(&store)
        .end(&pending, store.read_at(), response(2_000), Nonce([2; 16]))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(store.read(&request.key()).await.unwrap(), Some(ended.event));
}

#[tokio::test]
async fn what_was_never_asked_is_absent_unless_the_store_itself_is() {
    let scripted = Scripted::over(scripted::empty());
    let store = EventStore::over(scripted.clone(), true, Arc::new(SystemClock));
    let key = request(1_000).key();
    store.check().await.unwrap();
    assert_eq!(store.read(&key).await.unwrap(), None);
    // What a bucket says that was deleted, and a proxy that has lost it.
    scripted.hide(Some(""));
    let failure = store.read(&key).await.unwrap_err();
    assert!(failure.to_string().contains("meta/format.json is not in the store"), "{failure}");
    assert!(matches!(store.check().await, Err(Error::StoreUnavailable(_))));
}

#[tokio::test]
async fn a_record_that_was_copied_to_another_event_is_refused() {
    let store = store();
    let request = request(1_000);
    store.create(request.clone(), Nonce([1; 16])).await.unwrap();
    let other = EventKey { id: EventId::from_bytes([9; 16]), ..request.key() };
    let bytes = store.objects.bytes(&keys::request(&request.key())).await.unwrap().unwrap();
    store.objects.put(&keys::request(&other), bytes, PutMode::Create).await.unwrap();
    let refusal = store.read(&other).await.unwrap_err();
    assert!(matches!(refusal, Error::RecordUnreadable { .. }), "{refusal}");

    let pending = Event { request: request.clone(), response: None };
    store.end(&pending, store.read_at(), response(2_000), Nonce([2; 16])).await.unwrap().unwrap();
    let bytes = store.objects.bytes(&keys::response(&request.key())).await.unwrap().unwrap();
    store.objects.put(&keys::response(&other), bytes, PutMode::Create).await.unwrap();
    let refusal = store.read_response(&other).await.unwrap_err();
    assert!(matches!(refusal, Error::RecordUnreadable { .. }), "{refusal}");
}

#[tokio::test]
async fn what_is_removed_while_it_is_read_is_not_remembered() {
    let scripted = Scripted::over(scripted::empty());
    let store = Arc::new(EventStore::over(scripted.clone(), false, Arc::new(SystemClock)));
    let request = request(1_000);
    store.create(request.clone(), Nonce([1; 16])).await.unwrap();
    let pending = Event { request: request.clone(), response: None };
    let ended = store.end(&pending, store.read_at(), response(2_000), Nonce([2; 16])).await;
    let ended = ended.unwrap().unwrap().event;
    let reader = Arc::new(EventStore::over(scripted.clone(), false, Arc::new(SystemClock)));
    let removal = {
        let (reader, ended) = (reader.clone(), ended.clone());
        async move { reader.bury(&ended, reader.read_at(), at(3_000), Nonce([3; 16])).await.unwrap() }
    };
    scripted.next(Op::Get, "response.json", Step::After(Box::pin(removal)));
    assert_eq!(reader.read(&request.key()).await.unwrap(), Some(ended.clone()), "as it was read");
    reader.ensure_announced(&ended).await.unwrap();
    assert_eq!(reader.read(&request.key()).await.unwrap(), None);
}

#[tokio::test]
async fn on_the_embedded_store_an_operation_is_one_write_unless_something_has_to_see_each() {
    let dir = tempfile::tempdir().unwrap();
    for (name, is_layered) in [("bare", false), ("layered", true)] {
        let url = crate::StoreUrl::Embedded(dir.path().join(name));
        let options =
            || crate::Options {
                clock: Arc::new(ManualClock::at(at(1_000))),
                layer: Box::new(move |store| {
                    if is_layered { Arc::new(LimitStore::new(store, 64)) } else { store }
                }),
                ..crate::Options::default()
            };
        let store = crate::open(&url, options()).await.unwrap();
        let first = request(1_000);
        assert!(!store.create(first.clone(), Nonce([1; 16])).await.unwrap().existed);
        let again = store.create(request(99_000), Nonce([2; 16])).await.unwrap();
        assert!(again.existed);
        assert_eq!(again.request, first);
        assert_eq!(entries(&store, Index::Timers).await, [timer(&first)]);
        assert_eq!(entries(&store, Index::Created).await, [announcement(&first)]);

        let read_at = store.read_at();
        let event = store.read(&first.key()).await.unwrap().unwrap();
        let end = async |time, nonce| {
            store.end(&event, read_at, response(time), Nonce([nonce; 16])).await.unwrap().unwrap()
        };
        let ended = end(2_000, 3).await;
        assert!(ended.ours);
        assert_eq!(ended.has_no_expiry, !is_layered);
        let late = end(3_000, 4).await;
        assert!(!late.ours && !late.has_no_expiry);
        assert_eq!(late.event, ended.event);
        assert_eq!(entries(&store, Index::Timers).await.is_empty(), !is_layered);
        let announced = Entry { time: at(2_000), key: first.key() };
        assert_eq!(entries(&store, Index::Resolved).await, [announced]);

        drop(store);
        let store = crate::open(&url, options()).await.unwrap();
        assert_eq!(store.read(&first.key()).await.unwrap(), Some(ended.event));
    }
}
