//! Owing deliveries: with the creation of an event, with its end, and by whatever else happens to it.

use hitl_core::reminder;
use hitl_core::{ChannelId, Event, EventKey, Namespaces, OnEnd, Request, Response, Told};
use hitl_store::jobs::Job;
use hitl_store::{DeliveryId, DeliveryRecord, Stage, Step};

use crate::Service;
use crate::error::Error;
use crate::jobs::remind;

/// Something about an event of which channels are to be told, and which is neither its creation nor its end.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What it is.
    pub told: Told,
    /// Its place among the steps of the event: between 1 and 65,534, and another one for each notice. The same notice
    /// owed twice, by two replicas or after a crash, has the same place, and so is told once.
    pub place: u16,
    /// What else there is to say, in plain text; may be empty.
    pub note: String,
    /// Who is told.
    pub to: To,
}

/// Which channels are told.
#[derive(Clone, Debug)]
pub enum To {
    /// Those whose rules match.
    Matching,
    /// Those of these names, whatever their rules. What is no channel is left out.
    Named(Vec<String>),
}

impl Service {
    /// Owes a delivery of `notice` to each channel that is to be told. All are durable on return, and are made soon
    /// after. What the event's end overtakes is not told any more.
    ///
    /// # Errors
    /// Those of the store, and [`Error::ClockOff`]; then it has to be owed again, with the same place.
    pub async fn owe(&self, event: &Event, notice: &Notice) -> Result<(), Error> {
        let step = Step::between(notice.place)
            .ok_or_else(|| Error::Internal("a notice has the place of another step".to_owned()))?;
        let now = self.now()?;
        let channels = self.0.deliveries.channels();
        let is_told = |name: &str| match &notice.to {
            To::Matching => None,
            To::Named(names) => Some(names.iter().any(|it| it == name)),
        };
        let told = channels.iter().filter(|it| it.way.is_some()).filter(|channel| {
            is_told(&channel.name).unwrap_or_else(|| channel.tells(&event.request, notice.told))
        });
        for channel in told {
            let id = DeliveryId { key: event.request.key(), channel: channel.id, step };
            let record = DeliveryRecord {
                told: notice.told,
                time: now,
                attempts: 0,
                recipient: String::new(),
                reference: String::new(),
                summary: notice.note.clone(),
            };
            let store = &self.0.store;
            store.record_delivery(&id, None, Stage::Owed, record, self.nonce()).await?;
            let job = id.job(now, 0);
            store.put_job(&job).await?;
            self.0.jobs.set(job);
        }
        Ok(())
    }

    /// Whether `notice` was owed before to any channel.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn is_owed(&self, event: &Event, notice: &Notice) -> Result<bool, Error> {
        let step = Step::between(notice.place)
            .ok_or_else(|| Error::Internal("a notice has the place of another step".to_owned()))?;
        for channel in self.0.deliveries.channels().iter().filter(|it| it.way.is_some()) {
            let id = DeliveryId { key: event.request.key(), channel: channel.id, step };
            if self.0.store.delivery(&id, None, Stage::Owed).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The channels that are told of the creation of the event that asks this.
    pub(crate) fn told_of_creation(&self, request: &Request) -> Vec<ChannelId> {
        let channels = self.0.deliveries.channels();
        let told = channels.iter().filter(|it| it.tells(request, Told::Asked));
        told.map(|channel| channel.id).collect()
    }

    /// What the creation of the event that asks this owes.
    pub(crate) fn owed_by_creation(request: &Request) -> Vec<Job> {
        let key = request.key();
        let owed = request.channels.iter().map(|&channel| {
            DeliveryId { key: key.clone(), channel, step: Step::ASKED }.job(request.create_time, 0)
        });
        owed.chain(remind::first(request)).collect()
    }

    /// What `response` owes as the end of `event`.
    pub(crate) fn owed_by_end(&self, event: &Event, response: &Response) -> Vec<Job> {
        let channels = self.0.deliveries.channels();
        if channels.is_empty() && event.request.on_end.is_none() {
            return Vec::new();
        }
        // Whoever was told that it waited too long is told that it does not any more.
        let escalated = reminder::escalated_to(&event.request, response.time);
        let told = channels.iter().filter(|it| {
            let is_escalated = it.way.is_some() && escalated.contains(&it.name.as_str());
            is_escalated || it.tells(&event.request, Told::Ended)
        });
        let requester = event.request.on_end.iter().map(|_| ChannelId::ON_END);
        let ids = told.map(|channel| channel.id).chain(requester);
        let key = event.request.key();
        // A deadline may have been noticed late: its end is told now, and not when it was.
        let due = response.time.max(self.0.clock.now());
        ids.map(|channel| ended(&key, channel).job(due, 0)).collect()
    }

    /// Refuses an event whose requester may not be told of its end.
    pub(crate) fn check_on_end(&self, request: &Request) -> Result<(), Error> {
        let Some(on_end) = &request.on_end else { return Ok(()) };
        let telling = self.0.deliveries.telling.get();
        let allowed = telling.map(|telling| &telling.on_end);
        if !allowed.is_some_and(|allowed: &Namespaces| allowed.contains(&request.namespace)) {
            return Err(Error::invalid(
                "on_end",
                format!(
                    "is not allowed in the namespace {}: start the server with --on-end-namespace {}",
                    request.namespace, request.namespace
                ),
            ));
        }
        self.way_to_requester(on_end).map(drop).map_err(|wrong| Error::invalid("on_end", wrong))
    }

    /// By what way a requester is told.
    pub(super) fn way_to_requester(&self, on_end: &OnEnd) -> Result<hitl_store::Way, String> {
        let deliveries = &self.0.deliveries;
        let signer = match on_end.channel.as_str() {
            "" => None,
            name => Some(deliveries.named(name).ok_or_else(|| format!("names no channel {name}"))?),
        };
        let signer = signer.as_ref().and_then(|signer| signer.way.as_ref());
        match deliveries.telling.get() {
            Some(telling) => telling.tell.on_end(on_end, signer),
            None => Err("is nothing that this server can do".to_owned()),
        }
    }

    /// Takes note of deliveries that are durable by now.
    pub(crate) fn set_owed(&self, owed: Vec<Job>) {
        for job in owed {
            self.0.jobs.set(job);
        }
    }

    /// Owes again what the creation of `event` owes, since the create may have been cut short before it was durable.
    /// What was told is not told again.
    pub(crate) async fn owe_creation_again(&self, event: &Event) -> Result<(), Error> {
        for job in Self::owed_by_creation(&event.request) {
            self.0.store.put_job(&job).await?;
            self.0.jobs.set(job);
        }
        Ok(())
    }
}

fn ended(key: &EventKey, channel: ChannelId) -> DeliveryId {
    DeliveryId { key: key.clone(), channel, step: Step::ENDED }
}
