//! Listing: the pending events by deadline, then the ended ones, latest first.
//!
//! Both orders are those of the indexes by time, so a page costs a few listings of minutes and one read per event,
//! however many events there are: an index is walked from where the page begins, a minute at a time, and no further
//! than the page goes. A filter costs a read of each event that it leaves out, so a page that finds too few matches
//! ends early: after half a second, or after tens of thousands of events. What the store has damaged is named, and the
//! rest is listed.

use std::pin::pin;

use futures::TryStreamExt;
use hitl_core::{Event, EventId, EventKey, Namespace, State, Timestamp};

use crate::Service;
use crate::error::Error;
use crate::filter::Filter;
use hitl_store::clock::Monotonic;
use hitl_store::{Entry, Index, Order};

/// Most index entries looked at for one page.
const SCANNED_MAX: usize = 200_000;
/// Most events read for one page.
const READ_MAX: usize = 50_000;
/// Most short listings of an index for one page.
const LISTINGS_MAX: usize = 1_000;
/// For how long events are looked at for one page.
const SCAN_MS_MAX: i64 = 500;
/// Bytes of the events of a page after which it ends, so that it fits in the 4 MiB that gRPC clients take: an event is
/// at most 1.5 MiB.
const PAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Events read at the same time: all of them are in memory at once, whether they match or not.
const READING_MAX: usize = 32;
/// The same while the events of the page are large.
const READING_LARGE_MAX: usize = 4;
/// The same at first, while nobody knows how large they are.
const READING_FIRST_MAX: usize = 8;
/// Events are large beyond this, on average.
const LARGE_BYTES: usize = 64 * 1024;

/// Which events to list.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Which events.
    pub filter: Filter,
    /// Most events of the page, 1 to 1,000.
    pub page_size: usize,
    /// Where the page before ended; empty for the first.
    pub page_token: String,
}

/// One page of a list.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The events.
    pub events: Vec<Event>,
    /// Fetches the next page; empty if there is none.
    pub next_page_token: String,
    /// What should be here and cannot be read: ids of events, and parts of the indexes.
    pub unreadable: Vec<String>,
}

/// Where in the two parts of a list one stands: after this entry, or at the start of the part.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cursor {
    part: Part,
    after: Option<Entry>,
}

/// The two parts of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What is pending, nearest deadline first.
    Pending,
    /// What has ended, latest first.
    Ended,
}

impl Service {
    /// See [`Session::list`](crate::Session::list).
    pub(crate) async fn list(&self, query: &ListQuery) -> Result<Page, Error> {
        let first = Cursor { part: Part::Pending, after: None };
        let mut cursor =
            if query.page_token.is_empty() { first } else { Cursor::parse(&query.page_token)? };
        let has_ended = query.filter.facets.has_ended
            || !matches!(query.filter.state, None | Some(State::Pending));
        if cursor.part == Part::Pending && has_ended {
            let after = query.filter.facets.ended_before.map(first_of);
            cursor = Cursor { part: Part::Ended, after };
        }
        let until = self.0.clock.monotonic().plus_ms(SCAN_MS_MAX);
        let mut scan = Scan::default();
        loop {
            let end = self.scan_part(query, cursor, until, &mut scan).await?;
            let Some(end) = end else {
                return Ok(scan.page);
            };
            if end.after.is_some() {
                return Ok(Page { next_page_token: end.to_string(), ..scan.page });
            }
            cursor = end;
        }
    }

