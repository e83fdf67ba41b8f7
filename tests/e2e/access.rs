//! Who may do what: the tables of `docs/access.md`, walked with every kind of credential.

use std::collections::BTreeMap;

use hitl_proto::v1::admin_service_client::AdminServiceClient;
use hitl_proto::v1::event_service_client::EventServiceClient;
use hitl_proto::v1::wait_events_response::Update;
use hitl_proto::v1::{self, ErrorReason, Event, Role};
use reqwest::StatusCode;
use serde_json::{Value as Json, json};
use support::server::{Config, Server, channel};
use support::tools;
use tempfile::TempDir;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt;

use crate::kinds;
use crate::site::{request, soon};

const DOC: &str = include_str!("../../docs/access.md");
/// The token of the file that the server is given.
const ADMIN: &str = "an-admin-token-for-tests-0123456789abcdef";
/// An id of no event.
const NO_ID: &str = "00000000000000000000000000000001";

/// What came of a call, as far as the tables tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    Done,
    Unauthenticated,
    Denied,
}

/// A server that wants credentials, and a token of each kind by the heading of its column.
struct World {
    server: Server,
    store: TempDir,
    tokens: BTreeMap<String, String>,
    grpc: Channel,
    http: reqwest::Client,
}

impl World {
    async fn new() -> Self {
        let store = tempfile::tempdir().expect("a directory");
        let file = store.path().join("admin.token");
        std::fs::write(&file, ADMIN).expect("it can be written");
        let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&file, own).expect("it is ours");
        let url = format!("file://{}", store.path().join("store").display());
        let config = Config::new(tools::hitl()).with_credentials().store(url);
        let config = config.arg("--admin-token-file").arg(file.display().to_string());
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

