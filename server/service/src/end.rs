//! Ending: an answer, a decline, a cancellation or the deadline, whichever is recorded first.

use std::sync::Arc;

use hitl_core::{Command, Decision, Event, EventKey, Response, decide};

use crate::Service;
use crate::error::Error;
use hitl_store::announcements::Follower;
use hitl_store::{Ended, Entry, Index, PlantedFault};

/// How long a timer without a request is kept: far longer than a create may take.
const ORPHAN_MS: i64 = 60_000;

impl Service {
    /// Lets `command` act on the event at `key`, and returns the event as it stands then.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InvalidAnswer`], [`Error::InvalidRequest`],
    /// [`Error::AlreadyFinal`], [`Error::ClockOff`], and those of the store.
    pub async fn end(&self, key: &EventKey, command: Command) -> Result<Event, Error> {
        let command = Arc::new(command);
        let mut event = self.read(key).await?;
        loop {
            if event.response.is_some() {
                self.tell(&event).await?;
            }
            match self.decide(&event, &command).await? {
                Decision::Repeat => return Ok(event),
                Decision::ExpireFirst(timeout) => {
                    event = self.record_end(event, timeout).await?.event;
                }
                Decision::Resolve(response) => {
                    let ended = self.record_end(event, response).await?;
                    if ended.ours {
                        return Ok(ended.event);
                    }
                    event = ended.event;
                }
            }
        }
    }

    /// What `command` does to `event` now.
    async fn decide(&self, event: &Event, command: &Arc<Command>) -> Result<Decision, Error> {
        let now = self.now()?;
        let is_answer = matches!(**command, Command::Answer { .. });
        let decided = if is_answer && event.request.input.is_laborious() {
            let (event, command) = (event.clone(), command.clone());
            self.0.background.compute(move || decide(&event, &command, now)).await?
        } else {
            decide(event, command, now)
        };
        decided.map_err(|rejection| Error::rejected(rejection, &event.request.key()))
    }

    /// Ends the event of a due timer. The timer goes once nothing is owed to it.
    ///
    /// # Errors
    /// Those of the store, and that the clock has stepped back; the timer has to fire again.
    pub(super) async fn expire(&self, timer: Entry) -> Result<(), Error> {
        match self.read(&timer.key).await {
            Ok(event) if event.request.deadline == timer.time && event.response.is_none() => {
                return match self.end_overdue(event).await?.response {
                    Some(_) => Ok(()),
                    None => Err(Error::Internal(format!("the timer {timer} came early"))),
                };
            }
            // Perhaps its request is still on its way to the store.
            Err(Error::NotFound(_)) if self.now()?.ms_since(timer.time) < ORPHAN_MS => {
                return Ok(());
            }
            // Ended before; or left behind by a repeated create, or by one that was never
            // acknowledged.
            Ok(_) | Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(self.0.store.indexes().remove(Index::Timers, &timer).await?)
    }

    /// The overdue `event`, ended: by its deadline, or by whoever was recorded before.
    pub(super) async fn end_overdue(&self, event: Event) -> Result<Event, Error> {
        match decide(&event, &Command::Expire, self.now()?) {
            Ok(Decision::Resolve(timeout)) => Ok(self.record_end(event, timeout).await?.event),
            // The clock stepped back just now.
            _ => Ok(event),
        }
    }

    /// Makes `response` the outcome of `event` if no other is, then tells everyone who waits.
    async fn record_end(&self, event: Event, response: Response) -> Result<Ended, Error> {
        let service = self.clone();
        self.finish_anyway(async move {
            let parts = &service.0;
            if PlantedFault::TimerGoesFirst.is_planted() {
                let timer = Entry { time: event.request.deadline, key: event.request.key() };
                parts.store.indexes().remove(Index::Timers, &timer).await?;
            }
            let ended = parts.store.end(&event, response, service.nonce()).await?;
            if ended.ours {
                service.count_end(&ended.event);
            }
            service.drop_timer(&ended.event);
            service.tell(&ended.event).await?;
            Ok(ended)
        })
        .await
    }

    /// Tells everyone who waits for `event`, which has ended. Whoever recorded its end may not have lived to tell, or
    /// may not know that it was recorded, so whoever finds that it was tells too. A caller hears of it only then, and
    /// repeats the call if this fails.
    async fn tell(&self, event: &Event) -> Result<(), Error> {
        self.0.waiters.ended(event);
        if let Some(response) = &event.response {
            let announced = Entry { time: response.time, key: event.request.key() };
            self.0.watches.announced(Index::Resolved, &announced);
        }
        Ok(self.0.store.ensure_announced(event).await?)
    }

    /// Removes the timer of an event that has ended. Nobody waits for it, and nothing is lost if it
    /// fails: the timer comes due, finds the event ended, and is removed then.
    pub(super) fn drop_timer(&self, event: &Event) {
        let timer = Entry { time: event.request.deadline, key: event.request.key() };
        self.0.timers.forget(&timer);
        let service = self.clone();
        self.0.tasks.spawn(async move {
            if let Err(error) = service.0.store.indexes().remove(Index::Timers, &timer).await {
                tracing::debug!(%timer, %error, "a timer was left behind");
            }
        });
    }
}
