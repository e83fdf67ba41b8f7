//! A server that refuses every read with the reason that it is asked for, since some reasons cannot be provoked; and
//! that answers waits with the number of streams that were opened for them, one read with the credential that
//! came with it, since the real one does not tell, and one not at all.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::Result;
use futures::future;
use futures::stream::{self, Stream, StreamExt};
use hitl_proto::ERROR_DOMAIN;
use hitl_proto::v1::event_service_server::{EventService, EventServiceServer};
use hitl_proto::v1::{self, ErrorReason};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::{ErrorDetails, StatusExt};

type Reply<T> = Result<Response<T>, Status>;

/// The event that is called what the header of that name says.
const AUTHORIZATION: &str = "AUTHORIZATION";

/// The event that is called what the header `x-team` says.
const TEAM: &str = "TEAM";

/// The event of which nothing is ever said.
const SILENCE: &str = "SILENCE";

/// So many waits on one stream are answered, and fewer are not.
const SHARING: usize = 100;

#[derive(Default)]
struct Scripted {
    /// How many streams of waits were opened.
    streams: AtomicI64,
}

/// Starts it, and returns where it is. It ends with this process.
pub(crate) async fn start() -> Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let server = tonic::transport::Server::builder()
        .add_service(EventServiceServer::new(Scripted::default()));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    Ok(endpoint)
}

/// The refusal with the reason of this name, as the API documents it.
fn refusal(reason: &str) -> Status {
    let code = match ErrorReason::from_str_name(reason) {
        Some(ErrorReason::InvalidRequest | ErrorReason::InvalidAnswer) => Code::InvalidArgument,
        Some(
            ErrorReason::EventNotFound
            | ErrorReason::TokenNotFound
            | ErrorReason::ChannelNotFound
            | ErrorReason::DeliveryNotFound,
        ) => Code::NotFound,
        Some(
            ErrorReason::EventAlreadyFinal
            | ErrorReason::EventRemoved
            | ErrorReason::NoReceipt
            | ErrorReason::AlreadyVoted
            | ErrorReason::Claimed,
        ) => Code::FailedPrecondition,
        Some(ErrorReason::IdempotencyKeyReused | ErrorReason::ChannelExists) => Code::AlreadyExists,
        Some(
            ErrorReason::LinkInvalid
            | ErrorReason::OriginRefused
            | ErrorReason::PermissionDenied
            | ErrorReason::SelfAnswer
            | ErrorReason::NotAssigned,
        ) => Code::PermissionDenied,
        Some(ErrorReason::Unauthenticated) => Code::Unauthenticated,
        Some(
            ErrorReason::TooManyWaiters
            | ErrorReason::Overloaded
            | ErrorReason::DiskFull
            | ErrorReason::RemindedRecently
            | ErrorReason::Full,
        ) => Code::ResourceExhausted,
        Some(ErrorReason::StoreUnavailable | ErrorReason::ShuttingDown | ErrorReason::ClockOff) => {
            Code::Unavailable
        }
        Some(ErrorReason::RecordUnreadable) => Code::DataLoss,
        Some(ErrorReason::ResumeTokenExpired) => Code::OutOfRange,
        Some(ErrorReason::Internal | ErrorReason::Unspecified) | None => Code::Internal,
    };
    let metadata = HashMap::from([("key".to_owned(), "value".to_owned())]);
    let mut details = ErrorDetails::with_error_info(reason, ERROR_DOMAIN, metadata);
    details.add_bad_request_violation("input.int.min", "must be at most max");
    if matches!(code, Code::Unavailable | Code::ResourceExhausted) {
        details.set_retry_info(Some(Duration::from_millis(10)));
    }
    Status::with_error_details(code, format!("refused for {reason}"), details)
}

/// The end of a wait.
fn answered(key: v1::EventKey, value: i64) -> v1::WaitEventsResponse {
    let state = v1::EventState::Answered.into();
    let value = Some(v1::Value { kind: Some(v1::value::Kind::Int(value)) });
    let response = Some(v1::Response { state, value, ..Default::default() });
    let event = v1::Event { id: key.event_id, state, response, ..Default::default() };
    v1::WaitEventsResponse { update: Some(v1::wait_events_response::Update::Event(event)) }
}

#[tonic::async_trait]
impl EventService for Scripted {
    type WaitEventStream =
        Pin<Box<dyn Stream<Item = Result<v1::WaitEventResponse, Status>> + Send>>;

    type WatchEventsStream =
        Pin<Box<dyn Stream<Item = Result<v1::WatchEventsResponse, Status>> + Send>>;

