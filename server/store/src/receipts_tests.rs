//! Every end is signed as it is recorded, and a record that was changed afterwards is found.

use hitl_core::{Event, EventId, Namespace, Outcome, Responder};
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;

use super::*;
use crate::Nonce;
use crate::clock::ManualClock;
use hitl_testing::{scripted, spec};

/// Golden files, the signature of which a program of somebody else has made: these may be added to, never changed.
const REQUEST: &str = include_str!("golden/request-v1.json");
const RESPONSE: &str = include_str!("golden/response-v1-receipt.json");
const OLD_RESPONSE: &str = include_str!("golden/response-v1.json");
const KEY: &str = include_str!("golden/receipt-key-v1.json");
const KEY_ID: &str = "--6IM5l0OosLj9yWskISYhUA3n_3CURQkmrYMSha_ck";

const NOW_MS: i64 = 1_795_354_620_000;

fn key(n: u8) -> Arc<SigningKey> {
    Arc::new(SigningKey::from_seed(&[n; 32]))
}

fn replica(store: &Arc<InMemory>, signer: &Arc<SigningKey>) -> EventStore {
    let clock = ManualClock::at(Timestamp::from_ms(NOW_MS).unwrap());
    EventStore::over(store.clone(), true, Arc::new(clock)).signing_with(signer.clone())
}

async fn asked(store: &EventStore) -> Event {
    let now = Timestamp::from_ms(NOW_MS).unwrap();
    let request =
        hitl_core::create(spec(60_000), Namespace::default(), EventId::from_bytes([1; 16]), now);
    let request = Arc::new(request.unwrap());
    store.create(request.clone(), Nonce([1; 16])).await.unwrap();
    Event { request, response: None }
}

fn response(outcome: Outcome, responder: Option<Responder>) -> Response {
    let time = Timestamp::from_ms(NOW_MS + 1_000).unwrap();
    Response {
        outcome,
        time,
        responder,
        answer_id: None,
        comment: String::new(),
        votes: Vec::new(),
        weight: hitl_core::Weight::default(),
    }
}