    async fn made(&self, role: Role, namespace: &str) -> v1::CreateTokenResponse {
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
    async fn bad_tokens(&self) -> Vec<(&'static str, String)> {
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

    fn events(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.grpc.clone())
    }

    fn admin(&self) -> AdminServiceClient<Channel> {
        AdminServiceClient::new(self.grpc.clone())
    }

    /// An event of the namespace `default`, as its admin sees it.
    async fn event(&self) -> Event {
        let created = self.events().create_event(with(Some(ADMIN), request(kinds::int()))).await;
        created.expect("the admin may").into_inner().event.expect("a create returns the event")
    }

    /// What comes of calling what `row` names, about the event with this id.
    async fn call(&self, row: &str, id: &str, token: Option<&str>) -> Vec<(String, Came, String)> {
        let mut came = Vec::new();
        for called in row.split(", ") {
            let called = called.trim_matches('`');
            let (what, said) = match called.split_once(' ') {
                Some((method, path)) => self.over_http(method, path, id, token).await,
                None => self.over_grpc(called, id, token).await,
            };
            came.push((called.to_owned(), what, said));
        }
        came
    }

    async fn over_grpc(&self, rpc: &str, id: &str, token: Option<&str>) -> (Came, String) {
        let (mut events, mut admin) = (self.events(), self.admin());
        let id = id.to_owned();
        let namespace = String::new();
        let key = || v1::EventKey { namespace: String::new(), event_id: id.clone() };
        let answer = || v1::AnswerEventRequest {
            event_id: id.clone(),
            answer: Some(v1::answer_event_request::Answer::Json("1".to_owned())),
            ..Default::default()
        };
        let done = match rpc {
            "CreateEvent" => {
                events.create_event(with(token, request(kinds::int()))).await.map(drop)
            }
            "GetEvent" => {
                let get = v1::GetEventRequest { namespace, event_id: id };
                events.get_event(with(token, get)).await.map(drop)
            }
            "ListEvents" => {
                events.list_events(with(token, v1::ListEventsRequest::default())).await.map(drop)
            }
            "WaitEvent" => {
                let wait = v1::WaitEventRequest { event_id: id, ..Default::default() };
                events.wait_event(with(token, wait)).await.map(drop)
            }
            "WatchEvents" => {
                events.watch_events(with(token, v1::WatchEventsRequest::default())).await.map(drop)
            }
            "WaitEvents" => {
                let add = v1::WaitEventsRequest { add: vec![key()], ..Default::default() };
                let asked = tokio_stream::iter([add]);
                match events.wait_events(with(token, asked)).await {
                    Ok(stream) => return one_wait(stream.into_inner(), &self.events(), &id).await,
                    Err(status) => Err(status),
                }
            }
            "BatchCreateEvents" => {
                let batch = v1::BatchCreateEventsRequest { requests: vec![request(kinds::int())] };
                match events.batch_create_events(with(token, batch)).await {
                    Ok(reply) => match reply.into_inner().results.remove(0).result {
                        Some(v1::create_event_result::Result::Failure(failure)) => {
                            return of_failure(&failure);
                        }
                        _ => Ok(()),
                    },
                    Err(status) => Err(status),
                }
            }
            "BatchAnswerEvents" => {
                let batch = v1::BatchAnswerEventsRequest { requests: vec![answer()] };
                match events.batch_answer_events(with(token, batch)).await {
                    Ok(reply) => match reply.into_inner().results.remove(0).result {
                        Some(v1::answer_event_result::Result::Failure(failure)) => {
                            return of_failure(&failure);
                        }
                        _ => Ok(()),
                    },
                    Err(status) => Err(status),
                }
            }
            "AnswerEvent" => events.answer_event(with(token, answer())).await.map(drop),
            "DeclineEvent" => {
                let decline = v1::DeclineEventRequest { event_id: id, ..Default::default() };
                events.decline_event(with(token, decline)).await.map(drop)
            }
            "CancelEvent" => {
                let cancel = v1::CancelEventRequest { event_id: id, ..Default::default() };
                events.cancel_event(with(token, cancel)).await.map(drop)
            }
            "CreateToken" => {
                let create = v1::CreateTokenRequest {
                    name: "another".to_owned(),
                    roles: vec![Role::Auditor.into()],
                    ..Default::default()
                };
                admin.create_token(with(token, create)).await.map(drop)
            }
            "ListTokens" => {
                admin.list_tokens(with(token, v1::ListTokensRequest::default())).await.map(drop)
            }
            "RevokeToken" => {
                let token_id = self.made(Role::Auditor, "x").await.token.expect("it is there").id;
                let revoke = v1::RevokeTokenRequest { token_id };
                admin.revoke_token(with(token, revoke)).await.map(drop)
            }
            "RotateToken" => {
                let token_id = self.made(Role::Auditor, "x").await.token.expect("it is there").id;
                let rotate = v1::RotateTokenRequest { token_id, ..Default::default() };
                admin.rotate_token(with(token, rotate)).await.map(drop)
            }
            "WhoAmI" => admin.who_am_i(with(token, v1::WhoAmIRequest {})).await.map(drop),
            other => panic!("how is {other} called?"),
        };
        match done {
            Ok(()) => (Came::Done, String::new()),
            Err(status) => of_status(&status),
        }
    }

    async fn over_http(
        &self,
        method: &str,
        path: &str,
        id: &str,
        token: Option<&str>,
    ) -> (Came, String) {
        let url = self.server.url(&path.replace("{event_id}", id));
        let call = match method {
            "GET" => self.http.get(url),
            _ => self.http.post(url),
        };
        let question = json!({"name": "n", "prompt": "p", "input": {"int": {}}});
        let answer = json!({"eventId": id, "json": "1"});
        let call = match (method, path) {
            ("POST", "/v1/events") => call.json(&question),
            ("POST", "/v1/events:batchCreate") => call.json(&json!({"requests": [question]})),
            ("POST", "/v1/events:batchAnswer") => call.json(&json!({"requests": [answer]})),
            ("POST", "/v1/events/{event_id}/answer") => call.json(&json!({"json": "1"})),
            ("POST", "/submit") => call.form(&[("request_id", id), ("value", "1")]),
            ("POST", "/submit/json") => call.json(&json!({"request_id": id, "value": 1})),
            ("POST", _) => call.json(&json!({})),
            _ => call,
        };
        let call = match token {
            Some(token) => call.header("authorization", format!("Bearer {token}")),
            None => call,
        };
        let reply = soon(path, call.send()).await.expect("the server replies");
        let (status, headers) = (reply.status(), reply.headers().clone());
        if headers["content-type"] == "text/event-stream" {
            return (Came::Done, String::new());
        }
        let body = reply.text().await.expect("text");
        let json: Json = serde_json::from_str(&body).unwrap_or_default();
        if let Some(failure) = json["results"][0].get("failure") {
            let denied = failure["reason"] == "ERROR_REASON_PERMISSION_DENIED";
            return (if denied { Came::Denied } else { Came::Done }, body);
        }
        let reason = json["error"]["details"][0]["reason"].as_str().unwrap_or_default();
        let challenge = headers.get("www-authenticate").map(|value| value.to_str().unwrap());
        let came = match status {
            StatusCode::UNAUTHORIZED => {
                assert_eq!((reason, challenge), ("ERROR_REASON_UNAUTHENTICATED", Some("Bearer")));
                Came::Unauthenticated
            }
            StatusCode::FORBIDDEN => {
                assert_eq!(reason, "ERROR_REASON_PERMISSION_DENIED", "{path}: {body}");
                Came::Denied
            }
            _ => Came::Done,
        };
        (came, format!("{status} {body}"))
    }
}

/// The first thing that is told of a wait; an event that still waits is cancelled, so that there is something to tell.
async fn one_wait(
    mut stream: tonic::Streaming<v1::WaitEventsResponse>,
    events: &EventServiceClient<Channel>,
    id: &str,
) -> (Came, String) {
    let cancel = v1::CancelEventRequest { event_id: id.to_owned(), ..Default::default() };
    // One that was refused is not there, or is another's to cancel.
    let _ = events.clone().cancel_event(with(Some(ADMIN), cancel)).await;
    loop {
        let message = soon("the end of a wait", stream.message()).await;
        match message.map(|message| message.and_then(|message| message.update)) {
            Ok(Some(Update::Failed(failed))) => {
                return of_failure(&failed.failure.expect("it says why"));
            }
            Ok(Some(Update::Heartbeat(_))) => {}
            Ok(_) => return (Came::Done, String::new()),
            Err(status) => return of_status(&status),
        }
    }
}

fn of_status(status: &Status) -> (Came, String) {
    let info = status.get_details_error_info();
    let reason = info.map(|info| info.reason).unwrap_or_default();
    let came = match reason.as_str() {
        "ERROR_REASON_UNAUTHENTICATED" => Came::Unauthenticated,
        "ERROR_REASON_PERMISSION_DENIED" => Came::Denied,
        _ => Came::Done,
    };
    (came, format!("{:?} {} {:?}", status.code(), status.message(), status.details()))
}

fn of_failure(failure: &v1::Failure) -> (Came, String) {
    let came = match failure.reason() {
        ErrorReason::PermissionDenied => Came::Denied,
        ErrorReason::Unauthenticated => Came::Unauthenticated,
        _ => Came::Done,
    };
    (came, format!("{failure:?}"))
}

fn with<T>(token: Option<&str>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().expect("a token is a value");
        request.metadata_mut().insert("authorization", value);
    }
    request
}

