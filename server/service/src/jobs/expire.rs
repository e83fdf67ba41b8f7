//! The deadline of an event: it ends, unless it has.

use hitl_store::jobs::{Done, Job};

use crate::Service;
use crate::error::Error;

/// How long an expiry without a request is kept: far longer than a create may take.
const ORPHAN_MS: i64 = 60_000;

/// Ends the event of a due expiry. The expiry goes once nothing is owed to it.
///
/// # Errors
/// Those of the store, and that the clock has stepped back; the job has to be done again.
pub(crate) async fn run(service: Service, job: Job) -> Result<Done, Error> {
    let read_at = service.0.store.read_at();
    match service.read(&job.key).await {
        Ok(event) if event.request.deadline == job.due && event.response.is_none() => {
            match service.end_overdue(event, read_at).await?.response {
                // Whoever has ended it removes its expiry.
                Some(_) => Ok(Done::Left),
                None => Err(Error::Internal(format!("the job {job} came early"))),
            }
        }
        // Perhaps its request is still on its way to the store.
        Err(Error::NotFound(_)) if service.now()?.ms_since(job.due) < ORPHAN_MS => Ok(Done::Left),
        // Ended before; or left behind by a repeated create, or by one that was never acknowledged.
        Ok(_) | Err(Error::NotFound(_)) => Ok(Done::Settled),
        Err(error) => Err(error),
    }
}
