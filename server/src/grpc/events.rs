//! The RPCs of the event service: unwrap, call the API, wrap.

use hitl_core::Channel;
use hitl_proto::v1;
use hitl_proto::v1::event_service_server::EventService;
use tonic::{Request, Response, Status, Streaming};

use crate::api::{Api, Caller};
use crate::auth::Who;
use crate::budget::Call;
use crate::grpc::standing::WhileGood;
use crate::grpc::status::status;
use crate::grpc::wait::{Updates, deadline};
use crate::grpc::waits::WaitsUpdates;
use crate::grpc::watch::Changes;
use crate::net::Peer;
use hitl_service::Owner;

/// By this `hitl mcp` says that what it sends was said to a client of MCP.
const CHANNEL: &str = "hitl-channel";

pub(super) type Answer<T> = Result<Response<T>, Status>;

/// The event service over the API.
#[derive(Debug)]
pub(crate) struct Events {
    api: Api,
}

impl Events {
    pub(super) fn new(api: Api) -> Self {
        Self { api }
    }
}

#[tonic::async_trait]
impl EventService for Events {
    type WaitEventStream = WhileGood<Updates>;
    type WatchEventsStream = WhileGood<Changes>;
    type WaitEventsStream = WhileGood<WaitsUpdates>;

    async fn create_event(
        &self,
        request: Request<v1::CreateEventRequest>,
    ) -> Answer<v1::CreateEventResponse> {
        let caller = caller(&request)?;
        wrap(self.api.create_event(request.into_inner(), &caller).await)
    }

    async fn get_event(
        &self,
        request: Request<v1::GetEventRequest>,
    ) -> Answer<v1::GetEventResponse> {
        let caller = caller(&request)?;
        wrap(self.api.get_event(request.into_inner(), &caller).await)
    }

    async fn list_events(
        &self,
        request: Request<v1::ListEventsRequest>,
    ) -> Answer<v1::ListEventsResponse> {
        let caller = caller(&request)?;
        wrap(self.api.list_events(request.into_inner(), &caller).await)
    }

    async fn wait_event(
        &self,
        request: Request<v1::WaitEventRequest>,
    ) -> Answer<WhileGood<Updates>> {
        let deadline = deadline(request.metadata());
        let caller = caller(&request)?;
        let standing = self.api.standing(&caller);
        let begun = self.api.wait_event(request.get_ref(), &caller, owner(&request)).await;
        let updates = begun.map(|waiting| Updates::new(self.api.clone(), waiting, deadline));
        wrap(updates.map(|updates| WhileGood::new(updates, standing)))
    }

    async fn watch_events(
        &self,
        request: Request<v1::WatchEventsRequest>,
    ) -> Answer<WhileGood<Changes>> {
        let deadline = deadline(request.metadata());
        let (caller, owner) = (caller(&request)?, owner(&request));
        let standing = self.api.standing(&caller);
        let watch = self.api.watch_events(request.into_inner(), &caller, owner);
        let changes = watch.map(|watch| Changes::new(self.api.clone(), watch, caller, deadline));
        wrap(changes.map(|changes| WhileGood::new(changes, standing)))
    }

    async fn wait_events(
        &self,
        request: Request<Streaming<v1::WaitEventsRequest>>,
    ) -> Answer<WhileGood<WaitsUpdates>> {
        let deadline = deadline(request.metadata());
        let call = request.extensions().get::<Call>().cloned();
        let account = call.as_ref().map(Call::account);
        let caller = caller(&request)?;
        let standing = self.api.standing(&caller);
        let begun = self.api.wait_events(&caller, owner(&request), account);
        let updates =
            begun.map(|waits| WaitsUpdates::new(waits, request.into_inner(), call, deadline));
        wrap(updates.map(|updates| WhileGood::new(updates, standing)))
    }

    async fn batch_create_events(
        &self,
        request: Request<v1::BatchCreateEventsRequest>,
    ) -> Answer<v1::BatchCreateEventsResponse> {
        let caller = caller(&request)?;
        wrap(self.api.batch_create_events(request.into_inner(), &caller).await)
    }

    async fn batch_answer_events(
        &self,
        request: Request<v1::BatchAnswerEventsRequest>,
    ) -> Answer<v1::BatchAnswerEventsResponse> {
        let caller = caller(&request)?;
        wrap(self.api.batch_answer_events(request.into_inner(), &caller).await)
    }

