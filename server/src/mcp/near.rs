//! The tools at the server that has the questions: its API.

use std::time::Duration;

use hitl_core::{Action, Timestamp};
use hitl_proto::v1;
use hitl_service::Owner;

use super::desk::Desk;
use super::refused::Refused;
use super::state::Seal;
use crate::api::{Api, Caller, from_proto};
use crate::auth::Links;

/// The API, for one request of one caller.
#[derive(Clone)]
pub(super) struct Near {
    api: Api,
    caller: Caller,
    owner: Owner,
    namespace: String,
    asker: String,
    public_url: String,
    seal: Seal,
}

impl Near {
    pub(super) fn new(
        api: Api,
        links: &Links,
        caller: Caller,
        owner: Owner,
        namespace: String,
    ) -> Self {
        let proof = caller.principal.proof();
        Self {
            api,
            owner,
            namespace,
            asker: format!("{:?}/{}", proof.known_by, proof.id),
            public_url: links.public_url().to_owned(),
            seal: Seal::new(&links.derived_keys(b"mcp request state")),
            caller,
        }
    }

    fn key(&self, id: &str) -> v1::GetEventRequest {
        v1::GetEventRequest { namespace: self.namespace.clone(), event_id: id.to_owned() }
    }
}

impl Desk for Near {
    const REACHES_CLIENT: bool = false;

    async fn create(
        &self,
        request: v1::CreateEventRequest,
    ) -> Result<v1::CreateEventResponse, Refused> {
        let request = v1::CreateEventRequest { namespace: self.namespace.clone(), ..request };
        Ok(self.api.create_event(request, &self.caller).await?)
    }

    async fn get(&self, id: &str) -> Result<v1::Event, Refused> {
        let reply = self.api.get_event(self.key(id), &self.caller).await?;
        Ok(reply.event.unwrap_or_default())
    }

    async fn wait(&self, id: &str, limit: Duration) -> Result<v1::Event, Refused> {
        let reply = self.api.poll_event(self.key(id), limit, &self.caller, self.owner).await?;
        Ok(reply.event.unwrap_or_default())
    }

    async fn list(
        &self,
        request: v1::ListEventsRequest,
    ) -> Result<v1::ListEventsResponse, Refused> {
        let request = v1::ListEventsRequest { namespace: self.namespace.clone(), ..request };
        Ok(self.api.list_events(request, &self.caller).await?)
    }

    async fn answer(&self, id: &str, json: String, responder: &str) -> Result<v1::Event, Refused> {
        let request = v1::AnswerEventRequest {
            namespace: self.namespace.clone(),
            event_id: id.to_owned(),
            answer: Some(v1::answer_event_request::Answer::Json(json)),
            responder: responder.to_owned(),
            ..v1::AnswerEventRequest::default()
        };
        let reply = self.api.answer_event(request, &self.caller).await?;
        Ok(reply.event.unwrap_or_default())
    }

    async fn decline(&self, id: &str, reason: &str, responder: &str) -> Result<v1::Event, Refused> {
        let request = v1::DeclineEventRequest {
            namespace: self.namespace.clone(),
            event_id: id.to_owned(),
            reason: reason.to_owned(),
            responder: responder.to_owned(),
            ..v1::DeclineEventRequest::default()
        };
        let reply = self.api.decline_event(request, &self.caller).await?;
        Ok(reply.event.unwrap_or_default())
    }

    async fn cancel(&self, id: &str, reason: &str) -> Result<v1::Event, Refused> {
        let request = v1::CancelEventRequest {
            namespace: self.namespace.clone(),
            event_id: id.to_owned(),
            reason: reason.to_owned(),
        };
        let reply = self.api.cancel_event(request, &self.caller).await?;
        Ok(reply.event.unwrap_or_default())
    }

    async fn may_answer(&self, id: &str) -> Result<bool, Refused> {
        let key = from_proto::key(&self.namespace, id)?;
        Ok(self.caller.principal.authorize(Action::Respond(&key)).is_ok())
    }

    fn page(&self, event: &v1::Event) -> String {
        format!("{}/events/{}/{}", self.public_url, event.namespace, event.id)
    }

    fn namespace(&self) -> &str {
        &self.namespace
    }

    fn asker(&self) -> &str {
        &self.asker
    }

    fn now(&self) -> Timestamp {
        self.api.now()
    }

    fn seal(&self) -> &Seal {
        &self.seal
    }
}
