//! How many events are pending, and how many bytes they have, for each party.
//!
//! What is pending outlives its caller and this process, so it cannot be counted by who holds it:
//!
//! - **What this server has created** is remembered by its id, with whom it counts for, until it has ended. On a store
//!   of one process what was there at the start is read and remembered too, so that these figures are right.
//! - **On a shared store** others create and end events as well. A look at the pending index, which has one key for
//!   each of them, says how many each namespace has, and which of those that this server remembers have ended
//!   elsewhere. A look costs a listing for every thousand events, so there is one only when a quota is used up, or when
//!   a namespace has got a tenth of its quota since the last, and one in ten seconds at most.
//!
//! So each server of a shared store may let a namespace have a tenth of its quota more than the quota. A credential has
//! its quota at each of them. Nobody is refused for longer than ten seconds by what has ended.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hitl_core::{Event, EventId, EventKey, Namespace};
use tokio::sync::Notify;

use super::{Credential, Measure, OverQuota, Party, Payer, Quota, Quotas, Tally};

/// Most events that are remembered, at some 40 bytes each. Those beyond count for their namespace alone.
const REMEMBERED_MAX: usize = 500_000;
/// The part of its quota that a namespace gets before the next look, as one in so many.
const UNSEEN_PART: u64 = 10;
/// Most namespaces that have got something since the last look.
const UNSEEN_MAX: usize = 100_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct Pending {
    is_counted: bool,
    is_shared: bool,
    state: Mutex<State>,
    /// Notified when there is to be a look.
    wanted: Notify,
}

#[derive(Debug)]
struct State {
    events: Tally,
    bytes: Tally,
    remembered: HashMap<EventId, Remembered>,
    holders: HashSet<Arc<Holder>>,
    /// What each namespace has got since the last look.
    unseen: HashMap<Namespace, u64>,
    /// The number of the last look.
    look: u32,
}

/// For whom events count.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Holder {
    payer: Payer,
    namespace: Namespace,
}

#[derive(Debug)]
struct Remembered {
    holder: Arc<Holder>,
    bytes: u32,
    /// The look in which it was seen, or before which it was created.
    look: u32,
}

/// The place of an event that is about to be created. It is given up when dropped, unless it is kept.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pending: &'a Pending,
    key: EventKey,
    counts: Counts,
}

/// For whom an event that is about to be created was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    /// For nobody: it counts already, or nothing is counted.
    Nobody,
    /// For its namespace alone, since there is no room to remember it.
    Namespace,
    /// For all of its parties.
    All,
}

/// A look that is under way.
#[derive(Debug)]
pub(crate) struct Look {
    number: u32,
    /// How many events each namespace had when it began.
    before: HashMap<Namespace, u64>,
    seen: HashMap<Namespace, u64>,
}

impl Pending {
    pub(crate) fn new(quotas: Quotas, is_shared: bool) -> Self {
        let measures = [Measure::PendingEvents, Measure::PendingBytes];
        let is_counted = Quota::all()
            .any(|quota| measures.contains(&quota.measure) && quotas.max(quota) != Quotas::NONE);
        let state = State {
            events: Tally::new(Measure::PendingEvents, 1, quotas),
            bytes: Tally::new(Measure::PendingBytes, 1, quotas),
            remembered: HashMap::new(),
            holders: HashSet::new(),
            unseen: HashMap::new(),
            look: 0,
        };
        Self { is_counted, is_shared, state: Mutex::new(state), wanted: Notify::new() }
    }

    /// Whether there is any quota of what is pending.
    pub(crate) fn is_counted(&self) -> bool {
        self.is_counted
    }