    async fn answer_event(
        &self,
        request: Request<v1::AnswerEventRequest>,
    ) -> Answer<v1::AnswerEventResponse> {
        let caller = caller(&request)?;
        wrap(self.api.answer_event(request.into_inner(), &caller).await)
    }

    async fn decline_event(
        &self,
        request: Request<v1::DeclineEventRequest>,
    ) -> Answer<v1::DeclineEventResponse> {
        let caller = caller(&request)?;
        wrap(self.api.decline_event(request.into_inner(), &caller).await)
    }

    async fn cancel_event(
        &self,
        request: Request<v1::CancelEventRequest>,
    ) -> Answer<v1::CancelEventResponse> {
        let caller = caller(&request)?;
        wrap(self.api.cancel_event(request.into_inner(), &caller).await)
    }

    async fn remind_event(
        &self,
        request: Request<v1::RemindEventRequest>,
    ) -> Answer<v1::RemindEventResponse> {
        let caller = caller(&request)?;
        wrap(self.api.remind_event(request.into_inner(), &caller).await)
    }

    async fn add_comment(
        &self,
        request: Request<v1::AddCommentRequest>,
    ) -> Answer<v1::AddCommentResponse> {
        let caller = caller(&request)?;
        wrap(self.api.add_comment(request.into_inner(), &caller).await)
    }

    async fn list_comments(
        &self,
        request: Request<v1::ListCommentsRequest>,
    ) -> Answer<v1::ListCommentsResponse> {
        let caller = caller(&request)?;
        wrap(self.api.list_comments(request.into_inner(), &caller).await)
    }

    async fn claim_event(
        &self,
        request: Request<v1::ClaimEventRequest>,
    ) -> Answer<v1::ClaimEventResponse> {
        let caller = caller(&request)?;
        wrap(self.api.claim_event(request.into_inner(), &caller).await)
    }

    async fn release_event(
        &self,
        request: Request<v1::ReleaseEventRequest>,
    ) -> Answer<v1::ReleaseEventResponse> {
        let caller = caller(&request)?;
        wrap(self.api.release_event(request.into_inner(), &caller).await)
    }

    async fn delegate_event(
        &self,
        request: Request<v1::DelegateEventRequest>,
    ) -> Answer<v1::DelegateEventResponse> {
        let caller = caller(&request)?;
        wrap(self.api.delegate_event(request.into_inner(), &caller).await)
    }

    async fn get_receipt(
        &self,
        request: Request<v1::GetReceiptRequest>,
    ) -> Answer<v1::GetReceiptResponse> {
        let caller = caller(&request)?;
        wrap(self.api.get_receipt(request.into_inner(), &caller).await)
    }

    async fn create_link(
        &self,
        request: Request<v1::CreateLinkRequest>,
    ) -> Answer<v1::CreateLinkResponse> {
        let caller = caller(&request)?;
        wrap(self.api.create_link(request.into_inner(), &caller).await)
    }

    async fn revoke_links(
        &self,
        request: Request<v1::RevokeLinksRequest>,
    ) -> Answer<v1::RevokeLinksResponse> {
        let caller = caller(&request)?;
        wrap(self.api.revoke_links(request.into_inner(), &caller).await)
    }

    async fn list_receipt_keys(
        &self,
        request: Request<v1::ListReceiptKeysRequest>,
    ) -> Answer<v1::ListReceiptKeysResponse> {
        let caller = caller(&request)?;
        wrap(self.api.list_receipt_keys(request.into_inner(), &caller).await)
    }
}

pub(super) fn wrap<T>(result: Result<T, hitl_service::error::Error>) -> Answer<T> {
    result.map(Response::new).map_err(|error| status(&error))
}

/// Who calls, if that is known.
pub(super) fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    let principal = Who::of(request.extensions()).map_err(|error| status(&error))?;
    let address = peer(request).map(|peer| peer.address.ip().to_string()).unwrap_or_default();
    Ok(Caller { principal, channel: channel(request), address })
}

/// The door: this one, or that of a program between the person and us, which says so.
fn channel<T>(request: &Request<T>) -> Channel {
    match request.metadata().get(CHANNEL) {
        Some(given) if given == "mcp" => Channel::Mcp,
        _ => Channel::Grpc,
    }
}

/// Whose the waits of this call are.
fn owner<T>(request: &Request<T>) -> Owner {
    peer(request).map_or_else(Owner::default, Peer::owner)
}

fn peer<T>(request: &Request<T>) -> Option<&Peer> {
    request.extensions().get()
}
