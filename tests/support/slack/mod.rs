//! A stand-in for Slack's Web API, by its published formats: it refuses what Slack would refuse, and signs what Slack
//! would sign.

mod rules;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The app's secrets.
pub const TOKEN: &str = "xoxb-2345-6789-abcdefghij";
/// By which requests of Slack are known.
pub const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
/// The workspace, and the conversation that the app was invited to.
pub const TEAM: &str = "T024BE7LD";
/// See [`TEAM`].
pub const CONVERSATION: &str = "C024BE91L";

/// Largest request that is read.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// How long something may take to happen.
const LIMIT: Duration = Duration::from_secs(20);

/// A message in the conversation.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Its time, which is its id.
    pub ts: String,
    /// The message as it stands: what was posted, or what it was edited to.
    pub body: Value,
    /// How often it was edited.
    pub edits: usize,
    /// To whom alone it is shown; empty if to all.
    pub only: String,
}

#[derive(Debug, Default)]
struct State {
    messages: Vec<Posted>,
    /// Calls that are refused for now.
    limited: usize,
    calls: BTreeMap<String, usize>,
    refusals: Vec<String>,
    members: BTreeMap<String, Value>,
}

/// The stand-in, which lasts as long as this value.
#[derive(Debug)]
pub struct Slack {
    port: u16,
    state: Arc<Mutex<State>>,
    changed: watch::Sender<u64>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Slack {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Slack {
    /// Starts it on a port of its own.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let state = Arc::<Mutex<State>>::default();
        let changed = watch::Sender::new(0);
        let task = tokio::spawn(accept(listener, state.clone(), changed.clone()));
        Ok(Self { port, state, changed, task })
    }

    /// Where its API is.
    pub fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}/api", self.port)
    }

    /// Adds a member of the workspace, as `users.info` shows them.
    pub fn add_member(&self, user: &str, email: &str) {
        let member = json!({"id": user, "team_id": TEAM, "deleted": false, "is_bot": false,
            "is_email_confirmed": true, "profile": {"email": email}});
        self.state().members.insert(user.to_owned(), member);
    }

    /// Refuses so many of the next calls, as Slack does when there are too many.
    pub fn limit(&self, calls: usize) {
        self.state().limited = calls;
    }

    /// The messages so far.
    pub fn messages(&self) -> Vec<Posted> {
        self.state().messages.clone()
    }

    /// How often `method` was called.
    pub fn calls(&self, method: &str) -> usize {
        self.state().calls.get(method).copied().unwrap_or_default()
    }

    /// What was refused so far, and why; what was refused for a time is not in it.
    pub fn refusals(&self) -> Vec<String> {
        self.state().refusals.clone()
    }

    /// The first message of which `is_it` holds, as soon as there is one.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn message(&self, is_it: impl Fn(&Posted) -> bool) -> Result<Posted> {
        let mut changed = self.changed.subscribe();
        let wait = async {
            loop {
                if let Some(found) = self.messages().into_iter().find(&is_it) {
                    return found;
                }
                // The sender is in `self`.
                let _ = changed.changed().await;
            }
        };
        let found = tokio::time::timeout(LIMIT, wait).await;
        found.with_context(|| {
            format!(
                "no such message; refused: {:?}; there are: {:?}",
                self.refusals(),
                self.messages()
            )
        })
    }

    /// What Slack sends when `user` presses the button of `message` that says `label`.
    ///
    /// # Panics
    /// There is no such button.
    pub fn press(&self, message: &Posted, label: &str, user: &str) -> String {
        let blocks = message.body["blocks"].as_array().expect("blocks");
        let actions = blocks.iter().filter(|block| block["type"] == "actions");
        let button = actions
            .flat_map(|block| block["elements"].as_array().expect("elements"))
            .find(|button| button["text"]["text"] == label);
        let button = button.unwrap_or_else(|| panic!("no button {label} in {:?}", message.body));
        let payload = json!({
            "type": "block_actions",
            "user": {"id": user, "username": "somebody", "name": "somebody", "team_id": TEAM},
            "api_app_id": "A02",
            "token": "a verification token of old",
            "container": {"type": "message", "message_ts": message.ts, "channel_id": CONVERSATION,
                "is_ephemeral": false},
            "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
            "team": {"id": TEAM, "domain": "example"},
            "enterprise": null,
            "is_enterprise_install": false,
            "channel": {"id": CONVERSATION, "name": "ops"},
            "message": message.body,
            "response_url": "https://hooks.slack.com/actions/AABA1ABCD/1232321423432/D09sSasdasdAS9091209",
            "actions": [{"action_id": button["action_id"], "block_id": "hitl", "text": button["text"],
                "value": button["value"], "type": "button", "action_ts": "1796000001.000200"}],
        });
        form_urlencoded::Serializer::new(String::new())
            .append_pair("payload", &payload.to_string())
            .finish()
    }

    /// The headers with which Slack sends `body` at a time so many seconds from now.
    ///
    /// # Panics
    /// If this machine's clock says that it is before 1970.
    #[expect(clippy::disallowed_methods, reason = "Slack goes by the wall clock")]
    pub fn signed(body: &str, seconds_from_now: i64) -> HeaderMap {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let time = now.saturating_add_signed(seconds_from_now).to_string();
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SIGNING_SECRET.as_bytes());
        let tag = ring::hmac::sign(&key, format!("v0:{time}:{body}").as_bytes());
        let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("x-slack-request-timestamp", time),
            ("x-slack-signature", format!("v0={digits}")),
        ] {
            headers.insert(name, value.parse().expect("it is ASCII"));
        }
        headers
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>, changed: watch::Sender<u64>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (state, changed) = (state.clone(), changed.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| reply(request, state.clone(), changed.clone()));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn reply(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
    changed: watch::Sender<u64>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let method = head.uri.path().trim_start_matches("/api/").to_owned();
    let reply = {
        let mut state = lock(&state);
        *state.calls.entry(method.clone()).or_default() += 1;
        if state.limited > 0 {
            state.limited -= 1;
            let limited = Response::builder().status(429).header("retry-after", "1");
            return Ok(limited.body(Full::default()).expect("it is a reply"));
        }
        let replied = rules::head(&head.method, &head.headers)
            .and_then(|()| state.call(&method, &head.headers, &body));
        replied.unwrap_or_else(|error| {
            state.refusals.push(format!("{method}: {error}"));
            json!({"ok": false, "error": error.split(':').next().unwrap_or_default()})
        })
    };
    changed.send_modify(|count| *count += 1);
    let response = Response::builder().header("content-type", "application/json; charset=utf-8");
    Ok(response.body(Full::from(reply.to_string())).expect("it is a reply"))
}

