//! All waits of a client, which share one stream.
//!
//! The stream is opened for the first wait, carries however many there are, and is opened again after any loss with
//! everything that is still waited for; it ends with the last wait. To resume is to ask again, so there is nothing to
//! remember but which events.

mod stream;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hitl_proto::v1;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::retry::Backoff;

/// Most events that one message adds, or removes.
const KEYS_MAX: usize = 1_000;
/// No id is as long, and too long a message would end the waits of others.
const ID_BYTES_MAX: usize = 128;

/// The waits of a client.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    state: Mutex<State>,
    /// Whoever serves the stream is to look.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waits: HashMap<Arc<str>, Wait>,
    /// What the server is to be asked for, in order.
    to_add: BTreeMap<u64, Arc<str>>,
    /// What it was asked for and is not waited for any more.
    to_remove: BTreeSet<Arc<str>>,
    /// What it is asked for again at an instant.
    later: BTreeSet<(Instant, Arc<str>)>,
    next: u64,
    /// Whether somebody serves the stream.
    is_served: bool,
}

/// What is waited for, and by whom.
#[derive(Debug)]
struct Wait {
    listeners: Vec<(u64, oneshot::Sender<Result<v1::Event>>)>,
    begun: Instant,
    phase: Phase,
    /// After the server could not take it.
    backoff: Option<Box<Backoff>>,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    ToAdd(u64),
    Added,
    Later(Instant),
}

/// One who waits, until dropped.
struct Listener {
    waits: Arc<Waits>,
    event_id: Arc<str>,
    number: u64,
}

/// Waits until the event has ended, and returns it.
///
/// Once the client has reached its server, no loss of it ends the wait: the program waits for a
/// person, who may take longer than any outage. Before that, a wrong address is the likelier cause.
pub(crate) async fn wait(client: &Client, event_id: &str) -> Result<v1::Event> {
    if event_id.len() > ID_BYTES_MAX {
        let message = "event_id: must be 32 lower-case hexadecimal digits".to_owned();
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    let (sender, ended) = oneshot::channel();
    let waits = client.waits();
    let (event_id, number) = waits.join(event_id, sender, client);
    let _listener = Listener { waits: waits.clone(), event_id, number };
    let gone = |_| Error::unavailable("the runtime of the client's waits has ended".to_owned());
    ended.await.map_err(gone)?
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.waits.leave(&self.event_id, self.number);
    }
}

impl Waits {
    /// Adds a wait, and has the stream served if nobody does yet.
    fn join(
        &self,
        event_id: &str,
        sender: oneshot::Sender<Result<v1::Event>>,
        client: &Client,
    ) -> (Arc<str>, u64) {
        let mut state = self.state();
        let number = state.number();
        let event_id = match state.waits.get_key_value(event_id) {
            Some((event_id, _)) => event_id.clone(),
            None => state.add(event_id.into()),
        };
        let wait = state.waits.get_mut(&event_id).expect("it was added if it was not there");
        wait.listeners.push((number, sender));
        let is_served = std::mem::replace(&mut state.is_served, true);
        drop(state);
        if !is_served {
            tokio::spawn(stream::serve(client.clone()));
        }
        self.changed.notify_one();
        (event_id, number)
    }

    fn leave(&self, event_id: &Arc<str>, number: u64) {
        let mut state = self.state();
        let Some(wait) = state.waits.get_mut(event_id) else { return };
        wait.listeners.retain(|(of, _)| *of != number);
        if wait.listeners.is_empty() {
            let wait = state.take(event_id);
            if wait.is_some_and(|wait| matches!(wait.phase, Phase::Added)) {
                state.to_remove.insert(event_id.clone());
            }
            drop(state);
            self.changed.notify_one();
        }
    }

    /// How many events are waited for.
    fn count(&self) -> usize {
        self.state().waits.len()
    }

    /// Notes that nobody serves the stream any more, if nothing is waited for.
    fn stop(&self) -> bool {
        let mut state = self.state();
        state.is_served = !state.waits.is_empty();
        !state.is_served
    }

    /// Has everything asked for anew, of a new stream.
    fn begin(&self) {
        let mut state = self.state();
        state.to_remove.clear();
        let mut added: Vec<_> = state.waits.iter().filter(|(_, wait)| wait.is_added()).collect();
        added.sort_by_key(|(_, wait)| wait.listeners.first().map(|(number, _)| *number));
        let added: Vec<_> = added.into_iter().map(|(event_id, _)| event_id.clone()).collect();
        for event_id in added {
            state.ask(&event_id);
        }
    }