    pub(super) async fn pending_is_empty(&self) -> Result<bool, Error> {
        let mut pending = pin!(self.0.store.indexes().scan(Index::Timers, None, Order::Earliest));
        while let Some(entries) = pending.try_next().await? {
            // Whatever cannot be read may be pending.
            if !entries.found.is_empty() || !entries.damaged.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Scans one part from `cursor` on. Returns where the next page begins, the start of the next
    /// part, or `None` at the end.
    async fn scan_part(
        &self,
        query: &ListQuery,
        cursor: Cursor,
        until: Monotonic,
        scan: &mut Scan,
    ) -> Result<Option<Cursor>, Error> {
        let part = cursor.part;
        let (index, order) = part.walk();
        let mut listings = pin!(self.0.store.indexes().scan(index, cursor.after.clone(), order));
        while let Some(entries) = listings.try_next().await? {
            scan.listings += 1;
            scan.page.unreadable.extend(entries.damaged);
            let mut rest = &entries.found[..];
            while !rest.is_empty() {
                let (batch, later) = rest.split_at(rest.len().min(scan.reading_max()));
                rest = later;
                if part == Part::Ended && is_before(batch, query.filter.facets.ended_from) {
                    return Ok(None);
                }
                let namespaces = &query.filter.namespaces;
                let ours = batch.iter().filter(|entry| namespaces.contains(&entry.key.namespace));
                for (entry, place) in self.read_all(part, ours.cloned().collect()).await? {
                    scan.read += 1;
                    match place {
                        Found::Holds(event) => {
                            scan.weigh(&event);
                            if query.filter.matches(&event, event.state()) {
                                scan.page_bytes += event.weight_bytes();
                                scan.page.events.push(event);
                            }
                        }
                        Found::Left(event) => scan.weigh(&event),
                        Found::Empty => {}
                        Found::Unreadable => {
                            scan.page.unreadable.push(entry.key.id.to_string());
                        }
                    }
                    if scan.is_full(query.page_size) {
                        return Ok(Some(Cursor { part, after: Some(entry) }));
                    }
                }
                scan.scanned += batch.len();
                let is_late = self.0.clock.monotonic() >= until;
                if let Some(last) = batch.last().filter(|_| is_late || scan.is_long()) {
                    return Ok(Some(Cursor { part, after: Some(last.clone()) }));
                }
            }
        }
        let ended_follow = part == Part::Pending && query.filter.state.is_none();
        Ok(ended_follow.then_some(Cursor { part: Part::Ended, after: None }))
    }

    pub(crate) async fn read_all(
        &self,
        part: Part,
        entries: Vec<Entry>,
    ) -> Result<Vec<(Entry, Found)>, Error> {
        futures::future::try_join_all(entries.into_iter().map(|entry| self.at(part, entry))).await
    }

    /// What stands at `entry` of `part`.
    async fn at(&self, part: Part, entry: Entry) -> Result<(Entry, Found), Error> {
        let event = match self.get(&entry.key).await {
            Ok(event) => event,
            Err(Error::NotFound(_)) => return Ok((entry, Found::Empty)),
            Err(error @ Error::RecordUnreadable { .. }) => {
                tracing::error!(%error, "an event is left out of a list");
                return Ok((entry, Found::Unreadable));
            }
            Err(error) => return Err(error),
        };
        let time = match (part, &event.response) {
            (Part::Pending, None) => Some(event.request.deadline),
            (Part::Ended, Some(response)) => Some(response.time),
            _ => None,
        };
        let stands_here = time == Some(entry.time);
        let place = if stands_here { Found::Holds(event) } else { Found::Left(event) };
        Ok((entry, place))
    }
}

/// Whether all that follows `batch` ended before `from`, and so did `batch`.
fn is_before(batch: &[Entry], from: Option<Timestamp>) -> bool {
    let first = batch.first();
    first.zip(from).is_some_and(|(first, from)| first.time < from)
}

/// The first entry that there can be at `time`, but for those of namespaces before the default one.
pub(crate) fn first_of(time: Timestamp) -> Entry {
    let key = EventKey { namespace: Namespace::default(), id: EventId::from_bytes([0; 16]) };
    Entry { time, key }
}

/// What stands at an entry of an index.
pub(crate) enum Found {
    Holds(Event),
    /// The event has left that part, or never had a place at that instant: timers and announcements of those who came
    /// second may be left behind.
    Left(Event),
    /// There is no such event.
    Empty,
    Unreadable,
}

/// What the making of one page has cost so far.
#[derive(Default)]
struct Scan {
    page: Page,
    listings: usize,
    scanned: usize,
    read: usize,
    /// Events among what was read, and what they weigh.
    weighed: usize,
    bytes: usize,
    /// What the events of the page weigh.
    page_bytes: usize,
}

impl Scan {
    fn is_long(&self) -> bool {
        self.scanned >= SCANNED_MAX || self.read >= READ_MAX || self.listings >= LISTINGS_MAX
    }

    fn is_full(&self, page_size: usize) -> bool {
        self.page.events.len() == page_size || self.page_bytes >= PAGE_BYTES_MAX
    }

    fn weigh(&mut self, event: &Event) {
        self.weighed += 1;
        self.bytes += event.weight_bytes();
    }

    /// How many events to read at the same time.
    fn reading_max(&self) -> usize {
        match self.bytes.checked_div(self.weighed) {
            None => READING_FIRST_MAX,
            Some(average) if average > LARGE_BYTES => READING_LARGE_MAX,
            Some(_) => READING_MAX,
        }
    }
}

impl Part {
    /// The index that has it, and from which end.
    fn walk(self) -> (Index, Order) {
        match self {
            Self::Pending => (Index::Timers, Order::Earliest),
            Self::Ended => (Index::Resolved, Order::Latest),
        }
    }
}

impl Cursor {
    fn parse(token: &str) -> Result<Self, Error> {
        let parse = || {
            let (part, after) = token.split_at_checked(1)?;
            let part = match part {
                "p" => Part::Pending,
                "e" => Part::Ended,
                _ => return None,
            };
            Some(Self { part, after: Some(after.parse().ok()?) })
        };
        parse().ok_or_else(|| {
            Error::invalid("page_token", "must be the next_page_token of an earlier page")
        })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.part {
            Part::Pending => "p",
            Part::Ended => "e",
        })?;
        self.after.as_ref().map_or(Ok(()), |after| after.fmt(f))
    }
}
