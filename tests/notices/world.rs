//! A server that asks for credentials, whose channels lead to this machine.

use hitl_proto::v1::admin_service_client::AdminServiceClient;
use hitl_proto::v1::notification_channel::Settings;
use hitl_proto::v1::{
    self, ChannelRule, CreateChannelRequest, NotificationChannel, TestChannelRequest,
};
use serde_json::{Value, json};
use support::http;
use support::server::{ADMIN, Config, Server, channel};
use support::tools;
use tempfile::TempDir;
use tonic::Request;
use tonic::transport::Channel;

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) http: reqwest::Client,
    _dir: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        // The servers of the tests are on this machine, where no channel may lead unless it is allowed.
        let config = Config::new(tools::hitl())
            .with_admin(dir.path())
            .arg("--channel-allow-network=127.0.0.0/8");
        let server = Server::start(config).await.expect("the server starts");
        let http = http::client().redirect(reqwest::redirect::Policy::none()).build();
        Self { server, http: http.expect("a client"), _dir: dir }
    }

    /// Has `settings` told of everything, by a channel of this name.
    pub(crate) async fn tell_by(&self, name: &str, settings: Settings) {
        self.create_channel(name, settings, Vec::new()).await;
    }

    /// Has `settings` told of events of this name alone.
    pub(crate) async fn tell_by_only(&self, name: &str, settings: Settings, event_name: &str) {
        let rule = ChannelRule { event_name: event_name.to_owned(), ..ChannelRule::default() };
        self.create_channel(name, settings, vec![rule]).await;
    }

    async fn create_channel(&self, name: &str, settings: Settings, rules: Vec<ChannelRule>) {
        let (name, settings) = (name.to_owned(), Some(settings));
        let asked = NotificationChannel { name, settings, rules, ..NotificationChannel::default() };
        let request = as_admin(CreateChannelRequest { channel: Some(asked) });
        self.admin().create_channel(request).await.expect("the channel is made");
    }

    /// What is said of a message that is sent to try the channel.
    pub(crate) async fn try_channel(&self, name: &str) -> String {
        let request = as_admin(TestChannelRequest { name: name.to_owned() });
        let tried = self.admin().test_channel(request).await.expect("it is tried");
        format!("{:?}", tried.into_inner())
    }

    fn admin(&self) -> AdminServiceClient<Channel> {
        AdminServiceClient::new(channel(&self.server.endpoint()))
    }

    /// Asks what `body` says.
    pub(crate) async fn ask(&self, body: &Value) -> Value {
        self.post("/v1/events", body).await["event"].take()
    }

    /// A question that is answered with yes or no.
    pub(crate) async fn ask_bool(&self, title: &str) -> Value {
        self.ask(&json!({
            "name": "deploy",
            "title": title,
            "prompt": "The canary is healthy [[A]].",
            "evidence": [{"title": "Version", "text": {"text": "v2.41 & more"}}],
            "input": {"bool": {}},
        }))
        .await
    }

    /// The event as it stands.
    pub(crate) async fn event(&self, asked: &Value) -> Value {
        let path = format!("/v1/events/{}", asked["id"].as_str().expect("an id"));
        let reply = self.http.get(self.server.url(&path)).bearer_auth(ADMIN).send().await;
        let reply = reply.expect("the server replies");
        assert_eq!(reply.status(), 200);
        reply.json::<Value>().await.expect("JSON")["event"].take()
    }

    /// What becomes of a POST of the admin.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let post = self.http.post(self.server.url(path)).bearer_auth(ADMIN).json(body);
        let reply = post.send().await.expect("the server replies");
        let status = reply.status();
        let body = reply.json::<Value>().await.expect("JSON");
        assert!(status.is_success(), "{body}");
        body
    }

    /// Withdraws a question, as a program does.
    pub(crate) async fn cancel(&self, asked: &Value) {
        let path = format!("/v1/events/{}/cancel", asked["id"].as_str().expect("an id"));
        self.post(&path, &json!({"reason": "not needed"})).await;
    }
}

fn as_admin<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {ADMIN}").parse().expect("it is ASCII");
    request.metadata_mut().insert("authorization", bearer);
    request
}

/// Mails to these addresses by the SMTP server of the tests.
pub(crate) fn mail_settings(port: u16, ca_pem: String, to: &[&str]) -> v1::MailSettings {
    v1::MailSettings {
        host: "localhost".to_owned(),
        port: port.into(),
        security: v1::MailSecurity::Starttls.into(),
        ca_pem,
        user: crate::smtp::USER.to_owned(),
        password: crate::smtp::PASSWORD.to_owned(),
        from: "hitl <hitl@example.org>".to_owned(),
        to: to.iter().map(|to| (*to).to_owned()).collect(),
    }
}
