//! The waits of one stream: no task, no future and no slot for each, but a few words in a few maps.
//!
//! A wait goes through four phases: its event is to be read, is being read, is waited for, and has ended or failed,
//! which the caller is to be told. The group holds the keys of ended events, not the events, so that it stays small
//! however many have ended and however slowly the caller reads.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use hitl_core::{EventKey, Timestamp};
use tokio::sync::Notify;

use crate::error::Error;
use crate::waiters::seats::{Holder, Owner, Seat};
use crate::waiters::{Registry, Waiters};

/// When so many waits are over and not told yet, no more events are read: the caller does not keep up, and an event
/// that was read now would be forgotten again before it is told.
const UNTOLD_MAX: usize = 1_000;
/// How many waits of a stream that ends are given up at a time, before other work has its turn.
const LEAVE_AT_A_TIME: usize = 1_000;

/// The waits of one stream. Gives up their places when dropped.
#[derive(Debug)]
pub(crate) struct Group {
    number: u64,
    owner: Owner,
    waiters: Arc<Waiters>,
    signals: Arc<Signals>,
}

/// Wakes the tasks that serve the group.
#[derive(Debug, Default)]
struct Signals {
    /// There may be something to tell.
    told: Notify,
    /// There may be something to read.
    read: Notify,
}

/// What the registry knows of a group.
#[derive(Debug)]
pub(super) struct GroupState {
    owner: Owner,
    waits: HashMap<Arc<EventKey>, SharedWait>,
    /// What is to be read, in order.
    unread: BTreeMap<u64, Arc<EventKey>>,
    /// Waits that are over and not told yet, in order.
    untold: BTreeMap<u64, Untold>,
    /// What is read again at an instant.
    looks: BTreeSet<(Timestamp, Arc<EventKey>)>,
    next: u64,
    signals: Arc<Signals>,
}

#[derive(Debug)]
struct SharedWait {
    /// Tells it from an earlier wait for the same event.
    seat: u64,
    phase: Phase,
    /// Whether the caller left out the namespace.
    is_unnamed: bool,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Unread { turn: u64, again: bool },
    Reading,
    Waiting { look_at: Option<Timestamp> },
    Over { turn: u64 },
}

#[derive(Debug)]
struct Untold {
    key: Arc<EventKey>,
    failure: Option<Box<Error>>,
}

/// What is to be read for a wait.
#[derive(Debug)]
pub(crate) struct Unread {
    /// Which event.
    pub(crate) key: Arc<EventKey>,
    /// Whether it was read before.
    pub(crate) again: bool,
    seat: u64,
}

/// The wait that is to be told of first.
#[derive(Debug)]
pub(crate) enum First {
    /// Its event has ended. It is told of once [`Group::told`] says so.
    Ended {
        /// Which event.
        key: Arc<EventKey>,
        /// Its place among those to be told.
        turn: u64,
    },
    /// It failed, and is told of by this.
    Failed(FailedWait),
}

/// A wait that failed.
#[derive(Debug)]
pub struct FailedWait {
    /// Which event.
    pub key: Arc<EventKey>,
    /// Whether the caller left out the namespace.
    pub is_unnamed: bool,
    /// Why.
    pub error: Error,
}

impl Waiters {
    /// A group of waits of `owner`, empty yet.
    pub(crate) fn group(self: &Arc<Self>, owner: Owner) -> Group {
        let signals = Arc::<Signals>::default();
        let mut registry = self.registry();
        let number = registry.next_group;
        registry.next_group += 1;
        registry.groups.insert(number, GroupState::new(owner, signals.clone()));
        drop(registry);
        Group { number, owner, waiters: self.clone(), signals }
    }
}

impl Group {
    /// Adds a wait for the event at `key`, which is to be read then; whether there was none before.
    ///
    /// # Errors
    /// [`Error::OverQuota`] and [`Error::TooManyWaiters`], as for a wait of its own.
    pub(crate) fn add(&self, key: EventKey, is_unnamed: bool) -> Result<bool, Error> {
        let mut registry = self.waiters.registry();
        if registry.group(self.number).waits.contains_key(&key) {
            return Ok(false);
        }
        let key = Arc::new(key);
        let holder = Holder::Shared { group: self.number, key: key.clone() };
        let seat = registry.take_seat(self.owner, &key, holder)?.number;
        registry.group(self.number).add(key.clone(), seat, is_unnamed);
        registry.places.entry(key).or_default().join(self.number);
        drop(registry);
        self.signals.read.notify_one();
        self.waiters.arrived.notify_one();
        Ok(true)
    }

