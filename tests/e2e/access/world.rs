//! A server that wants credentials, with a token of every kind, good and bad.

use std::collections::BTreeMap;

use hitl_proto::v1::admin_service_client::AdminServiceClient;
use hitl_proto::v1::event_service_client::EventServiceClient;
use hitl_proto::v1::{self, Event, Role};
use serde_json::{Value as Json, json};
use support::server::{ADMIN, Config, Server, channel};
use support::tools;
use tempfile::TempDir;
use tonic::Request;
use tonic::transport::Channel;

use crate::kinds;
use crate::links::write_link_key;
use crate::site::request;

/// A server that wants credentials, and a token of each kind by the heading of its column.
pub(crate) struct World {
    pub(crate) server: Server,
    store: TempDir,
    pub(crate) tokens: BTreeMap<String, String>,
    grpc: Channel,
    pub(crate) http: reqwest::Client,
}

impl World {
    pub(crate) async fn new() -> Self {
        let store = tempfile::tempdir().expect("a directory");
        let url = format!("file://{}", store.path().join("store").display());
        let config = Config::new(tools::hitl()).with_admin(store.path()).store(url);
        let key = store.path().join("link.key");
        write_link_key(&key);
        let config = config.arg("--link-key-file").arg(key.display().to_string());
        let server = Server::start(config).await.expect("the server starts");
        let grpc = channel(&server.endpoint());
        let http = support::http::client().build().expect("a client without special settings");
        let mut world = Self { server, store, tokens: BTreeMap::new(), grpc, http };
        let roles = [
            ("requester", Role::Requester),
            ("responder", Role::Responder),
            ("notifier", Role::Notifier),
            ("auditor", Role::Auditor),
            ("admin", Role::Admin),
        ];
        for (heading, role) in roles {
            let token = world.token(role, "default").await;
            world.tokens.insert(heading.to_owned(), token);
        }
        let elsewhere = world.token(Role::Admin, "elsewhere").await;
        world.tokens.insert("admin of another namespace".to_owned(), elsewhere);
        let everywhere = world.token(Role::Admin, "*").await;
        world.tokens.insert("admin of `*`".to_owned(), everywhere);
        world
    }

    pub(crate) async fn made(&self, role: Role, namespace: &str) -> v1::CreateTokenResponse {
        let request = v1::CreateTokenRequest {
            name: "test".to_owned(),
            roles: vec![role.into()],
            namespaces: vec![namespace.to_owned()],
            ttl: None,
        };
        let made = self.admin().create_token(with(Some(ADMIN), request)).await;
        made.expect("the admin may").into_inner()
    }

    async fn token(&self, role: Role, namespace: &str) -> String {
        self.made(role, namespace).await.secret
    }

    /// One that was good once and is not any more, each in its own way, and texts that never were a token.
    pub(crate) async fn bad_tokens(&self) -> Vec<(&'static str, String)> {
        let revoked = self.made(Role::Admin, "*").await;
        let token_id = revoked.token.expect("it is there").id;
        let revoke = v1::RevokeTokenRequest { token_id };
        self.admin().revoke_token(with(Some(ADMIN), revoke)).await.expect("the admin may");
        let expired = self.made(Role::Admin, "*").await;
        self.expire(&expired.token.expect("it is there").id);
        let good = &self.tokens["admin of `*`"];
        let event = self.event().await;
        let link = event.form_url.rsplit('/').next().expect("a token").to_owned();
        let mut wrong = hitl_core::TokenText::parse(good).expect("it is one");
        wrong.secret[0] ^= 1;
        let other = hitl_core::TokenId::from_bytes([7; 8]);
        let unknown = hitl_core::TokenText { id: other, secret: wrong.secret };
        vec![
            ("revoked", revoked.secret),
            ("expired", expired.secret),
            ("wrong", wrong.reveal()),
            ("unknown", unknown.reveal()),
            ("mistyped", good.replace("hitl_", "hitl-")),
            ("almost that of the file", format!("{ADMIN}0")),
            ("the token of a link", link),
            ("empty", String::new()),
        ]
    }

    /// Has the token expire long ago, as time would.
    fn expire(&self, id: &str) {
        let path = self.store.path().join(format!("store/tokens/{id}/token.json"));
        let record = std::fs::read(&path).expect("it is stored there");
        let mut record: Json = serde_json::from_slice(&record).expect("JSON");
        record["token"]["expire_time"] = json!("2020-01-01T00:00:00.000Z");
        std::fs::write(path, record.to_string()).expect("it can be written");
    }

    pub(crate) fn events(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.grpc.clone())
    }

    pub(crate) fn admin(&self) -> AdminServiceClient<Channel> {
        AdminServiceClient::new(self.grpc.clone())
    }

    /// An event of the namespace `default`, as its admin sees it.
    pub(crate) async fn event(&self) -> Event {
        self.asked(request(kinds::int())).await
    }

    /// The event that this asks for, as its admin sees it.
    pub(crate) async fn asked(&self, request: v1::CreateEventRequest) -> Event {
        let created = self.events().create_event(with(Some(ADMIN), request)).await;
        created.expect("the admin may").into_inner().event.expect("a create returns the event")
    }
}

pub(crate) fn with<T>(token: Option<&str>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().expect("a token is a value");
        request.metadata_mut().insert("authorization", value);
    }
    request
}
