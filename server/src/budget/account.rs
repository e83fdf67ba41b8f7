//! What one connection holds and owes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hitl_service::quotas::{Credential, OverQuota, Payer};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::turns::{Turn, Turns};
use super::{Budget, CALL_BYTES, Full, Lease};

/// Most credentials that are noted of one connection. Who sends more through one is a proxy.
const CALLERS_MAX: usize = 64;

/// A connection's part of the budget.
#[derive(Debug)]
pub struct Account {
    id: u64,
    peer: IpAddr,
    /// The same, as far as it tells one customer from another.
    customer: Payer,
    held: AtomicUsize,
    /// The connection's own bytes, until it is gone.
    own: Mutex<Option<Lease>>,
    state: Mutex<State>,
    turns: Turns,
    /// Ends the connection at once.
    close: CancellationToken,
    /// Lets it finish what is under way, and then ends it.
    retire: CancellationToken,
}

#[derive(Debug)]
struct State {
    calls: usize,
    /// When the last call ended, or the connection began.
    idle_since: Instant,
    /// What the peer owes, by the number of the debt.
    owed: BTreeMap<u64, Owed>,
    next_number: u64,
    /// Who has called on the connection.
    callers: Vec<Credential>,
}

#[derive(Clone, Copy, Debug)]
struct Owed {
    since: Instant,
    by: Instant,
}

/// Something that the peer owes until an instant: settled when dropped.
#[derive(Debug)]
pub struct Due {
    account: Arc<Account>,
    number: u64,
}

/// A call under way, with its part of the budget. Cheap to clone; it ends with its last clone.
#[derive(Clone, Debug)]
pub struct Call(Arc<CallParts>);

#[derive(Debug)]
struct CallParts {
    budget: Budget,
    account: Arc<Account>,
    lease: Lease,
    overran: AtomicBool,
    /// The body, while it is owed.
    body: Mutex<Option<Due>>,
    /// Messages that were read of a body that goes on as long as the call; the opening of such a body is the first.
    messages: AtomicU64,
}

/// What a look at an account shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub(super) peer: IpAddr,
    pub(super) customer: Payer,
    pub(super) held: usize,
    pub(super) calls: usize,
    pub(super) idle_since: Instant,
    /// Since when the oldest debt stands.
    pub(super) owes_since: Option<Instant>,
    /// When the first debt is due.
    pub(super) owes_by: Option<Instant>,
}

impl Account {
    pub(super) fn new(id: u64, peer: IpAddr, now: Instant) -> Self {
        let state = State {
            calls: 0,
            idle_since: now,
            owed: BTreeMap::new(),
            next_number: 0,
            callers: Vec::new(),
        };
        Self {
            id,
            peer,
            customer: Payer::from_address(peer),
            held: AtomicUsize::new(0),
            own: Mutex::default(),
            state: Mutex::new(state),
            turns: Turns::new(),
            close: CancellationToken::new(),
            retire: CancellationToken::new(),
        }
    }

    /// The turns of its calls.
    pub fn turns(&self) -> Turns {
        self.turns.clone()
    }

    /// Tells connections apart for as long as the process lives.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Completes when the connection is to end at once.
    pub async fn closed(&self) {
        self.close.cancelled().await;
    }

    /// Completes when the connection is to finish what is under way and end.
    pub async fn retired(&self) {
        self.retire.cancelled().await;
    }

    /// Notes that the peer owes something within `limit`.
    pub fn owes(self: &Arc<Self>, limit: Duration) -> Due {
        let since = Instant::now();
        let mut state = self.state();
        let number = state.next_number;
        state.next_number += 1;
        state.owed.insert(number, Owed { since, by: since + limit });
        drop(state);
        Due { account: self.clone(), number }
    }

    /// Begins a call whose head takes `head_bytes`.
    ///
    /// # Errors
    /// [`Full`] if the budget, or what is left to this connection, is short.
    pub fn call(self: &Arc<Self>, budget: &Budget, head_bytes: usize) -> Result<Call, Full> {
        let lease = budget.lease(Some(self), CALL_BYTES + head_bytes)?;
        self.state().calls += 1;
        let (budget, account) = (budget.clone(), self.clone());
        let (overran, messages) = (AtomicBool::new(false), AtomicU64::new(0));
        let body = Mutex::default();
        Ok(Call(Arc::new(CallParts { budget, account, lease, overran, body, messages })))
    }

