//! Looks at what is pending in the store, so that quotas go by it.

use std::pin::pin;

use futures::TryStreamExt;
use hitl_store::{Index, Order};

use crate::error::Error;
use crate::{Parts, Service};

/// Least time between two looks, and after one that failed.
const PAUSE_MS: i64 = 10_000;

impl Service {
    /// Counts what is pending: once on a store of one process, else whenever it is to be known. Ends at the shutdown,
    /// or when there is nothing more to do.
    pub(crate) async fn count_pending(&self) {
        let Parts { store, pending, clock, shutdown, .. } = &*self.0;
        if !pending.is_counted() {
            return;
        }
        let counting = async {
            loop {
                if store.is_shared() {
                    pending.wanted().await;
                }
                let counted = if store.is_shared() {
                    self.look_at_pending().await
                } else {
                    self.read_pending().await
                };
                match counted {
                    Ok(()) if !store.is_shared() => return,
                    Ok(()) => {}
                    Err(error) => {
                        tracing::warn!(%error, "what is pending could not be counted, and will be again");
                    }
                }
                clock.pause_until(clock.monotonic().plus_ms(PAUSE_MS)).await;
            }
        };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            () = counting => {}
        }
    }

    /// Reads all that is pending, which costs nothing but time on a store of this machine.
    async fn read_pending(&self) -> Result<(), Error> {
        let Parts { store, pending, .. } = &*self.0;
        let mut listings = pin!(store.indexes().scan(Index::Timers, None, Order::Earliest));
        while let Some(listed) = listings.try_next().await? {
            for entry in listed.found {
                // What cannot be read is counted by nobody, and others say so.
                if let Ok(Some(event)) = store.read(&entry.key).await
                    && event.response.is_none()
                {
                    pending.was_there(&event);
                }
            }
        }
        Ok(())
    }

    /// Lists all that is pending.
    async fn look_at_pending(&self) -> Result<(), Error> {
        let Parts { store, pending, .. } = &*self.0;
        let mut look = pending.look();
        let mut listings = pin!(store.indexes().scan(Index::Timers, None, Order::Earliest));
        while let Some(listed) = listings.try_next().await? {
            if !listed.damaged.is_empty() {
                return Err(Error::Internal("a part of the pending index is damaged".to_owned()));
            }
            pending.seen(&mut look, listed.found.iter().map(|entry| &entry.key));
        }
        pending.looked(&look);
        Ok(())
    }
}
