//! A server that does as a script says, over pipes in memory, for tests on paused time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use hitl_proto::v1;
use hitl_proto::v1::event_service_server::{EventService, EventServiceServer};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use crate::{Client, Config, channel};

pub(crate) type Message = Result<v1::WaitEventsResponse, Status>;

/// What one `WaitEvents` call is answered with.
pub(crate) enum Step {
    Refuse(Status),
    /// Sends the messages, then ends the stream.
    Stream(Vec<Message>),
    /// Sends the messages, then nothing more.
    Hang(Vec<Message>),
    /// Sends for each event that is added what this makes of its id.
    Reply(fn(&str) -> Message),
}

#[derive(Default)]
pub(crate) struct Script {
    steps: Mutex<VecDeque<Step>>,
    pub(crate) waits: AtomicUsize,
    /// What was added and removed, by the id of the event, with + or - before it.
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    /// Entries of each batch.
    pub(crate) batches: Mutex<Vec<usize>>,
    /// What the next entries of batches fail with.
    pub(crate) entry_failures: Mutex<VecDeque<v1::Failure>>,
    /// What the next calls that change something fail with.
    pub(crate) failures: Mutex<VecDeque<Status>>,
    /// What tells each such call, and its repetitions, from the others.
    pub(crate) keys: Mutex<Vec<String>>,
    /// Kills the connections that stand, without a word.
    pub(crate) killed: Notify,
}

impl Script {
    /// Notes a call and returns the event that it is about, with the key as its id.
    fn change(&self, key: String) -> Result<Option<v1::Event>, Status> {
        self.keys.lock().unwrap().push(key.clone());
        match self.failures.lock().unwrap().pop_front() {
            Some(failure) => Err(failure),
            None => Ok(Some(v1::Event { id: key, ..Default::default() })),
        }
    }
}

#[async_trait::async_trait]
impl EventService for Script {
    type WaitEventStream = UnboundedReceiverStream<Result<v1::WaitEventResponse, Status>>;
    type WaitEventsStream = UnboundedReceiverStream<Message>;
    type WatchEventsStream = UnboundedReceiverStream<Result<v1::WatchEventsResponse, Status>>;

    async fn watch_events(
        &self,
        _: Request<v1::WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        Err(Status::unimplemented("watch"))
    }

    async fn wait_event(
        &self,
        _: Request<v1::WaitEventRequest>,
    ) -> Result<Response<Self::WaitEventStream>, Status> {
        Err(Status::unimplemented("wait"))
    }

    async fn wait_events(
        &self,
        request: Request<Streaming<v1::WaitEventsRequest>>,
    ) -> Result<Response<Self::WaitEventsStream>, Status> {
        self.waits.fetch_add(1, Ordering::Relaxed);
        let step = self.steps.lock().unwrap().pop_front();
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut reply = None;
        match step.expect("the script foresees every call") {
            Step::Refuse(status) => return Err(status),
            Step::Stream(messages) => messages.into_iter().for_each(|m| sender.send(m).unwrap()),
            Step::Hang(messages) => {
                messages.into_iter().for_each(|m| sender.send(m).unwrap());
                let sender = sender.clone();
                tokio::spawn(async move { sender.closed().await });
            }
            Step::Reply(make) => reply = Some((make, sender)),
        }
        let (mut requests, asked) = (request.into_inner(), self.asked.clone());
        tokio::spawn(async move {
            while let Ok(Some(request)) = requests.message().await {
                for key in &request.remove {
                    asked.lock().unwrap().push(format!("-{}", key.event_id));
                }
                for key in &request.add {
                    asked.lock().unwrap().push(format!("+{}", key.event_id));
                    if let Some((make, sender)) = &reply {
                        let _ = sender.send(make(&key.event_id));
                    }
                }
            }
        });
        Ok(Response::new(UnboundedReceiverStream::new(receiver)))
    }

    async fn batch_create_events(
        &self,
        request: Request<v1::BatchCreateEventsRequest>,
    ) -> Result<Response<v1::BatchCreateEventsResponse>, Status> {
        let requests = request.into_inner().requests;
        self.batches.lock().unwrap().push(requests.len());
        let mut results = Vec::new();
        for request in requests {
            let event = self.change(request.idempotency_key)?;
            let created = v1::CreateEventResponse { event, existed: false };
            results.push(v1::CreateEventResult {
                result: Some(match self.entry_failures.lock().unwrap().pop_front() {
                    Some(failure) => v1::create_event_result::Result::Failure(failure),
                    None => v1::create_event_result::Result::Created(created),
                }),
            });
        }
        Ok(Response::new(v1::BatchCreateEventsResponse { results }))
    }

    async fn batch_answer_events(
        &self,
        request: Request<v1::BatchAnswerEventsRequest>,
    ) -> Result<Response<v1::BatchAnswerEventsResponse>, Status> {
        let requests = request.into_inner().requests;
        self.batches.lock().unwrap().push(requests.len());
        let mut results = Vec::new();
        for request in requests {
            self.change(request.answer_id.clone())?;
            let answer_id = request.answer_id;
            let response = v1::Response { answer_id, ..v1::Response::default() };
            let result = Some(v1::answer_event_result::Result::Response(response));
            results.push(v1::AnswerEventResult { result });
        }
        Ok(Response::new(v1::BatchAnswerEventsResponse { results }))
    }

    async fn create_event(
        &self,
        request: Request<v1::CreateEventRequest>,
    ) -> Result<Response<v1::CreateEventResponse>, Status> {
        let event = self.change(request.into_inner().idempotency_key)?;
        Ok(Response::new(v1::CreateEventResponse { event, existed: false }))
    }

