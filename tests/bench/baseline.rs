//! The baselines: the same protocol with the least behind it, each what a careful programmer could
//! at best get from tonic and one file. None validates, expires, recovers, or survives its restart.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use futures::stream::{self, BoxStream, StreamExt};
use hitl_proto::v1::event_service_server::{EventService, EventServiceServer};
use hitl_proto::v1::{self, wait_event_response::Update};
use prost::Message;
use tokio::sync::watch;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming, async_trait};

use crate::cli::{Baseline, Kind};
use crate::log::Log;
use crate::requests;

const SHARDS: usize = 64;

/// Serves until stdin ends.
pub(crate) async fn serve(arguments: &Baseline) -> Result<()> {
    let service = Service {
        kind: arguments.kind,
        log: Log::create(&arguments.dir.join("log"))?,
        events: std::array::from_fn(|_| Mutex::default()),
        hasher: RandomState::new(),
        created: AtomicU64::new(1),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("baseline listens on http://{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    std::thread::spawn(|| {
        // Nothing is ever written to it: it ends with the process that holds the other end.
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    Server::builder()
        .add_service(EventServiceServer::new(service))
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await?;
    Ok(())
}

struct Service {
    kind: Kind,
    log: Log,
    events: [Mutex<HashMap<String, Arc<watch::Sender<v1::Event>>>>; SHARDS],
    hasher: RandomState,
    created: AtomicU64,
}

impl Service {
    fn shard(&self, id: &str) -> &Mutex<HashMap<String, Arc<watch::Sender<v1::Event>>>> {
        let hash = self.hasher.hash_one(id);
        &self.events[hash as usize % SHARDS]
    }

    fn insert(&self, event: v1::Event) {
        let mut shard = self.shard(&event.id).lock().unwrap_or_else(PoisonError::into_inner);
        shard.insert(event.id.clone(), Arc::new(watch::Sender::new(event)));
    }

    fn find(&self, id: &str) -> Result<Arc<watch::Sender<v1::Event>>, Status> {
        let shard = self.shard(id).lock().unwrap_or_else(PoisonError::into_inner);
        shard.get(id).cloned().ok_or_else(|| Status::not_found("no such event"))
    }

    /// An event of the size that hitl would send.
    fn event(&self, request: v1::CreateEventRequest) -> v1::Event {
        let number = self.created.fetch_add(1, Ordering::Relaxed);
        let id = format!("{number:032x}");
        let link = format!("{id}/{}", "k".repeat(60));
        v1::Event {
            namespace: "default".to_owned(),
            name: request.name,
            prompt: request.prompt,
            input: request.input,
            scope: "run".to_owned(),
            labels: request.labels,
            create_time: Some(prost_types::Timestamp::default()),
            deadline: Some(prost_types::Timestamp::default()),
            state: v1::EventState::Pending.into(),
            form_url: format!("http://127.0.0.1:4485/form/{link}"),
            api_url: format!("http://127.0.0.1:4485/v1/links/{link}"),
            id,
            ..v1::Event::default()
        }
    }
}

#[async_trait]
impl EventService for Service {
    async fn create_event(
        &self,
        request: Request<v1::CreateEventRequest>,
    ) -> Result<Response<v1::CreateEventResponse>, Status> {
        let event = self.event(request.into_inner());
        if self.kind == Kind::Log {
            self.log.append(event.encode_to_vec()).await;
            self.insert(event.clone());
        }
        let existed = false;
        Ok(Response::new(v1::CreateEventResponse { event: Some(event), existed }))
    }

    type WaitEventStream = BoxStream<'static, Result<v1::WaitEventResponse, Status>>;
    type WatchEventsStream = BoxStream<'static, Result<v1::WatchEventsResponse, Status>>;

    async fn watch_events(
        &self,
        _: Request<v1::WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        Err(Status::unimplemented("the baseline has no watch"))
    }

    async fn wait_event(
        &self,
        request: Request<v1::WaitEventRequest>,
    ) -> Result<Response<Self::WaitEventStream>, Status> {
        if self.kind != Kind::Log {
            let event = self.event(requests::question());
            let first = stream::once(std::future::ready(Ok(update(event))));
            return Ok(Response::new(match self.kind {
                Kind::Open => first.chain(stream::pending()).boxed(),
                Kind::Bare | Kind::Log => first.boxed(),
            }));
        }
        let receiver = self.find(&request.get_ref().event_id)?.subscribe();
        let updates = stream::unfold(Some((receiver, true)), |state| async {
            let (mut receiver, first) = state?;
            if !first {
                receiver.changed().await.ok()?;
            }
            let event = receiver.borrow_and_update().clone();
            let pending = event.state == i32::from(v1::EventState::Pending);
            Some((Ok(update(event)), pending.then_some((receiver, false))))
        });
        Ok(Response::new(updates.boxed()))
    }

    async fn answer_event(
        &self,
        request: Request<v1::AnswerEventRequest>,
    ) -> Result<Response<v1::AnswerEventResponse>, Status> {
        let request = request.into_inner();
        let sender = self.find(&request.event_id)?;
        self.log.append(request.encode_to_vec()).await;
        let Some(v1::answer_event_request::Answer::Value(value)) = request.answer else {
            return Err(Status::unimplemented("a baseline takes typed values only"));
        };
        sender.send_modify(|event| {
            event.state = v1::EventState::Answered.into();
            event.response = Some(v1::Response {
                state: v1::EventState::Answered.into(),
                value: Some(value),
                time: Some(prost_types::Timestamp::default()),
                ..v1::Response::default()
            });
        });
        let event = Some(sender.borrow().clone());
        Ok(Response::new(v1::AnswerEventResponse { event }))
    }

    type WaitEventsStream = BoxStream<'static, Result<v1::WaitEventsResponse, Status>>;

    async fn wait_events(
        &self,
        _: Request<Streaming<v1::WaitEventsRequest>>,
    ) -> Result<Response<Self::WaitEventsStream>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn batch_create_events(
        &self,
        _: Request<v1::BatchCreateEventsRequest>,
    ) -> Result<Response<v1::BatchCreateEventsResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn batch_answer_events(
        &self,
        _: Request<v1::BatchAnswerEventsRequest>,
    ) -> Result<Response<v1::BatchAnswerEventsResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn get_event(
        &self,
        _: Request<v1::GetEventRequest>,
    ) -> Result<Response<v1::GetEventResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn list_events(
        &self,
        _: Request<v1::ListEventsRequest>,
    ) -> Result<Response<v1::ListEventsResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn decline_event(
        &self,
        _: Request<v1::DeclineEventRequest>,
    ) -> Result<Response<v1::DeclineEventResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn cancel_event(
        &self,
        _: Request<v1::CancelEventRequest>,
    ) -> Result<Response<v1::CancelEventResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn remind_event(
        &self,
        _: Request<v1::RemindEventRequest>,
    ) -> Result<Response<v1::RemindEventResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn get_receipt(
        &self,
        _: Request<v1::GetReceiptRequest>,
    ) -> Result<Response<v1::GetReceiptResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn create_link(
        &self,
        _: Request<v1::CreateLinkRequest>,
    ) -> Result<Response<v1::CreateLinkResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn revoke_links(
        &self,
        _: Request<v1::RevokeLinksRequest>,
    ) -> Result<Response<v1::RevokeLinksResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn add_comment(
        &self,
        _: Request<v1::AddCommentRequest>,
    ) -> Result<Response<v1::AddCommentResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn list_comments(
        &self,
        _: Request<v1::ListCommentsRequest>,
    ) -> Result<Response<v1::ListCommentsResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn claim_event(
        &self,
        _: Request<v1::ClaimEventRequest>,
    ) -> Result<Response<v1::ClaimEventResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn release_event(
        &self,
        _: Request<v1::ReleaseEventRequest>,
    ) -> Result<Response<v1::ReleaseEventResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn delegate_event(
        &self,
        _: Request<v1::DelegateEventRequest>,
    ) -> Result<Response<v1::DelegateEventResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn list_receipt_keys(
        &self,
        _: Request<v1::ListReceiptKeysRequest>,
    ) -> Result<Response<v1::ListReceiptKeysResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }
}

fn update(event: v1::Event) -> v1::WaitEventResponse {
    v1::WaitEventResponse { update: Some(Update::Event(event)) }
}
