//! What several people do about one event: their votes, and what they say and do beside them.
//!
//! A vote is created once under a hash of who votes, so that no person has two. The job that looks what all votes come
//! to is durable before the vote is, so that the process that records the last of them may die at any instant. Whoever
//! waits or watches elsewhere is told by an entry in `updated/`, which is written after what it tells of: only then is
//! the caller told that it is done.

use futures::{StreamExt, TryStreamExt};
use hitl_core::{Deliberation, Event, EventKey, Person, ThreadEntry, Timestamp, Vote};
use object_store::path::Path;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::events::EventStore;
use crate::jobs::{Job, Kind};
use crate::keys::{self, Entry, Index, OfEvent};
use crate::objects::CreateOnce;
use crate::read_at::ReadAt;
use crate::record::{self, Nonce, ThreadRecord, VERSION, VoteRecord};

/// A look at what all votes come to.
pub const SETTLE: Kind = Kind::new("settle");

/// Records of one event that are read at the same time.
const READING_MAX: usize = 32;
/// Most records that are read of one event: more than there may be, since some that race get past that.
const RECORDS_MAX: usize = 1_000;

/// What became of a vote.
#[derive(Clone, Debug, PartialEq)]
pub enum Voted {
    /// It is recorded, and waits and watches on other replicas are told by this entry.
    Ours(Entry),
    /// The person had voted before: this.
    Before(Box<Vote>),
}

impl EventStore {
    /// Everything that was voted, said and done about the event at `key`.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`].
    pub async fn deliberation(&self, key: &EventKey) -> Result<Deliberation, Error> {
        let (mut votes, mut entries) = (Vec::new(), Vec::new());
        for path in self.records_beside(key).await? {
            match keys::of_event_at(&path) {
                Some(OfEvent::Vote) => votes.push(path),
                Some(OfEvent::ThreadEntry) => entries.push(path),
                _ => {}
            }
        }
        // Their names begin with their times.
        entries.sort_unstable();
        let votes = futures::stream::iter(votes)
            .map(|path| async move { self.objects.read::<VoteRecord>(&path).await })
            .buffered(READING_MAX)
            .try_filter_map(|record| async move { Ok(record.map(|record| record.vote)) });
        let entries = futures::stream::iter(entries)
            .map(|path| async move { self.objects.read::<ThreadRecord>(&path).await })
            .buffered(READING_MAX)
            .try_filter_map(|record| async move { Ok(record.map(|record| record.entry)) });
        let (votes, entries): (Vec<_>, Vec<_>) =
            tokio::try_join!(votes.try_collect(), entries.try_collect())?;
        Ok(Deliberation { votes, thread: entries.into_iter().collect() })
    }

    /// Records `vote` of `person` on the pending `event`, which was read at `read_at`, unless the person has voted
    /// before. The job `settle` is durable before.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown.
    pub async fn vote(
        &self,
        event: &Event,
        read_at: ReadAt,
        person: &Person,
        vote: &Vote,
        nonce: Nonce,
        settle: &Job,
    ) -> Result<Voted, Error> {
        let key = event.request.key();
        let path = keys::vote(&key, &hash(person));
        let event = record::event(&key);
        let bytes = record::encode(&VoteRecord { version: VERSION, nonce, event, vote });
        self.expect_within(read_at, &path)?;
        let updated = Entry { time: self.clock.now(), key };
        let marks = [settle.path(), Index::Updated.path(&updated)];
        let together = self
            .objects
            .create_together::<VoteRecord>(&path, nonce, bytes.clone(), &marks, None)
            .await?;
        let Some(created) = together else {
            self.put_job(settle).await?;
            let created = self.objects.create_once::<VoteRecord>(&path, nonce, bytes);
            return match created.await? {
                CreateOnce::Ours => Ok(Voted::Ours(self.announce_update(&updated.key).await?)),
                CreateOnce::Theirs(first) => Ok(Voted::Before(Box::new(first.vote))),
            };
        };
        Ok(match created {
            CreateOnce::Ours => Voted::Ours(updated),
            CreateOnce::Theirs(first) => Voted::Before(Box::new(first.vote)),
        })
    }

    /// Adds `entry` to the thread of the pending `event`, which was read at `read_at`. Returns the entry by which waits
    /// and watches on other replicas are told.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown.
    pub async fn add_to_thread(
        &self,
        event: &Event,
        read_at: ReadAt,
        entry: &ThreadEntry,
        nonce: Nonce,
    ) -> Result<Entry, Error> {
        let key = event.request.key();
        let (tag, _) = nonce.0.split_at(8);
        let tag = u64::from_be_bytes(tag.try_into().expect("it has eight bytes"));
        let path = keys::thread_entry(&key, entry.time, tag);
        let event = record::event(&key);
        let bytes = record::encode(&ThreadRecord { version: VERSION, nonce, event, entry });
        self.expect_within(read_at, &path)?;
        let updated = Entry { time: self.clock.now(), key };
        let marks = [Index::Updated.path(&updated)];
        let together = self
            .objects
            .create_together::<ThreadRecord>(&path, nonce, bytes.clone(), &marks, None)
            .await?;
        if together.is_some() {
            return Ok(updated);
        }
        self.objects.create_once::<ThreadRecord>(&path, nonce, bytes).await?;
        self.announce_update(&updated.key).await
    }

    /// Removes all votes and the thread of the event at `key`, which was removed.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub(crate) async fn remove_deliberation(&self, key: &EventKey) -> Result<(), Error> {
        let listed = self.objects.list(&keys::of_event(key)).await?.found;
        let removed = listed
            .into_iter()
            .filter(is_beside)
            .map(|path| async move { self.objects.delete(&path).await });
        futures::stream::iter(removed).buffer_unordered(READING_MAX).try_collect().await
    }

    /// Where votes and entries of the thread stand.
    async fn records_beside(&self, key: &EventKey) -> Result<Vec<Path>, Error> {
        let listed = self.objects.list(&keys::of_event(key)).await?;
        if let Some(path) = listed.damaged.into_iter().next() {
            let message = "what was voted and said there cannot be listed".to_owned();
            return Err(Error::RecordUnreadable { path, message });
        }
        let mut found = listed.found;
        found.retain(is_beside);
        found.truncate(RECORDS_MAX);
        Ok(found)
    }

    async fn announce_update(&self, key: &EventKey) -> Result<Entry, Error> {
        let entry = Entry { time: self.clock.now(), key: key.clone() };
        self.indexes().insert(Index::Updated, entry.clone()).await?;
        Ok(entry)
    }
}

/// The job that looks at `due` what all votes on the event at `key` come to.
pub fn settle(key: EventKey, due: Timestamp) -> Job {
    Job { due, kind: SETTLE, key, n: 0 }
}

fn is_beside(path: &Path) -> bool {
    matches!(keys::of_event_at(path), Some(OfEvent::Vote | OfEvent::ThreadEntry))
}

/// What stands for a person in a key: 32 digits.
fn hash(person: &Person) -> String {
    let hash = Sha256::digest(person.key());
    let first = hash.first_chunk().expect("a SHA-256 has 32 bytes");
    format!("{:032x}", u128::from_be_bytes(*first))
}
