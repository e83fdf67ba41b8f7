//! The audit as it is written, on whichever replica.
//!
//! There are few who follow it, and each lists what is new once a second.

use std::collections::BTreeSet;

use hitl_core::{AuditEntry, AuditFilter, Timestamp};
use hitl_store::BatchId;
use hitl_store::clock::Monotonic;
use tokio::sync::OwnedSemaphorePermit;

use crate::error::Error;
use crate::{Service, Session};

/// Time between two looks.
const LOOK_MS: i64 = 1_000;
/// Longest time without a sign of life.
const SIGN_OF_LIFE_MS: i64 = 15_000;
/// How late an object may show up, since writes take their time and clocks differ.
const LATE_MS: i64 = 15_000;
/// Most objects that are read at one look. The next one goes on.
const READS_MAX: usize = 200;
const HOUR_MS: i64 = 3_600_000;

/// Somebody who follows the audit.
#[derive(Debug)]
pub struct AuditFollow {
    service: Service,
    filter: AuditFilter,
    /// From when on it is followed.
    begun: Timestamp,
    /// Up to when it was looked through.
    looked: Timestamp,
    /// What was told, as far as it may be listed again.
    told: BTreeSet<BatchId>,
    next_look: Monotonic,
    next_sign: Monotonic,
    _place: OwnedSemaphorePermit,
}

impl Session {
    /// Follows the audit from now on.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], and [`Error::TooManyWaiters`] if too many do.
    pub fn follow_audit(&self, filter: AuditFilter) -> Result<AuditFollow, Error> {
        self.may_audit(&filter.namespaces)?;
        let service = self.service().clone();
        let place = service.0.audit.followers.clone().try_acquire_owned();
        let now = service.0.clock.monotonic();
        Ok(AuditFollow {
            filter,
            begun: service.0.clock.now(),
            looked: service.0.clock.now(),
            told: BTreeSet::new(),
            next_look: now,
            // At once, so that whoever follows knows that it has begun.
            next_sign: now,
            _place: place.map_err(|_| Error::TooManyWaiters)?,
            service,
        })
    }
}

impl AuditFollow {
    /// What is new, or nothing as a sign of life.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`], and those of the store.
    pub async fn next(&mut self) -> Result<Vec<AuditEntry>, Error> {
        loop {
            let parts = &self.service.0;
            tokio::select! {
                biased;
                () = parts.shutdown.cancelled() => return Err(Error::ShuttingDown),
                () = parts.clock.pause_until(self.next_look) => {}
            }
            let now = parts.clock.monotonic();
            self.next_look = now.plus_ms(LOOK_MS);
            let new = self.look().await?;
            if !new.is_empty() || now >= self.next_sign {
                self.next_sign = now.plus_ms(SIGN_OF_LIFE_MS);
                return Ok(new);
            }
        }
    }

    async fn look(&mut self) -> Result<Vec<AuditEntry>, Error> {
        let store = self.service.0.store.clone();
        let now = self.service.0.clock.now();
        // From the last look on: whoever is told may take their time.
        let from = self.begun.max(self.looked.min(now).plus_ms(-LATE_MS));
        let mut new = Vec::new();
        let mut start = from;
        while start <= now {
            let found = store.audit_from(start).await?.found;
            new.extend(found.into_iter().filter(|id| !self.told.contains(id)));
            if new.len() >= READS_MAX {
                break;
            }
            start = start.plus_ms(HOUR_MS - start.ms().rem_euclid(HOUR_MS));
        }
        self.looked = if new.len() > READS_MAX { new[READS_MAX].time } else { start.min(now) };
        new.truncate(READS_MAX);
        let mut entries = Vec::new();
        for id in new {
            match store.read_audit(id).await {
                Ok(read) => entries.extend(read.unwrap_or_default()),
                Err(hitl_store::Error::RecordUnreadable { path, .. }) => {
                    tracing::error!(path, "a part of the audit cannot be read");
                }
                Err(error) => return Err(error.into()),
            }
            self.told.insert(id);
        }
        self.told.retain(|id| id.time >= from);
        entries.retain(|entry| self.filter.matches(entry));
        Ok(entries)
    }
}
