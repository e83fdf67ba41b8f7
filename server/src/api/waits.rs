//! `EventService.WaitEvents`: what the caller adds and removes, and what it is told.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use hitl_core::{EventKey, Namespace};
use hitl_proto::v1;
use hitl_proto::v1::wait_events_response::Update;
use tokio::sync::Notify;

use super::{Api, Caller, Problem, from_proto};
use crate::budget::{Account, Lease, SHARED_WAIT_BYTES};
use hitl_service::Error;
use hitl_service::{self as service, Over, Owner};

/// What a stream takes beside its call and its waits: a message that is read, and one that is written.
const STREAM_BYTES: usize = 64 * 1024;
/// Most waits that one message adds, or removes.
const KEYS_MAX: usize = 1_000;
/// While so many refused waits are not told yet, no more messages of the caller are read.
const REFUSED_MAX: usize = 1_000;

/// The waits of one stream of `WaitEvents`.
#[derive(Debug)]
pub struct Waits {
    waits: service::Waits,
    api: Api,
    caller: Caller,
    /// For the stream and each of its waits.
    lease: Lease,
    interval: OnceLock<Duration>,
    /// Waits that could not be added, and of which the caller is not told yet.
    refused: Mutex<VecDeque<v1::FailedWait>>,
    refused_changed: Notify,
    refused_told: Notify,
    /// Notified once the first message of the caller has come.
    begun: Notify,
}

impl Api {
    /// `EventService.WaitEvents`: a stream of `owner` without waits yet, which takes its room from `account`.
    ///
    /// # Errors
    /// [`Error::Overloaded`] and [`Error::ShuttingDown`].
    pub fn wait_events(
        &self,
        caller: &Caller,
        owner: Owner,
        account: Option<&Arc<Account>>,
    ) -> Result<Waits, Error> {
        Ok(Waits {
            lease: self.admission.lease(account, STREAM_BYTES)?,
            waits: self.session(caller).waits(owner)?,
            api: self.clone(),
            caller: caller.clone(),
            interval: OnceLock::new(),
            refused: Mutex::default(),
            refused_changed: Notify::new(),
            refused_told: Notify::new(),
            begun: Notify::new(),
        })
    }
}

impl Waits {
    /// Takes a message of the caller. Each wait that cannot be added fails by itself.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if the message as a whole breaks a rule, which ends the stream.
    pub fn take(&self, request: v1::WaitEventsRequest) -> Result<(), Error> {
        for (field, keys) in [("add", &request.add), ("remove", &request.remove)] {
            if keys.len() > KEYS_MAX {
                let message = format!("must have at most {KEYS_MAX} entries, has {}", keys.len());
                return Err(Error::invalid(field, message));
            }
        }
        if self.interval.get().is_none() {
            let interval = from_proto::heartbeat_interval(request.heartbeat_interval)?;
            self.interval.get_or_init(|| interval);
            self.begun.notify_one();
        }
        for key in request.remove {
            // A key that names no event cannot be waited for.
            if let Ok(key) = from_proto::key(&key.namespace, &key.event_id)
                && self.waits.remove(&key)
            {
                self.lease.shrink(SHARED_WAIT_BYTES);
            }
        }
        for key in request.add {
            if let Err(error) = self.add(&key) {
                self.refuse(key, &error);
            }
        }
        Ok(())
    }

    fn add(&self, key: &v1::EventKey) -> Result<(), Error> {
        let event_key = from_proto::key(&key.namespace, &key.event_id)?;
        self.api.count_in(&self.caller, &event_key.namespace)?;
        self.lease.grow(SHARED_WAIT_BYTES)?;
        let added = self.waits.add(event_key, key.namespace.is_empty());
        if !matches!(added, Ok(true)) {
            self.lease.shrink(SHARED_WAIT_BYTES);
        }
        added.map(drop)
    }

    fn refuse(&self, key: v1::EventKey, error: &Error) {
        self.refused().push_back(failed(key, error));
        self.refused_changed.notify_one();
    }

    /// Completes when another message may be read of the caller.
    pub async fn ready(&self) {
        while self.refused().len() >= REFUSED_MAX {
            self.refused_told.notified().await;
        }
    }

    /// Notes that the caller has nothing more to say: the stream ends when nothing is waited for any more.
    pub fn close(&self) {
        self.waits.close();
    }

    /// Completes when the time between heartbeats is known, once.
    pub async fn begun(&self) {
        self.begun.notified().await;
    }

    /// The time between heartbeats.
    pub fn interval(&self) -> Duration {
        self.interval.get().copied().unwrap_or(from_proto::HEARTBEAT_DEFAULT)
    }

    /// Reads what was added. Never ends.
    pub async fn look(&self) -> Infallible {
        self.waits.look().await
    }

    /// The next message to the caller that is not a heartbeat, once there is room for it; nothing if the stream is at
    /// its end.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`].
    pub async fn next(&self) -> Result<Option<Update>, Error> {
        let over = loop {
            let refused = self.refused().pop_front();
            if let Some(failed) = refused {
                self.refused_told.notify_one();
                return Ok(Some(Update::Failed(failed)));
            }
            tokio::select! {
                biased;
                () = self.refused_changed.notified() => {}
                over = self.waits.next() => break over?,
            }
        };
        let Some(over) = over else {
            // A wait may have been refused just now.
            return Ok(self.refused().pop_front().map(Update::Failed));
        };
        self.lease.shrink(SHARED_WAIT_BYTES);
        Ok(Some(match over {
            Over::Ended(event) => {
                Update::Event(self.api.deliver_summary(&event, &self.caller).await)
            }
            Over::Failed(wait) => {
                Update::Failed(failed(as_added(&wait.key, wait.is_unnamed), &wait.error))
            }
        }))
    }

    /// A heartbeat.
    pub fn heartbeat(&self) -> Update {
        Update::Heartbeat(v1::Heartbeat { time: Some(self.api.proto_now()) })
    }

    fn refused(&self) -> MutexGuard<'_, VecDeque<v1::FailedWait>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(key: v1::EventKey, error: &Error) -> v1::FailedWait {
    v1::FailedWait { key: Some(key), failure: Some(Problem::from(error).into()) }
}

/// The key as the caller wrote it.
fn as_added(key: &EventKey, is_unnamed: bool) -> v1::EventKey {
    let namespace = if is_unnamed { String::new() } else { key.namespace.to_string() };
    debug_assert!(!is_unnamed || key.namespace == Namespace::default());
    v1::EventKey { namespace, event_id: key.id.to_string() }
}
