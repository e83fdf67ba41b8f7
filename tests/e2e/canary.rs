//! No secret is anywhere but where it is meant to be: calls of all kinds, good and bad, at a server that logs as much
//! as it can, and then a search of all that it wrote and said.

use std::path::Path;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use hitl_proto::v1::admin_service_client::AdminServiceClient;
use hitl_proto::v1::{self, Role};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;
use support::server::{ADMIN, Config, Server, channel};
use support::tools;
use tonic::transport::Channel;

use crate::access::world::with;
use crate::kinds;
use crate::shell::Shell;
use crate::site::{Site, request, soon};

const CLIENT_SECRET: &str = "canary-client-secret-6f1d0a";
const PROXY_SECRET: &str = "canary-proxy-secret-0123456789abcdef";
const WRONG_PROXY_SECRET: &str = "canary-wrong-proxy-secret-9876543210";
const SESSION: &str = "canary-session-cookie-5b7e";
const DRAFT: &str = "canary-draft-of-an-answer-e81c";
const BASIC: &str = "canary-basic-credential-77aa";
/// The head of a JWT, and what is none of it.
const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnktand0In0.canary-signature-of-a-jwt-40be";

/// Something that must not be found, in every form that it may have.
struct Canary {
    name: &'static str,
    forms: Vec<String>,
}

/// Bytes in which something is looked for: each is one character, since texts are searched fast.
struct Place {
    name: String,
    text: String,
}

impl Place {
    fn new(name: impl Into<String>, bytes: &[u8]) -> Self {
        Self { name: name.into(), text: characters(bytes) }
    }
}

fn characters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

impl Canary {
    fn new(name: &'static str, secret: &[u8]) -> Self {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut forms = vec![characters(secret), hex.to_uppercase(), hex];
        // In base64 a text looks in three ways, by where it begins; what its first and last letters are depends on what
        // stands around it.
        for before in 0..3 {
            let shifted = [&vec![0; before][..], secret].concat();
            for text in
                [BASE64_STANDARD_NO_PAD.encode(&shifted), BASE64_URL_SAFE_NO_PAD.encode(&shifted)]
            {
                forms.push(text.get(4..text.len() - 2).unwrap_or_default().to_owned());
            }
        }
        forms.retain(|form| form.len() >= 8);
        Self { name, forms }
    }

    fn assert_not_in(&self, place: &Place) {
        for form in &self.forms {
            if let Some((before, after)) = place.text.split_once(form) {
                let before: String = before.chars().rev().take(200).collect();
                let before: String = before.chars().rev().collect();
                let after: String = after.chars().take(40).collect();
                panic!("the {} is in {}: {before}[{form}]{after}", self.name, place.name);
            }
        }
    }
}

/// All bytes below `path`, file by file.
fn files(path: &Path) -> Vec<Place> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(path).expect("a directory").flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            // One that a running server has removed meanwhile has nothing.
            false => {
                let bytes = std::fs::read(&path).unwrap_or_default();
                all.push(Place::new(path.display().to_string(), &bytes));
            }
        }
    }
    all
}

/// Head and body of the reply.
async fn reply(call: RequestBuilder) -> (StatusCode, Vec<u8>) {
    let reply = soon("a reply", call.send()).await.expect("the server replies");
    let status = reply.status();
    let mut bytes = format!("{:?}", reply.headers()).into_bytes();
    bytes.extend(reply.bytes().await.expect("a body"));
    (status, bytes)
}

fn private_file(dir: &Path, name: &str, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let file = dir.join(name);
    std::fs::write(&file, text).expect("it can be written");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).expect("it is ours");
    file.display().to_string()
}

/// A server that logs as much as it can, with a secret of each kind.
struct World {
    server: Server,
    site: Site,
    admin: AdminServiceClient<Channel>,
    /// The text of a good token, and of one that was revoked.
    token: String,
    revoked: String,
    event: v1::Event,
    /// The last part of the address of its link.
    link: String,
    /// Replies that refuse something, and others that show no secret.
    replies: Vec<Vec<u8>>,
}

