//! The indexes by time, read and written.
//!
//! Stores promise no order of a listing, so only short prefixes are listed, and sorted here. A part of an index that is
//! damaged is left out and named, and the rest is served.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use hitl_core::Timestamp;
use object_store::path::Path;

use crate::clock::Clock;
use crate::error::Error;
pub(crate) use crate::hours::HOUR_MS;
use crate::hours::Hours;
use crate::keys::{Entry, Index};
use crate::objects::Objects;

/// One minute, the shortest part of an index that is listed.
pub(crate) const MINUTE_MS: i64 = 60_000;
/// Most damaged parts that are remembered as logged.
const NOTED_MAX: usize = 1_000;

/// The indexes by time of one store.
#[derive(Debug)]
pub struct Indexes {
    objects: Objects,
    clock: Arc<dyn Clock>,
    /// Of the history.
    hours: Hours,
    noted: Mutex<BTreeSet<String>>,
}

/// What was listed, in order, and what could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// What is there.
    pub found: Vec<T>,
    /// The parts of the index in which the store has lost something.
    pub damaged: Vec<String>,
}

impl Indexes {
    pub(super) fn new(objects: Objects, clock: Arc<dyn Clock>) -> Self {
        Self { objects, clock, hours: Hours::default(), noted: Mutex::default() }
    }

    /// Makes `entry` durable, whether it is there already or not.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn insert(&self, index: Index, entry: Entry) -> Result<(), Error> {
        self.objects.mark(&index.path(&entry)).await?;
        self.note(index, &entry);
        Ok(())
    }

    /// Takes note of `entry`, which was inserted.
    pub(crate) fn note(&self, index: Index, entry: &Entry) {
        if index == Index::Resolved {
            self.hours.add(entry.time);
        }
    }

    /// Whether `entry` is there.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn holds(&self, index: Index, entry: &Entry) -> Result<bool, Error> {
        self.objects.exists(&index.path(entry)).await
    }

    /// Removes `entry` if it is there.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn remove(&self, index: Index, entry: &Entry) -> Result<(), Error> {
        self.objects.delete(&index.path(entry)).await
    }

    /// Every entry of the minute that holds `time`.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn minute(&self, index: Index, time: Timestamp) -> Result<Listed<Entry>, Error> {
        let listed = self.objects.list(&index.minute(time)).await?;
        Ok(self.listed(listed, |path| index.parse(path)))
    }

    /// The entries of the minute that holds `time` from that instant on: few, though the minute may have many.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn minute_from(&self, index: Index, time: Timestamp) -> Result<Listed<Entry>, Error> {
        let listed = self.objects.list_after(&index.minute(time), &index.offset(time)).await?;
        Ok(self.listed(listed, |path| index.parse(path)))
    }

    /// The hours that may have entries, as the instants at which they begin.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn hours(&self, index: Index) -> Result<Listed<Timestamp>, Error> {
        // Timers are removed again, so their hours are not remembered. There are as many timers as open events.
        let is_remembered = index == Index::Resolved;
        let now = self.clock.now();
        if is_remembered && let Some(found) = self.hours.get(now) {
            return Ok(Listed { found, damaged: Vec::new() });
        }
        let listed = self.objects.children(&index.root()).await?;
        let listed = self.listed(listed, |hour| instant(hour, None));
        if is_remembered && listed.damaged.is_empty() {
            self.hours.set(now, &listed.found);
        }
        Ok(listed)
    }

    /// The minutes that have entries of the hour that begins at `hour`, as the instants at which they begin.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn minutes_of(
        &self,
        index: Index,
        hour: Timestamp,
    ) -> Result<Listed<Timestamp>, Error> {
        let path = index.hour(hour);
        let listed = self.objects.children(&path).await?;
        Ok(self.listed(listed, |minute| instant(&path, minute.filename())))
    }

    /// The minutes between `from` and `to`, both included, that have entries, as the instants at
    /// which they begin.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn minutes(
        &self,
        index: Index,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Listed<Timestamp>, Error> {
        let (from, to) = (minute_of(from), minute_of(to));
        let mut minutes = self.hours(index).await?;
        let is_within = |hour: &Timestamp| *hour <= to && hour.plus_ms(HOUR_MS) > from;
        for hour in std::mem::take(&mut minutes.found).into_iter().filter(is_within) {
            let within = self.minutes_of(index, hour).await?;
            let found = within.found.into_iter().filter(|minute| (from..=to).contains(minute));
            minutes.found.extend(found);
            minutes.damaged.extend(within.damaged);
        }
        Ok(minutes)
    }

    /// What `parse` finds at the paths that are `listed`, in order.
    pub(crate) fn listed<T: Ord>(
        &self,
        listed: Listed<Path>,
        parse: impl Fn(&Path) -> Option<T>,
    ) -> Listed<T> {
        for part in &listed.damaged {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            if noted.len() < NOTED_MAX && noted.insert(part.clone()) {
                tracing::error!(
                    part,
                    "a part of an index is damaged, and what stood there is left out"
                );
            }
        }
        let mut found: Vec<T> = listed.found.iter().filter_map(parse).collect();
        found.sort_unstable();
        // A store may list a page twice and go on.
        found.dedup();
        Listed { found, damaged: listed.damaged }
    }
}

/// The instant at which the minute of `time` begins.
pub(crate) fn minute_of(time: Timestamp) -> Timestamp {
    time.plus_ms(-(time.ms() % MINUTE_MS))
}

/// The instant at which the hour `…/2026-11-22T13`, or its minute `37`, begins.
pub(crate) fn instant(hour: &Path, minute: Option<&str>) -> Option<Timestamp> {
    format!("{}:{}:00Z", hour.filename()?, minute.unwrap_or("00")).parse().ok()
}
