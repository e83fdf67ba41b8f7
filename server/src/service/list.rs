//! Listing: the pending events by deadline, then the ended ones, latest first.
//!
//! Both orders are those of the indexes by time, so a page costs a few listings of minutes and one
//! read per event, however many events there are.

use std::collections::BTreeMap;

use hitl_core::{Event, Namespace, State, Timestamp};

use crate::error::Error;
use crate::service::Service;
use crate::store::{Entry, Index};

/// Most index entries looked at for one page; a page that finds too few matches among them ends early.
const SCANNED_MAX: usize = 10_000;
/// Most events read for one page.
const READ_MAX: usize = 2_000;
/// Bytes of events after which a page ends, so that it fits in the 4 MiB that gRPC clients take: an
/// event is at most 1.5 MiB.
const PAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Events read at the same time.
const READING_MAX: usize = 32;

/// Which events to list.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// The namespace.
    pub namespace: Namespace,
    /// Only in this state.
    pub state: Option<State>,
    /// Only of this name.
    pub name: Option<String>,
    /// Only of this scope.
    pub scope: Option<String>,
    /// Only with all of these labels.
    pub labels: BTreeMap<String, String>,
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
}

/// Where in the two parts of a list one stands: after this entry, or at the start of the part.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cursor {
    part: Index,
    after: Option<Entry>,
}

impl Service {
    /// One page of the events that match `query`. Events that are found overdue are ended first.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for a page token that is none, and those of the store.
    pub async fn list(&self, query: &ListQuery) -> Result<Page, Error> {
        let first = Cursor { part: Index::Timers, after: None };
        let mut cursor =
            if query.page_token.is_empty() { first } else { Cursor::parse(&query.page_token)? };
        if cursor.part == Index::Timers && !matches!(query.state, None | Some(State::Pending)) {
            cursor = Cursor { part: Index::Resolved, after: None };
        }
        let mut scan = Scan::default();
        loop {
            let end = self.scan_part(query, cursor, &mut scan).await?;
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
        for minute in self.minutes(Index::Timers, None).await? {
            if !self.minute(Index::Timers, minute, None).await?.is_empty() {
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
        scan: &mut Scan,
    ) -> Result<Option<Cursor>, Error> {
        let part = cursor.part;
        for minute in self.minutes(part, cursor.after.as_ref()).await? {
            let entries = self.minute(part, minute, cursor.after.as_ref()).await?;
            for batch in entries.chunks(READING_MAX) {
                let ours = batch.iter().filter(|entry| entry.key.namespace == query.namespace);
                for (entry, event) in self.read_all(part, ours.cloned().collect()).await? {
                    scan.read += 1;
                    let event = event.filter(|event| query.matches(event));
                    scan.bytes += event.as_ref().map_or(0, Event::weight_bytes);
                    scan.page.events.extend(event);
                    if scan.page.events.len() == query.page_size || scan.bytes >= PAGE_BYTES_MAX {
                        return Ok(Some(Cursor { part, after: Some(entry) }));
                    }
                }
                scan.scanned += batch.len();
                if let Some(last) = batch.last().filter(|_| scan.is_long()) {
                    return Ok(Some(Cursor { part, after: Some(last.clone()) }));
                }
            }
        }
        let ended_follow = part == Index::Timers && query.state.is_none();
        Ok(ended_follow.then_some(Cursor { part: Index::Resolved, after: None }))
    }

    /// The minutes of `part` that may have entries after `after`, in the order of the list.
    async fn minutes(&self, part: Index, after: Option<&Entry>) -> Result<Vec<Timestamp>, Error> {
        let [first, last] = [0, i64::MAX]
            .map(|ms| Timestamp::from_ms(0).expect("the epoch is an instant").plus_ms(ms));
        let indexes = self.0.store.indexes();
        let after = after.map(|entry| entry.time);
        match part {
            Index::Timers => indexes.minutes(part, after.unwrap_or(first), last).await,
            Index::Resolved => {
                let mut minutes = indexes.minutes(part, first, after.unwrap_or(last)).await?;
                minutes.reverse();
                Ok(minutes)
            }
        }
    }

    /// The entries of one minute that come after `after`, in the order of the list.
    async fn minute(
        &self,
        part: Index,
        minute: Timestamp,
        after: Option<&Entry>,
    ) -> Result<Vec<Entry>, Error> {
        let mut entries = self.0.store.indexes().minute(part, minute).await?;
        match part {
            Index::Timers => entries.retain(|entry| after.is_none_or(|after| entry > after)),
            Index::Resolved => {
                entries.retain(|entry| after.is_none_or(|after| entry < after));
                entries.reverse();
            }
        }
        Ok(entries)
    }

    async fn read_all(
        &self,
        part: Index,
        entries: Vec<Entry>,
    ) -> Result<Vec<(Entry, Option<Event>)>, Error> {
        futures::future::try_join_all(entries.into_iter().map(|entry| self.at(part, entry))).await
    }

    /// The event that stands at `entry` of `part`. `None` if it has left that part, or never had a
    /// place at that instant: timers and announcements of those who came second may be left behind.
    async fn at(&self, part: Index, entry: Entry) -> Result<(Entry, Option<Event>), Error> {
        let event = match self.get(&entry.key).await {
            Ok(event) => event,
            Err(Error::NotFound(_)) => return Ok((entry, None)),
            Err(error) => return Err(error),
        };
        let place = match (part, &event.response) {
            (Index::Timers, None) => Some(event.request.deadline),
            (Index::Resolved, Some(response)) => Some(response.time),
            _ => None,
        };
        let event = (place == Some(entry.time)).then_some(event);
        Ok((entry, event))
    }
}

/// What the making of one page has cost so far.
#[derive(Default)]
struct Scan {
    page: Page,
    scanned: usize,
    read: usize,
    bytes: usize,
}

impl Scan {
    fn is_long(&self) -> bool {
        self.scanned >= SCANNED_MAX || self.read >= READ_MAX
    }
}

impl ListQuery {
    fn matches(&self, event: &Event) -> bool {
        let request = &event.request;
        self.state.is_none_or(|state| event.state() == state)
            && self.name.as_ref().is_none_or(|name| request.name == *name)
            && self.scope.as_ref().is_none_or(|scope| request.scope == *scope)
            && self.labels.iter().all(|(key, value)| request.labels.get(key) == Some(value))
    }
}

impl Cursor {
    fn parse(token: &str) -> Result<Self, Error> {
        let parse = || {
            let (part, after) = token.split_at_checked(1)?;
            let part = match part {
                "p" => Index::Timers,
                "e" => Index::Resolved,
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
            Index::Timers => "p",
            Index::Resolved => "e",
        })?;
        self.after.as_ref().map_or(Ok(()), |after| after.fmt(f))
    }
}
