//! A server that does as a script says, over pipes in memory, for tests on paused time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use hitl_proto::v1;
use hitl_proto::v1::event_service_server::{EventService, EventServiceServer};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};

use crate::{Client, Config};

pub(crate) type Message = Result<v1::WaitEventResponse, Status>;

/// What one `WaitEvent` call is answered with.
pub(crate) enum Step {
    Refuse(Status),
    /// Sends the messages, then ends the stream.
    Stream(Vec<Message>),
    /// Sends the messages, then nothing more.
    Hang(Vec<Message>),
}

#[derive(Clone)]
struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    calls: Arc<AtomicUsize>,
}

#[async_trait::async_trait]
impl EventService for Script {
    type WaitEventStream = UnboundedReceiverStream<Message>;

    async fn wait_event(
        &self,
        _: Request<v1::WaitEventRequest>,
    ) -> Result<Response<Self::WaitEventStream>, Status> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let step = self.steps.lock().unwrap().pop_front();
        let (sender, receiver) = mpsc::unbounded_channel();
        match step.expect("the script foresees every call") {
            Step::Refuse(status) => return Err(status),
            Step::Stream(messages) => messages.into_iter().for_each(|m| sender.send(m).unwrap()),
            Step::Hang(messages) => {
                messages.into_iter().for_each(|m| sender.send(m).unwrap());
                tokio::spawn(async move { sender.closed().await });
            }
        }
        Ok(Response::new(UnboundedReceiverStream::new(receiver)))
    }

    async fn create_event(
        &self,
        request: Request<v1::CreateEventRequest>,
    ) -> Result<Response<v1::CreateEventResponse>, Status> {
        // Gives the key back as the id, for tests to see.
        let id = request.into_inner().idempotency_key;
        let event = Some(v1::Event { id, ..Default::default() });
        Ok(Response::new(v1::CreateEventResponse { event, existed: false }))
    }

    async fn get_event(
        &self,
        _: Request<v1::GetEventRequest>,
    ) -> Result<Response<v1::GetEventResponse>, Status> {
        Err(Status::unimplemented("get"))
    }

    async fn list_events(
        &self,
        _: Request<v1::ListEventsRequest>,
    ) -> Result<Response<v1::ListEventsResponse>, Status> {
        Err(Status::unimplemented("list"))
    }

    async fn answer_event(
        &self,
        _: Request<v1::AnswerEventRequest>,
    ) -> Result<Response<v1::AnswerEventResponse>, Status> {
        Err(Status::unimplemented("answer"))
    }

    async fn decline_event(
        &self,
        _: Request<v1::DeclineEventRequest>,
    ) -> Result<Response<v1::DeclineEventResponse>, Status> {
        Err(Status::unimplemented("decline"))
    }

    async fn cancel_event(
        &self,
        _: Request<v1::CancelEventRequest>,
    ) -> Result<Response<v1::CancelEventResponse>, Status> {
        Err(Status::unimplemented("cancel"))
    }
}

/// A client of a server that follows `steps`, and the number of waits that server has seen.
pub(crate) fn scripted(
    config: Config,
    steps: impl IntoIterator<Item = Step>,
) -> (Client, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let steps = Arc::new(Mutex::new(steps.into_iter().collect()));
    let service = EventServiceServer::new(Script { steps, calls: calls.clone() });
    let (connections, incoming) = mpsc::unbounded_channel();
    let incoming = UnboundedReceiverStream::new(incoming);
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    let connector = tower::service_fn(move |_| {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let sent = connections.send(Ok::<_, std::io::Error>(theirs));
        async move { sent.map(|()| TokioIo::new(ours)).map_err(|_| "the server is gone") }
    });
    let channel = Endpoint::from_static("http://scripted").connect_with_connector_lazy(connector);
    let settings = config.endpoint("http://scripted").resolve(|_| None).unwrap();
    (Client::with(settings, OnceLock::from(channel)), calls)
}
