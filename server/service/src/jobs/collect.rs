//! The time of retention of an event is over: it is removed.
//!
//! There is a job for each announcement of an end, also for those of whoever came second and for those that were made
//! again, so that none is left behind. The policy of now decides, not that of when the job was written.

use hitl_core::{Event, Timestamp};
use hitl_store::jobs::{Done, Job};
use hitl_store::{CLEAR_MS, ReadAt, Stored};

use crate::Service;
use crate::error::Error;

/// Takes one step of the removal, and says what is owed next.
///
/// # Errors
/// Those of the store, and [`Error::ClockOff`]; the job has to be done again.
pub(crate) async fn run(service: Service, job: Job) -> Result<Done, Error> {
    let store = &service.0.store;
    let now = service.now()?;
    let Some(announced) = i64::try_from(job.n).ok().and_then(Timestamp::from_ms) else {
        return Ok(Done::Settled);
    };
    let read_at = store.read_at();
    match store.stored(&job.key).await? {
        Stored::Event(event) => service.collect(event, read_at, announced, job).await,
        Stored::Removed(removed) => {
            let clear = removed.plus_ms(CLEAR_MS);
            if now < clear {
                return Ok(Done::Then(Job { due: clear, ..job }));
            }
            store.clear(&job.key, announced).await?;
            Ok(Done::Then(store.retention().forget(&job.key, removed)))
        }
        Stored::Nothing => {
            store.unannounce(&job.key, announced).await?;
            Ok(Done::Settled)
        }
    }
}

impl Service {
    async fn collect(
        &self,
        event: Event,
        read_at: ReadAt,
        announced: Timestamp,
        job: Job,
    ) -> Result<Done, Error> {
        let store = &self.0.store;
        let now = self.now()?;
        let event =
            if event.is_overdue(now) { self.end_overdue(event, read_at).await? } else { event };
        let kept_ms = store.retention().kept_ms_of(&event.request);
        let Some(response) = &event.response else {
            // It was announced by somebody who has not recorded it, and may yet.
            let due = event.request.deadline.plus_ms(kept_ms.unwrap_or_default() + CLEAR_MS);
            return Ok(Done::Then(Job { due, ..job }));
        };
        if response.time != announced {
            store.unannounce(&job.key, announced).await?;
            return Ok(Done::Settled);
        }
        let Some(kept_ms) = kept_ms else {
            return self.keep(&job).await;
        };
        let due = response.time.plus_ms(kept_ms);
        if now < due {
            return Ok(Done::Then(Job { due, ..job }));
        }
        store.bury(&event, read_at, now, self.nonce()).await?;
        self.0.metrics.removed.inc();
        Ok(Done::Then(Job { due: now.plus_ms(CLEAR_MS), ..job }))
    }

    /// What becomes of the job of an event that is kept for ever. It goes, unless another server has another policy,
    /// as while all are being started anew: that one wants it.
    async fn keep(&self, job: &Job) -> Result<Done, Error> {
        let store = &self.0.store;
        if store.retention().kept_ms(&job.key.namespace).is_some() {
            return Ok(Done::Settled);
        }
        let ours = store.retention().to_string();
        let is_agreed = store.retention_record().await?.is_none_or(|(policy, _)| policy == ours);
        Ok(if is_agreed { Done::Settled } else { Done::Left })
    }
}