    /// A place for the event at `key`, of so many `bytes`, which `payer` is about to create.
    ///
    /// # Errors
    /// [`OverQuota`].
    pub(crate) fn place(
        &self,
        payer: Payer,
        key: EventKey,
        bytes: usize,
    ) -> Result<Place<'_>, OverQuota> {
        if !self.is_counted {
            return Ok(Place { pending: self, key, counts: Counts::Nobody });
        }
        let mut state = self.state();
        if state.remembered.contains_key(&key.id) {
            // The create is repeated.
            return Ok(Place { pending: self, key, counts: Counts::Nobody });
        }
        let parties = payer.parties(Some(&key.namespace));
        let fits = state.events.check(parties.clone(), 1);
        let fits = fits.and_then(|()| state.bytes.check(parties, bytes as u64));
        let counts = fits.map(|()| state.remember(payer, &key, bytes));
        if self.is_shared && state.is_look_due(&key.namespace, counts.is_err()) {
            self.wanted.notify_one();
        }
        drop(state);
        counts.map(|counts| Place { pending: self, key, counts })
    }

    /// Notes that this server has ended the event at `key`.
    pub(crate) fn ended(&self, key: &EventKey) {
        if self.is_counted {
            let mut state = self.state();
            if !state.forget(key.id) {
                // It was created elsewhere, or counts for its namespace alone.
                state.forget_one_of(&key.namespace);
            }
        }
    }

    /// Notes that the event at `key` was found to have ended, if that is not known yet.
    pub(crate) fn found_ended(&self, key: &EventKey) {
        if self.is_counted && self.is_shared {
            self.state().forget(key.id);
        }
    }

    /// Notes an event that was pending at the start.
    pub(crate) fn was_there(&self, event: &Event) {
        let request = &event.request;
        let credential = request.created_by.as_ref().and_then(Credential::of_proof);
        let payer = Payer::of_credential(credential);
        let mut state = self.state();
        if !state.remembered.contains_key(&request.id) {
            state.remember(payer, &request.key(), event.weight_bytes());
        }
    }

    /// Completes when there is to be a look.
    pub(crate) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Begins a look.
    pub(crate) fn look(&self) -> Look {
        let mut state = self.state();
        state.look += 1;
        state.unseen.clear();
        Look { number: state.look, before: state.namespaces(), seen: HashMap::new() }
    }

    /// Takes note of pending events that `look` has come to.
    pub(crate) fn seen<'a>(&self, look: &mut Look, keys: impl Iterator<Item = &'a EventKey>) {
        let mut state = self.state();
        for key in keys {
            *look.seen.entry(key.namespace.clone()).or_default() += 1;
            if let Some(remembered) = state.remembered.get_mut(&key.id) {
                remembered.look = look.number;
            }
        }
    }

    /// Ends `look`, which has come to all that is pending.
    pub(crate) fn looked(&self, look: &Look) {
        let mut state = self.state();
        let gone: Vec<EventId> = state
            .remembered
            .iter()
            .filter(|(_, remembered)| remembered.look < look.number)
            .map(|(id, _)| *id)
            .collect();
        let now = state.namespaces();
        for id in gone {
            state.forget(id);
        }
        let all: HashSet<&Namespace> = now.keys().chain(look.seen.keys()).collect();
        for namespace in all {
            let of = |counts: &HashMap<Namespace, u64>| counts.get(namespace).copied().unwrap_or(0);
            // What was created and ended here while the look went on.
            let count = (of(&look.seen) + of(&now)).saturating_sub(of(&look.before));
            state.events.set(Party::Namespace(namespace.clone()), count);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// Keeps the place, since the event was created.
    pub(crate) fn keep(mut self) {
        self.counts = Counts::Nobody;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        match self.counts {
            Counts::Nobody => {}
            Counts::Namespace => self.pending.state().forget_one_of(&self.key.namespace),
            Counts::All => {
                self.pending.state().forget(self.key.id);
            }
        }
    }
}

impl State {
    /// Counts an event for all for whom it counts, or for its namespace alone if there is no room to remember it.
    fn remember(&mut self, payer: Payer, key: &EventKey, bytes: usize) -> Counts {
        let namespace = key.namespace.clone();
        if self.remembered.len() >= REMEMBERED_MAX {
            self.events.add_anyway(std::iter::once(Party::Namespace(namespace)), 1);
            return Counts::Namespace;
        }
        let parties = payer.parties(Some(&namespace));
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.events.add_anyway(parties.clone(), 1);
        self.bytes.add_anyway(parties, u64::from(bytes));
        let holder = self.holder(Holder { payer, namespace });
        self.remembered.insert(key.id, Remembered { holder, bytes, look: self.look });
        Counts::All
    }

    /// Counts a remembered event no more; whether it was one.
    fn forget(&mut self, id: EventId) -> bool {
        let Some(Remembered { holder, bytes, .. }) = self.remembered.remove(&id) else {
            return false;
        };
        let parties = holder.payer.parties(Some(&holder.namespace));
        self.events.remove(parties.clone(), 1);
        self.bytes.remove(parties, u64::from(bytes));
        // One is in the set, and this is the other.
        if Arc::strong_count(&holder) == 2 {
            self.holders.remove(&holder);
        }
        true
    }

    /// Counts an event that is not remembered no more.
    fn forget_one_of(&mut self, namespace: &Namespace) {
        self.events.remove(std::iter::once(Party::Namespace(namespace.clone())), 1);
    }

    /// One copy of `holder` for all events of it.
    fn holder(&mut self, holder: Holder) -> Arc<Holder> {
        if let Some(known) = self.holders.get(&holder) {
            return known.clone();
        }
        let holder = Arc::new(holder);
        self.holders.insert(holder.clone());
        holder
    }

    /// Whether there is to be a look after another event of `namespace` was let in, or was refused.
    fn is_look_due(&mut self, namespace: &Namespace, is_refused: bool) -> bool {
        let (_, max) = self.events.max(&Party::Namespace(namespace.clone()));
        let unseen = self.unseen.entry(namespace.clone()).or_default();
        *unseen += 1;
        let is_grown = max != Quotas::NONE && unseen.saturating_mul(UNSEEN_PART) >= max;
        is_refused || is_grown || self.unseen.len() >= UNSEEN_MAX
    }

    /// How many events each namespace has.
    fn namespaces(&self) -> HashMap<Namespace, u64> {
        let all = self.events.parties().filter_map(|party| match party {
            Party::Namespace(namespace) => Some((namespace.clone(), self.events.has(party))),
            Party::Credential(_) | Party::Address(_) => None,
        });
        all.collect()
    }
}
