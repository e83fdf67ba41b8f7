//! Votes: recorded one by one, and looked at together until they end the event.
//!
//! Whoever has recorded a vote looks what all of them come to. If that process dies, or its listing left one out, the
//! job that was durable before the vote looks again.

use hitl_core::{Deliberation, Event, EventKey, Person, Vote, tally};
use hitl_store::announcements::Follower;
use hitl_store::{Entry, Index, ReadAt, Voted, settle};

use crate::Service;
use crate::error::Error;

/// How long after a vote all votes are looked at once more.
const SETTLE_MS: i64 = 1_500;

impl Service {
    /// What was voted, said and done about `event`, as far as it matters for what may happen to it: nothing is read if
    /// it is for everybody and one person ends it, or if it has ended.
    pub(crate) async fn deliberation(&self, event: &Event) -> Result<Deliberation, Error> {
        if event.response.is_some() || !event.request.is_deliberated() {
            return Ok(Deliberation::default());
        }
        Ok(self.0.store.deliberation(&event.request.key()).await?)
    }

    /// Records `vote` on the pending `event`, which was read at `read_at`.
    pub(super) async fn vote(
        &self,
        event: &Event,
        read_at: ReadAt,
        vote: Vote,
    ) -> Result<Voted, Error> {
        let (service, event) = (self.clone(), event.clone());
        self.finish_anyway(async move {
            let Some(person) = Person::of(&vote.responder) else {
                return Err(Error::NobodyInParticular(event.request.key()));
            };
            let job = settle(event.request.key(), vote.time.plus_ms(SETTLE_MS));
            let store = &service.0.store;
            let voted = store.vote(&event, read_at, &person, &vote, service.nonce(), &job).await?;
            if let Voted::Ours(entry) = &voted {
                service.0.jobs.set(job);
                service.show_update(entry);
            }
            Ok(voted)
        })
        .await
    }

    /// The event at `key` after `vote` on it was recorded.
    ///
    /// # Errors
    /// [`Error::AlreadyFinal`] if it had ended without that vote, and those of the store.
    pub(super) async fn after_vote(&self, key: &EventKey, vote: &Vote) -> Result<Event, Error> {
        let event = self.settle(key).await?;
        match &event.response {
            Some(response) if !response.votes.contains(vote) => {
                let (state, time) = (event.state(), response.time);
                Err(Error::AlreadyFinal { key: key.clone(), state, time })
            }
            _ => Ok(event),
        }
    }

    /// The event at `key`, which ends now if the votes on it come to that.
    pub(super) async fn settle(&self, key: &EventKey) -> Result<Event, Error> {
        let read_at = self.0.store.read_at();
        let event = self.read(key).await?;
        let deliberation = self.deliberation(&event).await?;
        match tally(&event, &deliberation) {
            Some(end) if event.response.is_none() => {
                Ok(self.record_end(event, read_at, end).await?.event)
            }
            _ => Ok(event),
        }
    }

    /// Tells everyone who waits or watches here that something was voted, said or done. Others see it announced.
    pub(super) fn show_update(&self, announced: &Entry) {
        self.0.waiters.updated(announced);
        self.0.watches.announced(Index::Updated, announced);
    }
}

#[cfg(test)]
#[path = "votes_tests.rs"]
mod tests;
