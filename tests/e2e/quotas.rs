//! One credential does not take what another needs, and is told which quota it has used up.

use hitl_proto::v1::admin_service_client::AdminServiceClient;
use hitl_proto::v1::event_service_client::EventServiceClient;
use hitl_proto::v1::value::Kind as Value;
use hitl_proto::v1::wait_event_response::Update;
use hitl_proto::v1::{self, AnswerEventRequest, Event, GetEventRequest, Role, WaitEventResponse};
use support::server::{ADMIN, Config, Server, channel};
use support::tools;
use tempfile::TempDir;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

use crate::access::with;
use crate::failure::Failure;
use crate::kinds;
use crate::site::{request, soon, typed, wait_request};

/// A server with quotas.
struct Bounded {
    server: Server,
    _directory: TempDir,
}

/// Somebody with a token of their own, and a connection.
struct Holder {
    token: String,
    grpc: EventServiceClient<Channel>,
}

impl Bounded {
    async fn start(quotas: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let config = Config::new(tools::hitl()).with_admin(directory.path()).store("memory://");
        let config = config.arg("--quota").arg(quotas.join(","));
        let server = Server::start(config).await.expect("the server starts");
        Self { server, _directory: directory }
    }

    async fn holder(&self, name: &str) -> Holder {
        let request = v1::CreateTokenRequest {
            name: name.to_owned(),
            roles: vec![Role::Requester.into(), Role::Responder.into()],
            namespaces: vec!["default".to_owned()],
            ttl: None,
        };
        let mut admin = AdminServiceClient::new(channel(&self.server.endpoint()));
        let made = admin.create_token(with(Some(ADMIN), request)).await.expect("the admin may");
        self.on_another_connection(&made.into_inner().secret)
    }

    fn on_another_connection(&self, token: &str) -> Holder {
        let grpc = EventServiceClient::new(channel(&self.server.endpoint()));
        Holder { token: token.to_owned(), grpc }
    }
}

impl Holder {
    async fn create(&self) -> Result<Event, Status> {
        let request = with(Some(self.token.as_str()), request(kinds::int()));
        let created = self.grpc.clone().create_event(request).await?.into_inner();
        Ok(created.event.expect("a create returns the event"))
    }

    async fn get(&self, event: &Event) -> Result<(), Status> {
        let get =
            GetEventRequest { namespace: event.namespace.clone(), event_id: event.id.clone() };
        self.grpc.clone().get_event(with(Some(self.token.as_str()), get)).await.map(drop)
    }

    /// A wait that has begun.
    async fn wait(&self, event: &Event) -> Result<Streaming<WaitEventResponse>, Status> {
        let request = with(Some(self.token.as_str()), wait_request(event));
        let mut updates = self.grpc.clone().wait_event(request).await?.into_inner();
        updates.message().await?;
        Ok(updates)
    }

    async fn answer(&self, event: &Event) -> Result<(), Status> {
        let answer = AnswerEventRequest {
            namespace: event.namespace.clone(),
            event_id: event.id.clone(),
            answer: Some(typed(&Value::Int(1))),
            answer_id: "a".to_owned(),
            responder: String::new(),
            comment: String::new(),
        };
        self.grpc.clone().answer_event(with(Some(self.token.as_str()), answer)).await.map(drop)
    }
}

#[track_caller]
fn assert_used_up(status: &Status, quota: &str, max: &str, reason: &str) {
    let failure = Failure::of(status);
    assert!(failure.is(Code::ResourceExhausted, reason) && failure.retry, "{failure:?}");
    let told = ["quota", "max"].map(|name| failure.metadata[name].as_str());
    assert_eq!(told, [quota, max]);
    let message = status.message();
    assert!(message.contains(&format!("the {max} ")), "{message}");
    assert!(message.ends_with(&format!("--quota {quota}=NUMBER")), "{message}");
}

#[tokio::test]
async fn a_token_that_floods_with_creates_waits_and_connections_is_refused_and_another_goes_on() {
    let quotas = [
        "pending-events-per-credential=5",
        "waits-per-credential=4",
        "connections-per-credential=3",
    ];
    let bounded = Bounded::start(&quotas).await;
    let (flood, other) = (bounded.holder("flood").await, bounded.holder("other").await);
    let mut events = Vec::new();
    let refused = loop {
        match flood.create().await {
            Ok(event) => events.push(event),
            Err(refused) => break refused,
        }
    };
    assert_eq!(events.len(), 5);
    assert_used_up(&refused, "pending-events-per-credential", "5", "OVERLOADED");
    let asked = other.create().await.expect("it has a quota of its own");

    let mut waits = Vec::new();
    let refused = loop {
        match flood.wait(&events[0]).await {
            Ok(wait) => waits.push(wait),
            Err(refused) => break refused,
        }
    };
    assert_eq!(waits.len(), 4);
    assert_used_up(&refused, "waits-per-credential", "4", "TOO_MANY_WAITERS");
    let mut waiting = other.wait(&asked).await.expect("it has a quota of its own");

    let connections: Vec<_> = (0..3).map(|_| bounded.on_another_connection(&flood.token)).collect();
    for connection in &connections[..2] {
        connection.get(&asked).await.expect("it may have three");
    }
    let refused = connections[2].get(&asked).await.expect_err("it has three already");
    assert_used_up(&refused, "connections-per-credential", "3", "OVERLOADED");
    bounded.on_another_connection(&other.token).get(&asked).await.expect("it has two");

    flood.answer(&asked).await.expect("what is not used up goes on");
    let told = soon("the answer", waiting.message()).await.expect("it goes on");
    assert!(matches!(told.and_then(|told| told.update), Some(Update::Event(_))));
    other.answer(&events[0]).await.expect("it may");
    for wait in &mut waits {
        soon("the answer", wait.message()).await.expect("it goes on").expect("it is told");
    }
    flood.create().await.expect("one of its events has ended");
}

#[tokio::test]
async fn a_token_that_calls_too_often_is_told_to_come_later_by_every_door_and_another_goes_on() {
    let bounded = Bounded::start(&["calls-per-credential=2"]).await;
    let (flood, other) = (bounded.holder("flood").await, bounded.holder("other").await);
    let event = other.create().await.expect("it may");
    let called = soon("a refusal", async {
        loop {
            if let Err(refused) = flood.get(&event).await {
                break refused;
            }
        }
    });
    assert_used_up(&called.await, "calls-per-credential", "2", "OVERLOADED");
    let http = support::http::client().build().expect("a client without special settings");
    let url = format!("{}/v1/events/{}", bounded.server.endpoint(), event.id);
    let fetch = async |token: &str| {
        let get = http.get(&url).header("authorization", format!("Bearer {token}"));
        get.send().await.expect("the server replies")
    };
    let refused = soon("a refusal", async {
        loop {
            let reply = fetch(&flood.token).await;
            if reply.status() != 200 {
                break reply;
            }
        }
    });
    let refused = refused.await;
    assert_eq!(refused.headers().get("retry-after").expect("it says when"), "1");
    let failure = Failure::of_reply(refused).await;
    assert!(failure.is(Code::ResourceExhausted, "OVERLOADED"), "{failure:?}");
    assert_eq!(failure.metadata["quota"], "calls-per-credential");
    assert_eq!(fetch(&other.token).await.status(), 200);
    other.answer(&event).await.expect_err("it created the event, which is no matter of quotas");
    let probe = format!("{}/readyz", bounded.server.endpoint());
    assert_eq!(http.get(probe).send().await.expect("it replies").status(), 200);
}
