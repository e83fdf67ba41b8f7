//! Events in the store: how one is asked, ended and read.

use std::sync::Arc;

use bytes::Bytes;
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
use crate::read_at::{ReadAt, VOUCHED_MS};
use crate::receipts::{self, ReceiptKeys};
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
    new_objects: Objects,
    new_indexes: Indexes,
    /// The disk of a store on this machine.
    disk: Option<Disk>,
    /// Whether other replicas may use the same store.
    shared: bool,
    pub(super) clock: Arc<dyn Clock>,
    skew: Arc<Skew>,
    retention: Retention,
    /// What receipts are signed with.
    signer: Option<Arc<SigningKey>>,
    pub(super) receipt_keys: ReceiptKeys,
    memory: Memory,
}

/// What became of a create.
#[derive(Debug)]
pub struct Created {
    /// What is recorded: this create's request, or that of the first one with the same id.
    pub request: Arc<Request>,
    /// Whether an earlier create had recorded it.
    pub existed: bool,
}

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

    /// Records `request`, its timer and its announcement, unless an event with its id is recorded already. All are
    /// durable on return.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown; then any of them may be durable without the others.
    /// [`Error::DiskFull`] if it is not recorded, or without the others.
    pub async fn create(&self, request: Arc<Request>, nonce: Nonce) -> Result<Created, Error> {
        let key = request.key();
        let record =
            record::encode(&NewRequestRecord { version: VERSION, nonce, request: &request });
        let path = keys::request(&key);
        let (read_at, removals) = (self.read_at(), self.memory.removals(&key));
        let entries = [(Index::Timers, timer(&request)), (Index::Created, announcement(&request))];
        let marks = entries.each_ref().map(|(index, entry)| index.path(entry));
        let objects = &self.new_objects;
        let together = objects.create_together(&path, nonce, record.clone(), &marks, None).await?;
        let (created, has_timer, is_announced) = if let Some(created) = together {
            let is_ours = matches!(created, objects::CreateOnce::Ours);
            (created, is_ours, is_ours)
        } else {
            let [timer, announcement] = entries;
            // All at once, since a store takes its time for each; and if one fails the others are given up, since none
            // is of use without the others.
            tokio::try_join!(
                objects.create_once::<RequestRecord>(&path, nonce, record),
                self.insert_new(timer),
                self.insert_new(announcement),
            )?
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

    /// Records `response` as the outcome of the pending `event`, which was read at `read_at`, unless one is recorded
    /// already. `None` if the event was removed since it was read.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown.
    pub async fn end(
        &self,
        event: &Event,
        read_at: ReadAt,
        response: Response,
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
        let together = self.end_together(event, &path, nonce, &record, &announcement).await?;
        let commit = || self.objects.create_once::<ResponseRecord>(&path, nonce, record);
        let announce = || self.announce_end(announcement.clone());
        let has_no_expiry = matches!(together, Some(objects::CreateOnce::Ours));
        let committed = if let Some(committed) = together {
            if has_no_expiry {
                self.announce_again_if_old(&ended).await?;
            }
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
            let committed = committed?;
            if matches!(committed, objects::CreateOnce::Ours) {
                self.announce_again_if_old(&ended).await?;
            }
            committed
        };
        let ours = matches!(committed, objects::CreateOnce::Ours);
        let ended = match committed {
            objects::CreateOnce::Ours => {
                if !self.is_within(read_at, VOUCHED_MS) && !self.is_asked(event).await? {
                    // There was nothing in its way because the event is gone, and with it whatever outcome it had.
                    self.objects.delete(&path).await?;
                    self.withdraw(&announcement).await?;
                    self.forget(&key);
                    return Ok(None);
                }
                ended
            }
            objects::CreateOnce::Theirs(first) => {
                if first.response.time != announcement.time {
                    self.withdraw(&announcement).await?;
                }
                Event { response: Some(Arc::new(first.response)), ..ended }
            }
        };
        self.memory.update(&ended, false);
        Ok(Some(Ended { event: ended, ours, has_no_expiry }))
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
    ) -> Result<Option<objects::CreateOnce<ResponseRecord>>, Error> {
        let job = self.retention.collect(announcement);
        let announced = Index::Resolved.path(announcement);
        let marks: Vec<Path> = job.iter().map(Job::path).chain([announced]).collect();
        let expiry = Index::Timers.path(&timer(&event.request));
        let create =
            self.objects.create_together(path, nonce, record.clone(), &marks, Some(&expiry));
        let created = create.await?;
        if matches!(created, Some(objects::CreateOnce::Ours)) {
            self.indexes.note(Index::Resolved, announcement);
        }
        Ok(created)
    }

    /// Announces an end, and owes the removal of the event if that is to be removed some day.
    async fn announce_end(&self, announcement: Entry) -> Result<(), Error> {
        let collect = self.retention.collect(&announcement);
        let announce = self.indexes.insert(Index::Resolved, announcement);
        let owe = async {
            match &collect {
                Some(job) => self.put_job(job).await,
                None => Ok(()),
            }
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
        self.announce_end(again).await
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
