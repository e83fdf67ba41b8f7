//! Many at a time: waits that share a stream, and batches of creates and answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::stream::{self, StreamExt, TryStreamExt};
use hitl_embedded::{EmbeddedStore, Options};
use hitl_proto::v1::{self, value, wait_events_response::Update};
use tokio::sync::{Mutex, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::calls;
use crate::cli::Plan;
use crate::lives;
use crate::load::{Clients, Runs};
use crate::process;
use crate::report::{Row, Target, many};
use crate::requests::{self, Client};
use crate::server::Server;

/// Lives that one caller leads at a time.
const LIVES: usize = 32;
/// Creates of one batch.
const CREATES: usize = 100;
/// Callers in all, or lives that are led at a time.
const CALLERS: usize = 512;
/// Most waits that one message adds, and most events that one call creates.
pub(crate) const KEYS_MAX: usize = 1_000;
pub(crate) const CONNECTIONS: usize = 8;
const SETTLE: Duration = Duration::from_secs(2);
/// Room for a million waits, whatever this machine has.
const ROOM: [(&str, &str); 1] = [("HITL_MEMORY_MAX", "4GiB")];

/// A stream of waits of which all that were added have been told.
struct Waits {
    say: mpsc::Sender<v1::WaitEventsRequest>,
    told: Streaming<v1::WaitEventsResponse>,
}

impl Waits {
    async fn open(client: &mut Client) -> Result<Self> {
        let (say, said) = mpsc::channel(16);
        let told = client.wait_events(ReceiverStream::new(said)).await?.into_inner();
        Ok(Self { say, told })
    }

    async fn add(&self, ids: &[String]) -> Result<()> {
        let key = |id: &String| v1::EventKey { event_id: id.clone(), ..Default::default() };
        let longest = prost_types::Duration { seconds: 300, nanos: 0 };
        let message = v1::WaitEventsRequest {
            add: ids.iter().map(key).collect(),
            heartbeat_interval: Some(longest),
            ..Default::default()
        };
        self.say.send(message).await.context("the stream is gone")
    }

    /// Completes when `count` events were told.
    async fn told(&mut self, count: usize) -> Result<()> {
        let mut events = 0;
        while events < count {
            let message = self.told.message().await?.context("the stream ended")?;
            match message.update {
                Some(Update::Event(_)) => events += 1,
                Some(Update::Heartbeat(_)) => {}
                other => anyhow::bail!("a wait came to {other:?}"),
            }
        }
        Ok(())
    }
}

pub(crate) async fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let mut rows = vec![lives(plan).await?, creates(plan).await?];
    rows.extend(memory(plan).await?);
    Ok(rows)
}

/// Whole lives in batches on streams of many waits, beside the same service by single calls.
async fn lives(plan: &Plan) -> Result<Row> {
    let dir = plan.fresh_dir()?;
    let server = plan.start(dir.path()).await?;
    let clients = Clients::for_callers(&server, CALLERS).await?;
    let (mut single, mut batched) = (Runs::on(&server), Runs::on(&server));
    for _ in 0..plan.rounds {
        lives::round(&mut single, plan, CALLERS, &clients).await?;
        let caller = |number| {
            let (client, waits) = (clients.of(number), Arc::new(Mutex::new(None)));
            move || lives_at_once(client.clone(), waits.clone())
        };
        batched.round(plan, CALLERS / LIVES, caller).await?;
    }
    let ours = batched.rate() * LIVES as f64;
    let beside = ("the same by single calls", single.rate());
    let figure = format!("whole lives a second, in batches of {LIVES}");
    Ok(Row::rates(&figure, CALLERS, ours, beside, Some(Target::AtLeast(2.0))))
}

async fn lives_at_once(mut client: Client, waits: Arc<Mutex<Option<Waits>>>) -> Result<Duration> {
    let begun = Instant::now();
    let mut waits = waits.lock().await;
    let waits = match &mut *waits {
        Some(waits) => waits,
        none => none.insert(Waits::open(&mut client).await?),
    };
    let ids = create(&mut client, LIVES).await?;
    waits.add(&ids).await?;
    answer(&mut client, ids).await?;
    waits.told(LIVES).await?;
    Ok(begun.elapsed())
}