    /// Gives up the wait for the event at `key`; whether there was one.
    pub(crate) fn remove(&self, key: &EventKey) -> bool {
        let mut registry = self.waiters.registry();
        let is_removed = registry.give_up(self.number, key);
        drop(registry);
        // If this was the last wait, the stream may be at its end, and the caller is to be told.
        self.signals.told.notify_one();
        is_removed
    }

    /// Whether there are no waits, not even such as are over and not told of.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiters.registry().group(self.number).waits.is_empty()
    }

    /// Completes when there may be something to tell.
    pub(crate) async fn changed(&self) {
        self.signals.told.notified().await;
    }

    /// Wakes whoever waits for [`Group::changed`].
    pub(crate) fn nudge(&self) {
        self.signals.told.notify_one();
    }

    /// Completes when there may be something to read.
    pub(crate) async fn work(&self) {
        self.signals.read.notified().await;
    }

    /// The next wait whose event is to be read, unless those who are to be told do not keep up.
    pub(crate) fn unread(&self) -> Option<Unread> {
        self.waiters.registry().group(self.number).take_unread()
    }

    /// Notes that what was to be read for `unread` was pending, and is to be read again at `look_at`, if then.
    pub(crate) fn is_pending(&self, unread: &Unread, look_at: Option<Timestamp>) {
        self.waiters.registry().group(self.number).is_pending(unread, look_at);
    }

    /// Ends the wait of `unread` by `error`.
    pub(crate) fn failed(&self, unread: &Unread, error: Error) {
        let mut registry = self.waiters.registry();
        if registry.group(self.number).is_read_for(unread) {
            registry.leave_place(self.number, &unread.key);
            registry.group(self.number).over(&unread.key, Some(error));
        }
    }

    /// Queues every wait whose instant has come to be read again, and returns the next such instant.
    pub(crate) fn look_again(&self, now: Timestamp) -> Option<Timestamp> {
        self.waiters.registry().group(self.number).look_again(now)
    }

    /// The wait that is to be told of first, if one is over.
    pub(crate) fn first(&self) -> Option<First> {
        let mut registry = self.waiters.registry();
        let (turn, first) = registry.group(self.number).untold.first_key_value()?;
        let turn = *turn;
        if first.failure.is_none() {
            return Some(First::Ended { key: first.key.clone(), turn });
        }
        let (key, wait, failure) = registry.told(self.number, turn)?;
        let error = *failure?;
        Some(First::Failed(FailedWait { key, is_unnamed: wait.is_unnamed, error }))
    }

    /// Takes the wait at `turn` out, since it is about to be told of; whether its caller left out the namespace, or
    /// nothing if it is not there any more.
    pub(crate) fn told(&self, turn: u64) -> Option<bool> {
        let (_, wait, _) = self.waiters.registry().told(self.number, turn)?;
        Some(wait.is_unnamed)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        loop {
            let mut registry = self.waiters.registry();
            let waits = &registry.group(self.number).waits;
            let keys: Vec<_> = waits.keys().take(LEAVE_AT_A_TIME).cloned().collect();
            if keys.is_empty() {
                registry.groups.remove(&self.number);
                return;
            }
            for key in keys {
                registry.give_up(self.number, &key);
            }
        }
    }
}

impl Registry {
    /// The group with this number. It is there for as long as its [`Group`] is.
    fn group(&mut self, number: u64) -> &mut GroupState {
        self.groups.get_mut(&number).expect("a group outlives what is said of it")
    }

    /// Tells the group that the wait for `key` has lost its place.
    pub(super) fn lose(&mut self, group: u64, key: &Arc<EventKey>) {
        self.leave_place(group, key);
        self.group(group).over(key, Some(Error::TooManyWaiters));
    }

    /// Tells the groups in `members` that the event at `key` has ended.
    pub(super) fn end(&mut self, members: &[u64], key: &EventKey) {
        for number in members {
            self.group(*number).over(key, None);
        }
    }

    fn give_up(&mut self, number: u64, key: &EventKey) -> bool {
        let group = self.group(number);
        let Some((key, wait)) = group.waits.remove_entry(key) else {
            return false;
        };
        group.leave_queues(wait.phase, &key);
        let seat = Seat { connection: group.owner.connection(), number: wait.seat };
        self.seats.leave(seat);
        self.leave_place(number, &key);
        true
    }