    pub(super) fn customer(&self) -> Payer {
        self.customer
    }

    /// Whether `credential` has called on this connection, or so many others have that it is not noted any more.
    pub(super) fn knows(&self, credential: Credential) -> bool {
        let state = self.state();
        state.callers.len() >= CALLERS_MAX || state.callers.contains(&credential)
    }

    /// Notes that `credential` has called on this connection; whether it had not before.
    pub(super) fn learn(&self, credential: Credential) -> bool {
        let mut state = self.state();
        let is_new = !state.callers.contains(&credential);
        if is_new {
            state.callers.push(credential);
        }
        is_new
    }

    /// Forgets who has called, and returns them.
    pub(super) fn take_callers(&self) -> Vec<Credential> {
        std::mem::take(&mut self.state().callers)
    }

    pub(super) fn close(&self) {
        self.close.cancel();
    }

    pub(super) fn retire(&self) {
        self.retire.cancel();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.close.is_cancelled()
    }

    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    pub(super) fn add_held(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn hold(&self, own: Lease) {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = Some(own);
    }

    /// Gives back the connection's own bytes, which hold the account in turn.
    pub(super) fn release(&self) {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(own);
    }

    pub(super) fn view(&self) -> View {
        let state = self.state();
        View {
            peer: self.peer,
            customer: self.customer,
            held: self.held(),
            calls: state.calls,
            idle_since: state.idle_since,
            owes_since: state.owed.values().next().map(|owed| owed.since),
            owes_by: state.owed.values().map(|owed| owed.by).min(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Due {
    fn drop(&mut self) {
        self.account.state().owed.remove(&self.number);
    }
}

impl Call {
    /// Notes that `credential` makes the call.
    ///
    /// # Errors
    /// [`OverQuota`] if it has called on as many other connections as it may.
    pub fn made_by(&self, credential: Credential) -> Result<(), OverQuota> {
        self.0.budget.call_by(&self.0.account, credential)
    }

    /// The connection that the call came by.
    pub fn account(&self) -> &Arc<Account> {
        &self.0.account
    }

    /// Completes when it is the turn of this call to be worked on.
    pub async fn turn(&self) -> Turn {
        self.0.account.turns.next().await
    }

    /// Takes `bytes` more for the body of the call. Once that fails the call has to be refused.
    ///
    /// # Errors
    /// As [`Budget::lease`].
    pub fn take(&self, bytes: usize) -> Result<(), Full> {
        let taken = self.0.lease.grow(bytes);
        if taken.is_err() {
            self.0.overran.store(true, Ordering::Relaxed);
        }
        taken
    }

    /// Gives back `bytes` that were taken for the body.
    pub fn give_back(&self, bytes: usize) {
        self.0.lease.shrink(bytes);
    }

    /// Notes that the peer owes the body, or the next message of it, within `limit`, if it does not yet.
    pub fn owes_body(&self, limit: Duration) {
        self.body().get_or_insert_with(|| self.0.account.owes(limit));
    }

    /// Notes that the body has come.
    pub fn body_came(&self) {
        let due = self.body().take();
        drop(due);
    }

    /// Notes that a message was read of a body that goes on as long as the call, or that the body is of that kind: the
    /// peer owes nothing until it begins with the next message, and that is paid for anew.
    pub fn message_came(&self) {
        self.0.messages.fetch_add(1, Ordering::Relaxed);
        self.body_came();
    }

    /// How often [`Call::message_came`] was called: never, if the body is one whole.
    pub fn messages(&self) -> u64 {
        self.0.messages.load(Ordering::Relaxed)
    }

    fn body(&self) -> MutexGuard<'_, Option<Due>> {
        self.0.body.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether [`Call::take`] has failed.
    pub fn has_overrun(&self) -> bool {
        self.0.overran.load(Ordering::Relaxed)
    }

    /// Bytes of the call's reply that exist already.
    pub fn reply(&self, bytes: usize) -> Lease {
        self.0.budget.lease_at_once(Some(&self.0.account), bytes)
    }
}

impl Drop for CallParts {
    fn drop(&mut self) {
        let mut state = self.account.state();
        state.calls -= 1;
        state.idle_since = Instant::now();
    }
}
