//! The program that drives an SDK: commands go in a line each, replies come out a line each, in any order.
//!
//! A command has an `id`, an `op`, and the `client` to do it with. The ops, and what else each has:
//!
//! - `client` makes the client of that name: `endpoint`, `namespace`, `run_id`, `retry_for_ms`, `call_timeout_ms`,
//!   `token`, `insecure`, `headers`, `proxy`, each only if it is set.
//! - `run` makes the run of `run_id`, and keeps it as `run`.
//! - `create` creates a typed event, and keeps it as `event`: `type`, `name`, `prompt`, and whatever else such an event
//!   can be created with: also `title`, `risk` (`low`, `medium`, `high`), `require_confirmation`, `facts` (label and
//!   value of each, all in one item) and after them `evidence` (bytes of `Evidence`). A `review` has `action`,
//!   `arguments`, perhaps `schema` and `allow`. Whom it is for is said by `assignees`, `groups`, `required` and
//!   `outvotes_declines`. With a `run` it is asked of that. The reply is what the event tells of itself.
//! - `attach` attaches to the event of an `event_id`, or to the one of a `name` and perhaps a `number` in a `run`, and
//!   keeps it as `event`: `type`. The reply is that of `create`.
//! - `wait` waits for the value of `event`, at most for `limit_ms` if there is one: `value`, or `gave_up: true`.
//! - `wait_details` waits for `event` with what else was said: `value`, `comment`.
//! - `execute` waits for `event`, a review, and has what was approved for `action` done: `executed` has the arguments
//!   that it was done with, and `approves` says whether `arguments`, or else the approved ones, are approved.
//! - `poll` looks whether `event` has ended: `value`, or `pending: true`.
//! - `json` writes `event` as JSON. The reply has that as `json`, read again.
//! - `within` asks for `count` ints called `name` one after the other, while a run of `run_id` is the current one. The
//!   reply has the `event_ids`, in that order.
//! - `cancel_event` has `event` cancel itself: `reason`.
//! - `ask` asks for an int in one line, and waits: `name`, `prompt`. The reply has its `value`.
//! - `ask_valid` asks for an int until it is even, at most so many `attempts` if there are any: `name`, `prompt`. What
//!   is wrong with 3 is that `3 is odd`. The reply has its `value`.
//! - `get`, `wait_event`, `decline`, `cancel` do so to `event_id`: `reason`, `responder`. The reply has the `event`.
//! - `answer` answers `event_id`: `responder`, perhaps a `comment`, and an `AnswerEventRequest` as `message`. The reply
//!   has the `event`.
//! - `comment` says `text` about `event_id`, perhaps with `needs_info`, as `responder`; `comments` shows what was
//!   said. The reply has the `comments`: of each the `author`, the `text` and `needs_info`.
//! - `list` takes a `ListEventsRequest` as `message`. The reply has the `page`.
//! - `events` takes one too, and perhaps a `limit`, and goes through all events that match. The reply has them as
//!   `listed`.
//! - `create_many` takes `CreateEventRequest`s, `answer_many` `AnswerEventRequest`s, as `messages`. The reply has
//!   `results`: of each the `created` (a `CreateEventResponse`) or the `response`, or an `error` as a reply has one.
//! - `watch` takes a `WatchEventsRequest` as `message`, and watches until an event whose name is `last` has ended. The
//!   reply has the `changes`: of each the `kind` as a number, the `event` and the `resume_token`.
//! - `receipt` fetches the receipt of `event_id`: as JSON the `receipt`, and the server's `keys`.
//! - `verify` verifies a `receipt` with `keys`, both as JSON, without a client. The reply has what it says: `event_id`,
//!   `namespace`, `state`, `time`.
//! - `create_link` makes a link to `event_id` for `responder`, perhaps for `ttl_ms`. The reply has its `url`, `api_url`
//!   and `expires_ms`, and the link as the language prints it for logs as `printed`.
//! - `revoke_links` ends the links of `event_id`: of `responder`, or all.
//! - `wait_many` waits for all of `event_ids` at once. The reply has the `events`, in that order.
//!
//! With a `call_timeout_ms` an op is done by its client with that.
//!
//! A `value` is what JSON of the language makes of the typed value, whole numbers to the last digit. A `message`, an
//! `event`, a `page` and the `response` of an error are bytes of a message of the API.
//!
//! A reply has the `id`, and `ok` or an `error`: `kind`, `reason`, `message`, `fields`, `retryable`, `response`. One
//! that is not the SDK's is of the kind `adapter`.

