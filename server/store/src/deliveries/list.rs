//! The deliveries of one event, and those that are owed, for an admin who looks.

use hitl_core::{ChannelId, EventKey, Timestamp};
use object_store::path::Path;

use super::{DELIVER, DeliveryId, DeliveryRecord, Stage, parse};
use crate::error::Error;
use crate::events::EventStore;
use crate::jobs::JobIndex;
use crate::keys;

/// Most records that are read of one event.
const RECORDS_MAX: usize = 1_000;
/// How far ahead a delivery may be due: longer than the longest pause, and than it takes to give one up.
const AHEAD_MS: i64 = 8 * 86_400_000;

/// One record of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Which delivery.
    pub id: DeliveryId,
    /// What the record says of it.
    pub stage: Stage,
    /// The rest.
    pub record: DeliveryRecord,
}

/// A delivery that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwedDelivery {
    /// Which.
    pub id: DeliveryId,
    /// When it is due.
    pub due: Timestamp,
    /// How often it was tried.
    pub attempts: u8,
    /// What became of the last attempt.
    pub tried: Option<DeliveryRecord>,
}

impl EventStore {
    /// What became of the deliveries of the event at `key`: of each step on each channel, and of each recipient.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`].
    pub async fn deliveries_of(&self, key: &EventKey) -> Result<Vec<Listing>, Error> {
        let mut paths = self.objects.list(&keys::deliveries_of_event(key)).await?.found;
        paths.sort_unstable();
        paths.truncate(RECORDS_MAX);
        let mut listings = Vec::new();
        for path in paths {
            let Some((id, stage)) = named(key, &path) else { continue };
            let record = self.objects.read::<super::StoredRecord>(&path).await?;
            listings.extend(record.map(|record| Listing { id, stage, record: record.delivery }));
        }
        Ok(listings)
    }

    /// At most `max` deliveries that are owed at `now`, those that are due first before the others.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`].
    pub async fn owed_deliveries(
        &self,
        now: Timestamp,
        max: usize,
    ) -> Result<Vec<OwedDelivery>, Error> {
        let mut owed = Vec::new();
        for minute in self.job_minutes_until(JobIndex::Jobs, now.plus_ms(AHEAD_MS)).await? {
            for job in self.jobs_of_minute(JobIndex::Jobs, minute).await?.found {
                let Some((id, attempts)) = DeliveryId::of(&job).filter(|_| job.kind == DELIVER)
                else {
                    continue;
                };
                if owed.len() == max {
                    return Ok(owed);
                }
                let tried = self.delivery(&id, None, Stage::Tried).await?;
                owed.push(OwedDelivery { id, due: job.due, attempts, tried });
            }
        }
        Ok(owed)
    }
}

/// Of which delivery of the event at `key` a record stands at `path`, and of which stage.
fn named(key: &EventKey, path: &Path) -> Option<(DeliveryId, Stage)> {
    let prefix = keys::deliveries_of_event(key);
    let (channel, name) =
        path.as_ref().strip_prefix(prefix.as_ref())?.strip_prefix('/')?.split_once('/')?;
    let channel: ChannelId = channel.parse().ok()?;
    let (step, _, stage) = parse(name)?;
    Some((DeliveryId { key: key.clone(), channel, step }, stage))
}