/// The rows of the table whose first heading is `what` and second `second`: cells by heading.
fn table(second: &str) -> Vec<BTreeMap<&'static str, &'static str>> {
    let cells = |line: &'static str| -> Vec<&'static str> {
        line.trim_matches('|').split(" | ").map(str::trim).collect()
    };
    let mut lines =
        DOC.lines().skip_while(|line| !line.starts_with(&format!("| what | {second} |")));
    let headings = cells(lines.next().expect("there is such a table"));
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|row| headings.iter().copied().zip(cells(row)).collect()).collect()
}

#[tokio::test]
async fn every_call_is_allowed_or_refused_to_every_token_as_the_table_says() {
    let world = World::new().await;
    let rows = table("nobody");
    assert!(rows.len() > 15, "{} rows", rows.len());
    for row in rows {
        let what = row["what"];
        if what.starts_with("`form_url`") {
            continue;
        }
        for (heading, token) in &world.tokens {
            let event = world.event().await;
            let expected = if row[heading.as_str()] == "yes" { Came::Done } else { Came::Denied };
            let there = world.call(what, &event.id, Some(token)).await;
            for (called, came, said) in &there {
                assert_eq!(*came, expected, "{called} by {heading}: {said}");
            }
            if expected == Came::Denied {
                let absent = world.call(what, NO_ID, Some(token)).await;
                let hidden = |said: &str| said.replace(&event.id, NO_ID);
                for (there, absent) in there.iter().zip(&absent) {
                    assert_eq!(hidden(&there.2), absent.2, "{heading} can tell what is there");
                }
            }
        }
    }
}

