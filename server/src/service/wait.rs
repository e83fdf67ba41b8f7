//! Waiting: subscribe, then read, then wait.

use std::time::Duration;

use hitl_core::{Event, EventKey};

use crate::error::Error;
use crate::service::Service;
use crate::store::PlantedFault;
use crate::waiters::Subscription;

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
            tokio::time::sleep(Duration::from_millis(20)).await;
            let subscription = self.0.waiters.subscribe(key.clone())?;
            return Ok(Wait { event, subscription, service: self.clone() });
        }
        let subscription = self.0.waiters.subscribe(key.clone())?;
        let event = self.get(key).await?;
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
            () = self.service.0.shutdown.cancelled() => Err(Error::ShuttingDown),
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
