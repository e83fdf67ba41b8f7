//! Links in a store in memory.

use std::sync::Arc;

use object_store::memory::InMemory;

use super::*;
use crate::clock::SystemClock;

/// Golden files: they may be added to, never changed.
const LINK_V1: &str = include_str!("golden/link-v1.json");
const REVOCATION_V1: &str = include_str!("golden/revocation-v1.json");

fn store() -> EventStore {
    EventStore::over(Arc::new(InMemory::new()), true, Arc::new(SystemClock))
}

fn json(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}

fn link() -> StoredLink {
    let record: LinkRecord = record::decode(&Path::from("x"), LINK_V1.as_bytes()).unwrap();
    record.link
}

fn event() -> LinkedEvent {
    link().event
}

const ALL: LinksOf<'_> = LinksOf::Everybody;
const ANN: LinksOf<'_> = LinksOf::Responder("Ann");

async fn revoke(store: &EventStore, of: LinksOf<'_>, number: u32) {
    let by = (link().create_time, None);
    store.revoke_links(event(), of, number, by, Nonce([1; 16])).await.unwrap();
}

#[test]
fn records_of_links_are_read_and_written_the_same() {
    let path = Path::from("links/020779/x.json");
    let read: LinkRecord = record::decode(&path, LINK_V1.as_bytes()).unwrap();
    assert_eq!(json(&record::encode(&read)), json(LINK_V1.as_bytes()));
    let read: RevocationRecord = record::decode(&path, REVOCATION_V1.as_bytes()).unwrap();
    assert_eq!(json(&record::encode(&read)), json(REVOCATION_V1.as_bytes()));
}

#[test]
fn an_id_says_the_day_of_its_events_deadline_and_survives_its_text() {
    let id = LinkId::new(event().deadline, [0xab; 13]);
    assert_eq!(id, link().id);
    assert_eq!(id.path().as_ref(), format!("links/020779/{id}.json"));
    assert_eq!(LinkId::from_bytes(id.bytes()), id);
    assert_eq!(id.to_string().parse::<LinkId>().unwrap(), id);
    assert!("00512B".parse::<LinkId>().is_err());
}

#[test]
fn each_revocation_of_each_event_and_responder_has_a_key_of_its_own() {
    let other = LinkedEvent { namespace: "team".parse().unwrap(), ..event() };
    let keys = [
        event().revocation(ALL, 0),
        event().revocation(ALL, 1),
        event().revocation(ANN, 0),
        event().revocation(LinksOf::Responder("Bob"), 0),
        event().revocation(LinksOf::Responder(""), 0),
        other.revocation(ALL, 0),
    ];
    let different: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(different.len(), keys.len());
    // Persisted: it must stay as it is.
    let golden =
        "revocations/020779/3b56c55369b28b2c4a35ee74a8bc59d4e5c103cbf823807be63af2c762f31ca4.json";
    assert_eq!(keys[2].as_ref(), golden);
}

#[tokio::test]
async fn a_link_is_found_by_its_id_and_another_record_under_its_key_is_none() {
    let store = store();
    assert_eq!(store.link(link().id).await.unwrap(), None);
    store.create_link(link(), Nonce([1; 16])).await.unwrap();
    assert_eq!(store.link(link().id).await.unwrap(), Some(link()));
    let other = LinkId::new(event().deadline, [1; 13]);
    let bytes = store.objects.bytes(&link().id.path()).await.unwrap().unwrap();
    store.objects.put(&other.path(), bytes, object_store::PutMode::Create).await.unwrap();
    assert!(matches!(store.link(other).await, Err(Error::RecordUnreadable { .. })));
}

#[tokio::test]
async fn a_revocation_ends_what_was_made_before_it_and_nothing_else() {
    let store = store();
    assert_eq!(store.revocations(&event(), ANN).await.unwrap(), 0);
    revoke(&store, ANN, 0).await;
    revoke(&store, ANN, 0).await;
    assert_eq!(store.revocations(&event(), ANN).await.unwrap(), 1);
    assert!(store.is_revoked(&event(), ANN, 0).await.unwrap());
    assert!(!store.is_revoked(&event(), ANN, 1).await.unwrap());
    for of in [ALL, LinksOf::Responder("Bob")] {
        assert!(!store.is_revoked(&event(), of, 0).await.unwrap());
    }
    for number in 1..REVOCATIONS_MAX {
        revoke(&store, ANN, number).await;
    }
    assert_eq!(store.revocations(&event(), ANN).await.unwrap(), REVOCATIONS_MAX);
}

#[tokio::test]
async fn what_is_kept_of_links_goes_a_month_after_the_deadline() {
    let store = store();
    store.create_link(link(), Nonce([1; 16])).await.unwrap();
    revoke(&store, ANN, 0).await;
    let deadline = event().deadline;
    store.remove_old_links(deadline.plus_ms(VIEW_MS)).await.unwrap();
    assert!(store.link(link().id).await.unwrap().is_some());
    assert!(store.is_revoked(&event(), ANN, 0).await.unwrap());
    store.remove_old_links(deadline.plus_ms(VIEW_MS + 2 * DAY_MS)).await.unwrap();
    assert!(store.link(link().id).await.unwrap().is_none());
    assert!(!store.is_revoked(&event(), ANN, 0).await.unwrap());
}

#[tokio::test]
async fn the_namespaces_are_those_that_have_events() {
    let store = store();
    assert!(store.namespaces().await.unwrap().is_empty());
    for namespace in ["default", "team-1"] {
        let key = EventKey { namespace: namespace.parse().unwrap(), ..event().key() };
        store.objects.mark(&keys::request(&key)).await.unwrap();
    }
    let found = store.namespaces().await.unwrap();
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["default", "team-1"]);
}
