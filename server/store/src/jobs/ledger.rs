//! The jobs as they stand in the store: written, removed and listed.

use hitl_core::Timestamp;

use super::job::{Job, JobIndex};
use super::pace::MINUTE_MS;
use crate::EventStore;
use crate::error::Error;
use crate::index::{Listed, instant};
use crate::keys;

impl EventStore {
    /// Makes `job` durable, whether it is there already or not.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn put_job(&self, job: &Job) -> Result<(), Error> {
        self.objects.mark(&job.path()).await
    }

    /// Removes `job` if it is there.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn remove_job(&self, job: &Job) -> Result<(), Error> {
        self.objects.delete(&job.path()).await
    }

    /// The jobs of the minute of `place` that holds `time`, in order.
    pub(crate) async fn jobs_of_minute(
        &self,
        place: JobIndex,
        time: Timestamp,
    ) -> Result<Listed<Job>, Error> {
        let listed = self.objects.list(&place.minute(time)).await?;
        Ok(self.indexes().listed(listed, |path| place.parse(path)))
    }

    /// The minutes of `place` that have jobs, up to the one that holds `last`, in order, as the instants at which they
    /// begin.
    pub(crate) async fn job_minutes_until(
        &self,
        place: JobIndex,
        last: Timestamp,
    ) -> Result<Vec<Timestamp>, Error> {
        let last = last.plus_ms(-(last.ms() % MINUTE_MS));
        let hours = self.objects.children(&place.root()).await?;
        let hours = self.indexes().listed(hours, |hour| instant(hour, None)).found;
        let mut minutes = Vec::new();
        for hour in hours.into_iter().filter(|hour| *hour <= last) {
            let path = keys::parent(&place.minute(hour));
            let within = self.objects.children(&path).await?;
            let within = self.indexes().listed(within, |at| instant(&path, at.filename())).found;
            minutes.extend(within.into_iter().filter(|minute| *minute <= last));
        }
        Ok(minutes)
    }
}
