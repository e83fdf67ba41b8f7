//! Removes announcements of creates and updates that are older than the oldest token from which a watch can resume,
//! what is kept of sign-outs and links that are over, and old dead letters.
//!
//! Those of ends are the history and stay. Every replica sweeps, at a time of its own; what two sweep is removed twice,
//! which is harmless.

use std::pin::pin;

use futures::{StreamExt, TryStreamExt};
use hitl_core::Timestamp;
use hitl_store::announcements::RESUMABLE_MS;
use hitl_store::{Index, Order, random};

use crate::Service;
use crate::error::Error;

/// Time between two sweeps.
const SWEEP_MS: i64 = 3_600_000;
/// How much older than that an announcement has to be, since the clocks of servers differ.
const MARGIN_MS: i64 = 600_000;
/// Announcements removed at the same time.
const REMOVING_MAX: usize = 16;

impl Service {
    /// Sweeps about once an hour, until the shutdown.
    pub(super) async fn sweep_announcements(&self) {
        let clock = &self.0.clock;
        // Not all replicas at once, nor right after each start.
        let share = i64::from(u16::from_be_bytes(random::bytes(&*self.0.random)));
        let mut next = clock.monotonic().plus_ms(SWEEP_MS * share / i64::from(u16::MAX));
        loop {
            tokio::select! {
                biased;
                () = self.0.shutdown.cancelled() => return,
                () = clock.pause_until(next) => {}
            }
            next = clock.monotonic().plus_ms(SWEEP_MS);
            let before = clock.now().plus_ms(-RESUMABLE_MS - MARGIN_MS);
            for index in [Index::Created, Index::Updated] {
                if let Err(error) = self.remove_announcements(index, before).await {
                    tracing::warn!(%error, "old announcements could not be removed and will be again");
                }
            }
            if let Err(error) = self.0.store.remove_old_session_marks(clock.now()).await {
                tracing::warn!(%error, "old sign-outs could not be removed and will be again");
            }
            if let Err(error) = self.0.store.remove_old_links(clock.now()).await {
                tracing::warn!(%error, "old links could not be removed and will be again");
            }
            if let Err(error) = self.0.store.remove_old_dead_letters(clock.now()).await {
                tracing::warn!(%error, "old dead letters could not be removed and will be again");
            }
            if let Err(error) = self.0.store.remove_old_audit(clock.now()).await {
                tracing::warn!(%error, "the old audit could not be removed and will be again");
            }
        }
    }

    async fn remove_announcements(&self, index: Index, before: Timestamp) -> Result<(), Error> {
        let indexes = self.0.store.indexes();
        let mut listings = pin!(indexes.scan(index, None, Order::Earliest));
        while let Some(listed) = listings.try_next().await? {
            let is_done = listed.found.last().is_some_and(|last| last.time >= before);
            let old = listed.found.into_iter().filter(|entry| entry.time < before);
            let removals = old.map(|entry| async move { indexes.remove(index, &entry).await });
            let removed: Vec<_> =
                futures::stream::iter(removals).buffer_unordered(REMOVING_MAX).collect().await;
            removed.into_iter().collect::<Result<(), _>>()?;
            if is_done {
                break;
            }
        }
        Ok(())
    }
}
