//! Makes sure at the start that every ended event which is not kept for ever has the job that removes it.
//!
//! Whoever ends an event writes that job too. A crash, or a server with another policy, may leave an end without one.
//! So a server that starts looks through the ends: through all of them if the policy is new, else through those since
//! the last start. If it is cut short, the next start does the same again.

use std::pin::pin;

use futures::TryStreamExt;
use hitl_core::{EventId, EventKey, Namespace, Timestamp};
use hitl_store::{Entry, Index, Order};

use crate::Service;
use crate::error::Error;

/// Pause before it is tried again after a failure.
const AGAIN_MS: i64 = 10_000;
/// How far before the last start it looks: ends may take their time to the store, and clocks differ.
const MARGIN_MS: i64 = 3_600_000;

impl Service {
    /// Looks through the ends once. If that fails it tries again, until it succeeds or the server shuts down.
    pub(super) async fn owe_removals(&self) {
        while !self.0.shutdown.is_cancelled() {
            let Err(error) = self.owe_all().await else { return };
            tracing::warn!(%error, "the history could not be looked through, and will be again");
            let again = self.0.clock.monotonic().plus_ms(AGAIN_MS);
            tokio::select! {
                biased;
                () = self.0.shutdown.cancelled() => {}
                () = self.0.clock.pause_until(again) => {}
            }
        }
    }

    async fn owe_all(&self) -> Result<(), Error> {
        let store = &self.0.store;
        let record = store.retention_record().await?;
        if record.is_none() && store.retention().is_for_ever() {
            return Ok(());
        }
        let begun = self.now()?;
        let policy = store.retention().to_string();
        let since = record.filter(|(written, _)| *written == policy).map(|(_, time)| time);
        if !store.retention().is_for_ever() {
            let owed = self.owe_since(since.map(|time| time.plus_ms(-MARGIN_MS))).await?;
            if owed > 0 {
                self.0.jobs.sweep();
            }
            tracing::info!(%policy, owed, "events that have ended are removed after their time of retention");
        }
        Ok(store.note_retention(begun).await?)
    }

    /// Writes the missing jobs of the events that ended since then, or of all events. Returns how many it wrote.
    async fn owe_since(&self, since: Option<Timestamp>) -> Result<usize, Error> {
        let store = &self.0.store;
        let after = since.map(|time| Entry {
            time,
            key: EventKey { namespace: Namespace::default(), id: EventId::from_bytes([0; 16]) },
        });
        let mut listings = pin!(store.indexes().scan(Index::Resolved, after, Order::Earliest));
        let mut owed = 0;
        while let Some(listed) = listings.try_next().await? {
            owed += store.owe_removals(&listed.found).await?;
            if self.0.shutdown.is_cancelled() {
                return Err(Error::ShuttingDown);
            }
        }
        Ok(owed)
    }
}
