//! Ending: an answer, a decline, a cancellation or the deadline, whichever is recorded first.

use std::sync::Arc;

use hitl_core::{Command, Decision, Deliberation, Event, EventKey, Response, Standing, decide};

use crate::Service;
use crate::error::Error;
use hitl_store::announcements::Follower;
use hitl_store::jobs::Job;
use hitl_store::{Ended, Entry, Index, ReadAt, Voted};

impl Service {
    /// See [`Session::end`](crate::Session::end).
    pub(crate) async fn end_by(
        &self,
        key: &EventKey,
        command: Command,
        standing: Standing,
    ) -> Result<Event, Error> {
        let command = Arc::new(command);
        let read_at = self.0.store.read_at();
        let mut event = self.read(key).await?;
        let mut deliberation = self.deliberation(&event).await?;
        loop {
            if event.response.is_some() {
                self.tell(&event).await?;
            }
            match self.decide(&event, &deliberation, &command, &standing).await? {
                Decision::Repeat if event.response.is_none() => return self.settle(key).await,
                Decision::Repeat => return Ok(event),
                Decision::EndFirst(end) => {
                    event = self.record_end(event, read_at, end).await?.event;
                }
                Decision::Vote(vote) => match self.vote(&event, read_at, vote.clone()).await? {
                    Voted::Ours(_) => return self.after_vote(key, &vote).await,
                    // Its own, or it was told apart from others by what is there now.
                    Voted::Before(before) => deliberation.votes.push(*before),
                },
                Decision::End(response) => {
                    let ended = self.record_end(event, read_at, response).await?;
                    if ended.ours {
                        return Ok(ended.event);
                    }
                    event = ended.event;
                }
            }
        }
    }

    /// The same by somebody in no group.
    #[cfg(test)]
    pub(crate) async fn end(&self, key: &EventKey, command: Command) -> Result<Event, Error> {
        self.end_by(key, command, Standing::default()).await
    }

    /// What `command` does to `event` now.
    async fn decide(
        &self,
        event: &Event,
        deliberation: &Deliberation,
        command: &Arc<Command>,
        standing: &Standing,
    ) -> Result<Decision, Error> {
        let now = self.now()?;
        let is_answer = matches!(**command, Command::Answer { .. });
        let decided = if is_answer && event.request.input.is_laborious() {
            let (event, command) = (event.clone(), command.clone());
            let (deliberation, standing) = (deliberation.clone(), standing.clone());
            let decide = move || decide(&event, &deliberation, &command, &standing, now);
            self.0.background.compute(decide).await?
        } else {
            decide(event, deliberation, command, standing, now)
        };
        decided.map_err(|rejection| Error::rejected(rejection, &event.request.key()))
    }

    /// Ends the overdue `event`, which was read at `read_at`, and returns it as it ended: by its deadline, or by what
    /// was voted or recorded before.
    pub(super) async fn end_overdue(&self, event: Event, read_at: ReadAt) -> Result<Event, Error> {
        let deliberation = self.deliberation(&event).await?;
        let standing = Standing::default();
        match decide(&event, &deliberation, &Command::Expire, &standing, self.now()?) {
            Ok(Decision::End(timeout)) => Ok(self.record_end(event, read_at, timeout).await?.event),
            // The clock stepped back just now.
            _ => Ok(event),
        }
    }

    /// Makes `response` the outcome of `event` if no other is, then tells everyone who waits.
    pub(super) async fn record_end(
        &self,
        event: Event,
        read_at: ReadAt,
        response: Response,
    ) -> Result<Ended, Error> {
        let service = self.clone();
        self.finish_anyway(async move {
            let parts = &service.0;
            let owed = service.owed_by_end(&event, &response);
            let nonce = service.nonce();
            let ended = parts.store.end_owing(&event, read_at, response, &owed, nonce).await?;
            let ended = ended.ok_or_else(|| Error::NotFound(event.request.key()))?;
            if ended.ours {
                service.count_end(&ended.event);
                parts.pending.ended(&ended.event.request.key());
                parts.search.ended(&ended.event);
                service.show(&ended.event);
                service.set_owed(owed);
            }
            if ended.has_no_expiry {
                parts.jobs.forget(&expiry(&ended.event));
            } else {
                service.drop_expiry(&ended.event);
            }
            service.tell(&ended.event).await?;
            Ok(ended)
        })
        .await
    }

    /// Shows everyone who watches here that `event` has ended just now. Others see it announced.
    fn show(&self, event: &Event) {
        if let Some(response) = &event.response {
            let announced = Entry { time: response.time, key: event.request.key() };
            self.0.watches.announced(Index::Resolved, &announced);
        }
    }

    /// Tells everyone who waits for `event`, which has ended. The process that recorded the end may have crashed before
    /// it told anybody, so every call that finds the event ended tells as well. The caller gets its reply afterwards,
    /// and repeats the call if this fails.
    async fn tell(&self, event: &Event) -> Result<(), Error> {
        self.0.waiters.ended(event);
        Ok(self.0.store.ensure_announced(event).await?)
    }

    /// Removes the expiry of an event that has ended. The caller does not wait for it. If it fails, the expiry comes
    /// due, finds the event ended, and is removed then.
    pub(super) fn drop_expiry(&self, event: &Event) {
        let job = expiry(event);
        self.0.jobs.forget(&job);
        let service = self.clone();
        self.0.tasks.spawn(async move {
            if let Err(error) = service.0.store.remove_job(&job).await {
                tracing::debug!(%job, %error, "an expiry was left behind");
            }
        });
    }
}

/// The job that ends `event` at its deadline.
pub(super) fn expiry(event: &Event) -> Job {
    Job::expire(event.request.deadline, event.request.key())
}