    /// The next message to the server, if there is something to say.
    fn message(&self, namespace: &str) -> Option<v1::WaitEventsRequest> {
        let mut state = self.state();
        let key = |event_id: Arc<str>| v1::EventKey {
            namespace: namespace.to_owned(),
            event_id: event_id.to_string(),
        };
        let (mut add, mut remove) = (Vec::new(), Vec::new());
        while remove.len() < KEYS_MAX
            && let Some(event_id) = state.to_remove.pop_first()
        {
            remove.push(key(event_id));
        }
        while add.len() < KEYS_MAX
            && let Some((_, event_id)) = state.to_add.pop_first()
        {
            if let Some(wait) = state.waits.get_mut(&event_id) {
                wait.phase = Phase::Added;
            }
            add.push(key(event_id));
        }
        let says_nothing = add.is_empty() && remove.is_empty();
        (!says_nothing).then_some(v1::WaitEventsRequest { add, remove, heartbeat_interval: None })
    }

    fn has_message(&self) -> bool {
        let state = self.state();
        !state.to_add.is_empty() || !state.to_remove.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.state().waits.is_empty()
    }

    /// Tells whoever waits for the event how its wait ended.
    fn end(&self, event_id: &str, result: Result<v1::Event>) {
        let listeners = self.state().take(event_id).map(|wait| wait.listeners).unwrap_or_default();
        let mut listeners = listeners.into_iter();
        let last = listeners.next_back();
        for (_, listener) in listeners {
            // Whoever is gone needs no answer.
            let _ = listener.send(result.clone());
        }
        if let Some((_, listener)) = last {
            let _ = listener.send(result);
        }
    }

    /// What the server could not do for the event: another time, or never.
    fn failed(&self, event_id: &str, error: Error) {
        if !error.is_retryable() {
            return self.end(event_id, Err(error));
        }
        let mut state = self.state();
        let Some((event_id, wait)) = state.waits.remove_entry(event_id) else { return };
        state.leave_queues(&event_id, wait.phase);
        let mut backoff = wait.backoff.unwrap_or_else(|| Box::new(Backoff::new()));
        let at = Instant::now() + backoff.delay(&error);
        let wait = Wait { phase: Phase::Later(at), backoff: Some(backoff), ..wait };
        state.later.insert((at, event_id.clone()));
        state.waits.insert(event_id, wait);
    }

    /// Has the server asked again for what it could not take before, and says when that is next to be done.
    fn ask_again(&self, now: Instant) -> Option<Instant> {
        let mut state = self.state();
        while let Some((at, event_id)) = state.later.first().cloned() {
            if at > now {
                return Some(at);
            }
            state.ask(&event_id);
        }
        None
    }

    /// Ends every wait by `error` that has lasted too long for `goes_on`.
    fn give_up(&self, error: &Error, goes_on: impl Fn(Duration) -> bool) {
        let state = self.state();
        let ended = state.waits.iter().filter(|(_, wait)| !goes_on(wait.begun.elapsed()));
        let ended: Vec<_> = ended.map(|(event_id, _)| event_id.clone()).collect();
        drop(state);
        for event_id in ended {
            self.end(&event_id, Err(error.clone()));
        }
    }

    /// Completes when nothing is waited for any more.
    async fn until_empty(&self) {
        while !self.is_empty() {
            self.changed.notified().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn add(&mut self, event_id: Arc<str>) -> Arc<str> {
        // What the server still waits for, since it has not been told otherwise, needs no asking.
        let phase = if self.to_remove.remove(&event_id) {
            Phase::Added
        } else {
            let turn = self.number();
            self.to_add.insert(turn, event_id.clone());
            Phase::ToAdd(turn)
        };
        let wait =
            Wait { listeners: Vec::with_capacity(1), begun: Instant::now(), phase, backoff: None };
        self.waits.insert(event_id.clone(), wait);
        event_id
    }

    fn take(&mut self, event_id: &str) -> Option<Wait> {
        let (event_id, wait) = self.waits.remove_entry(event_id)?;
        self.leave_queues(&event_id, wait.phase);
        Some(wait)
    }

    fn ask(&mut self, event_id: &Arc<str>) {
        let turn = self.number();
        let Some(wait) = self.waits.get_mut(event_id) else { return };
        let before = std::mem::replace(&mut wait.phase, Phase::ToAdd(turn));
        self.leave_queues(event_id, before);
        self.to_add.insert(turn, event_id.clone());
    }

    fn leave_queues(&mut self, event_id: &Arc<str>, phase: Phase) {
        match phase {
            Phase::ToAdd(turn) => {
                self.to_add.remove(&turn);
            }
            Phase::Later(at) => {
                self.later.remove(&(at, event_id.clone()));
            }
            Phase::Added => {}
        }
    }
}

impl Wait {
    fn is_added(&self) -> bool {
        matches!(self.phase, Phase::Added)
    }
}

/// A state that this version does not know counts as pending.
pub(crate) fn is_final(event: &v1::Event) -> bool {
    use v1::EventState::{Answered, Cancelled, Declined, TimedOut};
    matches!(event.state(), Answered | Declined | Cancelled | TimedOut)
}
