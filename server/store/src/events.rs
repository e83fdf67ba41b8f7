//! Events in the store: how one is asked and read, and in `end` how one is ended.

mod end;

use std::sync::Arc;

use futures::future::try_join_all;
use hitl_core::{Event, EventKey, Request, Response};
use hitl_receipt::SigningKey;
use object_store::ObjectStore;
use object_store::path::Path;

use crate::announcements::{self, RESUMABLE_MS};
use crate::clock::Clock;
use crate::disk::Disk;
use crate::error::Error;
use crate::index::Indexes;
use crate::jobs::Job;
use crate::keys::{self, Entry, Index};
use crate::memory::{Memory, Remembered};
use crate::metrics::StoreMetrics;
use crate::objects::{self, Objects};
use crate::read_at::VOUCHED_MS;
use crate::receipts::ReceiptKeys;
use crate::record::{self, Asked, NewRequestRecord, Nonce, RequestRecord, ResponseRecord, VERSION};
use crate::retention::Retention;
use crate::skew::Skew;

/// For how long an event that has ended is remembered: others may have removed it.
const REMEMBERED_MS: i64 = 600_000;

/// The events of one store.
///
/// What was asked never changes and what has ended never changes, so both may be remembered; that
/// an event is pending is never remembered but read anew.
#[derive(Debug)]
pub struct EventStore {
    pub(super) objects: Objects,
    indexes: Indexes,
    /// The same for new events, which are refused first when the disk fills up.
    pub(super) new_objects: Objects,
    new_indexes: Indexes,
    /// The disk of a store on this machine.
    disk: Option<Disk>,
    /// Whether other replicas may use the same store.
    shared: bool,
    pub(super) clock: Arc<dyn Clock>,
    skew: Arc<Skew>,
    retention: Retention,
    /// For how long the audit is kept, in milliseconds; for ever if `None`.
    pub(super) audit_kept_ms: Option<i64>,
    /// What receipts are signed with.
    signer: Option<Arc<SigningKey>>,
    pub(super) receipt_keys: ReceiptKeys,
    memory: Memory,
}

pub use end::Ended;

/// What became of a create.
#[derive(Debug)]
pub struct Created {
    /// What is recorded: this create's request, or that of the first one with the same id.
    pub request: Arc<Request>,
    /// Whether an earlier create had recorded it.
    pub existed: bool,
}

impl EventStore {
    /// The events in `store`, which other replicas may use at the same time if it is `shared`.
    ///
    /// Nothing is asked of the store: [`open`](super::open()) does that first.
    pub fn over(store: Arc<dyn ObjectStore>, shared: bool, clock: Arc<dyn Clock>) -> Self {
        let objects = Objects::new(store, StoreMetrics::default());
        Self::with(objects, shared, clock, Arc::default())
    }

    pub(super) fn with(
        objects: Objects,
        shared: bool,
        clock: Arc<dyn Clock>,
        skew: Arc<Skew>,
    ) -> Self {
        let indexes = Indexes::new(objects.clone(), clock.clone());
        let new_objects = objects.for_new_work();
        let new_indexes = Indexes::new(new_objects.clone(), clock.clone());
        Self {
            objects,
            indexes,
            new_objects,
            new_indexes,
            disk: None,
            shared,
            clock,
            skew,
            retention: Retention::default(),
            audit_kept_ms: None,
            signer: None,
            receipt_keys: ReceiptKeys::default(),
            memory: Memory::default(),
        }
    }

    /// The same events, in a store of which `skew` shows how far this machine's clock is from its own.
    pub fn with_skew(self, skew: Arc<Skew>) -> Self {
        Self { skew, ..self }
    }

    /// The same events, of which those that have ended are kept as `retention` says.
    pub fn retaining(self, retention: Retention) -> Self {
        Self { retention, ..self }
    }

    /// The same events, of which each end is signed with `key`. Whoever verifies receipts finds it in the store if
    /// [`publish_receipt_key`](Self::publish_receipt_key) has put it there.
    pub fn signing_with(self, key: Arc<SigningKey>) -> Self {
        Self { signer: Some(key), ..self }
    }

    /// The same events, on this disk.
    pub(super) fn on(self, disk: Option<Disk>) -> Self {
        Self { disk, ..self }
    }