use std::collections::{BTreeMap, HashMap};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value as Json;
use support::tools;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::{Mutex as AsyncMutex, oneshot};
use tokio::time::timeout;

use crate::language::{Language, Program};
use crate::messages;

/// Longest that any reply may take: a wait may have to outlive an outage of 30 s, and then find its way back.
const REPLY_LIMIT: Duration = Duration::from_secs(90);

/// A running adapter. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Adapter {
    stdin: AsyncMutex<ChildStdin>,
    replies: Arc<Mutex<Replies>>,
    _child: Child,
}

#[derive(Debug, Default)]
struct Replies {
    awaited: HashMap<u64, oneshot::Sender<Json>>,
    next: u64,
    /// Said outside of any reply.
    broken: Option<String>,
}

/// A reply that is on its way.
#[derive(Debug)]
pub(crate) struct Pending {
    reply: oneshot::Receiver<Json>,
    replies: Arc<Mutex<Replies>>,
}

impl Adapter {
    pub(crate) fn start(language: &Language, env: &BTreeMap<String, String>) -> Result<Self> {
        let mut command = language.command(Program::Adapter);
        command.env("HITL_BIN", tools::hitl()).envs(env);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("the adapter of {} does not start", language.name))?;
        let stdin = AsyncMutex::new(child.stdin.take().context("stdin is piped")?);
        let stdout = child.stdout.take().context("stdout is piped")?;
        let replies = Arc::new(Mutex::new(Replies::default()));
        tokio::spawn(read(stdout, replies.clone()));
        Ok(Self { stdin, replies, _child: child })
    }

    /// Tells it to do `op`.
    pub(crate) async fn tell(&self, op: Json) -> Result<Pending> {
        let mut op = messages::pack(op)?;
        let (sender, reply) = oneshot::channel();
        {
            let mut replies = lock(&self.replies);
            replies.next += 1;
            op["id"] = replies.next.into();
            let id = replies.next;
            replies.awaited.insert(id, sender);
        }
        let line = format!("{op}\n");
        self.stdin.lock().await.write_all(line.as_bytes()).await.context("the adapter is gone")?;
        Ok(Pending { reply, replies: self.replies.clone() })
    }
}

impl Pending {
    /// The reply, once it is there.
    pub(crate) async fn reply(self) -> Result<Json> {
        match timeout(REPLY_LIMIT, self.reply).await {
            Ok(Ok(reply)) => messages::unpack(reply),
            Ok(Err(_)) => {
                let broken = lock(&self.replies).broken.clone();
                bail!("the adapter ended: {}", broken.unwrap_or_default())
            }
            Err(_) => bail!("no reply in {REPLY_LIMIT:?}"),
        }
    }
}

async fn read(stdout: ChildStdout, replies: Arc<Mutex<Replies>>) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let reply: Option<Json> = serde_json::from_str(&line).ok();
        let id = reply.as_ref().and_then(|reply| reply["id"].as_u64());
        let mut replies = lock(&replies);
        match id.and_then(|id| replies.awaited.remove(&id)).zip(reply) {
            // Whoever asked may have given up.
            Some((sender, reply)) => drop(sender.send(reply)),
            None => {
                replies.broken = Some(format!("it said {line:?}, which is no reply"));
                break;
            }
        }
    }
    // Who still waits learns that nothing will come.
    lock(&replies).awaited.clear();
}

fn lock(replies: &Mutex<Replies>) -> std::sync::MutexGuard<'_, Replies> {
    replies.lock().unwrap_or_else(PoisonError::into_inner)
}

static SHARED: AsyncMutex<BTreeMap<&'static str, Arc<Adapter>>> =
    AsyncMutex::const_new(BTreeMap::new());

/// The adapter of `language` that scenarios share.
pub(crate) async fn shared(language: &'static Language) -> Result<Arc<Adapter>> {
    let mut shared = SHARED.lock().await;
    if let Some(adapter) = shared.get(language.name) {
        return Ok(adapter.clone());
    }
    let adapter = Arc::new(Adapter::start(language, &BTreeMap::new())?);
    shared.insert(language.name, adapter.clone());
    Ok(adapter)
}

/// Ends the adapters that scenarios share.
pub(crate) async fn end_all() {
    SHARED.lock().await.clear();
    crate::world::end_shared_server().await;
}
