//! Channels in the store: each revision of one is written once, under its name and number, and the highest number is
//! what holds.
//!
//! A channel that was removed leaves a last revision that says so, and takes its secrets with it: older revisions are
//! removed once a newer one is durable. So a name can be taken anew, and no number ever comes twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use hitl_core::{ChannelId, Proof, Request, Rule, Timestamp, Told};
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::events::EventStore;
use crate::keys;
use crate::objects::CreateOnce;
use crate::record::{self, Nonce, VERSION};

/// How often a listing is made anew because what it named was replaced meanwhile.
const LISTINGS_MAX: usize = 5;

/// A channel as one revision says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredChannel {
    /// What is called so now, and not what was called so before.
    pub id: ChannelId,
    /// Its name.
    pub name: String,
    /// The number of the revision, from 1.
    pub revision: u32,
    /// When the channel was made.
    pub create_time: Timestamp,
    /// When the revision was written.
    pub update_time: Timestamp,
    /// Who wrote it. `None` if the server asked for no credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<Proof>,
    /// What it is and how, for whoever knows; `None` if it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
    /// Of what it tells: of what any of them matches, and of everything if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

/// By what way a channel tells.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// The kind of channel.
    pub kind: String,
    /// The settings of that kind, without secrets.
    pub settings: serde_json::Value,
    /// Its secrets, sealed; empty if it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sealed: String,
}

/// `channels/{name}/{revision}.json`
#[derive(Debug, Serialize, Deserialize)]
struct ChannelRecord {
    version: u32,
    nonce: Nonce,
    channel: StoredChannel,
}

record::of_no_event!(ChannelRecord);

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Way").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl StoredChannel {
    /// Whether it tells of what has become of the event with this request.
    pub fn tells(&self, request: &Request, told: Told) -> bool {
        let is_there = self.way.is_some();
        is_there
            && (self.rules.is_empty() || self.rules.iter().any(|rule| rule.matches(request, told)))
    }
}

impl EventStore {
    /// The last revision of each channel, by name; those that were removed too. What is `known` already is not read
    /// again.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`].
    pub async fn channels(
        &self,
        known: &[Arc<StoredChannel>],
    ) -> Result<Vec<Arc<StoredChannel>>, Error> {
        for _ in 0..LISTINGS_MAX {
            let listed = self.objects.list(&keys::channels()).await?;
            if let Some(damaged) = listed.damaged.first() {
                return Err(Error::RecordUnreadable {
                    path: damaged.clone(),
                    message: "channels may be missing of the listing".to_owned(),
                });
            }
            let mut last = BTreeMap::new();
            for (name, revision) in listed.found.iter().filter_map(keys::channel_revision) {
                let highest = last.entry(name.to_owned()).or_insert(revision);
                *highest = revision.max(*highest);
            }
            if let Some(channels) = self.revisions(last, known).await? {
                return Ok(channels);
            }
        }
        let busy = "channels were replaced whenever they were read; call again";
        Err(Error::StoreUnavailable(busy.into()))
    }

    /// These revisions, unless one is gone because a newer one has come.
    async fn revisions(
        &self,
        last: BTreeMap<String, u32>,
        known: &[Arc<StoredChannel>],
    ) -> Result<Option<Vec<Arc<StoredChannel>>>, Error> {
        let mut channels = Vec::new();
        for (name, revision) in last {
            let is_it = |it: &&Arc<StoredChannel>| it.name == name && it.revision == revision;
            if let Some(channel) = known.iter().find(is_it) {
                channels.push(channel.clone());
                continue;
            }
            let path = keys::channel(&name, revision);
            let Some(record) = self.objects.read::<ChannelRecord>(&path).await? else {
                return Ok(None);
            };
            // One that was copied to another key must not count as that one.
            if record.channel.name != name || record.channel.revision != revision {
                let message = "it is a record of another channel".to_owned();
                return Err(Error::RecordUnreadable { path: path.to_string(), message });
            }
            channels.push(Arc::new(record.channel));
        }
        Ok(Some(channels))
    }

    /// Records this revision, durably, and removes the one before; whether it is the one that counts.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown, and [`Error::RecordUnreadable`].
    pub async fn write_channel(
        &self,
        channel: &StoredChannel,
        nonce: Nonce,
    ) -> Result<bool, Error> {
        let path = keys::channel(&channel.name, channel.revision);
        let record = ChannelRecord { version: VERSION, nonce, channel: channel.clone() };
        let bytes = record::encode(&record);
        let created = self.objects.create_once::<ChannelRecord>(&path, nonce, bytes).await?;
        if !matches!(created, CreateOnce::Ours) {
            return Ok(false);
        }
        self.remove_revisions_before(channel).await?;
        Ok(true)
    }

    async fn remove_revisions_before(&self, channel: &StoredChannel) -> Result<(), Error> {
        let of_it: Path = keys::channel_revisions(&channel.name);
        let listed = self.objects.list(&of_it).await?.found;
        for path in listed {
            let is_old = keys::channel_revision(&path).is_some_and(|(_, it)| it < channel.revision);
            if is_old {
                self.objects.delete(&path).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "channels_tests.rs"]
mod tests;
