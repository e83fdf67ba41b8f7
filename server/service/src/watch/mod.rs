//! Watching a namespace: every change that matches, in order for each event, at least once.
//!
//! A watch takes its place among those who are told of announcements, then reads what was announced from where it
//! resumes, and then goes by what it is told. Its position is an instant: everything that was announced before that
//! instant has been sent. An announcement may take up to [`LOOK_BACK_MS`] to reach the store, so the position stays
//! that far behind the present, and a watch that resumes is sent the changes of the last seconds twice.

mod hub;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use hitl_core::{Event, EventKey, State, Timestamp};
use hitl_store::announcements::{LOOK_BACK_MS, RESUMABLE_MS};
use hitl_store::clock::Monotonic;
use hitl_store::{Entry, Index};

pub use hub::WATCHES_MAX;
pub(crate) use hub::Watches;
use hub::{Notice, WatchSeat};

use crate::error::Error;
use crate::filter::Filter;
use crate::waiters::Owner;
use crate::{Parts, Service};

/// For how long the record of an announced change is looked for if it is not there or cannot be read. By then the
/// server that announced the change has crashed, or has announced it again.
const PATIENCE_MS: i64 = 60_000;
/// How often a watch that resumes lists each minute. A store that leaves keys out of one listing does not say so. A
/// watch that does not resume needs no such care: each announcement is listed about twenty times while it is fresh.
const LISTED: usize = 2;
/// How far in the future a token may lie, since the clocks of two servers differ.
const AHEAD_MS_MAX: i64 = 60_000;
/// How far apart the clocks of two servers may be. A watch that begins now is also sent what happened so little before
/// it by the clock of another server.
const CLOCKS_APART_MS: i64 = 2_000;
/// Length of a part of an index.
const MINUTE_MS: i64 = 60_000;
/// What every token begins with.
const TOKEN_PREFIX: &str = "w1-";

/// What happened to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It was created.
    Created,
    /// Something was voted, said or done about it, and it is pending.
    Updated,
    /// It has ended.
    Ended,
}

/// One change of one event.
#[derive(Clone, Debug)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The event as it stands, which may be later than the change.
    pub event: Event,
}

/// What comes of a watch.
#[derive(Clone, Debug)]
pub enum Watched {
    /// Something has changed.
    Change(Change),
    /// Everything before this token has been sent.
    Bookmark(String),
}

/// A change that was announced.
#[derive(Clone, Debug)]
struct Announced {
    kind: ChangeKind,
    entry: Entry,
    /// Since when it is looked at in vain: it is not recorded yet, or what is there could not be read.
    late_since: Option<Monotonic>,
}

/// What tells a change from all others: an event is created once and ends once, and is updated at many instants.
type Sent = (ChangeKind, EventKey, Option<Timestamp>);

/// A watch over the events of some namespaces.
#[derive(Debug)]
pub struct Watch {
    service: Service,
    filter: Filter,
    place: WatchSeat,
    interval: Duration,
    /// What happened before is not sent.
    since: Timestamp,
    /// Everything that was announced before has been sent.
    position: Timestamp,
    /// The next position, which holds once everything at hand was sent.
    covered: Timestamp,
    /// Minutes that are yet to be read.
    minutes: VecDeque<Timestamp>,
    /// What is to be looked at next.
    announced: VecDeque<Announced>,
    /// Announcements whose record was not there, or could not be read. They are looked at again.
    late: Vec<Announced>,
    /// Changes that were sent and may be announced again, with the instant under which each was announced.
    sent: HashMap<Sent, Timestamp>,
    ready: VecDeque<Change>,
    is_bookmark_due: bool,
    bookmark_at: Monotonic,
}

impl Service {
    /// See [`Session::watch`](crate::Session::watch).
    pub(crate) fn watch(
        &self,
        filter: Filter,
        token: &str,
        interval: Duration,
        owner: Owner,
    ) -> Result<Watch, Error> {
        if self.0.shutdown.is_cancelled() {
            return Err(Error::ShuttingDown);
        }
        let now = self.0.clock.now();
        let is_new = token.is_empty();
        let position = if is_new { self.position_at(now) } else { resumed(token, now)? };
        let place = self.0.watches.take(filter.namespaces.clone(), owner, !is_new)?;
        Ok(Watch {
            service: self.clone(),
            filter,
            place,
            interval,
            since: if is_new { now.plus_ms(-CLOCKS_APART_MS) } else { position },
            position,
            covered: position,
            minutes: VecDeque::new(),
            announced: VecDeque::new(),
            late: Vec::new(),
            sent: HashMap::new(),
            ready: VecDeque::new(),
            is_bookmark_due: true,
            bookmark_at: self.0.clock.monotonic(),
        })
    }

