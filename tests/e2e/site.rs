//! A server as a test sees it: where it is, clients for it, and the calls that most tests make.

use std::future::Future;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use hitl_proto::v1::answer_event_request::Answer;
use hitl_proto::v1::event_service_client::EventServiceClient;
use hitl_proto::v1::input::Kind as Input;
use hitl_proto::v1::value::Kind as Value;
use hitl_proto::v1::wait_event_response::Update;
use hitl_proto::v1::{
    self, AnswerEventRequest, CreateEventRequest, Event, EventState, GetEventRequest,
    WaitEventRequest,
};
use support::server::{Config, Server, channel};
use support::stores::Kind;
use support::tools;
use tokio::runtime::Runtime;
use tonic::transport::Channel;
use tonic::{Code, Status};

/// Longest that anything may take that should come at once, on a machine that also compiles.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A server, shared by the tests that leave others alone. It ends with the last test that holds it.
pub(crate) struct Site {
    pub(crate) url: String,
    pub(crate) grpc: EventServiceClient<Channel>,
    pub(crate) http: reqwest::Client,
    _server: Option<Arc<Server>>,
}

impl Site {
    /// The server that tests share.
    pub(crate) async fn shared() -> Self {
        // Not the runtime of the test that happens to come first: that one ends with its test.
        static RUNTIME: OnceLock<Runtime> = OnceLock::new();
        static SERVER: tokio::sync::Mutex<Weak<Server>> =
            tokio::sync::Mutex::const_new(Weak::new());
        let mut shared = SERVER.lock().await;
        let server = match shared.upgrade() {
            Some(server) => server,
            None => {
                let runtime = RUNTIME.get_or_init(|| Runtime::new().expect("a runtime starts"));
                let start = runtime.spawn(Server::start(config()));
                Arc::new(start.await.expect("no panic").expect("the server starts"))
            }
        };
        *shared = Arc::downgrade(&server);
        Self { _server: Some(server.clone()), ..Self::at(&server.endpoint()) }
    }

    /// A server at `url`, whoever runs it.
    pub(crate) fn at(url: &str) -> Self {
        let quick = support::http::client().timeout(Duration::from_secs(60));
        Self {
            url: url.to_owned(),
            grpc: EventServiceClient::new(channel(url)),
            http: quick.build().expect("a client without special settings"),
            _server: None,
        }
    }

    pub(crate) async fn try_create(&self, request: CreateEventRequest) -> Result<Event, Status> {
        let reply = self.grpc.clone().create_event(request).await?;
        Ok(reply.into_inner().event.expect("a create returns the event"))
    }

    pub(crate) async fn create(&self, request: CreateEventRequest) -> Event {
        self.try_create(request).await.expect("the event is created")
    }

    /// An event that wants `input` and is in nobody's way.
    pub(crate) async fn ask(&self, input: Input) -> Event {
        self.create(request(input)).await
    }

    pub(crate) async fn try_get(&self, event: &Event) -> Result<Event, Status> {
        let request =
            GetEventRequest { namespace: event.namespace.clone(), event_id: event.id.clone() };
        let reply = self.grpc.clone().get_event(request).await?;
        Ok(reply.into_inner().event.expect("a get returns the event"))
    }

    pub(crate) async fn get(&self, event: &Event) -> Event {
        self.try_get(event).await.expect("the event is there")
    }

    pub(crate) async fn answer(&self, event: &Event, answer: Answer) -> Result<Event, Status> {
        self.answer_as(event, answer, "").await
    }

    pub(crate) async fn answer_as(
        &self,
        event: &Event,
        answer: Answer,
        answer_id: &str,
    ) -> Result<Event, Status> {
        let request = AnswerEventRequest {
            namespace: event.namespace.clone(),
            event_id: event.id.clone(),
            answer: Some(answer),
            answer_id: answer_id.to_owned(),
            responder: "Ann".to_owned(),
            comment: String::new(),
        };
        let reply = self.grpc.clone().answer_event(request).await?;
        Ok(reply.into_inner().event.expect("an answer returns the event"))
    }

    /// The event once it has ended, through one wait that must not be interrupted.
    pub(crate) async fn wait(&self, event: &Event) -> Result<Event, Status> {
        let request = wait_request(event);
        let mut updates = self.grpc.clone().wait_event(request).await?.into_inner();
        let mut last = None;
        while let Some(message) = updates.message().await? {
            if let Some(Update::Event(event)) = message.update {
                last = Some(event);
            }
        }
        Ok(last.expect("a wait sends the event at least once"))
    }

    /// The event once it has ended, through as many waits as that takes.
    pub(crate) async fn wait_on(&self, event: &Event) -> Result<Event, Status> {
        loop {
            match self.wait(event).await {
                Err(status) if may_retry(&status) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                outcome => return outcome,
            }
        }
    }
}

/// How to run a server of one's own.
pub(crate) fn config() -> Config {
    Config::new(tools::hitl())
}

/// A server of one's own, and it as a site.
pub(crate) async fn start(config: Config) -> (Server, Site) {
    let server = Server::start(config).await.expect("the server starts");
    let site = Site::at(&server.endpoint());
    (server, site)
}

pub(crate) fn request(input: Input) -> CreateEventRequest {
    CreateEventRequest {
        name: "question".to_owned(),
        prompt: "What is it?".to_owned(),
        input: Some(v1::Input { kind: Some(input) }),
        ..CreateEventRequest::default()
    }
}

pub(crate) fn wait_request(event: &Event) -> WaitEventRequest {
    WaitEventRequest {
        namespace: event.namespace.clone(),
        event_id: event.id.clone(),
        heartbeat_interval: None,
        updates: false,
    }
}

pub(crate) fn typed(value: &Value) -> Answer {
    Answer::Value(v1::Value { kind: Some(value.clone()) })
}

/// The value of an event that has one.
pub(crate) fn value_of(event: &Event) -> Option<&Value> {
    event.response.as_ref()?.value.as_ref()?.kind.as_ref()
}

pub(crate) fn is_pending(event: &Event) -> bool {
    event.state() == EventState::Pending && event.response.is_none()
}

/// Whether the same call may succeed later: the server is away, or says so.
pub(crate) fn may_retry(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Cancelled)
}

/// What a server that was killed and restarted has of an event: all that it acknowledged, or, if it kept it in memory,
/// nothing, and then it must say so.
pub(crate) fn kept(found: Result<Event, Status>) -> Option<Event> {
    if Kind::of_this_run().survives_restart() {
        return Some(found.expect("what was acknowledged is there"));
    }
    let gone = found.expect_err("the memory of a process that was killed is gone");
    assert_eq!(gone.code(), Code::NotFound, "{gone:?}");
    None
}

/// What comes of `future`, which must not take long.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let done = tokio::time::timeout(SOON, future).await;
    done.unwrap_or_else(|_| panic!("{what} takes longer than {SOON:?}"))
}

/// The protobuf duration of `ms` milliseconds.
pub(crate) fn millis(ms: i64) -> prost_types::Duration {
    let nanos = i32::try_from(ms % 1000 * 1_000_000).expect("less than a second");
    prost_types::Duration { seconds: ms / 1000, nanos }
}