async fn the_receipt(store: &EventStore, request: &Request) -> Receipt {
    match store.receipt(request).await.unwrap() {
        ReceiptOf::Event(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

async fn keys(store: &EventStore) -> KeySet {
    store.receipt_keys().await.unwrap().iter().map(|published| published.key).collect()
}

#[tokio::test]
async fn every_kind_of_end_has_a_receipt() {
    let reason = || "no".to_owned();
    let ends = [
        (Outcome::Answered { value: hitl_core::Value::Int(7) }, "EVENT_STATE_ANSWERED"),
        (Outcome::Declined { reason: reason() }, "EVENT_STATE_DECLINED"),
        (Outcome::Cancelled { reason: reason() }, "EVENT_STATE_CANCELLED"),
        (Outcome::TimedOut { default: None }, "EVENT_STATE_TIMED_OUT"),
        (Outcome::TimedOut { default: Some(hitl_core::Value::Int(5)) }, "EVENT_STATE_TIMED_OUT"),
    ];
    for (outcome, state) in ends {
        let store = replica(&scripted::empty(), &key(1));
        assert!(store.publish_receipt_key(&key(1).public()).await.unwrap());
        let event = asked(&store).await;
        let end = response(outcome, None);
        store.end(&event, store.read_at(), end, Nonce([2; 16])).await.unwrap().unwrap();
        let receipt = the_receipt(&store, &event.request).await;
        let said = receipt.verify(&keys(&store).await).unwrap();
        assert_eq!((said.state(), said.event_id()), (state, event.request.id.to_string().as_str()));
    }
}

#[tokio::test]
async fn two_replicas_that_race_leave_one_receipt_which_is_of_the_recorded_response() {
    for first in [0, 1] {
        let store = scripted::empty();
        let replicas = [replica(&store, &key(1)), replica(&store, &key(2))];
        for (replica, n) in replicas.iter().zip([1, 2]) {
            replica.publish_receipt_key(&key(n).public()).await.unwrap();
        }
        let event = asked(&replicas[0]).await;
        let end = |n: usize| {
            let value = hitl_core::Value::Int(i64::try_from(n).unwrap());
            let nonce = Nonce([u8::try_from(n).unwrap(); 16]);
            let (replica, end) = (&replicas[n], response(Outcome::Answered { value }, None));
            replica.end(&event, replica.read_at(), end, nonce)
        };
        let (one, other) = tokio::join!(end(first), end(1 - first));
        let ours = [one, other].map(|ended| ended.unwrap().unwrap().ours);
        assert_eq!(ours.iter().filter(|ours| **ours).count(), 1, "{ours:?}");
        let winner = if ours[0] { first } else { 1 - first };
        for replica in &replicas {
            let receipt = the_receipt(replica, &event.request).await;
            assert_eq!(receipt.key_id, key(u8::try_from(winner).unwrap() + 1).id());
            let said = receipt.verify(&keys(replica).await).unwrap();
            assert_eq!(said.json()["response"]["value"]["int"], winner.to_string());
        }
    }
}

/// A store as an older or another program has left it.
async fn golden(response: &str, key: &str) -> Objects {
    let store = scripted::empty();
    let event = "events/default/0192f0c1d2e37f00a1b2c3d4e5f60718";
    for (path, body) in [
        (format!("{event}/request.json"), REQUEST),
        (format!("{event}/response.json"), response),
        (format!("meta/receipt-keys/{KEY_ID}.json"), key),
    ] {
        store.put(&Path::from(path), body.to_owned().into()).await.unwrap();
    }
    Objects::new(store, crate::StoreMetrics::default())
}

async fn checked(objects: &Objects) -> Result<(), Error> {
    let path = Path::from("events/default/0192f0c1d2e37f00a1b2c3d4e5f60718/response.json");
    let keys = key_set(objects).await.unwrap();
    let record = objects.read::<ResponseRecord>(&path).await?.unwrap();
    check_receipt(objects, &keys, &path, record).await
}

#[tokio::test]
async fn a_receipt_of_the_first_format_is_verified_for_ever() {
    checked(&golden(RESPONSE, KEY).await).await.unwrap();
    checked(&golden(OLD_RESPONSE, KEY).await).await.unwrap();
}

#[tokio::test]
async fn whatever_was_changed_of_a_record_is_found() {
    for (from, to) in [
        ("42", "43"),
        ("40:00.123Z", "40:00.124Z"),
        ("Ann", "Amm"),
        ("form", "http"),
        ("127.0.0.1", "127.0.0.2"),
        ("\"a1\"", "\"a2\""),
        ("answered\": {\"value\": {\"int\": 42}}", "cancelled\": {\"reason\": \"\"}"),
        (KEY_ID, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
        ("==\"", "=\""),
        ("\"format\": 1", "\"format\": 2"),
    ] {
        let changed = RESPONSE.replacen(from, to, 1);
        assert_ne!(changed, RESPONSE, "{from}");
        let found = checked(&golden(&changed, KEY).await).await.unwrap_err().to_string();
        assert!(found.contains("its receipt"), "{from}: {found}");
    }
}

#[tokio::test]
async fn a_changed_question_is_found_too() {
    for (from, to) in [
        ("What should I add to x?", "What should I add to y?"),
        ("\"min\": 0", "\"min\": 1"),
        ("\"a\"", "\"b\""),
        ("14:37:00.000Z", "14:37:00.001Z"),
        ("{\"int\": 5}", "{\"int\": 6}"),
    ] {
        let objects = golden(RESPONSE, KEY).await;
        let path = Path::from("events/default/0192f0c1d2e37f00a1b2c3d4e5f60718/request.json");
        let changed = REQUEST.replacen(from, to, 1);
        assert_ne!(changed, REQUEST, "{from}");
        objects.put(&path, changed.into(), PutMode::Overwrite).await.unwrap();
        let found = checked(&objects).await.unwrap_err().to_string();
        assert!(found.contains("signature does not fit"), "{from}: {found}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_what_its_name_says_is_none() {
    let other = format!(
        r#"{{"version":1,"x":"{}","time":"2026-11-22T13:37:00.000Z"}}"#,
        key(9).public().x()
    );
    for damaged in [other.as_str(), "{", "{}"] {
        let objects = golden(RESPONSE, damaged).await;
        let path = keys::receipt_key(KEY_ID);
        check_key(&path, damaged.as_bytes()).unwrap_err();
        let found = checked(&objects).await.unwrap_err().to_string();
        assert!(found.contains("not among the 0 keys"), "{found}");
        // Whoever has the key puts it right.
        let store = EventStore::over(objects.shared(), false, Arc::new(crate::clock::SystemClock));
        assert!(store.publish_receipt_key(&key(7).public()).await.unwrap());
        checked(&objects).await.unwrap();
        assert!(!store.publish_receipt_key(&key(7).public()).await.unwrap());
    }
}
