//! How many calls are worked on at a time, and what their replies may take: one measure for all doors.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use hitl_core::Event;
use hitl_service::error::Error;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::budget::{Account, Budget, Lease};

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
    /// One permit for each call under way, waits not counted.
    calls: Arc<Semaphore>,
    /// One permit for each page of a list that is being made.
    pages: Arc<Semaphore>,
    /// One permit for each entry of a batch that is worked on.
    entries: Arc<Semaphore>,
    /// What replies may take.
    budget: Budget,
}

/// The right to make a page of a list.
#[derive(Debug)]
pub(crate) struct PageTurn<'a> {
    _turn: SemaphorePermit<'a>,
    _room: Lease,
}

impl Admission {
    /// At most `calls_max` calls under way at a time, and replies within `budget`.
    pub fn new(calls_max: usize, budget: Budget) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            calls: Arc::new(Semaphore::new(calls_max)),
            pages: Arc::new(Semaphore::new(processors * PAGES_PER_PROCESSOR)),
            entries: Arc::new(Semaphore::new(ENTRIES_MAX)),
            budget,
        }
    }

    /// The right to be one of the calls under way.
    pub(crate) fn call(&self) -> Result<SemaphorePermit<'_>, Error> {
        self.calls.try_acquire().map_err(|_| Error::Overloaded)
    }

    /// The turn to make a page of a list, and the room for it, before anything is read, since what is read is there at
    /// once.
    pub(crate) async fn page(&self) -> Result<PageTurn<'_>, Error> {
        let turn = tokio::time::timeout(PAGE_PATIENCE, self.pages.acquire()).await;
        let turn = turn.ok().and_then(Result::ok).ok_or(Error::Overloaded)?;
        Ok(PageTurn { _turn: turn, _room: self.budget.lease(None, PAGE_BYTES)? })
    }

    /// The turn to work on an entry of a batch.
    pub(crate) async fn entry(&self) -> Result<SemaphorePermit<'_>, Error> {
        self.entries.acquire().await.map_err(|_| Error::Overloaded)
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
