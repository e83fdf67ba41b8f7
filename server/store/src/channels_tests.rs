//! Revisions of channels over a store in memory.

use hitl_core::{ChannelId, Timestamp};
use object_store::memory::InMemory;

use super::*;
use crate::clock::SystemClock;

/// A golden file: it may be added to, never changed.
const CHANNEL_V1: &str = include_str!("golden/channel-v1.json");

fn store() -> EventStore {
    EventStore::over(Arc::new(InMemory::new()), true, Arc::new(SystemClock))
}

fn revision(name: &str, revision: u32, kind: &str) -> StoredChannel {
    let time = Timestamp::from_ms(1_795_354_620_123).unwrap();
    let way =
        Way { kind: kind.to_owned(), settings: serde_json::json!({}), sealed: "sealed".to_owned() };
    StoredChannel {
        id: ChannelId::of_random(7 << 24),
        name: name.to_owned(),
        revision,
        create_time: time,
        update_time: time,
        changed_by: None,
        way: Some(way),
        rules: Vec::new(),
    }
}

#[test]
fn records_of_channels_are_read_and_written_the_same() {
    let path = keys::channel("ops", 2);
    assert_eq!(path.as_ref(), "channels/ops/000002.json");
    let read: ChannelRecord = record::decode(&path, CHANNEL_V1.as_bytes()).unwrap();
    assert_eq!(keys::channel_revision(&path), Some(("ops", 2)));
    let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    assert_eq!(json(&record::encode(&read)), json(CHANNEL_V1.as_bytes()));
    assert!(!format!("{read:?}").contains("c2VhbGVk"), "{read:?}");
}

#[tokio::test]
async fn the_last_revision_holds_and_the_one_before_is_gone() {
    let store = store();
    let nonce = |byte| Nonce([byte; 16]);
    let first = revision("ops", 1, "webhook");
    assert!(store.write_channel(&first, nonce(1)).await.unwrap());
    let again = StoredChannel { id: ChannelId::of_random(9 << 24), ..first.clone() };
    assert!(!store.write_channel(&again, nonce(2)).await.unwrap(), "the first one counts");
    assert_eq!(store.channels(&[]).await.unwrap(), [Arc::new(first.clone())]);

    let gone = StoredChannel { way: None, ..revision("ops", 2, "") };
    assert!(store.write_channel(&gone, nonce(3)).await.unwrap());
    store.write_channel(&revision("chat", 1, "ntfy"), nonce(4)).await.unwrap();
    let known = store.channels(&[]).await.unwrap();
    assert_eq!(known, [Arc::new(revision("chat", 1, "ntfy")), Arc::new(gone)]);
    let paths = store.objects.list(&keys::channels()).await.unwrap().found;
    assert_eq!(paths.len(), 2, "the secrets of the first are gone with it: {paths:?}");
    let again = store.channels(&known).await.unwrap();
    assert!(again.iter().zip(&known).all(|(a, b)| Arc::ptr_eq(a, b)), "what is known is not read");
}
