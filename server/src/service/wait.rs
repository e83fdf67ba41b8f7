//! Waiting: subscribe, then read, then wait.

use std::time::Duration;

use hitl_core::{Event, EventKey};

use crate::error::Error;
use crate::service::{Parts, Service};
use crate::store::PlantedFault;
use crate::waiters::Subscription;

/// How long after its deadline a wait looks for itself; by then timers and announcements have told it.
const OVERDUE_MS: i64 = 5_000;
/// How far off that instant may be for a wait to hold it: the wall clock is read once a second then.
const HELD_MS: i64 = 60_000;

/// A wait for the end of one event.
#[derive(Debug)]
pub struct Wait {
    /// The event as it stood when the wait began.
    pub event: Event,
    subscription: Subscription,
    service: Service,
}

impl Service {
    /// Begins to wait for the event at `key`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::TooManyWaiters`], [`Error::ShuttingDown`], and those of the store.
    pub async fn wait(&self, key: &EventKey) -> Result<Wait, Error> {
        if self.0.shutdown.is_cancelled() {
            return Err(Error::ShuttingDown);
        }
        if PlantedFault::LostWakeUp.is_planted() {
            let event = self.get(key).await?;
            // On a shared store for longer than ends are announced.
            let dawdle_ms = if self.0.store.is_shared() { 25_000 } else { 20 };
            tokio::time::sleep(Duration::from_millis(dawdle_ms)).await;
            let subscription = self.0.waiters.subscribe(key.clone())?;
            return Ok(Wait { event, subscription, service: self.clone() });
        }
        let subscription = self.0.waiters.subscribe(key.clone())?;
        let event = self.0.store.ensure_timer(self.get(key).await?).await?;
        Ok(Wait { event, subscription, service: self.clone() })
    }
}

impl Wait {
    /// Completes with the event once it has ended.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`] if the server goes first.
    pub async fn ended(&self) -> Result<Event, Error> {
        if self.event.response.is_some() {
            return Ok(self.event.clone());
        }
        tokio::select! {
            biased;
            event = self.subscription.ended() => Ok(event),
            event = self.overdue() => Ok(event),
            () = self.service.0.shutdown.cancelled() => Err(Error::ShuttingDown),
        }
    }

    /// Completes with the ended event some time after its deadline, if nobody has told of its end by then: on a shared
    /// store a replica may crash between an end and its second announcement.
    async fn overdue(&self) -> Event {
        let Parts { store, clock, .. } = &*self.service.0;
        let by = self.event.request.deadline.plus_ms(OVERDUE_MS);
        if !store.is_shared() {
            return std::future::pending().await;
        }
        while by.ms_since(clock.now()) > HELD_MS {
            clock.pause_until(clock.moment().plus_ms(HELD_MS)).await;
        }
        clock.sleep_until(by).await;
        loop {
            // Boxed, since a wait would have room for a read in it all the time.
            match Box::pin(self.service.get(&self.event.request.key())).await {
                Ok(event) if event.response.is_some() => return event,
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "an overdue event could not be read"),
            }
            clock.pause_until(clock.moment().plus_ms(OVERDUE_MS)).await;
        }
    }

    /// The event once it has ended, or as it stood when the wait began if `limit` passes first.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`] if the server goes first.
    pub async fn ended_within(&self, limit: Duration) -> Result<Event, Error> {
        tokio::time::timeout(limit, self.ended()).await.unwrap_or_else(|_| Ok(self.event.clone()))
    }
}
