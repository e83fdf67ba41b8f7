//! Making a delivery: the handler of its job.
//!
//! The handler only puts the job into the queue, so that a channel that takes its time holds up no other job. The job
//! stays in the store until what became of the delivery is recorded.

use hitl_core::{ChannelId, Event, EventKey, Request, Timestamp, Told};
use hitl_store::jobs::{Done, Job};
use hitl_store::{
    DeadLetter, DeliveryId, DeliveryRecord, Stage, Step, Stored, Thread, Way, random,
};

use super::message::{Receipt, Retry, Undelivered};
use super::pace;
use super::queue::{Entered, Lane};
use crate::Service;
use crate::error::Error;

/// What the way to requesters is called, which is no name of a channel.
pub(super) const ON_END: &str = "on_end";

/// Takes a delivery that is due into the queue.
///
/// # Errors
/// [`Error::ClockOff`].
pub(crate) async fn run(service: Service, job: Job) -> Result<Done, Error> {
    let Some((id, _)) = DeliveryId::of(&job) else { return Ok(Done::Settled) };
    if service.0.deliveries.telling.get().is_none() {
        return Ok(Done::Left);
    }
    let entered = service.0.deliveries.queue().enter(&id, job.clone());
    match entered {
        Entered::Joins => {}
        Entered::Full => {
            let due = service.now()?.plus_ms(pace::PUT_OFF_MS);
            return Ok(Done::Then(Job { due, ..job }));
        }
        Entered::Begins => service.work_off(id.key, id.channel),
    }
    Ok(Done::Left)
}

/// What is left of a job after an attempt.
#[derive(Debug, PartialEq, Eq)]
enum After {
    /// Nothing.
    Settled,
    /// This one, in its stead.
    Then(Job),
}

/// What a delivery is made of.
pub(super) struct Parcel {
    pub(super) id: DeliveryId,
    pub(super) attempts: u8,
    pub(super) event: Event,
    pub(super) thread: Thread,
    /// By what way; or why there is none any more.
    pub(super) way: Result<Way, String>,
    channel_name: String,
    pub(super) told: Told,
    pub(super) note: String,
    pub(super) time: Timestamp,
}

/// What became of a delivery to all of its recipients.
#[derive(Default)]
pub(super) struct Outcome {
    /// Of what was sent last.
    pub(super) receipt: Option<Receipt>,
    /// Who is not told yet, and why not.
    retry: Option<Undelivered>,
    /// Who will not be told, and why not.
    dead: Option<String>,
}

impl Service {
    /// Works off the thread of the event at `key` on `channel`, beside everything else.
    fn work_off(&self, key: EventKey, channel: ChannelId) {
        let service = self.clone();
        let work = async move {
            let shutdown = service.0.shutdown.clone();
            tokio::select! {
                biased;
                // What is cut short is made again at the next start.
                () = shutdown.cancelled() => {}
                () = service.work(&key, channel) => {}
            }
        };
        match self.0.background.runtime() {
            Some(runtime) => drop(self.0.tasks.spawn_on(work, runtime)),
            None => drop(self.0.tasks.spawn(work)),
        }
    }

    async fn work(&self, key: &EventKey, channel: ChannelId) {
        let lane = self.lane(key, channel).await;
        loop {
            let next = self.0.deliveries.queue().next(key, channel);
            let Some(job) = next else { return };
            let Some((id, attempts)) = DeliveryId::of(&job) else { return };
            let turns = self.0.deliveries.queue().turns(&lane);
            let turn = turns.acquire().await;
            let done = self.make_delivery(&id, attempts, &job).await;
            drop(turn);
            match done {
                Ok(()) => {
                    self.0.deliveries.queue().leave(&id, &job);
                }
                Err(error) => {
                    tracing::warn!(%job, %error, "a delivery met a store that fails, and is made again");
                    let again = self.0.clock.monotonic().plus_ms(pace::STORE_PAUSE_MS);
                    self.0.clock.pause_until(again).await;
                }
            }
        }
    }

    /// Whose turns the thread takes.
    async fn lane(&self, key: &EventKey, channel: ChannelId) -> Lane {
        if channel != ChannelId::ON_END {
            return Lane::Channel(channel);
        }
        let request = self.0.store.request(key).await.ok().flatten();
        let url = request.as_ref().and_then(|request| request.on_end.as_ref()).map(|it| &it.url);
        let address = url.and_then(|url| hitl_core::WebAddress::of(url));
        address.map_or(Lane::Channel(channel), |address| Lane::Host(address.host))
    }

    /// Makes the delivery, and puts what is left to do in the place of the job.
    async fn make_delivery(&self, id: &DeliveryId, attempts: u8, job: &Job) -> Result<(), Error> {
        let store = &self.0.store;
        match self.deliver(id, attempts, job).await? {
            After::Settled => store.remove_job(job).await?,
            After::Then(next) if next == *job => {}
            After::Then(next) => {
                store.put_job(&next).await?;
                store.remove_job(job).await?;
                self.0.jobs.set(next);
            }
        }
        Ok(())
    }

