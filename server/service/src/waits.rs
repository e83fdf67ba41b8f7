//! Waiting for many events on one stream. Each is subscribed to, then read, then waited for, and none has a task of its
//! own.
//!
//! One loop ([`Waits::look`]) reads what was added, and one ([`Waits::next`]) tells what is over.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hitl_core::{Action, Event, EventKey, Timestamp};

use crate::error::Error;
use crate::wait::{HELD_MS, OVERDUE_MS};
use crate::waiters::{FailedWait, First, Group, Owner, Unread};
use crate::{Parts, Service, Session};

/// Events that are read at the same time for one stream.
const READING_MAX: usize = 64;

/// The waits of one stream.
#[derive(Debug)]
pub struct Waits {
    group: Group,
    service: Service,
    session: Session,
    /// Whether no more will be added.
    is_closed: AtomicBool,
}

/// A wait that is over.
#[derive(Debug)]
pub enum Over {
    /// The event, which has ended.
    Ended(Box<Event>),
    /// It could not go on.
    Failed(FailedWait),
}

impl Service {
    /// See [`Session::waits`](crate::Session::waits).
    pub(crate) fn waits(&self, owner: Owner, session: Session) -> Result<Waits, Error> {
        if self.0.shutdown.is_cancelled() {
            return Err(Error::ShuttingDown);
        }
        let group = self.0.waiters.group(owner);
        let is_closed = AtomicBool::new(false);
        Ok(Waits { group, service: self.clone(), session, is_closed })
    }
}

impl Waits {
    /// Adds a wait for the event at `key`, and returns whether there was none before. The event is looked for later:
    /// [`Waits::next`] tells if there is none.
    ///
    /// # Errors
    /// [`Error::TooManyWaiters`] and [`Error::LinkInvalid`].
    pub fn add(&self, key: EventKey, is_unnamed: bool) -> Result<bool, Error> {
        self.session.may(Action::Look(&key))?;
        self.group.add(key, is_unnamed)
    }

    /// Gives up the wait for the event at `key`; whether there was one.
    pub fn remove(&self, key: &EventKey) -> bool {
        self.group.remove(key)
    }

    /// Has [`Waits::next`] end when there are no waits any more.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        self.group.nudge();
    }

    /// Reads the events that were added. On a shared store it also reads, some seconds after its deadline, each event
    /// of whose end nobody has told. Never ends, and has to be polled for as long as there are waits.
    pub async fn look(&self) -> Infallible {
        let Parts { store, clock, .. } = &*self.service.0;
        let mut reading = FuturesUnordered::new();
        loop {
            let overdue = if store.is_shared() { self.group.look_again(clock.now()) } else { None };
            while reading.len() < READING_MAX
                && let Some(unread) = self.group.unread()
            {
                reading.push(self.read(unread));
            }
            tokio::select! {
                biased;
                Some(()) = reading.next() => {}
                () = self.group.work() => {}
                () = self.until(overdue) => {}
            }
        }
    }

    async fn read(&self, unread: Unread) {
        let Parts { store, waiters, clock, .. } = &*self.service.0;
        let look_at = |from: Timestamp| store.is_shared().then(|| from.plus_ms(OVERDUE_MS));
        let event = async {
            let event = self.service.get(&unread.key).await?;
            Ok::<_, Error>(store.ensure_indexed(event).await?)
        };
        match event.await {
            Ok(event) if event.response.is_some() => waiters.ended(&event),
            Ok(event) => {
                self.group.is_pending(&unread, look_at(event.request.deadline.max(clock.now())));
            }
            Err(error) if unread.again => {
                tracing::debug!(%error, "an overdue event could not be read");
                self.group.is_pending(&unread, look_at(clock.now()));
            }
            Err(error) => self.group.failed(&unread, error),
        }
    }

    /// Completes at `instant`, or before if that is far off; never if there is none.
    async fn until(&self, instant: Option<Timestamp>) {
        let Parts { clock, .. } = &*self.service.0;
        match instant {
            None => std::future::pending().await,
            Some(at) if at.ms_since(clock.now()) > HELD_MS => {
                clock.pause_until(clock.monotonic().plus_ms(HELD_MS)).await;
            }
            Some(at) => clock.sleep_until(at).await,
        }
    }

    /// Completes with the next wait that is over; with nothing if there are none and there will be none. Loses nothing
    /// if it is dropped.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`] if the server goes.
    pub async fn next(&self) -> Result<Option<Over>, Error> {
        loop {
            match self.group.first() {
                Some(First::Failed(failed)) => return Ok(Some(Over::Failed(failed))),
                Some(First::Ended { key, turn }) => {
                    let read = self.service.read(&key).await;
                    // It may have been given up meanwhile.
                    if let Some(is_unnamed) = self.group.told(turn) {
                        return Ok(Some(over(key, is_unnamed, read)));
                    }
                }
                None if self.is_closed.load(Ordering::Relaxed) && self.group.is_empty() => {
                    return Ok(None);
                }
                None => tokio::select! {
                    biased;
                    () = self.group.changed() => {}
                    () = self.service.0.shutdown.cancelled() => return Err(Error::ShuttingDown),
                },
            }
        }
    }
}

fn over(key: std::sync::Arc<EventKey>, is_unnamed: bool, read: Result<Event, Error>) -> Over {
    let error = match read {
        Ok(event) if event.response.is_some() => return Over::Ended(Box::new(event)),
        Ok(_) => Error::Internal(format!("the end of {key} is recorded no more")),
        Err(error) => error,
    };
    Over::Failed(FailedWait { key, is_unnamed, error })
}

#[cfg(test)]
#[path = "waits_tests.rs"]
mod tests;
