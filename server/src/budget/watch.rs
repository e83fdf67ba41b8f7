//! Lets connections go: those that have not done in time what they owe, those that have long been idle, and under
//! pressure those that hold much and read nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::account::{Account, View};
use super::{Budget, CONNECTION_BYTES};

/// Time between two looks.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Time between two looks while new work is refused.
const SHORT_INTERVAL: Duration = Duration::from_millis(100);
/// How long a connection without a call is kept.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(300);
/// How long a debt stands before its connection may be closed to make room.
const STALLED_AFTER: Duration = Duration::from_secs(2);
/// How long new work is refused before the connection that holds most is closed, though it does nothing wrong.
const PRESSURE_MAX: Duration = Duration::from_secs(2);

impl Budget {
    /// Watches over the connections until `shutdown`.
    pub async fn watch(&self, shutdown: CancellationToken) {
        let mut refused_since = None;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
                () = self.0.short.notified() => tokio::time::sleep(SHORT_INTERVAL).await,
                () = shutdown.cancelled() => return,
            }
            let now = Instant::now();
            let refused = self.0.refused.swap(false, Ordering::Relaxed);
            refused_since = if refused { refused_since.or(Some(now)) } else { None };
            self.look(now, refused_since);
        }
    }

    /// Closes the connections for which there is a reason. New work has been refused since `refused_since`.
    pub(super) fn look(&self, now: Instant, refused_since: Option<Instant>) {
        let mut open: Vec<(Arc<Account>, View)> = self
            .accounts()
            .iter()
            .filter(|account| !account.is_closing())
            .map(|account| (account.clone(), account.view()))
            .collect();
        open.retain(|(account, view)| {
            let late = view.owes_by.is_some_and(|by| now >= by);
            if late {
                tracing::debug!(peer = %view.peer, held = view.held, "a peer was too slow and is let go");
                account.close();
            } else if view.calls == 0 && now.duration_since(view.idle_since) >= IDLE_MAX {
                account.retire();
            }
            !late
        });
        if let Some(since) = refused_since {
            open.sort_by_key(|(_, view)| std::cmp::Reverse(view.held));
            self.shed(&open, now, now.duration_since(since) >= PRESSURE_MAX);
        }
    }

    /// Closes connections, those that hold most first, until half of the budget will be free: those that have owed
    /// something for a while, and the one that holds most if the pressure lasts although none of them is left.
    fn shed(&self, open: &[(Arc<Account>, View)], now: Instant, lasts: bool) {
        let enough = self.used().saturating_sub(self.bytes_max() / 2);
        let stalled = |view: &View| {
            view.held > CONNECTION_BYTES
                && view.owes_since.is_some_and(|since| now.duration_since(since) >= STALLED_AFTER)
        };
        let mut freed = 0;
        for (account, view) in open.iter().filter(|(_, view)| stalled(view)) {
            if freed >= enough {
                break;
            }
            account.close();
            freed += view.held;
        }
        if freed > 0 {
            tracing::warn!(freed, "memory was short: peers that did not read or send were let go");
        } else if let Some((account, view)) = open.first()
            && lasts
            && view.held > self.share_max() / 2
        {
            account.close();
            let (peer, freed) = (view.peer, view.held);
            tracing::warn!(%peer, freed, "memory was short: the peer that held most was let go");
        }
    }
}