    async fn deliver(&self, id: &DeliveryId, attempts: u8, job: &Job) -> Result<After, Error> {
        let now = self.now()?;
        let event = match self.event_of(id, attempts).await? {
            Ok(event) => event,
            Err(after) => return Ok(after),
        };
        let thread = self.0.store.thread(&id.key, id.channel).await?;
        if id.step == Step::ASKED && !event.request.channels.contains(&id.channel) {
            // A create that was repeated has left it behind.
            return Ok(After::Settled);
        }
        if thread.is_settled(id.step) {
            self.keep_dead_letter(id, &thread).await?;
            return Ok(After::Settled);
        }
        if id.step == Step::ENDED && event.response.is_none() {
            // Whoever was to end it may still do so; and its deadline does.
            let age_ms = now.ms_since(job.due);
            let due = now.plus_ms(pace::blocked_ms(age_ms.max(0)).max(pace::ORPHAN_PAUSE_MS));
            return Ok(After::Then(id.job(due, attempts)));
        }
        if is_blocked(id, &event.request, &thread) {
            let since = since(&event, id.step).unwrap_or(job.due);
            let due = now.plus_ms(pace::blocked_ms(now.ms_since(since)));
            return Ok(After::Then(id.job(due, attempts)));
        }
        let Some(parcel) = self.parcel(id, attempts, event, thread).await? else {
            return Ok(After::Settled);
        };
        let is_overtaken =
            id.step != Step::ENDED && id.step != Step::ASKED && parcel.event.response.is_some();
        let outcome = if is_overtaken {
            let summary = "not sent, since the event had ended".to_owned();
            Outcome {
                receipt: Some(Receipt { summary, ..Receipt::default() }),
                ..Outcome::default()
            }
        } else {
            self.send_to_all(&parcel).await?
        };
        self.conclude(&parcel, outcome).await
    }

    /// The event of the delivery; else what becomes of a delivery that has none.
    async fn event_of(&self, id: &DeliveryId, attempts: u8) -> Result<Result<Event, After>, Error> {
        let gone = match self.read(&id.key).await {
            Ok(event) => return Ok(Ok(event)),
            Err(Error::NotFound(_)) => self.0.store.stored(&id.key).await?,
            Err(error) => return Err(error),
        };
        match gone {
            Stored::Event(event) => Ok(Ok(event)),
            Stored::Removed(_) => {
                tracing::warn!(delivery = %id, "an event was removed before all were told of it");
                Ok(Err(After::Settled))
            }
            // A create may have written the job and not the request yet.
            Stored::Nothing if attempts < pace::ORPHAN_ATTEMPTS => {
                let due = self.now()?.plus_ms(pace::ORPHAN_PAUSE_MS);
                Ok(Err(After::Then(id.job(due, attempts + 1))))
            }
            Stored::Nothing => Ok(Err(After::Settled)),
        }
    }

    /// What is to be delivered; `None` if there is nobody to tell any more.
    async fn parcel(
        &self,
        id: &DeliveryId,
        attempts: u8,
        event: Event,
        thread: Thread,
    ) -> Result<Option<Parcel>, Error> {
        let Some((way, channel_name)) = self.way(id.channel, &event.request).await? else {
            return Ok(None);
        };
        let (told, note, time) = match id.step {
            Step::ASKED => (Told::Asked, String::new(), event.request.create_time),
            Step::ENDED => {
                let ended = event.response.as_ref().map(|response| response.time);
                (Told::Ended, String::new(), ended.unwrap_or(event.request.deadline))
            }
            _ => match self.0.store.delivery(id, None, Stage::Owed).await? {
                Some(owed) => (owed.told, owed.summary, owed.time),
                None => return Ok(None),
            },
        };
        let id = id.clone();
        Ok(Some(Parcel { id, attempts, event, thread, way, channel_name, told, note, time }))
    }

    /// By what way `channel` tells of the event that asks this, and what it is called.
    async fn way(
        &self,
        channel: ChannelId,
        request: &Request,
    ) -> Result<Option<(Result<Way, String>, String)>, Error> {
        if channel == ChannelId::ON_END {
            let way = request.on_end.as_ref().map(|on_end| self.way_to_requester(on_end));
            return Ok(way.map(|way| (way, ON_END.to_owned())));
        }
        if self.0.deliveries.channel(channel).is_none() {
            // Another replica may have made it just now.
            self.read_channels().await?;
        }
        let channel = self.0.deliveries.channel(channel);
        Ok(channel.and_then(|channel| Some((Ok(channel.way.clone()?), channel.name.clone()))))
    }

