//! The removal of an event in steps. A crash may come after any of them, and each may be repeated.
//!
//! First the request is overwritten by a tombstone: a few bytes that say that the event was removed. From then on
//! nobody finds the event, and no create can take its id. A server that read the request before would take the event
//! for open if the response were gone. So the response stays for two minutes more, until no server may act on a request
//! that it read so long ago (see [`VOUCHED_MS`](crate::read_at::VOUCHED_MS)). The tombstone stays for as long as a
//! create may be repeated or a write be on its way.

use futures::StreamExt;
use hitl_core::{Event, EventKey, Timestamp};
use object_store::PutMode;

use crate::error::Error;
use crate::index::minute_of;
use crate::jobs::{Job, JobIndex};
use crate::keys::{self, Entry, Index};
use crate::record::{
    self, Asked, Nonce, Removed, RemovedRecord, RequestRecord, RetentionRecord, VERSION,
};
use crate::{EventStore, ReadAt};

/// Jobs written at the same time.
const WRITING_MAX: usize = 32;

/// What stands where an event is looked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// The event.
    Event(Event),
    /// It was removed at this instant.
    Removed(Timestamp),
    /// Nothing.
    Nothing,
}

impl EventStore {
    /// What stands at `key` in the store; what this process remembers is not looked at.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`].
    pub async fn stored(&self, key: &EventKey) -> Result<Stored, Error> {
        let path = keys::request(key);
        let asked = self.objects.read::<RequestRecord>(&path).await?.map(|record| record.asked);
        Ok(match asked {
            Some(Asked::Request(request)) => {
                let response = self.read_response(key).await?;
                Stored::Event(Event { request: (*request).into(), response })
            }
            Some(Asked::Removed(removed)) => Stored::Removed(removed.time()),
            None => {
                self.check().await?;
                Stored::Nothing
            }
        })
    }

    /// Overwrites the request of `event`, which had ended when it was read at `read_at`, by a tombstone that says that
    /// it was removed at `now`.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown.
    pub async fn bury(
        &self,
        event: &Event,
        read_at: ReadAt,
        now: Timestamp,
        nonce: Nonce,
    ) -> Result<(), Error> {
        let key = event.request.key();
        let path = keys::request(&key);
        // Now, while the deadline is still known. The entry in `created/` is removed by its age.
        self.remove_job(&Job::expire(event.request.deadline, key.clone())).await?;
        let removed = Removed::new(record::event(&key), now);
        let bytes = record::encode(&RemovedRecord { version: VERSION, nonce, removed });
        self.expect_within(read_at, &path)?;
        self.objects.put(&path, bytes, PutMode::Overwrite).await?;
        self.forget(&key);
        Ok(())
    }

    /// Removes what is left of the event at `key`, which was buried: its votes, its thread, its response, and the
    /// announcement of its end at `announced`.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn clear(&self, key: &EventKey, announced: Timestamp) -> Result<(), Error> {
        self.remove_deliberation(key).await?;
        self.objects.delete(&keys::response(key)).await?;
        self.unannounce(key, announced).await
    }

    /// Removes the announcement at `announced` of the end of the event at `key`.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn unannounce(&self, key: &EventKey, announced: Timestamp) -> Result<(), Error> {
        let entry = Entry { time: announced, key: key.clone() };
        self.indexes().remove(Index::Resolved, &entry).await
    }

    /// Removes what says that the event at `key` was removed, as was read at `read_at`, and before it a
    /// response and votes that came late.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn unbury(&self, key: &EventKey, read_at: ReadAt) -> Result<(), Error> {
        let path = keys::request(key);
        self.remove_deliberation(key).await?;
        self.objects.delete(&keys::response(key)).await?;
        self.expect_within(read_at, &path)?;
        self.objects.delete(&path).await
    }

    /// Writes the missing jobs of those of these announced ends whose events are not kept for ever. Returns how many it
    /// wrote.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn owe_removals(&self, announced: &[Entry]) -> Result<usize, Error> {
        let owed = announced.iter().filter_map(|entry| self.retention().collect(entry));
        let mut owed: Vec<Job> = owed.collect();
        owed.sort_unstable();
        let mut minutes: Vec<_> = owed.iter().map(|job| minute_of(job.due)).collect();
        minutes.dedup();
        for minute in minutes {
            let there = self.jobs_of_minute(JobIndex::Jobs, minute).await?.found;
            owed.retain(|job| there.binary_search(job).is_err());
        }
        let missing = owed.len();
        let puts = owed.into_iter().map(|job| async move { self.put_job(&job).await });
        let put: Vec<_> = futures::stream::iter(puts).buffer_unordered(WRITING_MAX).collect().await;
        put.into_iter().collect::<Result<(), _>>()?;
        Ok(missing)
    }

    /// For which policy, and up to which instant, jobs were written; `None` if never.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn retention_record(&self) -> Result<Option<(String, Timestamp)>, Error> {
        let path = keys::retention();
        let Some(bytes) = self.objects.bytes(&path).await? else { return Ok(None) };
        // A record that cannot be read counts as none: then the jobs are written once more.
        let record = serde_json::from_slice::<RetentionRecord>(&bytes).ok();
        Ok(record.map(|record| (record.policy, record.time)))
    }

    /// Notes that jobs were written for the policy of this store up to `time`.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn note_retention(&self, time: Timestamp) -> Result<(), Error> {
        let policy = self.retention().to_string();
        let bytes = record::encode(&RetentionRecord { version: VERSION, policy, time });
        Ok(self.objects.put(&keys::retention(), bytes, PutMode::Overwrite).await?)
    }
}
