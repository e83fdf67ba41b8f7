//! Thousands of reminders that are due within the same minute: how late they are sent, and whether that slows down
//! whoever works meanwhile.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use futures::stream::{self, StreamExt, TryStreamExt};
use hitl_proto::v1::admin_service_client::AdminServiceClient;
use hitl_proto::v1::notification_channel::Settings;
use hitl_proto::v1::{
    BatchCreateEventsRequest, ChannelRule, CreateChannelRequest, CreateEventRequest,
    CreateEventResult, DeliveryKind, NotificationChannel, Reminder, WebhookSettings,
    create_event_result, reminder,
};
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::cli::Plan;
use crate::load::{Clients, percentile};
use crate::report::{Row, Target, grouped};
use crate::requests;
use crate::server::{ADMIN_TOKEN_FILE, Server};
use crate::shared::{CONNECTIONS, KEYS_MAX};
use crate::steady;

/// How long after its creation each event is reminded of: all are created by then.
const AFTER: Duration = Duration::from_secs(30);
/// Reminders that come one by one, to compare with.
const FEW: usize = 30;
const FEW_AFTER: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(200);
/// How long whoever works is looked at while nobody is reminded.
const CALM: Duration = Duration::from_secs(15);
/// Longest that all reminders may take.
const LIMIT: Duration = Duration::from_secs(600);
/// How much later than otherwise whoever waits may be told meanwhile.
const SLOWER: f64 = 3.0;
const NETWORK: (&str, &str) = ("HITL_CHANNEL_ALLOW_NETWORK", "127.0.0.0/8");
const TOKEN: &str = "hitl_the-benchmark-makes-one-channel-with-this-token";

/// An event, and when it was or is to be reminded of.
type Came = (String, SystemTime);

pub(crate) async fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let dir = plan.fresh_dir()?;
    let (url, mut received) = receive().await?;
    add_channel(dir.path(), url).await?;
    let server = Server::ours_with(dir.path(), &[NETWORK]).await?;
    let calm = steady::lives(&server, tokio::time::sleep(CALM)).await?;
    let few = one_by_one(&server, &mut received).await?;

    let mut late = Ok(Vec::new());
    let reminding = async { late = at_once(&server, plan.reminders, &mut received).await };
    let busy = steady::lives(&server, reminding).await?;
    let late = late?;
    server.kill().await?;

    let case = format!("{} due within a minute", grouped(plan.reminders));
    let mut rows = Vec::new();
    for percent in [50, 99, 100] {
        let figure = format!("lateness of a reminder, p{percent}");
        let beside = ("one by one", percentile(&few, percent));
        rows.push(Row::times(&figure, &case, percentile(&late, percent), beside, None));
    }
    for (percent, target) in [(50, None), (99, Some(Target::AtMost(SLOWER)))] {
        let figure = format!("answer to delivery beside them, p{percent}");
        let beside = ("no reminders", percentile(&calm.answers, percent));
        let ours = percentile(&busy.answers, percent);
        rows.push(Row::times(&figure, "200 lives a second", ours, beside, target));
    }
    Ok(rows)
}