impl World {
    async fn new(url: &str, dir: &Path) -> Self {
        let config = Config::new(tools::hitl())
            .with_admin(dir)
            .store(url)
            .env("HITL_LOG", "trace")
            // Nobody listens there, so that a JWT cannot be judged.
            .arg("--oidc-issuer")
            .arg("http://127.0.0.1:9")
            .arg("--oidc-client-id")
            .arg("hitl")
            .arg("--oidc-audience")
            .arg("hitl")
            .arg("--oidc-client-secret-file")
            .arg(private_file(dir, "client.secret", CLIENT_SECRET))
            .arg("--oidc-role")
            .arg("approvers=responder")
            .arg("--trusted-proxy")
            .arg("127.0.0.1/32")
            .arg("--trusted-proxy-secret-file")
            .arg(private_file(dir, "proxy.secret", PROXY_SECRET));
        let server = Server::start(config).await.expect("the server starts");
        let site = Site::at(&server.endpoint());
        let mut admin = AdminServiceClient::new(channel(&server.endpoint()));
        let mut texts = Vec::new();
        for name in ["ci", "gone"] {
            let create = v1::CreateTokenRequest {
                name: name.to_owned(),
                roles: vec![Role::Requester.into()],
                ..Default::default()
            };
            let made = admin.create_token(with(Some(ADMIN), create)).await.expect("it may");
            let v1::CreateTokenResponse { token, secret } = made.into_inner();
            texts.push((token.expect("a token").id, secret));
        }
        let [(_, token), (token_id, revoked)] = <[_; 2]>::try_from(texts).expect("two");
        let revoke = v1::RevokeTokenRequest { token_id };
        admin.revoke_token(with(Some(ADMIN), revoke)).await.expect("it may");
        let asked = with(Some(ADMIN), request(kinds::int()));
        let asked = site.grpc.clone().create_event(asked).await.expect("it may").into_inner();
        let event = asked.event.expect("the event");
        let link = event.form_url.rsplit('/').next().expect("a token").to_owned();
        Self { server, site, admin, token, revoked, event, link, replies: Vec::new() }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.site.http.get(self.server.url(path))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.site.http.post(self.server.url(path))
    }

    /// The reply to `call`, which is kept for the search.
    async fn keep(&mut self, call: RequestBuilder) -> StatusCode {
        let (status, bytes) = reply(call).await;
        self.replies.push(bytes);
        status
    }

    /// Credentials that are good and bad, over HTTP and gRPC.
    async fn show_credentials(&mut self) {
        for credential in [
            format!("Bearer {}", self.revoked),
            format!("Bearer {}x", self.token),
            format!("Basic {BASIC}"),
            format!("Bearer {JWT}"),
        ] {
            let call = self.get("/v1/events").header("authorization", &credential);
            let status = self.keep(call).await;
            assert!(!status.is_success(), "{credential}: {status}");
            let mut asked = tonic::Request::new(request(kinds::int()));
            let value = credential.parse().expect("it is ASCII");
            asked.metadata_mut().insert("authorization", value);
            let refused = self.site.grpc.clone().create_event(asked).await;
            let refused = refused.expect_err("it is not good");
            self.replies.push(format!("{refused:?}").into_bytes());
        }
        let call = self.get("/v1/events").bearer_auth(&self.token);
        assert_eq!(reply(call).await.0, StatusCode::OK);
        let list = with(Some(&self.token), v1::ListTokensRequest::default());
        let refused = self.admin.list_tokens(list).await.expect_err("it may not");
        self.replies.push(format!("{refused:?}").into_bytes());
    }

    /// What browsers and proxies send.
    async fn visit_pages(&mut self) {
        for (secret, expected) in
            [(PROXY_SECRET, StatusCode::OK), (WRONG_PROXY_SECRET, StatusCode::UNAUTHORIZED)]
        {
            let call = self.get("/").header("x-forwarded-user", "ann");
            let call = call.header("x-hitl-proxy-secret", secret);
            let call = call.header("x-forwarded-groups", "approvers");
            assert_eq!(self.keep(call).await, expected);
        }
        let cookie = format!("hitl-session-{}={SESSION}", self.server.port());
        let calls = [
            self.get("/account").header("cookie", cookie),
            self.get("/sign-in/start"),
            self.post("/sign-in/back-channel").form(&[("logout_token", JWT)]),
        ];
        for call in calls {
            self.keep(call).await;
        }
    }