#[tokio::test]
async fn whoever_has_no_good_token_is_refused_everywhere_and_always_alike() {
    let world = World::new().await;
    let bad = world.bad_tokens().await;
    for row in table("nobody") {
        let what = row["what"];
        if what.starts_with("`form_url`") {
            continue;
        }
        let event = world.event().await;
        let without = world.call(what, &event.id, None).await;
        for (called, came, said) in &without {
            assert_eq!(*came, Came::Unauthenticated, "{called}: {said}");
        }
        for (kind, token) in &bad {
            assert_eq!(world.call(what, NO_ID, Some(token)).await, without, "{what}: {kind}");
        }
    }
}

#[tokio::test]
async fn links_are_shown_to_those_who_may_hand_them_out_and_to_nobody_else() {
    let world = World::new().await;
    let event = world.event().await;
    assert!(!event.form_url.is_empty() && !event.api_url.is_empty());
    let rows = table("nobody");
    let may = rows.iter().find(|row| row["what"].starts_with("`form_url`")).expect("a row");
    let looks = rows.iter().find(|row| row["what"].starts_with("`GetEvent`")).expect("a row");
    for (heading, token) in &world.tokens {
        if looks[heading.as_str()] == "no" {
            continue;
        }
        let get = v1::GetEventRequest { event_id: event.id.clone(), ..Default::default() };
        let got = world.events().get_event(with(Some(token), get)).await.expect("it may look");
        let got = got.into_inner().event.expect("the event");
        let listed = world.events().list_events(with(Some(token), Default::default())).await;
        let listed = listed.expect("it may look").into_inner().events.remove(0);
        let path = format!("/v1/events/{}", event.id);
        let json = world.http.get(world.server.url(&path)).bearer_auth(token).send().await;
        let json: Json = json.expect("a reply").json().await.expect("JSON");
        let sees = may[heading.as_str()] == "yes";
        for shown in [&got, &listed] {
            assert_eq!(!shown.form_url.is_empty(), sees, "{heading}");
            assert_eq!(!shown.api_url.is_empty(), sees, "{heading}");
        }
        assert_eq!(json["event"].get("formUrl").is_some(), sees, "{heading}: {json}");
    }
    // Of several roles each adds what it lets its holder do.
    let create = v1::CreateTokenRequest {
        name: "notifier".to_owned(),
        roles: vec![Role::Auditor.into(), Role::Notifier.into()],
        ..Default::default()
    };
    let both = world.admin().create_token(with(Some(ADMIN), create)).await.expect("it may");
    let get = v1::GetEventRequest { event_id: event.id.clone(), ..Default::default() };
    let got = world.events().get_event(with(Some(&both.into_inner().secret), get)).await;
    assert_eq!(
        got.expect("it may").into_inner().event.expect("the event").form_url,
        event.form_url
    );
}

#[tokio::test]
async fn a_link_opens_its_own_event_alone_and_what_is_open_is_open_to_all() {
    let world = World::new().await;
    let (own, other) = (world.event().await, world.event().await);
    for row in table("anybody") {
        let (method, path) = row["what"].trim_matches('`').split_once(' ').expect("a route");
        let token = |event: &Event| event.form_url.rsplit('/').next().expect("a token").to_owned();
        let call = async |link: &str| {
            let path = path.replace("{event_id}", &own.id).replace("{token}", link);
            let call = match method {
                "GET" => world.http.get(world.server.url(&path)),
                _ => world.http.post(world.server.url(&path)).json(&json!({"decline": ""})),
            };
            call.send().await.expect("the server replies").status()
        };
        let refused = StatusCode::FORBIDDEN;
        let tried = [
            ("anybody", "x".to_owned()),
            ("whoever has a link to the event", token(&own)),
            ("whoever has a link to another", token(&other)),
        ];
        for (heading, link) in tried {
            let status = call(&link).await;
            assert_eq!(
                status != refused && status != StatusCode::NOT_FOUND,
                row[heading] == "yes",
                "{path} by {heading}: {status}"
            );
        }
    }
}

