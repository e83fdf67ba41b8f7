//! Waiting: subscribe, then read, then wait.

use std::time::Duration;

use hitl_core::{Event, EventKey, Timestamp};

use crate::error::Error;
use crate::waiters::{Owner, Subscription};
use crate::{Parts, Service};

/// How long after the deadline of its event a wait reads the event itself. Jobs and announcements tell it before.
pub(super) const OVERDUE_MS: i64 = 5_000;
/// A wait sleeps until that instant by the wall clock only if it is at most so far off, since such a sleep reads the
/// clock once a second.
pub(super) const HELD_MS: i64 = 60_000;

/// A wait for the end of one event. It holds the key of the event and not the event, since most waits are long.
#[derive(Debug)]
pub struct Wait {
    key: EventKey,
    deadline: Timestamp,
    /// The event, if it had ended when the wait began.
    ended: Option<Event>,
    subscription: Subscription,
    service: Service,
}

impl Service {
    /// See [`Session::wait`](crate::Session::wait).
    pub(crate) async fn wait(&self, key: &EventKey, owner: Owner) -> Result<(Event, Wait), Error> {
        if self.0.shutdown.is_cancelled() {
            return Err(Error::ShuttingDown);
        }
        let subscription = self.0.waiters.subscribe(key.clone(), owner)?;
        let event = self.0.store.ensure_indexed(self.get(key).await?).await?;
        let wait = Wait {
            key: event.request.key(),
            deadline: event.request.deadline,
            ended: event.response.is_some().then(|| event.clone()),
            subscription,
            service: self.clone(),
        };
        Ok((event, wait))
    }
}

impl Wait {
    /// Completes with the event once it has ended.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`] if the server goes first, [`Error::TooManyWaiters`] if somebody with fewer waits gets
    /// the place, [`Error::NotFound`] if the event was removed in the meantime.
    pub async fn ended(&self) -> Result<Event, Error> {
        if let Some(event) = &self.ended {
            return Ok(event.clone());
        }
        tokio::select! {
            biased;
            event = self.subscription.ended() => event,
            event = self.overdue() => event,
            () = self.service.0.shutdown.cancelled() => Err(Error::ShuttingDown),
        }
    }

    /// Which event.
    pub fn key(&self) -> &EventKey {
        &self.key
    }

    /// How often something was voted, said or done about the event, as far as this process was told.
    pub fn updates(&self) -> u64 {
        self.subscription.updates()
    }

    /// The same once it is no longer `seen`.
    pub async fn updated(&self, seen: u64) -> u64 {
        self.subscription.updated(seen).await
    }

    /// Reads the event some seconds after its deadline, and completes with it when it has ended. On a shared store a
    /// replica may crash between an end and the second announcement of it, and then nobody else tells this wait.
    async fn overdue(&self) -> Result<Event, Error> {
        let Parts { store, clock, .. } = &*self.service.0;
        let by = self.deadline.plus_ms(OVERDUE_MS);
        if !store.is_shared() {
            return std::future::pending().await;
        }
        while by.ms_since(clock.now()) > HELD_MS {
            clock.pause_until(clock.monotonic().plus_ms(HELD_MS)).await;
        }
        clock.sleep_until(by).await;
        loop {
            // Boxed, since a wait would have room for a read in it all the time.
            match Box::pin(self.service.get(&self.key)).await {
                Ok(event) if event.response.is_some() => return Ok(event),
                // It was removed, so long after its end that nobody waits for it.
                Err(Error::NotFound(key)) => return Err(Error::NotFound(key)),
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "an overdue event could not be read"),
            }
            clock.pause_until(clock.monotonic().plus_ms(OVERDUE_MS)).await;
        }
    }

    /// The event once it has ended, or as it stands when `limit` has passed.
    ///
    /// # Errors
    /// Those of [`Wait::ended`] and of [`Session::get`](crate::Session::get).
    pub async fn ended_within(&self, limit: Duration) -> Result<Event, Error> {
        match tokio::time::timeout(limit, self.ended()).await {
            Ok(ended) => ended,
            Err(_) => self.service.get(&self.key).await,
        }
    }
}