    /// Takes out the wait at `turn`, which is over, and gives its place back.
    fn told(
        &mut self,
        number: u64,
        turn: u64,
    ) -> Option<(Arc<EventKey>, SharedWait, Option<Box<Error>>)> {
        let group = self.group(number);
        let Untold { key, failure } = group.untold.remove(&turn)?;
        let wait = group.waits.remove(&key)?;
        let connection = group.owner.connection();
        if !group.unread.is_empty() {
            group.signals.read.notify_one();
        }
        self.seats.leave(Seat { connection, number: wait.seat });
        Some((key, wait, failure))
    }

    fn leave_place(&mut self, group: u64, key: &EventKey) {
        if let Some(place) = self.places.get_mut(key) {
            place.members.retain(|member| *member != group);
            if place.is_empty() {
                self.places.remove(key);
            }
        }
    }
}

impl GroupState {
    fn new(owner: Owner, signals: Arc<Signals>) -> Self {
        Self {
            owner,
            waits: HashMap::new(),
            unread: BTreeMap::new(),
            untold: BTreeMap::new(),
            looks: BTreeSet::new(),
            next: 0,
            signals,
        }
    }

    fn turn(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn add(&mut self, key: Arc<EventKey>, seat: u64, is_unnamed: bool) {
        let turn = self.turn();
        self.unread.insert(turn, key.clone());
        let phase = Phase::Unread { turn, again: false };
        self.waits.insert(key, SharedWait { seat, phase, is_unnamed });
    }

    /// Takes a wait that was in `phase` out of the queues.
    fn leave_queues(&mut self, phase: Phase, key: &Arc<EventKey>) {
        match phase {
            Phase::Unread { turn, .. } => {
                self.unread.remove(&turn);
            }
            Phase::Waiting { look_at: Some(look_at) } => {
                self.looks.remove(&(look_at, key.clone()));
            }
            Phase::Over { turn } => {
                self.untold.remove(&turn);
            }
            Phase::Reading | Phase::Waiting { look_at: None } => {}
        }
    }

    /// Ends the wait for `key`, if it is not over yet.
    fn over(&mut self, key: &EventKey, failure: Option<Error>) {
        let turn = self.turn();
        let Some((key, wait)) = self.waits.get_key_value(key) else { return };
        let (key, phase) = (key.clone(), wait.phase);
        if matches!(phase, Phase::Over { .. }) {
            return;
        }
        self.leave_queues(phase, &key);
        self.enter(&key, Phase::Over { turn });
        self.untold.insert(turn, Untold { key, failure: failure.map(Box::new) });
        self.signals.told.notify_one();
    }

    fn enter(&mut self, key: &Arc<EventKey>, phase: Phase) {
        if let Entry::Occupied(mut wait) = self.waits.entry(key.clone()) {
            wait.get_mut().phase = phase;
        }
    }

    fn take_unread(&mut self) -> Option<Unread> {
        if self.untold.len() >= UNTOLD_MAX {
            return None;
        }
        let (_, key) = self.unread.pop_first()?;
        let wait = self.waits.get_mut(&key)?;
        let again = matches!(wait.phase, Phase::Unread { again: true, .. });
        wait.phase = Phase::Reading;
        Some(Unread { seat: wait.seat, key, again })
    }

    /// Whether `unread` is being read for a wait that is there still.
    fn is_read_for(&self, unread: &Unread) -> bool {
        let wait = self.waits.get(&unread.key);
        wait.is_some_and(|wait| wait.seat == unread.seat && matches!(wait.phase, Phase::Reading))
    }

    fn is_pending(&mut self, unread: &Unread, look_at: Option<Timestamp>) {
        if self.is_read_for(unread) {
            self.enter(&unread.key, Phase::Waiting { look_at });
            self.looks.extend(look_at.map(|at| (at, unread.key.clone())));
        }
    }

    fn look_again(&mut self, now: Timestamp) -> Option<Timestamp> {
        while let Some((at, _)) = self.looks.first() {
            if *at > now {
                return Some(*at);
            }
            let (_, key) = self.looks.pop_first()?;
            let turn = self.turn();
            self.enter(&key, Phase::Unread { turn, again: true });
            self.unread.insert(turn, key);
        }
        None
    }
}
