//! A server of an older version and this one over one store: beside each other, in turn, and one after the other.
//!
//! `HITL_TEST_BEFORE_BIN` names the older one. Clients make no call that it does not know; but waits of many events on
//! one stream, which it refuses, find a server that knows them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use hitl_proto::v1::create_event_request::Expiration;
use hitl_proto::v1::event_service_client::EventServiceClient;
use hitl_proto::v1::wait_event_response::Update;
use hitl_proto::v1::{self, EventState};
use support::checker::Bounds;
use support::findings::{say, seed};
use support::history::Recorder;
use support::object_server::Dialect;
use support::server::{Config, Server};
use support::stores::Kind as Store;
use support::tools;
use support::view::millis;
use tokio::time::timeout;
use tonic::transport::Channel;

use crate::autopsy::Kind;
use crate::replicas::{self, Trouble};
use crate::run::Plan;
use crate::{alone, go_replicas, judge, must_hold};

type Client = EventServiceClient<Channel>;

/// Events of each sort that the older version leaves.
const EVENTS: usize = 100;
/// The first of those that are to expire is due after so long, and each other one a moment later.
const DUE_FROM_MS: i64 = 4_000;
const DUE_STEP_MS: i64 = 20;
const LONG_MS: i64 = 3_600_000;
const PATIENCE: Duration = Duration::from_secs(60);

fn versions() -> Vec<PathBuf> {
    vec![tools::hitl_before(), tools::hitl()]
}

#[test]
fn replicas_of_two_versions_keep_every_promise_while_everything_fails() {
    let _alone = alone();
    let plan = replicas::Plan {
        binaries: versions(),
        dialect: Dialect::S3,
        seed: seed(),
        storm: Duration::from_secs(120),
        trouble: Trouble::All,
    };
    let outcome = go_replicas(&plan);
    let report = replicas::Report::of(&outcome);
    say(&format!("replicas of two versions, seed {}\n{report}", plan.seed));
    judge(&outcome.verdict, &outcome.history, outcome.broken.as_deref(), plan.seed);
    let short = report.shortcomings();
    assert!(short.is_empty(), "the run proves too little: {short:?}");
}

#[test]
fn versions_that_take_turns_lose_nothing() {
    for store in [Kind::Embedded, Kind::Files] {
        let _alone = alone();
        must_hold(&Plan {
            binaries: versions(),
            store,
            fault: None,
            sought: &[],
            seed: seed(),
            segments: 1,
            kills_per_segment: 41,
        });
    }
}

#[tokio::test]
async fn what_the_older_version_wrote_is_served_and_expires() -> Result<()> {
    for kind in [Store::Embedded, Store::Files, Store::StrictS3] {
        let told = hand_over(kind).await.with_context(|| format!("{kind:?}"))?;
        say(&format!("{kind:?}: of {} events all are as they were, {told}", 3 * EVENTS));
    }
    Ok(())
}

/// Has the older version write, kills it, and has the newer one go on.
async fn hand_over(kind: Store) -> Result<String> {
    let config = Config::new(tools::hitl()).in_turn(versions()).kind(kind);
    let mut server = Server::start(config).await?;
    let client = server.client();
    let ended = create_all(&client, |_| LONG_MS).await?;
    let open = create_all(&client, |_| LONG_MS).await?;
    let due = create_all(&client, |number| DUE_FROM_MS + number * DUE_STEP_MS).await?;
    answer_all(&client, &ended).await?;
    let kept = [ended, open.clone()].concat();
    let before = read_all(&client, &kept).await?;
    server.kill().await?;

    server.restart().await?;
    let client = server.client();
    let after = read_all(&client, &kept).await?;
    for (before, after) in before.into_iter().map(of_both).zip(after.into_iter().map(of_both)) {
        ensure!(before == after, "this reads otherwise now: {before:#?}, {after:#?}");
    }
    let late = wait_all(&client, &due, EventState::TimedOut).await?;
    let bounds = if kind == Store::Embedded { Bounds::ALONE } else { Bounds::SHARED };
    let is_in_time = late.as_millis() <= u128::try_from(bounds.late_ms)?;
    ensure!(is_in_time, "an event expired {late:?} after it was due");
    let told = wait_all(&client, &open, EventState::Answered);
    tokio::try_join!(told, answer_all(&client, &open))?;
    let page = v1::ListEventsRequest { page_size: 500, ..Default::default() };
    let listed = client.clone().list_events(page).await?.into_inner().events;
    let is_over = |event: &v1::Event| event.state() != EventState::Pending;
    ensure!(listed.len() == 3 * EVENTS && listed.iter().all(is_over), "{} listed", listed.len());
    Ok(format!("{EVENTS} expired up to {late:?} after they were due, and {EVENTS} were answered"))
}