/// How late each of a few reminders is that have nothing beside them.
async fn one_by_one(
    server: &Server,
    received: &mut UnboundedReceiver<Came>,
) -> Result<Vec<Duration>> {
    let clients = Clients::connect(server, 1).await?;
    let mut late = Vec::new();
    for _ in 0..FEW {
        let due = create(&mut clients.of(0), 1, FEW_AFTER).await?;
        late.extend(lateness(due, received).await?);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(late)
}

/// How late each of so many reminders is.
async fn at_once(
    server: &Server,
    events: usize,
    received: &mut UnboundedReceiver<Came>,
) -> Result<Vec<Duration>> {
    let clients = Clients::connect(server, CONNECTIONS).await?;
    let due: Vec<Vec<Came>> = stream::iter(0..events / KEYS_MAX)
        .map(|number| {
            let mut client = clients.of(number);
            async move { create(&mut client, KEYS_MAX, AFTER).await }
        })
        .buffer_unordered(CONNECTIONS)
        .try_collect()
        .await?;
    lateness(due.concat(), received).await
}

/// Creates so many events, and returns when each is to be reminded of.
async fn create(
    client: &mut requests::Client,
    events: usize,
    after: Duration,
) -> Result<Vec<Came>> {
    let at = reminder::At::AfterCreate(after.try_into()?);
    let reminders = vec![Reminder { at: Some(at) }];
    let question = CreateEventRequest { reminders, ..requests::question() };
    let request = BatchCreateEventsRequest { requests: vec![question; events] };
    let created = client.batch_create_events(request).await?.into_inner().results;
    let due = |result: CreateEventResult| match result.result {
        Some(create_event_result::Result::Created(created)) => {
            let event = created.event.context("a created event")?;
            let created = SystemTime::try_from(event.create_time.context("it has a time")?)?;
            Ok((event.id, created + after))
        }
        other => anyhow::bail!("a create came to {other:?}"),
    };
    created.into_iter().map(due).collect()
}

/// Waits for the reminders of all events in `due`; how much later each came than it was due.
async fn lateness(due: Vec<Came>, received: &mut UnboundedReceiver<Came>) -> Result<Vec<Duration>> {
    let mut due: HashMap<String, SystemTime> = due.into_iter().collect();
    let mut late = Vec::new();
    let all = async {
        while !due.is_empty() {
            let (event, at) = received.recv().await.context("the receiver is there")?;
            // One that comes again was counted before.
            if let Some(due) = due.remove(&event) {
                late.push(at.duration_since(due).unwrap_or_default());
            }
        }
        anyhow::Ok(())
    };
    let ended = timeout(LIMIT, all).await;
    ended.with_context(|| format!("some reminders did not come within {LIMIT:?}"))??;
    ensure!(!late.is_empty(), "nobody was reminded");
    Ok(late)
}

/// Adds a channel that reminds by a webhook at `url` to the store in `dir`. The server that is measured asks for no
/// credential, and so has nobody who may do that.
async fn add_channel(dir: &Path, url: String) -> Result<()> {
    let file = dir.join("admin");
    fs::write(&file, TOKEN)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    let file = file.display().to_string();
    let server = Server::ours_with(dir, &[NETWORK, (ADMIN_TOKEN_FILE, &file)]).await?;
    let rule = ChannelRule { kinds: vec![DeliveryKind::Reminder.into()], ..ChannelRule::default() };
    let channel = NotificationChannel {
        name: "reminders".to_owned(),
        rules: vec![rule],
        settings: Some(Settings::Webhook(WebhookSettings { url, ..WebhookSettings::default() })),
        ..NotificationChannel::default()
    };
    let mut request = tonic::Request::new(CreateChannelRequest { channel: Some(channel) });
    request.metadata_mut().insert("authorization", format!("Bearer {TOKEN}").parse()?);
    let mut admin = AdminServiceClient::new(support::server::channel(&server.url));
    admin.create_channel(request).await?;
    server.kill().await
}

/// Takes webhooks; the address, and what comes.
async fn receive() -> Result<(String, UnboundedReceiver<Came>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let (sender, received) = unbounded_channel();
    let sender = Arc::new(sender);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sender = sender.clone();
            let service = service_fn(move |request| take(sender.clone(), request));
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            // Whoever has sent its message hangs up.
            tokio::spawn(async move { drop(connection.await) });
        }
    });
    Ok((url, received))
}

#[expect(clippy::disallowed_methods, reason = "reminders are due at instants of the wall clock")]
async fn take(
    came: Arc<UnboundedSender<Came>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let at = SystemTime::now();
    let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(event) = message["data"]["event"]["id"].as_str() {
        // Nobody waits for reminders any more once all have come.
        let _ = came.send((event.to_owned(), at));
    }
    Ok(Response::default())
}
