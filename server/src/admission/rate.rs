//! How many calls a second each party makes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hitl_service::quotas::{Measure, OverQuota, Party, Quota, Quotas, Scope};
use tokio::time::Instant;

/// The calls of so long may come at once, after a time with none: programs begin their work together.
const BURST: Duration = Duration::from_secs(10);
/// Parties that are remembered before those are forgotten that have not called for a while.
const PARTIES: usize = 10_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Rates {
    quotas: Quotas,
    /// When each party will have paid for its calls, if it makes no more. Those that have paid may be missing.
    paid_by: Mutex<HashMap<Party, Instant>>,
}

impl Rates {
    pub(super) fn new(quotas: Quotas) -> Self {
        Self { quotas, paid_by: Mutex::default() }
    }

    /// Whether anybody's calls are counted by that.
    pub(super) fn counts_for(&self, scope: Scope) -> bool {
        self.quotas.max(Quota { measure: Measure::Calls, scope }) != Quotas::NONE
    }

    /// Counts a call of each of `parties`.
    ///
    /// # Errors
    /// [`OverQuota`] if one of them has made too many lately; then it counts for none.
    pub(super) fn count(
        &self,
        parties: impl Iterator<Item = Party> + Clone,
    ) -> Result<(), OverQuota> {
        let limited = parties.filter_map(|party| {
            let quota = Quota { measure: Measure::Calls, scope: party.scope() };
            let max = self.quotas.max(quota);
            (max != Quotas::NONE).then_some((party, quota, max))
        });
        if limited.clone().next().is_none() {
            return Ok(());
        }
        let now = Instant::now();
        let mut paid_by = self.paid_by.lock().unwrap_or_else(PoisonError::into_inner);
        for (party, quota, max) in limited.clone() {
            if paid_by.get(&party).is_some_and(|paid_by| *paid_by >= now + BURST) {
                return Err(OverQuota { quota, max });
            }
        }
        if paid_by.len() >= PARTIES {
            paid_by.retain(|_, paid_by| *paid_by > now);
        }
        for (party, _, max) in limited {
            let price = Duration::from_secs(1) / u32::try_from(max.max(1)).unwrap_or(u32::MAX);
            let from = paid_by.entry(party).or_insert(now);
            *from = (*from).max(now) + price;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use hitl_service::quotas::Payer;

    use super::*;

    fn calls(rates: &Rates, address: &str) -> usize {
        let payer = Payer::from_address(address.parse().unwrap());
        (0..1_000).take_while(|_| rates.count(payer.parties(None)).is_ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn who_calls_too_often_is_refused_until_it_has_paid_and_nobody_else_is() {
        let rates = Rates::new(Quotas::none().with(Measure::Calls, Scope::Address, 20));
        assert_eq!(calls(&rates, "192.0.2.1"), 200, "those of ten seconds at once");
        assert_eq!(calls(&rates, "192.0.2.1"), 0);
        assert_eq!(calls(&rates, "192.0.2.2"), 200);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(calls(&rates, "192.0.2.1"), 20);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(calls(&rates, "192.0.2.1"), 200, "what was not used is not saved up");
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_call_no_more_are_forgotten() {
        let rates = Rates::new(Quotas::none().with(Measure::Calls, Scope::Address, 20));
        for number in 0..2 * PARTIES {
            let address = std::net::Ipv4Addr::from_bits(u32::try_from(number).unwrap());
            rates.count(Payer::from_address(address.into()).parties(None)).unwrap();
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        let remembered = rates.paid_by.lock().unwrap().len();
        assert!(remembered <= PARTIES, "{remembered}");
    }
}