    /// See [`Session::resume_token`](crate::Session::resume_token).
    pub(crate) fn resume_token(&self) -> String {
        token(self.position_at(self.0.clock.now()))
    }

    /// The instant before which every announcement is known to a server that has listed everything `now`. If the clock
    /// is known to be ahead of the store's, the instant is that much earlier.
    fn position_at(&self, now: Timestamp) -> Timestamp {
        let ahead_ms = self.0.store.skew().off_ms().unwrap_or_default().max(0);
        now.plus_ms(-ahead_ms - LOOK_BACK_MS)
    }
}

impl Watch {
    /// The next change, or a bookmark.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`], [`Error::TooManyWaiters`] if somebody with fewer watches gets the place, and those
    /// of the store while it is read from where the watch resumes. All can be resumed from the last bookmark.
    pub async fn next(&mut self) -> Result<Watched, Error> {
        loop {
            if let Some(change) = self.ready.pop_front() {
                return Ok(Watched::Change(change));
            }
            if let Some(announced) = self.announced.front().cloned() {
                self.look(announced).await?;
                self.announced.pop_front();
                continue;
            }
            self.advance();
            if self.is_bookmark_due || self.bookmark_at <= self.service.0.clock.monotonic() {
                return Ok(self.bookmark());
            }
            if let Some(minute) = self.minutes.front().copied() {
                self.read_minute(minute).await?;
                self.minutes.pop_front();
            } else if self.place.take_missed() {
                self.read_again().await?;
            } else {
                self.hear().await?;
            }
        }
    }