    async fn get_event(
        &self,
        _: Request<v1::GetEventRequest>,
    ) -> Result<Response<v1::GetEventResponse>, Status> {
        std::future::pending().await
    }

    async fn list_events(
        &self,
        _: Request<v1::ListEventsRequest>,
    ) -> Result<Response<v1::ListEventsResponse>, Status> {
        Err(Status::unimplemented("list"))
    }

    async fn answer_event(
        &self,
        request: Request<v1::AnswerEventRequest>,
    ) -> Result<Response<v1::AnswerEventResponse>, Status> {
        let event = self.change(request.into_inner().answer_id)?;
        Ok(Response::new(v1::AnswerEventResponse { event }))
    }

    async fn decline_event(
        &self,
        request: Request<v1::DeclineEventRequest>,
    ) -> Result<Response<v1::DeclineEventResponse>, Status> {
        let event = self.change(request.into_inner().answer_id)?;
        Ok(Response::new(v1::DeclineEventResponse { event }))
    }

    async fn cancel_event(
        &self,
        _: Request<v1::CancelEventRequest>,
    ) -> Result<Response<v1::CancelEventResponse>, Status> {
        Err(Status::unimplemented("cancel"))
    }

    async fn remind_event(
        &self,
        _: Request<v1::RemindEventRequest>,
    ) -> Result<Response<v1::RemindEventResponse>, Status> {
        Err(Status::unimplemented("remind"))
    }

    async fn get_receipt(
        &self,
        _: Request<v1::GetReceiptRequest>,
    ) -> Result<Response<v1::GetReceiptResponse>, Status> {
        Err(Status::unimplemented("receipts"))
    }

    async fn create_link(
        &self,
        request: Request<v1::CreateLinkRequest>,
    ) -> Result<Response<v1::CreateLinkResponse>, Status> {
        let request = request.into_inner();
        let ttl = request.ttl.map(|ttl| ttl.seconds);
        self.change(format!("{} for {}, {ttl:?}", request.event_id, request.responder))?;
        Ok(Response::new(v1::CreateLinkResponse {
            form_url: "http://scripted/q/a".to_owned(),
            api_url: "http://scripted/v1/links/a".to_owned(),
            expire_time: Some(prost_types::Timestamp { seconds: 7, nanos: 0 }),
        }))
    }

    async fn revoke_links(
        &self,
        request: Request<v1::RevokeLinksRequest>,
    ) -> Result<Response<v1::RevokeLinksResponse>, Status> {
        let request = request.into_inner();
        self.change(format!("{} of {:?}", request.event_id, request.responder))?;
        Ok(Response::new(v1::RevokeLinksResponse {}))
    }

    async fn add_comment(
        &self,
        _: Request<v1::AddCommentRequest>,
    ) -> Result<Response<v1::AddCommentResponse>, Status> {
        Err(Status::unimplemented("scripted"))
    }

    async fn list_comments(
        &self,
        _: Request<v1::ListCommentsRequest>,
    ) -> Result<Response<v1::ListCommentsResponse>, Status> {
        Err(Status::unimplemented("scripted"))
    }

    async fn claim_event(
        &self,
        _: Request<v1::ClaimEventRequest>,
    ) -> Result<Response<v1::ClaimEventResponse>, Status> {
        Err(Status::unimplemented("scripted"))
    }

    async fn release_event(
        &self,
        _: Request<v1::ReleaseEventRequest>,
    ) -> Result<Response<v1::ReleaseEventResponse>, Status> {
        Err(Status::unimplemented("scripted"))
    }

    async fn delegate_event(
        &self,
        _: Request<v1::DelegateEventRequest>,
    ) -> Result<Response<v1::DelegateEventResponse>, Status> {
        Err(Status::unimplemented("scripted"))
    }

    async fn list_receipt_keys(
        &self,
        _: Request<v1::ListReceiptKeysRequest>,
    ) -> Result<Response<v1::ListReceiptKeysResponse>, Status> {
        Err(Status::unimplemented("receipts"))
    }
}

/// A client, and the server that follows `steps`.
pub(crate) fn scripted(
    config: Config,
    steps: impl IntoIterator<Item = Step>,
) -> (Client, Arc<Script>) {
    let steps = Mutex::new(steps.into_iter().collect());
    let script = Arc::new(Script { steps, ..Default::default() });
    let (connections, incoming) = mpsc::unbounded_channel();
    let incoming = UnboundedReceiverStream::new(incoming);
    let service = EventServiceServer::from_arc(script.clone());
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    let wire = script.clone();
    let connector = tower::service_fn(move |_| {
        let (ours, mut near) = tokio::io::duplex(1 << 16);
        let (mut far, theirs) = tokio::io::duplex(1 << 16);
        let wire = wire.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = copy_bidirectional(&mut near, &mut far) => {}
                // Both ends stay open, and nothing that is written arrives.
                () = wire.killed.notified() => std::future::pending().await,
            }
        });
        let sent = connections.send(Ok::<_, std::io::Error>(theirs));
        async move { sent.map(|()| TokioIo::new(ours)).map_err(|_| "the server is gone") }
    });
    let settings = config.endpoint("http://scripted").resolve(|_| None).unwrap();
    let channel = channel::endpoint(&settings, 0).unwrap().connect_with_connector_lazy(connector);
    (Client::with(settings, OnceLock::from(channel)), script)
}
