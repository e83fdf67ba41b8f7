//! The time of retention of an event is over: it is removed.
//!
//! Each announcement of an end has a job of its own, so that no announcement is left behind: an end may be announced
//! twice, and so may the end that came second. The retention policy of today decides, not the one of the day on which
//! the job was written.

use hitl_core::{Event, Timestamp};
use hitl_store::jobs::{Done, Job};
use hitl_store::{CLEAR_MS, ReadAt, Stored};

use crate::Service;
use crate::error::Error;

/// Takes one step of the removal, and says which job is next.
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
            if service.0.deliveries.are_possible() {
                store.remove_deliveries(&job.key).await?;
            }
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
            // A server announced the end and has not recorded it. It may still do so until the deadline.
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

    /// What becomes of the job of an event that is kept for ever. It is removed, unless the store's record says that
    /// another server has another policy, as during a rollout: that server needs the job.
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