/// Answers all of these events in one call.
pub(crate) async fn answer(client: &mut Client, ids: Vec<String>) -> Result<()> {
    let value = v1::Value { kind: Some(value::Kind::Bool(true)) };
    let answer = |event_id| v1::AnswerEventRequest {
        event_id,
        answer: Some(v1::answer_event_request::Answer::Value(value.clone())),
        responder: "ann".to_owned(),
        ..Default::default()
    };
    let requests = ids.into_iter().map(answer).collect();
    let answers = client.batch_answer_events(v1::BatchAnswerEventsRequest { requests }).await?;
    let is_answered = |result: &v1::AnswerEventResult| {
        matches!(result.result, Some(v1::answer_event_result::Result::Response(_)))
    };
    ensure!(answers.into_inner().results.iter().all(is_answered), "an answer failed");
    Ok(())
}

/// Creates so many events in one call.
pub(crate) async fn create(client: &mut Client, count: usize) -> Result<Vec<String>> {
    let requests = vec![requests::question(); count];
    let created = client.batch_create_events(v1::BatchCreateEventsRequest { requests }).await?;
    let id = |result: v1::CreateEventResult| match result.result {
        Some(v1::create_event_result::Result::Created(created)) => {
            Ok(created.event.context("a created event")?.id)
        }
        other => anyhow::bail!("a create came to {other:?}"),
    };
    created.into_inner().results.into_iter().map(id).collect()
}

/// Durable creates in batches, beside puts straight into the embedded store.
async fn creates(plan: &Plan) -> Result<Row> {
    let dirs = [plan.fresh_dir()?, plan.fresh_dir()?];
    let server = plan.start(dirs[0].path()).await?;
    let store = Arc::new(EmbeddedStore::open(dirs[1].path().join("store"), Options::default())?);
    let clients = Clients::for_callers(&server, CALLERS).await?;
    let (mut ours, mut puts) = (Runs::on(&server), Runs::default());
    for _ in 0..plan.rounds {
        let caller = |number| {
            let client = clients.of(number);
            move || {
                let mut client = client.clone();
                async move {
                    let begun = Instant::now();
                    create(&mut client, CREATES).await?;
                    Ok(begun.elapsed())
                }
            }
        };
        ours.round(plan, CALLERS.div_ceil(CREATES), caller).await?;
        calls::put_round(&mut puts, plan, CALLERS, &store).await?;
    }
    let rate = ours.rate() * CREATES as f64;
    let beside = ("raw puts to the embedded store", puts.rate());
    let figure = format!("durable creates a second, in batches of {CREATES}");
    Ok(Row::rates(&figure, CALLERS, rate, beside, Some(Target::AtLeast(0.5))))
}

/// Memory of the server for each wait on a few streams, each for an event of its own.
async fn memory(plan: &Plan) -> Result<Vec<Row>> {
    let dir = plan.fresh_dir()?;
    let start = async || Server::ours_with(dir.path(), &ROOM).await;
    let most = plan.shared_waiters[plan.shared_waiters.len() - 1];
    let server = start().await?;
    let clients = Clients::connect(&server, CONNECTIONS).await?;
    let batches: Vec<Vec<String>> = stream::iter(0..most / KEYS_MAX)
        .map(|number| {
            let mut client = clients.of(number);
            async move { create(&mut client, KEYS_MAX).await }
        })
        .buffered(CONNECTIONS)
        .try_collect()
        .await
        .context("creating events to wait for")?;
    drop(clients);
    server.kill().await?;
    // A new process: the old one has freed memory that would hide what waits take.
    let server = start().await?;
    tokio::time::sleep(SETTLE).await;
    let before = process::rss(server.pid)?;
    let clients = Clients::connect(&server, CONNECTIONS).await?;
    let mut streams = Vec::new();
    for number in 0..CONNECTIONS {
        streams.push(Waits::open(&mut clients.of(number)).await?);
    }
    let (mut rows, mut added) = (Vec::new(), 0);
    for size in plan.shared_waiters {
        while added < size {
            let batch = added / KEYS_MAX;
            streams[batch % CONNECTIONS].add(&batches[batch]).await?;
            added += KEYS_MAX;
        }
        settled(server.pid).await?;
        let each = (process::rss(server.pid)? - before) / size as f64;
        let case = many(size, "wait");
        let beside = ("1 KiB", 1024.0);
        let figure = "memory of a wait on a shared stream";
        rows.push(Row::bytes(figure, &case, each, beside, Some(Target::AtMost(1.0))));
    }
    Ok(rows)
}

/// Completes when the server does nothing any more.
pub(crate) async fn settled(pid: u32) -> Result<()> {
    loop {
        let before = process::cpu(pid)?;
        tokio::time::sleep(SETTLE).await;
        if process::cpu(pid)?.saturating_sub(before) < SETTLE / 20 {
            return Ok(());
        }
    }
}