async fn create_all(client: &Client, ttl_ms: impl Fn(i64) -> i64) -> Result<Vec<v1::Event>> {
    let create = |number| {
        let (mut client, ttl_ms) = (client.clone(), ttl_ms(number));
        async move {
            let nanos = i32::try_from(ttl_ms % 1_000 * 1_000_000)?;
            let ttl = prost_types::Duration { seconds: ttl_ms / 1_000, nanos };
            let request = v1::CreateEventRequest {
                name: format!("event-{number}"),
                prompt: "How many?".to_owned(),
                input: Some(v1::Input {
                    kind: Some(v1::input::Kind::Int(v1::IntInput::default())),
                }),
                expiration: Some(Expiration::Ttl(ttl)),
                ..Default::default()
            };
            let created = client.create_event(request).await?.into_inner();
            created.event.context("a created event")
        }
    };
    try_join_all((0..i64::try_from(EVENTS)?).map(create)).await
}

async fn answer_all(client: &Client, events: &[v1::Event]) -> Result<()> {
    let answer = |event: &v1::Event| {
        let mut client = client.clone();
        let value = v1::Value { kind: Some(v1::value::Kind::Int(7)) };
        let request = v1::AnswerEventRequest {
            event_id: event.id.clone(),
            answer: Some(v1::answer_event_request::Answer::Value(value)),
            ..Default::default()
        };
        async move { client.answer_event(request).await }
    };
    try_join_all(events.iter().map(answer)).await?;
    Ok(())
}

async fn read_all(client: &Client, events: &[v1::Event]) -> Result<Vec<v1::Event>> {
    let read = |event: &v1::Event| {
        let mut client = client.clone();
        let request = v1::GetEventRequest { event_id: event.id.clone(), ..Default::default() };
        async move { client.get_event(request).await?.into_inner().event.context("an event") }
    };
    try_join_all(events.iter().map(read)).await
}

/// What both versions tell of `event`: the newer makes links of another form, by which it serves the older ones too,
/// and says of each event what is at stake.
fn of_both(event: v1::Event) -> v1::Event {
    v1::Event { form_url: String::new(), api_url: String::new(), risk: 0, ..event }
}

/// Waits until each of `events` has ended in `state`, and returns how long after its deadline the last was told.
async fn wait_all(client: &Client, events: &[v1::Event], state: EventState) -> Result<Duration> {
    let wait = |event: &v1::Event| {
        let (mut client, deadline) = (client.clone(), event.deadline);
        let request = v1::WaitEventRequest { event_id: event.id.clone(), ..Default::default() };
        async move {
            let mut updates = client.wait_event(request).await?.into_inner();
            let mut told = EventState::Pending;
            while let Some(message) = updates.message().await? {
                if let Some(Update::Event(event)) = message.update {
                    told = event.state();
                }
            }
            ensure!(told == state, "expected {state:?}, got {told:?}");
            let late_ms = Recorder::new().stamp().wall_ms - millis(&deadline.unwrap_or_default());
            Ok(Duration::from_millis(u64::try_from(late_ms).unwrap_or_default()))
        }
    };
    let late = timeout(PATIENCE, try_join_all(events.iter().map(wait))).await;
    Ok(late.context("not all are told")??.into_iter().max().unwrap_or_default())
}
