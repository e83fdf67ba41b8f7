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
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;

use support::history::{Autopsy, Life};

/// The kinds of store that survive a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The embedded store, the default.
    Embedded,
    /// Plain files, each synced: `file://`.
    Files,
}

/// Lists what the store of this kind in `dir` holds of the events, at the end of `life`.
pub(crate) async fn open(kind: Kind, dir: &Path, life: Life) -> Result<Autopsy> {
    let dir = dir.to_owned();
    let keys = match kind {
        Kind::Embedded => {
            let open = || EmbeddedStore::open(dir, Options::default());
            let store = tokio::task::spawn_blocking(open).await??;
            let keys = list(&store).await?;
            // The server is to find the directory unlocked, and unlocking it blocks.
            tokio::task::spawn_blocking(|| drop(store)).await?;
            keys
        }
        Kind::Files => list(&LocalFileSystem::new_with_prefix(dir)?).await?,
    };
    let having = |record: &str| -> BTreeSet<String> {
        keys.iter().filter_map(|key| event_of(key, record)).collect()
    };
    Ok(Autopsy { life, asked: having("request.json"), ended: having("response.json") })
}

async fn list(store: &dyn ObjectStore) -> Result<Vec<Key>> {
    let objects = store.list(Some(&Key::from("events")));
    let keys = objects.map_ok(|object| object.location);
    Ok(keys.try_collect().await?)
}

/// The event in `events/{namespace}/{event}/{record}`.
fn event_of(key: &Key, record: &str) -> Option<String> {
    let mut parts = key.parts().skip(2);
    let event = parts.next()?.as_ref().to_owned();
    (parts.next()?.as_ref() == record).then_some(event)
}