    /// The link, whole and broken, and answers that do not fit.
    async fn use_link(&mut self) {
        let (id, link) = (self.event.id.clone(), self.link.clone());
        let api = format!("/v1/links/{link}");
        assert_eq!(reply(self.get(&api)).await.0, StatusCode::OK);
        for broken in [format!("/v1/links/{link}x"), format!("/q/{link}x")] {
            let status = self.keep(self.get(&broken)).await;
            assert!(!status.is_success(), "{status}");
        }
        let wrong = json!({"value": DRAFT, "answer_id": "a"});
        let status = self.keep(self.post(&api).json(&wrong)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let answer = v1::AnswerEventRequest {
            event_id: id,
            answer: Some(v1::answer_event_request::Answer::Json(format!("\"{DRAFT}\""))),
            ..Default::default()
        };
        let refused = self.site.grpc.clone().answer_event(with(Some(ADMIN), answer)).await;
        let refused = refused.expect_err("it does not fit");
        self.replies.push(format!("{refused:?}").into_bytes());
        // What was typed comes back to whoever typed it, and to nobody else.
        let form = self.post(&format!("/q/{link}"));
        reply(form.form(&[("value", DRAFT), ("answer_id", "b")])).await;
    }

    /// All that must not be found.
    fn canaries(&self, dir: &Path) -> Vec<Canary> {
        let secrets = [
            ("admin's token", ADMIN),
            ("token", self.token.as_str()),
            ("revoked token", self.revoked.as_str()),
            ("link", self.link.as_str()),
            ("client secret", CLIENT_SECRET),
            ("proxy's secret", PROXY_SECRET),
            ("wrong secret of a proxy", WRONG_PROXY_SECRET),
            ("session", SESSION),
            ("answer that was refused", DRAFT),
            ("basic credential", BASIC),
            ("signature of a JWT", JWT.rsplit('.').next().expect("three parts")),
        ];
        let secrets =
            secrets.into_iter().map(|(name, secret)| Canary::new(name, secret.as_bytes()));
        // Keys lie beside an embedded store, and in the data directory for others.
        let beside =
            [self.server.dir(), dir].map(|dir| std::fs::read_dir(dir).expect("it is there"));
        let beside = beside.into_iter().flatten().flatten().map(|entry| entry.path());
        let keys: Vec<_> =
            beside.filter(|file| file.extension().is_some_and(|end| end == "key")).collect();
        assert_eq!(keys.len(), 2, "of links and of receipts: {keys:?}");
        let keys = keys.into_iter().map(|key| {
            let text = std::fs::read_to_string(key).expect("a key file is text");
            Canary::new("key", &from_hex(text.trim()).expect("it is written in digits"))
        });
        secrets.chain(keys).collect()
    }
}

/// Calls of all kinds at a server over the store at `url`, whose bytes are below `store`, and the search.
async fn nothing_is_found_in(url: &str, store: &Path, dir: &Path) {
    let mut world = World::new(url, dir).await;
    world.show_credentials().await;
    world.visit_pages().await;
    world.use_link().await;
    let (_, metrics) = reply(world.get("/metrics")).await;
    let list = v1::ListAuditRequest { page_size: 1000, ..Default::default() };
    let audit = world.admin.list_audit(with(Some(ADMIN), list)).await.expect("it may").into_inner();
    assert!(audit.entries.len() > 3, "{audit:?}");
    world.server.terminate().await.expect("it ends");
    let log = world.server.log();
    assert!(log.contains("TRACE"), "it logs as much as it can");
    let mut places = files(store);
    assert!(places.len() > 5, "{} files", places.len());
    places.push(Place::new("the log", log.as_bytes()));
    places.push(Place::new("the metrics", &metrics));
    places.push(Place::new("the audit", format!("{audit:?}").as_bytes()));
    places.extend(world.replies.iter().map(|bytes| Place::new("a reply", bytes)));
    for canary in world.canaries(dir) {
        for place in &places {
            canary.assert_not_in(place);
        }
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[tokio::test]
async fn no_secret_is_in_logs_metrics_errors_or_plain_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("files");
    nothing_is_found_in(&format!("file://{}", store.display()), &store, dir.path()).await;
}

#[tokio::test]
async fn no_secret_is_in_the_embedded_store() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("embedded");
    nothing_is_found_in(&store.display().to_string(), &store, dir.path()).await;
}

#[tokio::test]
async fn a_code_and_the_session_that_it_begins_are_nowhere_but_with_the_browser() {
    let shell = Shell::with("HITL_LOG", "trace");
    let mut command = shell.command(&tools::hitl());
    command.arg("inbox").env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    let output = soon("hitl inbox", command.output()).await.expect("it runs");
    let address = String::from_utf8(output.stdout).expect("text").trim().to_owned();
    let (server, code) = address.split_once("/sign-in/local?code=").expect("a code");
    let client = support::http::client().redirect(reqwest::redirect::Policy::none());
    let client = client.build().expect("a client");
    let first = soon("a reply", client.get(&address).send()).await.expect("the server replies");
    let cookie = first.headers()["set-cookie"].to_str().expect("text");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let token = shell.out(&["token", "local"]).await.trim().to_owned();
    for path in ["/", "/account", "/audit", "/events/default/00000000000000000000000000000001"] {
        let call = client.get(format!("{server}{path}")).header("cookie", &cookie);
        reply(call).await;
    }
    let (status, again) = reply(client.get(&address)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let signed_in = async {
        loop {
            let audit = shell.out(&["audit", "--json"]).await;
            if audit.contains("the code is not good") {
                return audit;
            }
        }
    };
    let audit = soon("the refused code in the audit", signed_in).await;
    assert!(audit.contains("AUDIT_KIND_SIGN_IN"), "{audit}");
    assert!(audit.contains("CREDENTIAL_KIND_OWNER"), "{audit}");
    let session = cookie.split_once('=').expect("a pair").1;
    let canaries = [
        Canary::new("code", code.as_bytes()),
        Canary::new("session", session.as_bytes()),
        Canary::new("token of the local server", token.as_bytes()),
    ];
    let mut places = files(shell.dir());
    let has_logged = |place: &Place| place.name.ends_with(".log") && !place.text.is_empty();
    assert!(places.iter().any(has_logged), "it has logged");
    // This file is how the user's own programs get the token, and nobody else may read it.
    places.retain(|place| !place.name.ends_with("server.json"));
    places.push(Place::new("the audit", audit.as_bytes()));
    places.push(Place::new("a reply", &again));
    for canary in &canaries {
        for place in &places {
            canary.assert_not_in(place);
        }
    }
}
