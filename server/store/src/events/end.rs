//! How an event ends: which record is the end, and who is told of it.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::try_join_all;
use hitl_core::{Event, Response};
use object_store::path::Path;

use super::{EventStore, timer};
use crate::announcements;
use crate::error::Error;
use crate::jobs::Job;
use crate::keys::{self, Entry, Index};
use crate::objects::CreateOnce;
use crate::read_at::{ReadAt, VOUCHED_MS};
use crate::receipts;
use crate::record::{self, Nonce, RequestRecord, ResponseRecord, VERSION};

/// What became of an attempt to end an event.
#[derive(Debug)]
pub struct Ended {
    /// The event with the response that is recorded.
    pub event: Event,
    /// Whether that response is this attempt's.
    pub ours: bool,
    /// Whether the expiry of the event was removed with it.
    pub has_no_expiry: bool,
}

impl EventStore {
    /// The same as [`end_owing`](Self::end_owing) with nothing that is owed.
    ///
    /// # Errors
    /// As there.
    pub async fn end(
        &self,
        event: &Event,
        read_at: ReadAt,
        response: Response,
        nonce: Nonce,
    ) -> Result<Option<Ended>, Error> {
        self.end_owing(event, read_at, response, &[], nonce).await
    }

    /// Records `response` as the outcome of the pending `event`, which was read at `read_at`, unless one is recorded
    /// already. `None` if the event was removed since it was read. The jobs that are `owed` after it are durable before
    /// anybody can know of the end; if it is not recorded they find that out when they are due.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown.
    pub async fn end_owing(
        &self,
        event: &Event,
        read_at: ReadAt,
        response: Response,
        owed: &[Job],
        nonce: Nonce,
    ) -> Result<Option<Ended>, Error> {
        let key = event.request.key();
        let announcement = Entry { time: response.time, key: key.clone() };
        let record = record::encode(&ResponseRecord {
            version: VERSION,
            nonce,
            event: Some(record::event(&key)),
            response: &response,
            receipt: self.signer.as_ref().map(|it| receipts::seal(it, &event.request, &response)),
        });
        let path = keys::response(&key);
        let ended = Event { response: Some(Arc::new(response)), ..event.clone() };
        let together = self.end_together(event, &path, nonce, &record, &announcement, owed).await?;
        let is_together = together.is_some();
        let commit = || self.objects.create_once::<ResponseRecord>(&path, nonce, record);
        let announce = || self.announce_end(announcement.clone(), owed);
        let committed = if let Some(committed) = together {
            committed
        } else if self.shared {
            // Replicas learn of the end from the announcement, so a crash between the two must leave that one, and
            // leave it where they look.
            announce().await?;
            self.announce_again_if_old(&ended).await?;
            commit().await?
        } else {
            let (announced, committed) = tokio::join!(announce(), commit());
            announced?;
            committed?
        };
        let ours = matches!(committed, CreateOnce::Ours);
        if ours && !self.shared {
            self.announce_again_if_old(&ended).await?;
        }
        let ended = match committed {
            CreateOnce::Ours => {
                if !self.is_within(read_at, VOUCHED_MS) && !self.is_asked(event).await? {
                    // There was nothing in its way because the event is gone, and with it whatever outcome it had.
                    self.objects.delete(&path).await?;
                    self.withdraw(&announcement).await?;
                    self.forget(&key);
                    return Ok(None);
                }
                ended
            }
            CreateOnce::Theirs(first) => {
                if first.response.time != announcement.time {
                    self.withdraw(&announcement).await?;
                }
                Event { response: Some(Arc::new(first.response)), ..ended }
            }
        };
        self.memory.update(&ended, false);
        Ok(Some(Ended { event: ended, ours, has_no_expiry: ours && is_together }))
    }

    /// Records an end with its announcement, what is owed after it, and without the expiry, if the store can do that as
    /// one. Such a store is shared with nobody, so nobody has to hear of the end before it is recorded.
    async fn end_together(
        &self,
        event: &Event,
        path: &Path,
        nonce: Nonce,
        record: &Bytes,
        announcement: &Entry,
        owed: &[Job],
    ) -> Result<Option<CreateOnce<ResponseRecord>>, Error> {
        let job = self.retention.collect(announcement);
        let announced = Index::Resolved.path(announcement);
        let marks: Vec<Path> = job.iter().chain(owed).map(Job::path).chain([announced]).collect();
        let expiry = Index::Timers.path(&timer(&event.request));
        let create =
            self.objects.create_together(path, nonce, record.clone(), &marks, Some(&expiry));
        let created = create.await?;
        if matches!(created, Some(CreateOnce::Ours)) {
            self.indexes.note(Index::Resolved, announcement);
        }
        Ok(created)
    }

    /// Announces an end, and owes these jobs, and the removal of the event if that is to be removed some day.
    async fn announce_end(&self, announcement: Entry, owed: &[Job]) -> Result<(), Error> {
        let collect = self.retention.collect(&announcement);
        let announce = self.indexes.insert(Index::Resolved, announcement);
        let owe = async {
            let jobs = collect.iter().chain(owed).map(|job| self.put_job(job));
            try_join_all(jobs).await.map(drop)
        };
        tokio::try_join!(announce, owe).map(drop)
    }

    /// Takes back an announcement of what did not happen. The job that removes it stays, since the announcement may
    /// come to the store once more.
    async fn withdraw(&self, announcement: &Entry) -> Result<(), Error> {
        self.indexes.remove(Index::Resolved, announcement).await
    }

    /// Whether the request of `event` still stands where it was read.
    async fn is_asked(&self, event: &Event) -> Result<bool, Error> {
        let path = keys::request(&event.request.key());
        let record = self.objects.read::<RequestRecord>(&path).await?;
        Ok(record.and_then(|record| record.asked.request()).is_some_and(|it| it == *event.request))
    }

    /// Makes sure that the recorded end of `event` was announced where replicas look that share the store. Whoever
    /// waits since before it was recorded hears of that; whoever came later has read it.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn ensure_announced(&self, event: &Event) -> Result<(), Error> {
        let known = self.memory.get(&event.request.key());
        if known.is_some_and(|known| known.is_indexed && known.event.response.is_some()) {
            return Ok(());
        }
        // After its deadline everybody looks for themselves, and whoever recorded it has announced it for watches.
        if self.shared && self.clock.now() < event.request.deadline {
            self.announce_again_if_old(event).await?;
        }
        self.memory.update(event, true);
        Ok(())
    }

    /// Announces the end of `event` under the present time too, if it came so long ago that those who follow may have
    /// stopped to look where it was announced: it took its time, or a deadline passed while nobody could end it.
    async fn announce_again_if_old(&self, event: &Event) -> Result<(), Error> {
        let now = self.clock.now();
        let is_old = |response: &Arc<Response>| announcements::is_old(response.time, now);
        if !event.response.as_ref().is_some_and(is_old) {
            return Ok(());
        }
        let again = Entry { time: now, key: event.request.key() };
        self.announce_end(again, &[]).await
    }
}
