//! Reads the store of a server that was killed, with the same library but without the server.
//!
//! Whoever asks the server for an overdue event makes it time out by asking. Only the store can show whether the timer
//! itself had done it.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use futures::TryStreamExt;
use hitl_embedded::{EmbeddedStore, Options};
use object_store::ObjectStore;
use object_store::path::Path as Key;

use crate::history::{Autopsy, Life};

/// Lists what the store in `dir` holds of the events, at the end of `life`.
pub(crate) async fn open(dir: &Path, life: Life) -> Result<Autopsy> {
    let dir = dir.to_owned();
    let store =
        tokio::task::spawn_blocking(|| EmbeddedStore::open(dir, Options::default())).await??;
    let keys: Vec<Key> = store
        .list(Some(&Key::from("events")))
        .map_ok(|object| object.location)
        .try_collect()
        .await?;
    tokio::task::spawn_blocking(|| drop(store)).await?;
    let having = |record: &str| -> BTreeSet<String> {
        keys.iter()
            .filter_map(|key| event_of(key, record))
            .collect()
    };
    Ok(Autopsy {
        life,
        asked: having("request.json"),
        ended: having("response.json"),
    })
}

/// The event in `events/{namespace}/{event}/{record}`.
fn event_of(key: &Key, record: &str) -> Option<String> {
    let mut parts = key.parts().skip(2);
    let event = parts.next()?.as_ref().to_owned();
    (parts.next()?.as_ref() == record).then_some(event)
}
