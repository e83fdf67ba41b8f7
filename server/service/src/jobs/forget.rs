//! The tombstone of a removed event has stood long enough: it is removed.

use hitl_store::Stored;
use hitl_store::jobs::{Done, Job};

use crate::Service;
use crate::error::Error;

/// Removes a response that was written late, and then the tombstone.
///
/// # Errors
/// Those of the store, and [`Error::ClockOff`]; the job has to be done again.
pub(crate) async fn run(service: Service, job: Job) -> Result<Done, Error> {
    let store = &service.0.store;
    let now = service.now()?;
    let read_at = store.read_at();
    let Stored::Removed(removed) = store.stored(&job.key).await? else {
        return Ok(Done::Settled);
    };
    let forget = store.retention().forget(&job.key, removed);
    // Two replicas may have removed the event, at two instants. The later one counts.
    if now < forget.due {
        return Ok(Done::Then(forget));
    }
    store.unbury(&job.key, read_at).await?;
    Ok(Done::Settled)
}
