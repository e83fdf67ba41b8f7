//! A server on a disk, and the calls that these tests make.

use std::path::Path;
use std::time::Duration;

use hitl_proto::v1::event_service_client::EventServiceClient;
use hitl_proto::v1::wait_event_response::Update;
use hitl_proto::v1::{self, Event, answer_event_request, create_event_request, input, value};
use support::server::{Config, Server};
use support::{http, tools};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Longest that anything may take that should come at once, on a machine that also compiles.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A server, and a client of it.
pub(crate) struct Site {
    pub(crate) server: Server,
    grpc: EventServiceClient<Channel>,
    http: reqwest::Client,
}

impl Site {
    /// A server with its events in `store`.
    pub(crate) async fn start(store: &str) -> Self {
        Self::with(Config::new(tools::hitl()).store(store)).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let server = Server::start(config).await.expect("the server starts");
        let http = http::client().timeout(SOON).build().expect("a client without special settings");
        Self { grpc: server.client(), http, server }
    }

    /// Asks a question whose text has this many bytes, open for a day.
    pub(crate) async fn ask(&self, prompt_bytes: usize) -> Result<Event, Status> {
        self.create(question(prompt_bytes)).await
    }

    pub(crate) async fn create(&self, request: v1::CreateEventRequest) -> Result<Event, Status> {
        let created = soon("a create", self.grpc.clone().create_event(request)).await?;
        Ok(created.into_inner().event.expect("a create returns the event"))
    }

    pub(crate) async fn get(&self, id: &str) -> Result<Event, Status> {
        let request = v1::GetEventRequest { event_id: id.to_owned(), ..Default::default() };
        let got = soon("a get", self.grpc.clone().get_event(request)).await?;
        Ok(got.into_inner().event.expect("a get returns the event"))
    }

    pub(crate) async fn answer(&self, id: &str) -> Result<Event, Status> {
        let value = v1::Value { kind: Some(value::Kind::Bool(true)) };
        let request = v1::AnswerEventRequest {
            event_id: id.to_owned(),
            answer: Some(answer_event_request::Answer::Value(value)),
            ..Default::default()
        };
        let answered = soon("an answer", self.grpc.clone().answer_event(request)).await?;
        Ok(answered.into_inner().event.expect("an answer returns the event"))
    }

    pub(crate) async fn decline(&self, id: &str) -> Result<Event, Status> {
        let request = v1::DeclineEventRequest { event_id: id.to_owned(), ..Default::default() };
        let declined = soon("a decline", self.grpc.clone().decline_event(request)).await?;
        Ok(declined.into_inner().event.expect("a decline returns the event"))
    }

    pub(crate) async fn cancel(&self, id: &str) -> Result<Event, Status> {
        let request = v1::CancelEventRequest { event_id: id.to_owned(), ..Default::default() };
        let cancelled = soon("a cancellation", self.grpc.clone().cancel_event(request)).await?;
        Ok(cancelled.into_inner().event.expect("a cancellation returns the event"))
    }

    /// Waits for the event; the first message has come.
    pub(crate) async fn wait(&self, id: &str) -> Wait {
        let request = v1::WaitEventRequest { event_id: id.to_owned(), ..Default::default() };
        let waited = soon("a wait", self.grpc.clone().wait_event(request)).await;
        let mut wait = Wait(waited.expect("the wait is taken").into_inner());
        wait.next().await.expect("the stream tells the event as it stands");
        wait
    }

    /// The status and the body of a GET.
    pub(crate) async fn look(&self, path: &str) -> (u16, String) {
        let reply = self.http.get(self.server.url(path)).send().await.expect("the server replies");
        (reply.status().as_u16(), reply.text().await.expect("a text"))
    }

    /// The number that `/metrics` shows under `name`.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.look("/metrics").await;
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        let number = line.unwrap_or_else(|| panic!("no {name} in:\n{text}"));
        number.parse().expect("a number")
    }
}

/// A wait that is open.
pub(crate) struct Wait(tonic::Streaming<v1::WaitEventResponse>);

impl Wait {
    /// The next event that the stream brings.
    pub(crate) async fn next(&mut self) -> Result<Event, Status> {
        loop {
            let message = soon("a message of a wait", self.0.message()).await?;
            match message.map(|message| message.update) {
                Some(Some(Update::Event(event))) => return Ok(event),
                Some(_) => {}
                None => return Err(Status::unavailable("the wait ended")),
            }
        }
    }
}

/// A question whose text has this many bytes, open for a day.
pub(crate) fn question(prompt_bytes: usize) -> v1::CreateEventRequest {
    v1::CreateEventRequest {
        name: "approve".to_owned(),
        prompt: "?".repeat(prompt_bytes),
        input: Some(v1::Input { kind: Some(input::Kind::Bool(v1::BoolInput::default())) }),
        expiration: Some(create_event_request::Expiration::Ttl(prost_types::Duration {
            seconds: 24 * 3_600,
            nanos: 0,
        })),
        ..Default::default()
    }
}

/// The code and the reason of an error.
pub(crate) fn reason(status: &Status) -> (Code, String) {
    let reason = status.get_details_error_info().map(|info| info.reason);
    (status.code(), reason.unwrap_or_default())
}

/// What `future` brings, which must not take long.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(SOON, future).await;
    done.unwrap_or_else(|_| panic!("{what} takes more than {SOON:?}"))
}

/// Returns once `holds` does, which must not take long.
pub(crate) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    soon(what, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

/// The value of `--store` for plain files in `directory`.
pub(crate) fn files(directory: &Path) -> String {
    format!("file://{}", directory.display())
}

/// The value of `--store` for the embedded store in `directory`.
pub(crate) fn embedded(directory: &Path) -> String {
    directory.display().to_string()
}