    pub(super) fn delivery_record(
        &self,
        parcel: &Parcel,
        recipient: &str,
        receipt: &Receipt,
    ) -> Result<DeliveryRecord, Error> {
        Ok(DeliveryRecord {
            told: parcel.told,
            time: self.now()?,
            attempts: u32::from(parcel.attempts) + 1,
            recipient: recipient.to_owned(),
            reference: receipt.reference.clone(),
            summary: receipt.summary.clone(),
        })
    }

    /// Records what became of the attempt, and says what is left to do.
    async fn conclude(&self, parcel: &Parcel, outcome: Outcome) -> Result<After, Error> {
        let store = &self.0.store;
        let Parcel { id, attempts, .. } = parcel;
        let metrics = &self.0.metrics.deliveries;
        if let Some(undelivered) = outcome.retry {
            metrics.failed(&parcel.channel_name);
            let [byte] = random::bytes(&*self.0.random);
            let pause_ms = pace::pause_ms(attempts.saturating_add(1), byte).unwrap_or_default();
            let asked_ms = match undelivered.retry {
                Retry::AfterMs(ms) => ms.clamp(0, pace::RETRY_AFTER_MS_MAX),
                Retry::Later | Retry::Never => 0,
            };
            let due = self.now()?.plus_ms(pause_ms.max(asked_ms));
            let record = self.delivery_record(parcel, "", &Receipt::saying(&undelivered.reason))?;
            store.record_delivery(id, None, Stage::Tried, record, self.nonce()).await?;
            return Ok(After::Then(id.job(due, attempts.saturating_add(1))));
        }
        if let Some(reason) = outcome.dead {
            metrics.dead(&parcel.channel_name);
            tracing::warn!(delivery = %id, channel = parcel.channel_name, reason, "a delivery is a dead letter");
            let record = self.delivery_record(parcel, "", &Receipt::saying(&reason))?;
            store.record_delivery(id, None, Stage::Dead, record, self.nonce()).await?;
            let thread = store.thread(&id.key, id.channel).await?;
            self.keep_dead_letter(id, &thread).await?;
            return Ok(After::Settled);
        }
        let receipt = outcome.receipt.unwrap_or_else(|| Receipt::saying("there is nobody to tell"));
        let record = self.delivery_record(parcel, "", &receipt)?;
        let late_ms = record.time.ms_since(parcel.time);
        store.record_delivery(id, None, Stage::Done, record, self.nonce()).await?;
        metrics.made(&parcel.channel_name, late_ms);
        Ok(After::Settled)
    }

    /// Makes sure that a delivery that was given up is among the dead letters: the process that gave it up may have
    /// ended before.
    async fn keep_dead_letter(&self, id: &DeliveryId, thread: &Thread) -> Result<(), Error> {
        if !thread.has(id.step, None, Stage::Dead) {
            return Ok(());
        }
        let store = &self.0.store;
        let Some(dead) = store.delivery(id, None, Stage::Dead).await? else { return Ok(()) };
        let channel = self.0.deliveries.channels();
        let channel = channel.iter().find(|it| it.id == id.channel);
        let channel_name = channel.map_or_else(|| ON_END.to_owned(), |it| it.name.clone());
        let letter = DeadLetter {
            namespace: id.key.namespace.clone(),
            event_id: id.key.id,
            channel: id.channel,
            channel_name,
            step: id.step.number(),
            told: dead.told,
            time: dead.time,
            attempts: dead.attempts,
            reason: dead.summary,
        };
        Ok(store.put_dead_letter(&letter, self.nonce()).await?)
    }
}

/// Whether something that comes before is still owed.
fn is_blocked(id: &DeliveryId, request: &Request, thread: &Thread) -> bool {
    let asked = request.channels.contains(&id.channel).then_some(Step::ASKED);
    let mut before = asked.into_iter().chain(thread.owed()).filter(|step| *step < id.step);
    before.any(|step| !thread.is_settled(step))
}

/// When the step was that a delivery tells of.
fn since(event: &Event, step: Step) -> Option<Timestamp> {
    match step {
        Step::ASKED => Some(event.request.create_time),
        Step::ENDED => event.response.as_ref().map(|response| response.time),
        _ => None,
    }
}

impl Parcel {
    /// Whether it is given up if this attempt fails.
    pub(super) fn is_last_attempt(&self) -> bool {
        pace::pause_ms(self.attempts.saturating_add(1), 0).is_none()
    }
}

impl Outcome {
    /// Notes that `recipient` was not told.
    pub(super) fn failed(&mut self, recipient: &str, undelivered: Undelivered) {
        let reason = match recipient {
            "" => undelivered.reason,
            name => format!("{name}: {}", undelivered.reason),
        };
        match undelivered.retry {
            Retry::Never => {
                self.dead.get_or_insert(reason);
            }
            retry => {
                self.retry.get_or_insert(Undelivered { reason, retry });
            }
        }
    }
}
