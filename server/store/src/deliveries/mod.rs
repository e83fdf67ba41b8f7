//! Deliveries in the store: what is owed to a channel, and what became of it.
//!
//! A delivery is what one channel is to be told of one step in the life of one event. That it is owed is a job, written
//! with the change itself; whoever was asked at creation stands in the request too, so that the order can be kept. What
//! became of it is a record that is written once: that it was made, or that it was given up. The job is removed after
//! that. So a crash at any moment leaves the job, and it is made again; it is never forgotten.
//!
//! A delivery to several recipients has a record for each, and one for all of them when none is left.

mod dead_letters;
mod id;
mod list;

use std::collections::BTreeSet;

use hitl_core::{ChannelId, EventKey, Timestamp, Told};
use object_store::PutMode;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::events::EventStore;
use crate::keys;
use crate::record::{self, Nonce, VERSION};
pub use dead_letters::{DEAD_LETTER_KEPT_MS, DeadLetter};
pub use id::{DELIVER, DeliveryId, Step, Tag};
pub use list::{Listing, OwedDelivery};

/// What is recorded of a delivery, or of its part for one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// What it tells.
    pub told: Told,
    /// Of what it is recorded.
    pub time: Timestamp,
    /// How often it was tried.
    #[serde(default)]
    pub attempts: u32,
    /// The recipient, of a part.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub recipient: String,
    /// By what the channel finds the message again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// What became of it, for people; of what is owed, what else there is to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
}

/// What a record of a delivery says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It is owed. Only of what neither the creation nor the end owes.
    Owed,
    /// It was tried in vain, and will be again.
    Tried,
    /// It was given up.
    Dead,
    /// It was made.
    Done,
}

/// What is kept of the deliveries of one event on one channel: which records there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    records: BTreeSet<(Step, Option<Tag>, Stage)>,
}

/// `deliveries/{namespace}/{event id}/{channel}/{step}[-{tag}]-{stage}.json`
#[derive(Debug, Serialize, Deserialize)]
struct StoredRecord {
    version: u32,
    nonce: Nonce,
    delivery: DeliveryRecord,
}

record::of_no_event!(StoredRecord);

impl Stage {
    const ALL: [Self; 4] = [Self::Owed, Self::Tried, Self::Dead, Self::Done];

    fn name(self) -> &'static str {
        match self {
            Self::Owed => "owed",
            Self::Tried => "tried",
            Self::Dead => "dead",
            Self::Done => "done",
        }
    }
}

impl Thread {
    /// Whether nothing is left to do for this step.
    pub fn is_settled(&self, step: Step) -> bool {
        self.has(step, None, Stage::Done) || self.has(step, None, Stage::Dead)
    }

    /// Whether nothing is left to do for this recipient of the step.
    pub fn is_settled_for(&self, step: Step, tag: Tag) -> bool {
        self.has(step, Some(tag), Stage::Done) || self.has(step, Some(tag), Stage::Dead)
    }

    /// Whether there is this record.
    pub fn has(&self, step: Step, tag: Option<Tag>, stage: Stage) -> bool {
        self.records.contains(&(step, tag, stage))
    }

    /// The steps that are owed by a record, in order.
    pub fn owed(&self) -> impl Iterator<Item = Step> {
        let owed =
            self.records.iter().filter(|(_, tag, stage)| tag.is_none() && *stage == Stage::Owed);
        owed.map(|(step, _, _)| *step)
    }

    /// The steps before `step` that were made, for this recipient if there is one, in order.
    pub fn made_before(&self, step: Step, tag: Option<Tag>) -> impl Iterator<Item = Step> {
        let made = move |(at, of, stage): &&(Step, Option<Tag>, Stage)| {
            *at < step && *of == tag && *stage == Stage::Done
        };
        self.records.iter().filter(made).map(|(at, _, _)| *at)
    }

    /// The recipients of a step that were given up.
    pub fn dead_recipients(&self, step: Step) -> impl Iterator<Item = Tag> {
        let dead = move |(at, tag, stage): &(Step, Option<Tag>, Stage)| {
            tag.filter(|_| *at == step && *stage == Stage::Dead)
        };
        self.records.iter().filter_map(dead)
    }
}

/// Where a record stands.
fn path(key: &EventKey, channel: ChannelId, step: Step, tag: Option<Tag>, stage: Stage) -> Path {
    let stage = stage.name();
    let tag = tag.map(|tag| format!("-{tag}")).unwrap_or_default();
    keys::path(&format!("{}/{step}{tag}-{stage}.json", keys::deliveries_on(key, channel)))
}

/// What the name of a record says.
fn parse(name: &str) -> Option<(Step, Option<Tag>, Stage)> {
    let (rest, stage) = name.strip_suffix(".json")?.rsplit_once('-')?;
    let stage = Stage::ALL.into_iter().find(|it| it.name() == stage)?;
    let (step, tag) = match rest.split_once('-') {
        Some((step, tag)) => (step, Some(tag.parse().ok()?)),
        None => (rest, None),
    };
    Some((step.parse().ok()?, tag, stage))
}

impl EventStore {
    /// Which records there are of the deliveries of the event at `key` on `channel`.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`], and [`Error::RecordUnreadable`] if the listing is damaged: then a delivery might
    /// be made once more.
    pub async fn thread(&self, key: &EventKey, channel: ChannelId) -> Result<Thread, Error> {
        let listed = self.objects.list(&keys::deliveries_on(key, channel)).await?;
        if let Some(damaged) = listed.damaged.first() {
            return Err(Error::RecordUnreadable {
                path: damaged.clone(),
                message: "deliveries may be missing of the listing".to_owned(),
            });
        }
        let names = listed.found.iter().filter_map(Path::filename);
        Ok(Thread { records: names.filter_map(parse).collect() })
    }

    /// Records the `stage` of a delivery, for all of it or for one recipient. The first record of a stage counts, but
    /// for that of the last attempt, which is replaced.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown, and [`Error::RecordUnreadable`].
    pub async fn record_delivery(
        &self,
        id: &DeliveryId,
        tag: Option<Tag>,
        stage: Stage,
        delivery: DeliveryRecord,
        nonce: Nonce,
    ) -> Result<(), Error> {
        let path = path(&id.key, id.channel, id.step, tag, stage);
        let bytes = record::encode(&StoredRecord { version: VERSION, nonce, delivery });
        if stage == Stage::Tried {
            return Ok(self.objects.put(&path, bytes, PutMode::Overwrite).await?);
        }
        self.objects.create_once::<StoredRecord>(&path, nonce, bytes).await.map(drop)
    }

    /// The record of a stage of a delivery, if there is one.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`].
    pub async fn delivery(
        &self,
        id: &DeliveryId,
        tag: Option<Tag>,
        stage: Stage,
    ) -> Result<Option<DeliveryRecord>, Error> {
        let path = path(&id.key, id.channel, id.step, tag, stage);
        let record = self.objects.read::<StoredRecord>(&path).await?;
        Ok(record.map(|record| record.delivery))
    }

    /// Removes the record of a stage of a delivery.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn remove_delivery(
        &self,
        id: &DeliveryId,
        tag: Option<Tag>,
        stage: Stage,
    ) -> Result<(), Error> {
        self.objects.delete(&path(&id.key, id.channel, id.step, tag, stage)).await
    }

    /// Removes all that is kept of the deliveries of the event at `key`, which was removed itself.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn remove_deliveries(&self, key: &EventKey) -> Result<(), Error> {
        let listed = self.objects.list(&keys::deliveries_of_event(key)).await?;
        for path in listed.found {
            self.objects.delete(&path).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
