//! The tools away from the server that has the questions: the Rust SDK.

use std::time::Duration;

use hitl::Client;
use hitl_core::Timestamp;
use hitl_proto::v1;
use hitl_proto::v1::Role;
use hitl_proto::v1::answer_event_request::Answer;
use hitl_store::clock::{Clock, SystemClock};
use hitl_store::random::{self, SystemRandom};

use super::desk::Desk;
use super::refused::Refused;
use super::state::Seal;

/// A client, of a program that one agent has started.
#[derive(Clone)]
pub(super) struct Far {
    client: Client,
    asker: String,
    /// Its key is of this process, whose client is the only one that it talks to.
    seal: Seal,
}

impl Far {
    /// Whoever asks is told from others by the directory in which the agent works, and by its run if it has one: the
    /// agents of one user have the same credential.
    pub(super) fn new(client: Client) -> Self {
        let directory = std::env::current_dir().unwrap_or_default();
        let run = std::env::var("HITL_RUN_ID").unwrap_or_default();
        let asker = format!("{}\0{run}", directory.display());
        Self { client, asker, seal: Seal::new(&[random::bytes(&SystemRandom)]) }
    }
}

impl Desk for Far {
    const REACHES_CLIENT: bool = true;

    async fn create(
        &self,
        request: v1::CreateEventRequest,
    ) -> Result<v1::CreateEventResponse, Refused> {
        Ok(self.client.create(request).await?)
    }

    async fn get(&self, id: &str) -> Result<v1::Event, Refused> {
        Ok(self.client.get(id).await?)
    }

    async fn wait(&self, id: &str, limit: Duration) -> Result<v1::Event, Refused> {
        match tokio::time::timeout(limit, self.client.wait_event(id)).await {
            Ok(ended) => Ok(ended?),
            Err(_) => self.get(id).await,
        }
    }

    async fn list(
        &self,
        request: v1::ListEventsRequest,
    ) -> Result<v1::ListEventsResponse, Refused> {
        Ok(self.client.list(request).await?)
    }

    async fn answer(&self, id: &str, json: String, responder: &str) -> Result<v1::Event, Refused> {
        Ok(self.client.answer(id, Answer::Json(json), responder).await?)
    }

    async fn decline(&self, id: &str, reason: &str, responder: &str) -> Result<v1::Event, Refused> {
        Ok(self.client.decline(id, reason, responder).await?)
    }

    async fn cancel(&self, id: &str, reason: &str) -> Result<v1::Event, Refused> {
        Ok(self.client.cancel(id, reason).await?)
    }

    async fn may_answer(&self, _: &str) -> Result<bool, Refused> {
        let known = self.client.who_am_i().await?;
        let namespace = self.client.namespace();
        let is_here = known.namespaces.iter().any(|name| name == "*" || name == namespace);
        let is_one = |role| matches!(role, Role::Responder | Role::Admin);
        Ok(is_here && known.roles().any(is_one))
    }

    fn page(&self, event: &v1::Event) -> String {
        format!("{}/events/{}/{}", self.client.endpoint(), event.namespace, event.id)
    }

    fn namespace(&self) -> &str {
        self.client.namespace()
    }

    fn asker(&self) -> &str {
        &self.asker
    }

    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn seal(&self) -> &Seal {
        &self.seal
    }
}