#[tokio::test]
async fn whoever_answers_is_named_by_what_was_proved_and_does_not_answer_itself() {
    let world = World::new().await;
    let create = v1::CreateTokenRequest {
        name: "pipeline".to_owned(),
        roles: vec![Role::Requester.into(), Role::Responder.into()],
        ..Default::default()
    };
    let both = world.admin().create_token(with(Some(ADMIN), create)).await.expect("it may");
    let both = both.into_inner().secret;
    for allow_self_answer in [false, true] {
        let asked = v1::CreateEventRequest { allow_self_answer, ..request(kinds::int()) };
        let created = world.events().create_event(with(Some(&both), asked)).await.expect("it may");
        let event = created.into_inner().event.expect("the event");
        let creator = event.created_by.clone().expect("it is known");
        assert_eq!(creator.principal, "pipeline");
        assert_eq!(creator.known_by(), v1::CredentialKind::Token);
        let answer = |responder: &str| v1::AnswerEventRequest {
            event_id: event.id.clone(),
            answer: Some(v1::answer_event_request::Answer::Json("1".to_owned())),
            responder: responder.to_owned(),
            ..Default::default()
        };
        let itself = world.events().answer_event(with(Some(&both), answer("CFO"))).await;
        let answered = if allow_self_answer {
            itself.expect("that was allowed")
        } else {
            let refused = itself.expect_err("it asked itself");
            let info = refused.get_details_error_info().expect("it says why");
            assert_eq!(info.reason, "ERROR_REASON_SELF_ANSWER");
            let token = &world.tokens["responder"];
            world.events().answer_event(with(Some(token), answer("CFO"))).await.expect("it may")
        };
        let response = answered.into_inner().event.and_then(|event| event.response);
        let responder = response.and_then(|response| response.responder).expect("somebody");
        assert_eq!(responder.name, "CFO", "what was claimed");
        assert_eq!(responder.known_by(), v1::CredentialKind::Token);
        assert_eq!(responder.principal, if allow_self_answer { "pipeline" } else { "test" });
    }
}

#[tokio::test]
async fn streams_end_when_their_token_is_revoked() {
    let world = World::new().await;
    let event = world.event().await;
    let made = world.made(Role::Auditor, "default").await;
    let token = Some(made.secret.as_str());
    let wait = v1::WaitEventRequest { event_id: event.id.clone(), ..Default::default() };
    let mut wait = world.events().wait_event(with(token, wait)).await.expect("it may").into_inner();
    let watch = v1::WatchEventsRequest::default();
    let mut watch =
        world.events().watch_events(with(token, watch)).await.expect("it may").into_inner();
    let watch_on = v1::WatchEventsRequest {
        bookmark_interval: Some(crate::site::millis(1_000)),
        ..Default::default()
    };
    let admins = world.events().watch_events(with(Some(ADMIN), watch_on)).await.expect("it may");
    let mut admins = admins.into_inner();
    let url = world.server.url("/v1/events:watch");
    let sse = world.http.get(url).bearer_auth(&made.secret).send().await.expect("a reply");
    let token_id = made.token.expect("it is there").id;
    let revoke = v1::RevokeTokenRequest { token_id };
    world.admin().revoke_token(with(Some(ADMIN), revoke)).await.expect("the admin may");
    let ended = async {
        while let Ok(message) = wait.message().await {
            message.expect("it does not end without a word");
        }
        while let Ok(message) = watch.message().await {
            message.expect("it does not end without a word");
        }
        sse.text().await.expect("it ends")
    };
    let said = soon("the end of the streams", ended).await;
    assert!(said.contains("ERROR_REASON_UNAUTHENTICATED"), "{said}");
    for _ in 0..4 {
        let message = soon("a bookmark", admins.message()).await;
        message.expect("the others go on").expect("the others go on");
    }
    let get = v1::GetEventRequest { event_id: event.id, ..Default::default() };
    let refused = world.events().get_event(with(token, get)).await;
    assert_eq!(refused.expect_err("it is revoked").code(), tonic::Code::Unauthenticated);
}
