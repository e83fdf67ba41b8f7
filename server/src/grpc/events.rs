//! The RPCs of the event service: unwrap, call the API, wrap.

use hitl_core::{Channel, Principal};
use hitl_proto::v1;
use hitl_proto::v1::event_service_server::EventService;
use tonic::{Request, Response, Status, Streaming};

use crate::api::{Api, Caller};
use crate::budget::Call;
use crate::grpc::status::status;
use crate::grpc::wait::{Updates, deadline};
use crate::grpc::waits::WaitsUpdates;
use crate::grpc::watch::Changes;
use crate::net::Peer;
use hitl_service::Owner;

type Answer<T> = Result<Response<T>, Status>;

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
    type WaitEventStream = Updates;
    type WatchEventsStream = Changes;
    type WaitEventsStream = WaitsUpdates;

    async fn create_event(
        &self,
        request: Request<v1::CreateEventRequest>,
    ) -> Answer<v1::CreateEventResponse> {
        let caller = caller(&request);
        wrap(self.api.create_event(request.into_inner(), &caller).await)
    }

    async fn get_event(
        &self,
        request: Request<v1::GetEventRequest>,
    ) -> Answer<v1::GetEventResponse> {
        let caller = caller(&request);
        wrap(self.api.get_event(request.into_inner(), &caller).await)
    }

    async fn list_events(
        &self,
        request: Request<v1::ListEventsRequest>,
    ) -> Answer<v1::ListEventsResponse> {
        let caller = caller(&request);
        wrap(self.api.list_events(request.into_inner(), &caller).await)
    }

    async fn wait_event(&self, request: Request<v1::WaitEventRequest>) -> Answer<Updates> {
        let deadline = deadline(request.metadata());
        let begun =
            self.api.wait_event(request.get_ref(), &caller(&request), owner(&request)).await;
        wrap(begun.map(|waiting| Updates::new(self.api.clone(), waiting, deadline)))
    }

    async fn watch_events(&self, request: Request<v1::WatchEventsRequest>) -> Answer<Changes> {
        let deadline = deadline(request.metadata());
        let (caller, owner) = (caller(&request), owner(&request));
        let watch = self.api.watch_events(request.into_inner(), &caller, owner);
        wrap(watch.map(|watch| Changes::new(self.api.clone(), watch, deadline)))
    }

    async fn wait_events(
        &self,
        request: Request<Streaming<v1::WaitEventsRequest>>,
    ) -> Answer<WaitsUpdates> {
        let deadline = deadline(request.metadata());
        let call = request.extensions().get::<Call>().cloned();
        let account = call.as_ref().map(Call::account);
        let begun = self.api.wait_events(&caller(&request), owner(&request), account);
        wrap(begun.map(|waits| WaitsUpdates::new(waits, request.into_inner(), call, deadline)))
    }

    async fn batch_create_events(
        &self,
        request: Request<v1::BatchCreateEventsRequest>,
    ) -> Answer<v1::BatchCreateEventsResponse> {
        let caller = caller(&request);
        wrap(self.api.batch_create_events(request.into_inner(), &caller).await)
    }

    async fn batch_answer_events(
        &self,
        request: Request<v1::BatchAnswerEventsRequest>,
    ) -> Answer<v1::BatchAnswerEventsResponse> {
        let caller = caller(&request);
        wrap(self.api.batch_answer_events(request.into_inner(), &caller).await)
    }

    async fn answer_event(
        &self,
        request: Request<v1::AnswerEventRequest>,
    ) -> Answer<v1::AnswerEventResponse> {
        let caller = caller(&request);
        wrap(self.api.answer_event(request.into_inner(), &caller).await)
    }

    async fn decline_event(
        &self,
        request: Request<v1::DeclineEventRequest>,
    ) -> Answer<v1::DeclineEventResponse> {
        let caller = caller(&request);
        wrap(self.api.decline_event(request.into_inner(), &caller).await)
    }

    async fn cancel_event(
        &self,
        request: Request<v1::CancelEventRequest>,
    ) -> Answer<v1::CancelEventResponse> {
        let caller = caller(&request);
        wrap(self.api.cancel_event(request.into_inner(), &caller).await)
    }
}

fn wrap<T>(result: Result<T, hitl_service::error::Error>) -> Answer<T> {
    result.map(Response::new).map_err(|error| status(&error))
}

fn caller<T>(request: &Request<T>) -> Caller {
    let address = peer(request).map(|peer| peer.address.ip().to_string());
    Caller {
        principal: Principal::Anyone,
        channel: Channel::Grpc,
        address: address.unwrap_or_default(),
    }
}

/// Whose the waits of this call are.
fn owner<T>(request: &Request<T>) -> Owner {
    peer(request).map_or_else(Owner::default, |peer| Owner(peer.connection))
}

fn peer<T>(request: &Request<T>) -> Option<&Peer> {
    request.extensions().get()
}
