//! The audit in the store: some entries an object, each object written once and never changed.
//!
//! Its key begins with the hour and the instant at which it was written, so that keys are in the order of time. Objects
//! go away when they are as old as the audit is kept.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use hitl_core::{AuditEntry, Timestamp};
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::events::EventStore;
use crate::index::{HOUR_MS, Listed, instant};
use crate::keys;
use crate::record::{self, VERSION};

/// Which object of the audit. They are ordered as they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId {
    /// When it was written.
    pub time: Timestamp,
    /// Tells it from others of that instant; random.
    pub tag: u64,
}

/// Entries that are written as one object. To write it twice changes nothing.
#[derive(Clone, Debug)]
pub struct AuditBatch {
    id: BatchId,
    bytes: Bytes,
}

/// `audit/{hour}/{ms}-{tag}.json`
#[derive(Debug, Serialize, Deserialize)]
struct AuditRecord {
    version: u32,
    entries: Vec<AuditEntry>,
}

impl AuditBatch {
    /// These `entries`, to be written now.
    pub fn new(id: BatchId, entries: Vec<AuditEntry>) -> Self {
        Self { id, bytes: record::encode(&AuditRecord { version: VERSION, entries }) }
    }
}

impl BatchId {
    fn path(self) -> Path {
        keys::audit_batch(self.time, self.tag)
    }
}

/// One text form, used in page tokens.
impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:013}-{:016x}", self.time.ms(), self.tag)
    }
}

impl FromStr for BatchId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let path = Path::parse(format!("audit/-/{text}.json")).map_err(|_| ())?;
        keys::audit_batch_of(&path).map(|(time, tag)| Self { time, tag }).ok_or(())
    }
}

impl EventStore {
    /// Writes `batch`, durably.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown, and [`Error::DiskFull`].
    pub async fn write_audit(&self, batch: &AuditBatch) -> Result<(), Error> {
        let path = batch.id.path();
        // Nobody else writes there: what is found is ours.
        let found = || async { Ok(self.objects.exists(&path).await?.then_some(())) };
        self.new_objects.create_or_find(&path, batch.bytes.clone(), found).await.map(drop)
    }