    /// Waits until there is something to do.
    async fn hear(&mut self) -> Result<(), Error> {
        let Parts { clock, shutdown, .. } = &*self.service.0;
        let heard = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Err(Error::ShuttingDown),
            heard = self.place.hear() => Some(heard?),
            () = clock.pause_until(self.bookmark_at) => None,
        };
        match heard {
            None => self.is_bookmark_due = true,
            Some(Notice::Announced(index, entry)) => {
                self.announced.extend(Announced::of(index, entry));
            }
            Some(Notice::Covered(until)) => {
                self.covered = self.covered.max(self.service.position_at(until));
                self.announced.extend(self.late.drain(..));
            }
        }
        Ok(())
    }

    /// Moves the position on, since everything at hand was sent.
    fn advance(&mut self) {
        let late = self.late.iter().map(|late| late.entry.time).min();
        let position = late.map_or(self.covered, |late| late.min(self.covered));
        self.position = self.position.max(position);
        let listed_from = self.position.plus_ms(-LOOK_BACK_MS);
        self.sent.retain(|_, announced| *announced >= listed_from);
    }

    /// Reads the store from the position on.
    async fn read_again(&mut self) -> Result<(), Error> {
        let now = self.service.0.clock.now();
        let indexes = self.service.0.store.indexes();
        let mut minutes = Vec::new();
        for index in [Index::Created, Index::Updated, Index::Resolved] {
            for _ in 0..LISTED {
                minutes.extend(indexes.minutes(index, self.position, now).await?.found);
            }
        }
        minutes.sort_unstable();
        minutes.dedup();
        self.minutes = minutes.into();
        Ok(())
    }

    /// Reads what was announced in one minute, in the order of time.
    async fn read_minute(&mut self, minute: Timestamp) -> Result<(), Error> {
        let indexes = self.service.0.store.indexes();
        let mut all = Vec::new();
        for index in [Index::Created, Index::Updated, Index::Resolved] {
            let listings = (0..LISTED).map(|_| indexes.minute(index, minute));
            for listed in futures::future::try_join_all(listings).await? {
                let changes = listed.found.into_iter().filter_map(|it| Announced::of(index, it));
                all.extend(changes.filter(|it| self.is_to_come(&it.entry)));
            }
        }
        // Stable, so that of one instant what was created comes before what ended.
        all.sort_by_key(|announced| announced.entry.time);
        self.announced.extend(all);
        // Once these are sent, everything before the next minute has been sent.
        let now = self.service.0.clock.now();
        self.covered =
            self.covered.max(minute.plus_ms(MINUTE_MS).min(self.service.position_at(now)));
        Ok(())
    }

    /// Whether `entry` is of the watched namespace, and not older than the position of this watch.
    fn is_to_come(&self, entry: &Entry) -> bool {
        self.filter.namespaces.contains(&entry.key.namespace) && entry.time >= self.position
    }

    /// Looks at the event of what was announced, and sends what has happened to it.
    async fn look(&mut self, announced: Announced) -> Result<(), Error> {
        let Announced { kind, ref entry, .. } = announced;
        if self.sent.contains_key(&sent(kind, entry)) {
            return Ok(());
        }
        match self.service.read(&entry.key).await {
            // Its end says more.
            Ok(event) if kind == ChangeKind::Updated && event.response.is_some() => {}
            Ok(event) if kind != ChangeKind::Ended || event.response.is_some() => {
                // Its create may be announced later than its end, if that took its time to the store.
                if kind != ChangeKind::Created && event.request.create_time >= self.position {
                    self.send(ChangeKind::Created, entry, &event);
                }
                self.send(kind, entry, &event);
            }
            // The change is not recorded yet. If the announcement is old, nobody will record it any more.
            Ok(_) | Err(Error::NotFound(_)) => {
                let age_ms = self.service.0.clock.now().ms_since(entry.time);
                if age_ms < PATIENCE_MS {
                    self.keep_late(announced);
                }
            }
            // Perhaps only this read was garbled.
            Err(error @ Error::RecordUnreadable { .. }) => {
                if !self.keep_late(announced) {
                    tracing::error!(%error, "an event is left out of a watch");
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Looks at the announcement again with the next listing, unless it was looked at for long enough.
    fn keep_late(&mut self, announced: Announced) -> bool {
        let now = self.service.0.clock.monotonic();
        let since = announced.late_since.unwrap_or(now);
        let is_kept = now.ms_since(since) < PATIENCE_MS;
        if is_kept {
            self.late.push(Announced { late_since: Some(since), ..announced });
        }
        is_kept
    }

    fn send(&mut self, kind: ChangeKind, entry: &Entry, event: &Event) {
        let is_first = self.sent.insert(sent(kind, entry), entry.time).is_none();
        let state = match kind {
            ChangeKind::Created | ChangeKind::Updated => State::Pending,
            ChangeKind::Ended => event.state(),
        };
        let time = match (kind, &event.response) {
            (ChangeKind::Ended, Some(response)) => response.time,
            (ChangeKind::Updated, _) => entry.time,
            _ => event.request.create_time,
        };
        if is_first && time >= self.since && self.filter.matches(event, state) {
            self.ready.push_back(Change { kind, event: event.clone() });
        }
    }

    fn bookmark(&mut self) -> Watched {
        let interval_ms = i64::try_from(self.interval.as_millis()).unwrap_or(i64::MAX);
        self.is_bookmark_due = false;
        self.bookmark_at = self.service.0.clock.monotonic().plus_ms(interval_ms);
        Watched::Bookmark(token(self.position))
    }
}

impl Announced {
    /// What `index` announces by `entry`, if it announces anything.
    fn of(index: Index, entry: Entry) -> Option<Self> {
        let kind = match index {
            Index::Created => ChangeKind::Created,
            Index::Updated => ChangeKind::Updated,
            Index::Resolved => ChangeKind::Ended,
            Index::Timers => return None,
        };
        Some(Self { kind, entry, late_since: None })
    }
}

fn sent(kind: ChangeKind, entry: &Entry) -> Sent {
    let time = (kind == ChangeKind::Updated).then_some(entry.time);
    (kind, entry.key.clone(), time)
}

fn token(position: Timestamp) -> String {
    format!("{TOKEN_PREFIX}{}", position.ms())
}

fn resumed(token: &str, now: Timestamp) -> Result<Timestamp, Error> {
    let ms = token.strip_prefix(TOKEN_PREFIX).and_then(|ms| ms.parse().ok());
    let position = ms.and_then(Timestamp::from_ms).filter(|at| at.ms_since(now) <= AHEAD_MS_MAX);
    let position = position.ok_or_else(|| {
        Error::invalid("resume_token", "must be the resume_token of a bookmark or of a list")
    })?;
    if now.ms_since(position) > RESUMABLE_MS {
        return Err(Error::ResumeTokenExpired);
    }
    Ok(position)
}

#[cfg(test)]
mod tests;
