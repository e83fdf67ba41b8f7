//! Pages of the audit, latest first.

use futures::StreamExt;
use hitl_core::{Action, AuditEntry, AuditFilter, Namespaces, Timestamp};
use hitl_store::{BatchId, Listed};

use crate::error::Error;
use crate::{Service, Session};

/// Objects read for one page. A page that is not full by then ends there, and the next one goes on.
const READS_MAX: usize = 500;
/// Hours looked into for one page.
const HOURS_MAX: usize = 200;
/// Objects read at a time.
const READING_MAX: usize = 16;
const HOUR_MS: i64 = 3_600_000;
/// How long an object may have been gathered before it was written, its entries being as much older.
const GATHERED_MS: i64 = 120_000;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Which entries.
    pub filter: AuditFilter,
    /// Most of them, 1 at least.
    pub page_size: usize,
    /// Where the page before ended; empty for the first.
    pub page_token: String,
}

/// A page.
#[derive(Debug, Default)]
pub struct AuditPage {
    /// The entries, latest first.
    pub entries: Vec<AuditEntry>,
    /// Goes on; empty if there are no more.
    pub next_page_token: String,
    /// What of this part cannot be read.
    pub unreadable: Vec<String>,
}

/// The place after an entry: those before it come next.
#[derive(Clone, Copy)]
struct Place {
    batch: BatchId,
    /// How many of its entries are left.
    left: usize,
}

impl Session {
    /// A page of the audit.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for a page token that is none, [`Error::PermissionDenied`], and those of the store.
    pub async fn list_audit(&self, query: &AuditQuery) -> Result<AuditPage, Error> {
        self.may_audit(&query.filter.namespaces)?;
        self.service().list_audit(query).await
    }

    /// The namespaces whose audit this principal may read: those that it may, or all, and what is about none too.
    pub fn audited(&self) -> Namespaces {
        self.principal().audited()
    }

    pub(super) fn may_audit(&self, namespaces: &Namespaces) -> Result<(), Error> {
        match namespaces {
            Namespaces::All => self.may(Action::ReadAudit(None)),
            Namespaces::Only(some) => {
                some.iter().try_for_each(|name| self.may(Action::ReadAudit(Some(name))))
            }
        }
    }
}

impl Service {
    async fn list_audit(&self, query: &AuditQuery) -> Result<AuditPage, Error> {
        let from = match query.page_token.as_str() {
            "" => None,
            token => Some(Place::parse(token).ok_or_else(|| {
                Error::invalid("page_token", "must be the next_page_token of an earlier page")
            })?),
        };
        let store = &self.0.store;
        let hours = store.audit_hours().await?;
        let mut page = AuditPage { unreadable: hours.damaged, ..AuditPage::default() };
        let mut reads_left = READS_MAX;
        let wanted = |hour: &Timestamp| in_range(*hour, &query.filter, from);
        let hours: Vec<_> = hours.found.into_iter().rev().filter(wanted).collect();
        for (looked, hour) in hours.iter().enumerate() {
            let Listed { found, damaged } = store.audit_of_hour(*hour).await?;
            page.unreadable.extend(damaged);
            let mut ids: Vec<_> =
                found.into_iter().filter(|id| from.is_none_or(|from| *id <= from.batch)).collect();
            ids.reverse();
            let has_more = looked + 1 < hours.len();
            if self.take(&mut page, &ids, from, query, &mut reads_left).await? {
                return Ok(page);
            }
            if looked + 1 >= HOURS_MAX && has_more {
                // Before everything of this hour.
                let batch = BatchId { time: *hour, tag: 0 };
                page.next_page_token = Place { batch, left: 0 }.to_string();
                return Ok(page);
            }
        }
        Ok(page)
    }

    /// Takes what is wanted of the objects with these `ids`, latest first, into `page`. Whether the page ends there.
    async fn take(
        &self,
        page: &mut AuditPage,
        ids: &[BatchId],
        from: Option<Place>,
        query: &AuditQuery,
        reads_left: &mut usize,
    ) -> Result<bool, Error> {
        let store = self.0.store.clone();
        let read = move |id: BatchId| {
            let store = store.clone();
            async move { (id, store.read_audit(id).await) }
        };
        let mut reads = futures::stream::iter(ids.to_vec()).map(read).buffered(READING_MAX);
        while let Some((batch, read)) = reads.next().await {
            let entries = match read {
                Ok(entries) => entries.unwrap_or_default(),
                Err(hitl_store::Error::RecordUnreadable { path, .. }) => {
                    page.unreadable.push(path);
                    Vec::new()
                }
                Err(error) => return Err(error.into()),
            };
            let from = from.filter(|from| from.batch == batch);
            let count = from.map_or(entries.len(), |from| from.left.min(entries.len()));
            for (left, entry) in entries.into_iter().take(count).enumerate().rev() {
                if query.filter.matches(&entry) {
                    page.entries.push(entry);
                }
                if page.entries.len() >= query.page_size.max(1) {
                    page.next_page_token = Place { batch, left }.to_string();
                    return Ok(true);
                }
            }
            *reads_left -= 1;
            if *reads_left == 0 {
                page.next_page_token = Place { batch, left: 0 }.to_string();
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether the hour that begins at `hour` may have what is asked for.
fn in_range(hour: Timestamp, filter: &AuditFilter, from: Option<Place>) -> bool {
    let end = hour.plus_ms(HOUR_MS);
    filter.since.is_none_or(|since| end > since)
        && filter.before.is_none_or(|before| hour < before.plus_ms(GATHERED_MS))
        && from.is_none_or(|from| hour <= from.batch.time)
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let (batch, left) = text.split_once('.')?;
        Some(Self { batch: batch.parse().ok()?, left: left.parse().ok()? })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.batch, self.left)
    }
}