    /// The hours in which something was written, as the instants at which they begin, in order.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn audit_hours(&self) -> Result<Listed<Timestamp>, Error> {
        let Listed { found, damaged } = self.objects.children(&keys::audit()).await?;
        let mut hours: Vec<_> = found.iter().filter_map(|hour| instant(hour, None)).collect();
        hours.sort_unstable();
        hours.dedup();
        Ok(Listed { found: hours, damaged })
    }

    /// What was written in the hour that begins at `hour`, in order.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn audit_of_hour(&self, hour: Timestamp) -> Result<Listed<BatchId>, Error> {
        Ok(in_order(self.objects.list(&keys::audit_hour(hour)).await?))
    }

    /// What was written in the hour that holds `time` from that instant on, in order: few, though the hour may have
    /// many.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn audit_from(&self, time: Timestamp) -> Result<Listed<BatchId>, Error> {
        let (hour, offset) = (keys::audit_hour(time), keys::audit_offset(time));
        Ok(in_order(self.objects.list_after(&hour, &offset).await?))
    }

    /// The entries of an object, in the order in which they were noted. `None` if it is not there any more.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`].
    pub async fn read_audit(&self, id: BatchId) -> Result<Option<Vec<AuditEntry>>, Error> {
        let path = id.path();
        let Some(bytes) = self.objects.bytes(&path).await? else { return Ok(None) };
        decode(&path, &bytes).map(Some)
    }

    /// The same store, of which the audit is kept for so many milliseconds; `None` is for ever.
    pub fn keeping_audit(mut self, kept_ms: Option<i64>) -> Self {
        self.audit_kept_ms = kept_ms;
        self
    }

    /// Removes what is older at `now` than the audit is kept: an hour as a whole, when its last entry is. Returns how
    /// many objects.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn remove_old_audit(&self, now: Timestamp) -> Result<usize, Error> {
        match self.audit_kept_ms {
            Some(kept_ms) => self.remove_audit(now.plus_ms(-kept_ms)).await,
            None => Ok(0),
        }
    }

    async fn remove_audit(&self, before: Timestamp) -> Result<usize, Error> {
        let mut removed = 0;
        for hour in self.audit_hours().await?.found {
            if hour.plus_ms(HOUR_MS) > before {
                break;
            }
            let listed = self.objects.list(&keys::audit_hour(hour)).await?;
            for path in &listed.found {
                self.objects.delete(path).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// Refuses the object of the audit at `path` that is damaged.
pub(crate) fn check(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    decode(path, bytes).map(drop)
}

fn decode(path: &Path, bytes: &[u8]) -> Result<Vec<AuditEntry>, Error> {
    let unreadable = |message| Error::RecordUnreadable { path: path.to_string(), message };
    let record: AuditRecord =
        serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))?;
    if !(1..=VERSION).contains(&record.version) {
        return Err(unreadable(format!(
            "it has version {}, and this program reads up to {VERSION}: upgrade it",
            record.version
        )));
    }
    Ok(record.entries)
}

fn in_order(listed: Listed<Path>) -> Listed<BatchId> {
    let ids = listed.found.iter().filter_map(keys::audit_batch_of);
    let mut found: Vec<_> = ids.map(|(time, tag)| BatchId { time, tag }).collect();
    found.sort_unstable();
    found.dedup();
    Listed { found, damaged: listed.damaged }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hitl_core::{Actor, AuditKind, Audited};
    use object_store::memory::InMemory;

    use super::*;
    use crate::clock::SystemClock;

    /// A golden file: it may be added to, never changed.
    const AUDIT_V1: &str = include_str!("golden/audit-v1.json");

    const T: i64 = 1_795_354_620_123;

    fn batch(ms: i64, tag: u64) -> (BatchId, AuditBatch) {
        let time = Timestamp::from_ms(ms).unwrap();
        let id = BatchId { time, tag };
        let entry = Audited::new(AuditKind::SignIn).entry(Actor::unknown("::1"), time);
        (id, AuditBatch::new(id, vec![entry]))
    }

    #[test]
    fn records_of_the_audit_are_read_and_written_the_same() {
        let read: AuditRecord = serde_json::from_str(AUDIT_V1).unwrap();
        let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        assert_eq!(json(&record::encode(&read)), json(AUDIT_V1.as_bytes()));
    }

    #[tokio::test]
    async fn what_is_written_is_found_in_order_until_it_is_too_old() {
        let store = EventStore::over(Arc::new(InMemory::new()), true, Arc::new(SystemClock));
        let all = [batch(T, 2), batch(T, 1), batch(T + 1, 0), batch(T + HOUR_MS, 0)];
        for (_, batch) in &all {
            store.write_audit(batch).await.unwrap();
            store.write_audit(batch).await.unwrap();
        }
        let [b, a, c, d] = all.map(|(id, _)| id);
        let hours = store.audit_hours().await.unwrap().found;
        assert_eq!(hours.len(), 2);
        assert_eq!(store.audit_of_hour(hours[0]).await.unwrap().found, [a, b, c]);
        assert_eq!(store.audit_from(c.time).await.unwrap().found, [c]);
        assert_eq!(store.read_audit(a).await.unwrap().unwrap().len(), 1);
        assert_eq!(a.to_string().parse(), Ok(a));
        assert_eq!("x".parse::<BatchId>(), Err(()));
        assert_eq!(store.remove_old_audit(Timestamp::from_ms(T * 2).unwrap()).await.unwrap(), 0);
        let store = store.keeping_audit(Some(HOUR_MS));
        assert_eq!(store.remove_old_audit(hours[1].plus_ms(HOUR_MS - 1)).await.unwrap(), 0);
        assert_eq!(store.remove_old_audit(hours[1].plus_ms(HOUR_MS)).await.unwrap(), 3);
        assert_eq!(store.read_audit(a).await.unwrap(), None);
        assert_eq!(store.audit_of_hour(hours[1]).await.unwrap().found, [d]);
    }
}
