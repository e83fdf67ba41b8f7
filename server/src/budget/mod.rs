//! What the peers of this server may make it hold: one budget of bytes, shared out by connection.
//!
//! Every connection, every call with its head, body and reply, and every page under way takes a [`Lease`] on the budget
//! before it takes the memory, and holds it to the last byte. New work is refused while the budget is short. Callers
//! that wait already are served from a part of the budget that new work may not take. A peer has a deadline for each
//! thing that it has to do: send a head, send a body, read a reply. [`Budget::watch`] closes the connections of peers
//! that miss theirs, and while the budget is short also those of peers that have been late for longest.

mod account;
mod machine;
mod metrics;
mod room;
mod turns;
mod watch;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use hitl_service::SHARING;
use hitl_service::quotas::{
    Credential, Measure, OverQuota, Party, Payer, Quota, Quotas, Scope, Tally,
};

pub use account::{Account, Call, Due};
pub use machine::{bytes_for_callers, default_memory_bytes, descriptors_max, raise_descriptors};
pub use turns::{Turn, Turns};

/// What an open connection takes before it has asked for anything.
const CONNECTION_BYTES: usize = 32 * 1024;
/// What a call takes beside its head, body and reply; a wait is such a call.
const CALL_BYTES: usize = 12 * 1024;
/// What a wait takes that shares its stream with others.
pub const SHARED_WAIT_BYTES: usize = CALL_BYTES / SHARING;

/// Bounds on what is held for peers.
#[derive(Clone, Copy, Debug)]
pub struct BudgetLimits {
    /// Most bytes held at a time.
    pub bytes_max: usize,
    /// Most connections at a time.
    pub connections_max: usize,
    /// What of them one address, or one credential, may have.
    pub quotas: Quotas,
}

/// The budget is short: the call is refused, and may be repeated a little later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server holds as much as it may; try again later")]
pub struct Full;

/// Most waits that fit in half of a budget of so many bytes, so that other calls always have the rest.
pub fn waits_max(bytes_max: usize) -> usize {
    bytes_max / 2 / CALL_BYTES
}

impl From<Full> for hitl_service::Error {
    fn from(_: Full) -> Self {
        Self::Overloaded
    }
}

/// The budget of one server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: BudgetLimits,
    used: AtomicUsize,
    accounts: Mutex<Vec<Arc<Account>>>,
    /// On how many connections each credential has called.
    callers: Mutex<Tally>,
    next_id: AtomicU64,
    /// Notified when bytes are given back while somebody waits for them.
    freed: Notify,
    /// Whether new work was refused since the last look.
    refused: AtomicBool,
    /// Notified when new work is refused.
    short: Notify,
}

/// Bytes of the budget, given back when dropped.
#[derive(Debug)]
pub struct Lease {
    budget: Budget,
    /// Whose bytes they are; none for what the server does by itself.
    account: Option<Arc<Account>>,
    bytes: AtomicUsize,
}

impl Budget {
    /// A budget within `limits`, all of it free.
    pub fn new(limits: BudgetLimits) -> Self {
        Self(Arc::new(Shared {
            limits,
            used: AtomicUsize::new(0),
            accounts: Mutex::default(),
            callers: Mutex::new(Tally::new(Measure::Connections, 1, limits.quotas)),
            next_id: AtomicU64::new(1),
            freed: Notify::new(),
            refused: AtomicBool::new(false),
            short: Notify::new(),
        }))
    }

    /// A budget that is never short, for tests.
    pub fn unlimited() -> Self {
        let (bytes_max, connections_max) = (usize::MAX, usize::MAX);
        Self::new(BudgetLimits { bytes_max, connections_max, quotas: Quotas::none() })
    }

    /// Opens the account of a new connection from `peer`. If there are as many connections as there may be, of all or
    /// of this address, the one of them that can best be missed is closed for it.
    ///
    /// # Errors
    /// [`Full`] if none can be missed.
    pub fn connect(&self, peer: SocketAddr) -> Result<Arc<Account>, Full> {
        let now = Instant::now();
        let mut accounts = self.accounts();
        let customer = Payer::from_address(peer.ip());
        let all: &[Arc<Account>] = &accounts;
        let open = || all.iter().filter(|account| !account.is_closing());
        let own = || open().filter(move |account| account.customer() == customer);
        let missed = if own().count() as u64 >= self.of_address_max() {
            Some(room::least_missed(own(), customer, now).ok_or(Full)?)
        } else if open().count() >= self.0.limits.connections_max {
            Some(room::least_missed(open(), customer, now).ok_or(Full)?)
        } else {
            None
        };
        if let Some(missed) = missed {
            missed.close();
        }
        // Those that were told to close are still there for a moment.
        if accounts.len() >= self.0.limits.connections_max.saturating_mul(2) {
            return Err(Full);
        }
        let id = self.0.next_id.fetch_add(1, Ordering::Relaxed);
        let account = Arc::new(Account::new(id, peer.ip(), now));
        account.hold(self.lease_at_once(Some(&account), CONNECTION_BYTES));
        accounts.push(account.clone());
        Ok(account)
    }

