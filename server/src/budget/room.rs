//! Which connection can best be missed when there are as many as there may be.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hitl_service::quotas::Payer;
use tokio::time::Instant;

use super::account::{Account, View};

/// How long a connection is left alone after its last sign of life, however short room is.
const GRACE: Duration = Duration::from_secs(1);

/// Which of the `open` connections to close for a new one of `newcomer`: who has owed something for longest, else who
/// has been idle for longest, else one from the address that has most of them, if that is twice what the newcomer's
/// has.
pub(super) fn least_missed<'a>(
    open: impl Iterator<Item = &'a Arc<Account>>,
    newcomer: Payer,
    now: Instant,
) -> Option<&'a Arc<Account>> {
    let open: Vec<(&Arc<Account>, View)> = open.map(|account| (account, account.view())).collect();
    let since = |instant: Option<Instant>| {
        instant.filter(|instant| now.saturating_duration_since(*instant) >= GRACE)
    };
    let owing = open
        .iter()
        .filter_map(|(account, view)| Some((since(view.owes_since)?, account)))
        .min_by_key(|(since, _)| *since);
    let idle = || {
        let idle = open.iter().filter(|(_, view)| view.calls == 0);
        idle.filter_map(|(account, view)| Some((since(Some(view.idle_since))?, account)))
            .min_by_key(|(since, _)| *since)
    };
    owing.or_else(idle).map(|(_, account)| *account).or_else(|| crowding(&open, newcomer))
}

fn crowding<'a>(open: &[(&'a Arc<Account>, View)], newcomer: Payer) -> Option<&'a Arc<Account>> {
    let mut crowds: HashMap<Payer, usize> = HashMap::new();
    for (_, view) in open {
        *crowds.entry(view.customer).or_default() += 1;
    }
    let own = crowds.get(&newcomer).copied().unwrap_or(0);
    let (crowd, count) = crowds.into_iter().max_by_key(|(_, count)| *count)?;
    let of_crowd = open.iter().filter(|(_, view)| view.customer == crowd);
    let smallest = of_crowd.min_by_key(|(_, view)| view.calls)?;
    (count > 2 * own.max(1)).then_some(smallest.0)
}
