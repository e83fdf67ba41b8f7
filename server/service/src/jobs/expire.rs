//! The deadline of an event: it ends, unless it has.

use hitl_store::jobs::{Done, Job};

use crate::Service;
use crate::error::Error;

/// How long an expiry without a request is kept: far longer than a create may take.
const ORPHAN_MS: i64 = 60_000;

/// Ends the event whose deadline has come. The job is removed when the event has ended, or when there is no event.
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
        // A create may have written the job and not the request yet.
        Err(Error::NotFound(_)) if service.now()?.ms_since(job.due) < ORPHAN_MS => Ok(Done::Left),
        // The event ended before, or a create that was repeated or never acknowledged left the job behind.
        Ok(_) | Err(Error::NotFound(_)) => Ok(Done::Settled),
        Err(error) => Err(error),
    }
}
