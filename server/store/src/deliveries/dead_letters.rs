//! Dead letters: deliveries that were given up, each with the reason, until an admin has them made again or they are
//! old.

use hitl_core::{ChannelId, EventKey, Timestamp, Told};
use object_store::PutMode;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use super::{DeliveryId, Step};
use crate::error::Error;
use crate::events::EventStore;
use crate::index::instant;
use crate::keys;
use crate::record::{self, Nonce, VERSION};

/// For how long dead letters are kept.
pub const DEAD_LETTER_KEPT_MS: i64 = 30 * 24 * HOUR_MS;

const HOUR_MS: i64 = 3_600_000;

/// A delivery that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The namespace of its event.
    pub namespace: hitl_core::Namespace,
    /// Its event.
    pub event_id: hitl_core::EventId,
    /// Its channel.
    pub channel: ChannelId,
    /// What that is called.
    pub channel_name: String,
    /// The number of its step.
    pub step: u16,
    /// What it tells.
    pub told: Told,
    /// When it was given up.
    pub time: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt has failed.
    pub reason: String,
}

/// `dead-letters/{hour}/{ms}-{delivery id}.json`
#[derive(Debug, Serialize, Deserialize)]
struct DeadLetterRecord {
    version: u32,
    nonce: Nonce,
    letter: DeadLetter,
}

record::of_no_event!(DeadLetterRecord);

impl DeadLetter {
    /// Which delivery it is.
    pub fn id(&self) -> DeliveryId {
        let key = EventKey { namespace: self.namespace.clone(), id: self.event_id };
        DeliveryId { key, channel: self.channel, step: Step::of_number(self.step) }
    }

    fn path(&self) -> Path {
        keys::dead_letter(self.time, &self.id().to_string())
    }
}

impl EventStore {
    /// Keeps `letter` among the dead ones, where it may be already.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn put_dead_letter(&self, letter: &DeadLetter, nonce: Nonce) -> Result<(), Error> {
        let record = DeadLetterRecord { version: VERSION, nonce, letter: letter.clone() };
        let bytes = record::encode(&record);
        Ok(self.objects.put(&letter.path(), bytes, PutMode::Overwrite).await?)
    }

    /// Takes `letter` from the dead ones.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn remove_dead_letter(&self, letter: &DeadLetter) -> Result<(), Error> {
        self.objects.delete(&letter.path()).await
    }

    /// At most `max` dead letters, latest first, of those that come after the one with the token `after`; each with
    /// its token.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`].
    pub async fn dead_letters(
        &self,
        after: Option<&str>,
        max: usize,
    ) -> Result<Vec<(String, DeadLetter)>, Error> {
        let mut letters = Vec::new();
        for hour in self.dead_letter_hours().await?.into_iter().rev() {
            let mut paths = self.objects.list(&keys::dead_letter_hour(hour)).await?.found;
            paths.sort_unstable_by(|a, b| b.cmp(a));
            for path in paths {
                let Some(name) = path.filename() else { continue };
                if after.is_some_and(|after| name >= after) {
                    continue;
                }
                if letters.len() == max {
                    return Ok(letters);
                }
                // One that was taken from among them meanwhile is not there any more.
                let record = self.objects.read::<DeadLetterRecord>(&path).await?;
                letters.extend(record.map(|record| (name.to_owned(), record.letter)));
            }
        }
        Ok(letters)
    }

    /// Removes the dead letters that are too old at `now`. Returns how many.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn remove_old_dead_letters(&self, now: Timestamp) -> Result<usize, Error> {
        let mut removed = 0;
        for hour in self.dead_letter_hours().await? {
            if hour.plus_ms(HOUR_MS) > now.plus_ms(-DEAD_LETTER_KEPT_MS) {
                break;
            }
            for path in self.objects.list(&keys::dead_letter_hour(hour)).await?.found {
                self.objects.delete(&path).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    async fn dead_letter_hours(&self) -> Result<Vec<Timestamp>, Error> {
        let listed = self.objects.children(&keys::dead_letters()).await?;
        let mut hours: Vec<_> =
            listed.found.iter().filter_map(|hour| instant(hour, None)).collect();
        hours.sort_unstable();
        hours.dedup();
        Ok(hours)
    }
}
