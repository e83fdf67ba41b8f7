//! Votes were recorded a moment ago: the event ends, if they come to that and nobody has ended it.

use hitl_store::jobs::{Done, Job};

use crate::Service;
use crate::error::Error;

/// Looks what all votes come to.
///
/// # Errors
/// Those of the store; the job has to be done again.
pub(crate) async fn run(service: Service, job: Job) -> Result<Done, Error> {
    match service.settle(&job.key).await {
        Ok(_) | Err(Error::NotFound(_)) => Ok(Done::Settled),
        Err(error) => Err(error),
    }
}