    async fn watch_events(
        &self,
        _: Request<v1::WatchEventsRequest>,
    ) -> Reply<Self::WatchEventsStream> {
        Err(Status::unimplemented("scripted"))
    }

    async fn get_event(
        &self,
        request: Request<v1::GetEventRequest>,
    ) -> Reply<v1::GetEventResponse> {
        let name = if request.get_ref().event_id == TEAM { "x-team" } else { "authorization" };
        let header = request.metadata().get(name).map(|value| value.to_str());
        let told = header.transpose().map_err(|_| Status::internal("it is no text"))?;
        let told = told.unwrap_or("none").to_owned();
        let id = request.into_inner().event_id;
        if id == SILENCE {
            return future::pending().await;
        }
        if id != AUTHORIZATION && id != TEAM {
            return Err(refusal(&id));
        }
        let event = Some(v1::Event { id, name: told, ..Default::default() });
        Ok(Response::new(v1::GetEventResponse { event }))
    }

    async fn create_event(
        &self,
        _: Request<v1::CreateEventRequest>,
    ) -> Reply<v1::CreateEventResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn list_events(
        &self,
        _: Request<v1::ListEventsRequest>,
    ) -> Reply<v1::ListEventsResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn wait_event(&self, _: Request<v1::WaitEventRequest>) -> Reply<Self::WaitEventStream> {
        Err(Status::unimplemented("scripted"))
    }

    type WaitEventsStream =
        Pin<Box<dyn Stream<Item = Result<v1::WaitEventsResponse, Status>> + Send>>;

    async fn wait_events(
        &self,
        request: Request<Streaming<v1::WaitEventsRequest>>,
    ) -> Reply<Self::WaitEventsStream> {
        let opened = self.streams.fetch_add(1, Ordering::Relaxed) + 1;
        let added = |message: Result<v1::WaitEventsRequest, Status>| {
            future::ready(message.ok().map(|message| stream::iter(message.add)))
        };
        let asked = request.into_inner().filter_map(added);
        let answers = asked
            .flatten()
            .chunks(SHARING)
            .flat_map(move |keys| stream::iter(keys).map(move |key| Ok(answered(key, opened))));
        let answers: Self::WaitEventsStream = Box::pin(answers);
        Ok(Response::new(answers))
    }

    async fn batch_create_events(
        &self,
        _: Request<v1::BatchCreateEventsRequest>,
    ) -> Reply<v1::BatchCreateEventsResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn batch_answer_events(
        &self,
        _: Request<v1::BatchAnswerEventsRequest>,
    ) -> Reply<v1::BatchAnswerEventsResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn answer_event(
        &self,
        _: Request<v1::AnswerEventRequest>,
    ) -> Reply<v1::AnswerEventResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn decline_event(
        &self,
        _: Request<v1::DeclineEventRequest>,
    ) -> Reply<v1::DeclineEventResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn cancel_event(
        &self,
        _: Request<v1::CancelEventRequest>,
    ) -> Reply<v1::CancelEventResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn remind_event(
        &self,
        _: Request<v1::RemindEventRequest>,
    ) -> Reply<v1::RemindEventResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn get_receipt(
        &self,
        _: Request<v1::GetReceiptRequest>,
    ) -> Reply<v1::GetReceiptResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn create_link(
        &self,
        _: Request<v1::CreateLinkRequest>,
    ) -> Reply<v1::CreateLinkResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn revoke_links(
        &self,
        _: Request<v1::RevokeLinksRequest>,
    ) -> Reply<v1::RevokeLinksResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn add_comment(
        &self,
        _: Request<v1::AddCommentRequest>,
    ) -> Reply<v1::AddCommentResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn list_comments(
        &self,
        _: Request<v1::ListCommentsRequest>,
    ) -> Reply<v1::ListCommentsResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn claim_event(
        &self,
        _: Request<v1::ClaimEventRequest>,
    ) -> Reply<v1::ClaimEventResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn release_event(
        &self,
        _: Request<v1::ReleaseEventRequest>,
    ) -> Reply<v1::ReleaseEventResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn delegate_event(
        &self,
        _: Request<v1::DelegateEventRequest>,
    ) -> Reply<v1::DelegateEventResponse> {
        Err(Status::unimplemented("scripted"))
    }

    async fn list_receipt_keys(
        &self,
        _: Request<v1::ListReceiptKeysRequest>,
    ) -> Reply<v1::ListReceiptKeysResponse> {
        Err(Status::unimplemented("scripted"))
    }
}
