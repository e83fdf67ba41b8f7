//! The two indexes by time, read and written.
//!
//! Stores promise no order of a listing, so only short prefixes are listed, and sorted here.

use hitl_core::Timestamp;
use object_store::path::Path;

use crate::error::Error;
use crate::store::keys::{Entry, Index};
use crate::store::objects::Objects;

/// One minute, the shortest part of an index that is listed.
const MINUTE_MS: i64 = 60_000;

/// The indexes by time of one store.
#[derive(Debug)]
pub struct Indexes(Objects);

impl Indexes {
    pub(super) fn new(objects: Objects) -> Self {
        Self(objects)
    }

    /// Makes `entry` durable, whether it is there already or not.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn insert(&self, index: Index, entry: Entry) -> Result<(), Error> {
        self.0.mark(&index.path(&entry)).await
    }

    /// Whether `entry` is there.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn holds(&self, index: Index, entry: &Entry) -> Result<bool, Error> {
        self.0.exists(&index.path(entry)).await
    }

    /// Removes `entry` if it is there.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn remove(&self, index: Index, entry: &Entry) -> Result<(), Error> {
        self.0.delete(&index.path(entry)).await
    }

    /// Every entry of the minute that holds `time`, in order.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn minute(&self, index: Index, time: Timestamp) -> Result<Vec<Entry>, Error> {
        Ok(entries(index, &self.0.list(&index.minute(time)).await?))
    }

    /// The entries of the minute that holds `time` from that instant on, in order: few, though the minute may have
    /// many.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn minute_from(&self, index: Index, time: Timestamp) -> Result<Vec<Entry>, Error> {
        let listed = self.0.list_after(&index.minute(time), &index.offset(time)).await?;
        Ok(entries(index, &listed))
    }

    /// The minutes between `from` and `to`, both included, that have entries, as the instants at
    /// which they begin; in order.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn minutes(
        &self,
        index: Index,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Timestamp>, Error> {
        let begin = |time: Timestamp| time.plus_ms(-(time.ms() % MINUTE_MS));
        let (from, to) = (begin(from), begin(to));
        let mut minutes = Vec::new();
        for hour in self.0.children(&index.root()).await? {
            let Some(start) = instant(&hour, None) else {
                continue;
            };
            if start > to || start.plus_ms(60 * MINUTE_MS) <= from {
                continue;
            }
            let within = self.0.children(&hour).await?;
            let within = within.iter().filter_map(|minute| instant(&hour, minute.filename()));
            minutes.extend(within.filter(|minute| (from..=to).contains(minute)));
        }
        minutes.sort_unstable();
        Ok(minutes)
    }
}

fn entries(index: Index, paths: &[Path]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = paths.iter().filter_map(|path| index.parse(path)).collect();
    entries.sort_unstable();
    entries
}

/// The instant at which the hour `…/2026-11-22T13`, or its minute `37`, begins.
fn instant(hour: &Path, minute: Option<&str>) -> Option<Timestamp> {
    format!("{}:{}:00Z", hour.filename()?, minute.unwrap_or("00")).parse().ok()
}
