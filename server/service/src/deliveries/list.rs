//! What an admin sees of deliveries, and how one that was given up is made after all.

use hitl_core::{AuditKind, Audited, EventKey, Timestamp, Told};
use hitl_store::{DeadLetter, DeliveryId, Stage, Step};

use super::attempt::ON_END;
use crate::Session;
use crate::error::Error;

/// Most dead letters that are looked through for the one that is made again.
const LETTERS_MAX: usize = 100_000;

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// It is owed, and will be tried, perhaps again.
    Owed,
    /// It was made.
    Delivered,
    /// It was given up.
    Dead,
}

/// Which deliveries are asked for.
#[derive(Clone, Debug)]
pub enum DeliveryQuery {
    /// All of one event.
    OfEvent(EventKey),
    /// Those that are owed now.
    Owed,
    /// Those that were given up, latest first, after the one with this token.
    Dead(Option<String>),
}

/// A page of deliveries.
#[derive(Debug)]
pub struct DeliveryPage {
    /// The deliveries.
    pub deliveries: Vec<ListedDelivery>,
    /// The token of the last, if there are more.
    pub next_after: Option<String>,
}

/// A delivery as an admin sees it.
#[derive(Clone, Debug)]
pub struct ListedDelivery {
    /// Which.
    pub id: DeliveryId,
    /// What its channel is called; empty if that was removed.
    pub channel_name: String,
    /// What it tells, if that is known.
    pub told: Option<Told>,
    /// What became of it.
    pub state: DeliveryState,
    /// The recipient, if it is the part of one.
    pub recipient: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried last, if it was.
    pub time: Option<Timestamp>,
    /// When it is tried next, if it is owed.
    pub next_time: Option<Timestamp>,
    /// What the receiver said, or why the last attempt has failed.
    pub summary: String,
}

impl Session {
    /// The deliveries that `query` asks for, `size` at most.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], and those of the store.
    pub async fn list_deliveries(
        &self,
        query: DeliveryQuery,
        size: usize,
    ) -> Result<DeliveryPage, Error> {
        self.may_manage_channels()?;
        let now = self.service().now()?;
        let store = &self.service().0.store;
        let mut next_after = None;
        let deliveries = match query {
            DeliveryQuery::Dead(after) => {
                let mut letters = store.dead_letters(after.as_deref(), size + 1).await?;
                if letters.len() > size {
                    letters.truncate(size);
                    next_after = letters.last().map(|(token, _)| token.clone());
                }
                letters.into_iter().map(|(_, letter)| dead(letter)).collect()
            }
            DeliveryQuery::Owed => {
                let owed = store.owed_deliveries(now, size).await?;
                owed.into_iter().map(|owed| self.owed(owed)).collect()
            }
            DeliveryQuery::OfEvent(key) => self.of_event(&key, now).await?,
        };
        Ok(DeliveryPage { deliveries, next_after })
    }

    /// Has a delivery made again that was given up.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], [`Error::DeliveryNotFound`] if it is no dead letter, and those of the store.
    pub async fn redeliver(&self, id: &DeliveryId) -> Result<(), Error> {
        self.may_manage_channels()?;
        let service = self.service();
        let store = &service.0.store;
        let not_found = || Error::DeliveryNotFound(id.to_string());
        let thread = store.thread(&id.key, id.channel).await?;
        let letter = store.dead_letters(None, LETTERS_MAX).await?;
        let letter = letter.into_iter().find(|(_, letter)| letter.id() == *id);
        if letter.is_none() && !thread.has(id.step, None, Stage::Dead) {
            return Err(not_found());
        }
        if store.request(&id.key).await?.is_none() {
            return Err(Error::NotFound(id.key.clone()));
        }
        // First what says that nothing is left to do, else the job would be dropped. A crash leaves the letter.
        for tag in thread.dead_recipients(id.step).map(Some).chain([None]) {
            store.remove_delivery(id, tag, Stage::Dead).await?;
        }
        let job = id.job(service.now()?, 0);
        store.put_job(&job).await?;
        if let Some((_, letter)) = &letter {
            store.remove_dead_letter(letter).await?;
        }
        service.0.jobs.set(job);
        let again = Audited::new(AuditKind::Redelivered).of_event(&id.key);
        self.audit(again.saying(self.channel_name(id))).await;
        Ok(())
    }

    /// What became of each delivery of the event at `key`, and what is owed of it.
    async fn of_event(&self, key: &EventKey, now: Timestamp) -> Result<Vec<ListedDelivery>, Error> {
        let store = &self.service().0.store;
        let listings = store.deliveries_of(key).await?;
        let mut deliveries = Vec::new();
        for listing in listings {
            let state = match listing.stage {
                Stage::Done => DeliveryState::Delivered,
                Stage::Dead => DeliveryState::Dead,
                Stage::Owed | Stage::Tried => continue,
            };
            let record = listing.record;
            deliveries.push(ListedDelivery {
                channel_name: self.channel_name(&listing.id),
                id: listing.id,
                told: Some(record.told),
                state,
                recipient: record.recipient,
                attempts: record.attempts,
                time: Some(record.time),
                next_time: None,
                summary: record.summary,
            });
        }
        let owed = store.owed_deliveries(now, LETTERS_MAX).await?;
        let of_it = owed.into_iter().filter(|owed| owed.id.key == *key);
        deliveries.extend(of_it.map(|owed| self.owed(owed)));
        Ok(deliveries)
    }

    fn owed(&self, owed: hitl_store::OwedDelivery) -> ListedDelivery {
        let told = match owed.id.step {
            Step::ASKED => Some(Told::Asked),
            Step::ENDED => Some(Told::Ended),
            _ => owed.tried.as_ref().map(|tried| tried.told),
        };
        let (time, summary) = match owed.tried {
            Some(tried) => (Some(tried.time), tried.summary),
            None => (None, String::new()),
        };
        ListedDelivery {
            channel_name: self.channel_name(&owed.id),
            id: owed.id,
            told,
            state: DeliveryState::Owed,
            recipient: String::new(),
            attempts: owed.attempts.into(),
            time,
            next_time: Some(owed.due),
            summary,
        }
    }

    fn channel_name(&self, id: &DeliveryId) -> String {
        if id.channel == hitl_core::ChannelId::ON_END {
            return ON_END.to_owned();
        }
        let channels = self.service().0.deliveries.channels();
        let channel = channels.iter().find(|it| it.id == id.channel);
        channel.map(|it| it.name.clone()).unwrap_or_default()
    }
}

fn dead(letter: DeadLetter) -> ListedDelivery {
    ListedDelivery {
        id: letter.id(),
        channel_name: letter.channel_name,
        told: Some(letter.told),
        state: DeliveryState::Dead,
        recipient: String::new(),
        attempts: letter.attempts,
        time: Some(letter.time),
        next_time: None,
        summary: letter.reason,
    }
}