    /// Closes the account of a connection that is gone.
    pub fn disconnect(&self, account: &Arc<Account>) {
        account.release();
        self.accounts().retain(|other| other.id() != account.id());
        let mut callers = self.callers();
        for credential in account.take_callers() {
            callers.remove(std::iter::once(Party::Credential(credential)), 1);
        }
    }

    /// Notes that `credential` calls on the connection of `account`.
    ///
    /// # Errors
    /// [`OverQuota`] if it has called on as many others as it may.
    pub fn call_by(&self, account: &Account, credential: Credential) -> Result<(), OverQuota> {
        if account.knows(credential) {
            return Ok(());
        }
        self.callers().add(std::iter::once(Party::Credential(credential)), 1)?;
        if !account.learn(credential) {
            self.callers().remove(std::iter::once(Party::Credential(credential)), 1);
        }
        Ok(())
    }

    /// `bytes` for new work of `account`, or of the server itself.
    ///
    /// An account may hold as much as it leaves to all others, so that who holds little still gets what it asks for
    /// when many hold much.
    ///
    /// # Errors
    /// [`Full`] if that would take the budget past the part for new work, or the account past its share.
    pub fn lease(&self, account: Option<&Arc<Account>>, bytes: usize) -> Result<Lease, Full> {
        let held = account.map_or(0, |account| account.held());
        if account.is_some() && held.saturating_add(bytes) > self.share_max() {
            return Err(Full);
        }
        self.can_afford(held.saturating_add(bytes))?;
        Ok(self.lease_at_once(account, bytes))
    }

    /// `bytes` that are held already, whatever the budget: the work was let in before, and it is there.
    pub fn lease_at_once(&self, account: Option<&Arc<Account>>, bytes: usize) -> Lease {
        let lease =
            Lease { budget: self.clone(), account: account.cloned(), bytes: AtomicUsize::new(0) };
        lease.add(bytes);
        lease
    }

    /// Whether new work of `bytes` may begin.
    ///
    /// # Errors
    /// [`Full`] if not; then some of those who hold much and read nothing are about to be let go.
    pub fn can_afford(&self, bytes: usize) -> Result<(), Full> {
        if self.used().saturating_add(bytes) <= self.new_work_max() {
            return Ok(());
        }
        self.0.refused.store(true, Ordering::Relaxed);
        self.0.short.notify_one();
        Err(Full)
    }

    /// Completes when `bytes` can be delivered to somebody who was let in long ago.
    pub async fn can_deliver(&self, bytes: usize) {
        let max = self.0.limits.bytes_max;
        loop {
            let mut freed = std::pin::pin!(self.0.freed.notified());
            freed.as_mut().enable();
            // What is larger than all of the budget goes when nothing else is held.
            if self.used().saturating_add(bytes) <= max.max(bytes) {
                return;
            }
            self.0.short.notify_one();
            freed.await;
        }
    }

    /// Bytes held now.
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Most bytes held at a time.
    pub fn bytes_max(&self) -> usize {
        self.0.limits.bytes_max
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.accounts().len()
    }

    /// Most calls, each with a head of `head_bytes`, that fit in what one connection may hold.
    pub fn streams_max(&self, head_bytes: usize) -> u32 {
        let calls = self.share_max() / (CALL_BYTES + head_bytes);
        u32::try_from(calls).unwrap_or(u32::MAX).max(1)
    }

    /// Up to here new work is let in. The rest is for what was let in before.
    fn new_work_max(&self) -> usize {
        self.0.limits.bytes_max / 4 * 3
    }

    /// The most that one connection may hold.
    fn share_max(&self) -> usize {
        self.0.limits.bytes_max / 4
    }

    /// The most connections that one address may have.
    fn of_address_max(&self) -> u64 {
        let quota = Quota { measure: Measure::Connections, scope: Scope::Address };
        self.0.limits.quotas.max(quota)
    }

    fn callers(&self) -> MutexGuard<'_, Tally> {
        self.0.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accounts(&self) -> MutexGuard<'_, Vec<Arc<Account>>> {
        self.0.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Takes `bytes` more, if new work may.
    ///
    /// # Errors
    /// As [`Budget::lease`]; what was held before still is.
    pub fn grow(&self, bytes: usize) -> Result<(), Full> {
        let more = self.budget.lease(self.account.as_ref(), bytes)?;
        // They are this lease's from now on.
        self.bytes.fetch_add(more.bytes.swap(0, Ordering::Relaxed), Ordering::Relaxed);
        Ok(())
    }

    /// Gives `bytes` back, of those that are held.
    pub fn shrink(&self, bytes: usize) {
        let freed = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            Some(held.saturating_sub(bytes))
        });
        let freed = freed.map_or(0, |held| held.min(bytes));
        self.give_back(freed);
    }

    fn give_back(&self, bytes: usize) {
        self.budget.0.used.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(account) = &self.account {
            account.give_back(bytes);
        }
        self.budget.0.freed.notify_waiters();
    }

    fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.budget.0.used.fetch_add(bytes, Ordering::Relaxed);
        if let Some(account) = &self.account {
            account.add_held(bytes);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.give_back(self.bytes.load(Ordering::Relaxed));
    }
}
