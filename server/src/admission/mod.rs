//! How many calls are worked on at a time, how many each caller makes, and what replies may take: one measure for all
//! doors.

mod rate;
mod shares;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use hitl_core::{Event, Namespace};
use hitl_service::error::Error;
use hitl_service::quotas::{OverQuota, Party, Payer, Quotas, Scope};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::budget::{Account, Budget, Lease};
use rate::Rates;
use shares::{Share, Shares, Whole};

/// What the making of a page of a list takes at most: the events read at a time, the page, and its message.
const PAGE_BYTES: usize = 16 * 1024 * 1024;
/// What a byte of an event comes to in a reply: its message, and that as it is sent, with room to grow.
pub(crate) const REPLY_FACTOR: usize = 3;
/// Pages of lists that are made at a time, for each processor: each may take it for a while.
const PAGES_PER_PROCESSOR: usize = 2;
/// How long a list waits for its turn.
const PAGE_PATIENCE: Duration = Duration::from_secs(1);
/// Entries of all batches that are worked on at a time.
const ENTRIES_MAX: usize = 512;

/// See the module. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Admission {
    /// One permit for each call under way. Waits are not counted, nor are lists: those wait for their turn, and would
    /// keep out whoever answers meanwhile.
    calls: Arc<Semaphore>,
    /// One permit for each page of a list that is being made.
    pages: Arc<Semaphore>,
    /// One permit for each entry of a batch that is worked on.
    entries: Arc<Semaphore>,
    /// What of these one credential may have.
    shares: Arc<Shares>,
    /// How many calls each party makes.
    rates: Arc<Rates>,
    /// What replies may take.
    budget: Budget,
}

/// The right to be worked on, which is one of all and one of those of a credential, if there is one.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    _of_all: SemaphorePermit<'a>,
    _of_own: Option<(Share, OwnedSemaphorePermit)>,
}

/// The right to make a page of a list.
#[derive(Debug)]
pub(crate) struct PageTurn<'a> {
    _turn: Turn<'a>,
    _room: Lease,
}