impl State {
    fn call(&mut self, method: &str, headers: &HeaderMap, body: &[u8]) -> Result<Value, String> {
        match method {
            "chat.postMessage" => self.post(&rules::json(headers, body)?, ""),
            "chat.postEphemeral" => {
                let body = rules::json(headers, body)?;
                let user = body["user"].as_str().ok_or("user_not_in_channel")?.to_owned();
                self.post(&body, &user)
            }
            "chat.update" => self.update(rules::json(headers, body)?),
            "users.info" => {
                let user = rules::form(headers, body, "user")?;
                let member = self.members.get(&user).ok_or("user_not_found")?;
                Ok(json!({"ok": true, "user": member}))
            }
            _ => Err("unknown_method".to_owned()),
        }
    }

    fn post(&mut self, body: &Value, only: &str) -> Result<Value, String> {
        rules::message(body)?;
        if let Some(thread) = body.get("thread_ts") {
            let is_there = self.messages.iter().any(|message| *thread == *message.ts);
            is_there.then_some(()).ok_or("thread_not_found")?;
        }
        let ts = format!("1796000000.{:06}", 100 * (self.messages.len() + 1));
        self.messages.push(Posted {
            ts: ts.clone(),
            body: body.clone(),
            edits: 0,
            only: only.to_owned(),
        });
        Ok(json!({"ok": true, "channel": CONVERSATION, "ts": ts, "message": body}))
    }

    fn update(&mut self, body: Value) -> Result<Value, String> {
        rules::message(&body)?;
        let posted = self.messages.iter_mut().find(|message| body["ts"] == *message.ts);
        let posted = posted.filter(|posted| posted.only.is_empty()).ok_or("message_not_found")?;
        posted.body = body;
        posted.edits += 1;
        Ok(
            json!({"ok": true, "channel": CONVERSATION, "ts": posted.ts, "text": posted.body["text"]}),
        )
    }
}