    /// The disk of a store on this machine; others are the business of whoever keeps them.
    pub fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }

    /// Whether other replicas may use the same store.
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// The indexes by time.
    pub fn indexes(&self) -> &Indexes {
        &self.indexes
    }

    /// The same as [`create_owing`](Self::create_owing) of what owes nothing.
    ///
    /// # Errors
    /// As there.
    pub async fn create(&self, request: Arc<Request>, nonce: Nonce) -> Result<Created, Error> {
        self.create_owing(request, &[], nonce).await
    }

    /// Records `request`, its timer, its announcement and the jobs that are `owed` for it, unless an event with its id
    /// is recorded already. All are durable on return.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown; then any of them may be durable without the others.
    /// [`Error::DiskFull`] if it is not recorded, or without the others.
    pub async fn create_owing(
        &self,
        request: Arc<Request>,
        owed: &[Job],
        nonce: Nonce,
    ) -> Result<Created, Error> {
        let key = request.key();
        let record =
            record::encode(&NewRequestRecord { version: VERSION, nonce, request: &request });
        let path = keys::request(&key);
        let (read_at, removals) = (self.read_at(), self.memory.removals(&key));
        let entries = [(Index::Timers, timer(&request)), (Index::Created, announcement(&request))];
        let marks = entries.iter().map(|(index, entry)| index.path(entry));
        let marks: Vec<Path> = marks.chain(owed.iter().map(Job::path)).collect();
        let objects = &self.new_objects;
        let together = objects.create_together(&path, nonce, record.clone(), &marks, None).await?;
        let (created, has_timer, is_announced) = if let Some(created) = together {
            let is_ours = matches!(created, objects::CreateOnce::Ours);
            (created, is_ours, is_ours)
        } else {
            let [timer, announcement] = entries;
            // All at once, since a store takes its time for each; and if one fails the others are given up, since none
            // is of use without the others.
            let (created, has_timer, is_announced, _) = tokio::try_join!(
                objects.create_once::<RequestRecord>(&path, nonce, record),
                self.insert_new(timer),
                self.insert_new(announcement),
                try_join_all(owed.iter().map(|job| self.put_job(job))),
            )?;
            (created, has_timer, is_announced)
        };
        match created {
            objects::CreateOnce::Ours if !(has_timer && is_announced) => Err(Error::DiskFull),
            objects::CreateOnce::Ours => {
                self.announce_create_again_if_old(&request).await?;
                let event = Event { request: request.clone(), response: None };
                self.memory.insert(Remembered { event, is_indexed: true, read_at }, removals);
                Ok(Created { request, existed: false })
            }
            objects::CreateOnce::Theirs(first) => {
                let first = first.asked.request();
                let is_first = |entry: fn(&Request) -> Entry| {
                    first.as_ref().is_some_and(|first| entry(first) == entry(&request))
                };
                if has_timer && !is_first(timer) {
                    self.indexes.remove(Index::Timers, &timer(&request)).await?;
                }
                if is_announced && !is_first(announcement) {
                    self.indexes.remove(Index::Created, &announcement(&request)).await?;
                }
                let first = first.ok_or(Error::Removed(key))?;
                Ok(Created { request: Arc::new(first), existed: true })
            }
        }
    }

    /// Inserts an entry of what may be a new event. Says whether there was room for it: an event that is there already
    /// is found all the same.
    async fn insert_new(&self, (index, entry): (Index, Entry)) -> Result<bool, Error> {
        match self.new_indexes.insert(index, entry).await {
            Ok(()) => Ok(true),
            Err(Error::DiskFull) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The event at `key` as it is recorded, if it is.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`].
    pub async fn read(&self, key: &EventKey) -> Result<Option<Event>, Error> {
        let known = self.memory.get(key);
        if let Some(Remembered { event, is_indexed, read_at }) = known.clone() {
            let has_ended = event.response.is_some();
            if has_ended && self.is_within(read_at, REMEMBERED_MS) {
                return Ok(Some(event));
            }
            if !has_ended && self.is_within(read_at, VOUCHED_MS) {
                let response = self.read_response(key).await?;
                // Its timer says nothing of its announcement.
                let is_indexed = is_indexed && response.is_none();
                let event = Event { response, ..event };
                self.memory.update(&event, is_indexed);
                return Ok(Some(event));
            }
        }
        let (read_at, removals) = (self.read_at(), self.memory.removals(key));
        let path = keys::request(key);
        let (request, response) =
            tokio::join!(self.objects.read::<RequestRecord>(&path), self.read_response(key));
        let response = match request?.map(|record| record.asked) {
            Some(Asked::Request(request)) => {
                let event = Event { request: (*request).into(), response: response? };
                if event.response.is_none() {
                    self.expect_within(read_at, &path)?;
                }
                let is_same = |known: &Remembered| known.event == event;
                let is_indexed = known.is_some_and(|known| known.is_indexed && is_same(&known));
                self.memory
                    .insert(Remembered { event: event.clone(), is_indexed, read_at }, removals);
                return Ok(Some(event));
            }
            Some(Asked::Removed(_)) => Ok(None),
            // An absence is final for whoever hears of it. It costs a third small read, so nobody can burden the store
            // by asking for what is not there.
            None => self.check().await.map(|()| None),
        };
        self.forget(key);
        response
    }

    /// What the event at `key` asks, if it is recorded: without a look at the store if that is remembered.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`].
    pub async fn request(&self, key: &EventKey) -> Result<Option<Arc<Request>>, Error> {
        if let Some(Remembered { event, read_at, .. }) = self.memory.get(key) {
            let believed_ms = if event.response.is_some() { REMEMBERED_MS } else { VOUCHED_MS };
            if self.is_within(read_at, believed_ms) {
                return Ok(Some(event.request));
            }
        }
        Ok(self.read(key).await?.map(|event| event.request))
    }

    /// Makes sure that `event`, which was just read, has its timer and was announced if it is pending. A create
    /// that was never acknowledged may have left it without either. Returns the event as it stands then.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`].
    pub async fn ensure_indexed(&self, event: Event) -> Result<Event, Error> {
        let key = event.request.key();
        let is_indexed = self.memory.get(&key).is_some_and(|known| known.is_indexed);
        if event.response.is_some() || is_indexed {
            return Ok(event);
        }
        let timer = timer(&event.request);
        let (has_timer, is_announced) = tokio::try_join!(
            self.indexes.holds(Index::Timers, &timer),
            self.is_announced(&event.request)
        )?;
        if !is_announced {
            self.indexes.insert(Index::Created, announcement(&event.request)).await?;
            self.announce_create_again_if_old(&event.request).await?;
        }
        if has_timer {
            self.memory.update(&event, true);
            return Ok(event);
        }
        self.indexes.insert(Index::Timers, timer.clone()).await?;
        // It may be missing because the event has ended since it was read; then nobody comes to remove it any more.
        let response = self.read_response(&key).await?;
        if response.is_some() {
            self.indexes.remove(Index::Timers, &timer).await?;
        }
        let is_indexed = response.is_none();
        let event = Event { response, ..event };
        self.memory.update(&event, is_indexed);
        Ok(event)
    }

    /// Whether the create of this event was announced, or so long ago that nobody can resume from before it.
    async fn is_announced(&self, request: &Request) -> Result<bool, Error> {
        if self.clock.now().ms_since(request.create_time) > RESUMABLE_MS {
            return Ok(true);
        }
        self.indexes.holds(Index::Created, &announcement(request)).await
    }

    /// Announces the create of an event under the present time too, if it took so long that those who follow may have
    /// stopped to look where it was announced.
    async fn announce_create_again_if_old(&self, request: &Request) -> Result<(), Error> {
        let now = self.clock.now();
        if !self.shared || !announcements::is_old(request.create_time, now) {
            return Ok(());
        }
        self.indexes.insert(Index::Created, Entry { time: now, key: request.key() }).await
    }

    pub(crate) async fn read_response(
        &self,
        key: &EventKey,
    ) -> Result<Option<Arc<Response>>, Error> {
        let record = self.objects.read::<ResponseRecord>(&keys::response(key)).await?;
        Ok(record.map(|record| Arc::new(record.response)))
    }

    /// Forgets what is known of the event at `key`.
    pub(crate) fn forget(&self, key: &EventKey) {
        self.memory.remove(key);
    }

    /// For how long what has ended is kept.
    pub fn retention(&self) -> &Retention {
        &self.retention
    }

    /// How far this machine's clock is from the store's, as far as the store shows it.
    pub fn skew(&self) -> &Skew {
        &self.skew
    }

    /// What the operations on the store took.
    pub fn metrics(&self) -> &StoreMetrics {
        self.objects.metrics()
    }
}

/// The announcement of a request.
fn announcement(request: &Request) -> Entry {
    Entry { time: request.create_time, key: request.key() }
}

/// The timer of a request: what is owed is its expiry.
pub(crate) fn timer(request: &Request) -> Entry {
    Entry { time: request.deadline, key: request.key() }
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