impl Admission {
    /// At most `calls_max` calls under way at a time, and replies within `budget`, of which each caller gets what
    /// `quotas` say.
    pub fn new(calls_max: usize, budget: Budget, quotas: Quotas) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let pages = processors * PAGES_PER_PROCESSOR;
        let whole = Whole { calls: calls_max, pages, entries: ENTRIES_MAX };
        Self {
            calls: Arc::new(Semaphore::new(calls_max)),
            pages: Arc::new(Semaphore::new(pages)),
            entries: Arc::new(Semaphore::new(ENTRIES_MAX)),
            shares: Arc::new(Shares::new(whole)),
            rates: Arc::new(Rates::new(quotas)),
            budget,
        }
    }

    /// Counts a call of `payer`, which may be one of many that came together.
    ///
    /// # Errors
    /// [`OverQuota`] if it has made too many lately.
    pub(crate) fn count(&self, payer: Payer) -> Result<(), OverQuota> {
        self.rates.count(payer.parties(None))
    }

    /// Whether calls are counted by their namespaces.
    pub(crate) fn counts_in_namespaces(&self) -> bool {
        self.rates.counts_for(Scope::Namespace)
    }

    /// Counts a call that acts in `namespace`.
    ///
    /// # Errors
    /// [`OverQuota`] if too many did lately.
    pub(crate) fn count_in(&self, namespace: &Namespace) -> Result<(), OverQuota> {
        self.rates.count(std::iter::once(Party::Namespace(namespace.clone())))
    }

    /// The right of `payer` to have a call under way. Waits are none.
    pub(crate) fn call(&self, payer: Payer) -> Result<Turn<'_>, Error> {
        let of_own = payer.credential().map(|credential| {
            let share = self.shares.of(credential);
            let turn = share.calls.clone().try_acquire_owned().map_err(|_| Error::Overloaded)?;
            Ok::<_, Error>((share, turn))
        });
        let of_own = of_own.transpose()?;
        let of_all = self.calls.try_acquire().map_err(|_| Error::Overloaded)?;
        Ok(Turn { _of_all: of_all, _of_own: of_own })
    }

    /// The turn of `payer` to make a page of a list, and the room for it, before anything is read, since what is read
    /// is there at once.
    pub(crate) async fn page(&self, payer: Payer) -> Result<PageTurn<'_>, Error> {
        let turn = self.turn(payer, &self.pages, |share| &share.pages);
        let turn = tokio::time::timeout(PAGE_PATIENCE, turn).await;
        let turn = turn.map_err(|_| Error::Overloaded)??;
        Ok(PageTurn { _turn: turn, _room: self.budget.lease(None, PAGE_BYTES)? })
    }

    /// The turn of `payer` to have an entry of a batch worked on.
    pub(crate) async fn entry(&self, payer: Payer) -> Result<Turn<'_>, Error> {
        self.turn(payer, &self.entries, |share| &share.entries).await
    }

    /// One turn of `all`. Whoever has a credential waits for its own share first, so that it stands in nobody's way.
    async fn turn<'a>(
        &self,
        payer: Payer,
        all: &'a Semaphore,
        own: impl Fn(&Share) -> &Arc<Semaphore>,
    ) -> Result<Turn<'a>, Error> {
        let of_own = match payer.credential().map(|credential| self.shares.of(credential)) {
            None => None,
            Some(share) => {
                let turn = own(&share).clone().acquire_owned().await;
                Some((share, turn.map_err(|_| Error::Overloaded)?))
            }
        };
        let of_all = all.acquire().await.map_err(|_| Error::Overloaded)?;
        Ok(Turn { _of_all: of_all, _of_own: of_own })
    }

    /// Room for so many bytes, of this account if there is one.
    pub(crate) fn lease(
        &self,
        account: Option<&Arc<Account>>,
        bytes: usize,
    ) -> Result<Lease, Error> {
        Ok(self.budget.lease(account, bytes)?)
    }

    /// Whether there is room for a reply with `event`.
    pub(crate) fn can_reply(&self, event: &Event) -> Result<(), Error> {
        Ok(self.budget.can_afford(event.weight_bytes() * REPLY_FACTOR)?)
    }

    /// Completes once there is room for a message with `event`, of whose end somebody is told.
    pub(crate) async fn can_deliver(&self, event: &Event) {
        self.budget.can_deliver(event.weight_bytes() * REPLY_FACTOR).await;
    }
}

#[cfg(test)]
mod tests {
    use hitl_core::{Known, KnownKind, Namespaces, Principal, Rights, Role};

    use super::*;

    fn payer(id: &str) -> Payer {
        let known = Known {
            kind: KnownKind::Person,
            id: id.to_owned(),
            name: String::new(),
            rights: Rights::of([Role::Admin].into_iter().collect(), Namespaces::All),
            groups: Vec::new(),
            until: None,
        };
        Payer::new(&Principal::Known(Arc::new(known)), None)
    }

    #[tokio::test(start_paused = true)]
    async fn a_credential_that_floods_leaves_turns_for_others() {
        let admission = Admission::new(10, Budget::unlimited(), Quotas::none());
        let (flood, other) = (payer("flood"), payer("other"));
        let mut calls = Vec::new();
        while let Ok(call) = admission.call(flood) {
            calls.push(call);
        }
        assert_eq!(calls.len(), 5);
        assert!(admission.call(other).is_ok());
        let mut pages = Vec::new();
        while let Ok(page) = admission.page(flood).await {
            pages.push(page);
        }
        assert!(!pages.is_empty() && admission.page(other).await.is_ok());
        drop((calls, pages));
        assert!(admission.call(flood).is_ok() && admission.page(flood).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_no_credential_may_have_all_turns() {
        let admission = Admission::new(10, Budget::unlimited(), Quotas::none());
        let calls: Vec<_> = (0..10).map(|_| admission.call(Payer::default()).unwrap()).collect();
        assert!(admission.call(Payer::default()).is_err());
        drop(calls);
    }
}
