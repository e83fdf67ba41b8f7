//! What the length of the history adds to a page of what has ended.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{self, StreamExt, TryStreamExt};
use hitl_embedded::{EmbeddedStore, Options};
use hitl_proto::v1::{EventState, ListEventsRequest};
use object_store::{ObjectStore, PutOptions};

use crate::cli::Plan;
use crate::load::{Clients, percentile};
use crate::report::{Row, Target};
use crate::requests::Client;
use crate::shared;

const HOURS: i64 = 365 * 24;
const PAGE: i32 = 50;
/// Two pages of events, so that the first ends before the history does.
const EVENTS: usize = 100;
const PAGES: usize = 300;
const AT_A_TIME: usize = 64;
const LISTINGS: &str = "hitl_store_operation_duration_seconds_count{operation=\"list\"";

pub(crate) async fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let dirs = [plan.fresh_dir()?, plan.fresh_dir()?];
    begin(plan, dirs[0].path(), HOURS).await?;
    begin(plan, dirs[1].path(), 0).await?;
    let servers = [plan.start(dirs[0].path()).await?, plan.start(dirs[1].path()).await?];
    let (mut firsts, mut pages, mut listings) = ([Duration::ZERO; 2], [vec![], vec![]], [0.0; 2]);
    let mut clients = Vec::new();
    for (which, server) in servers.iter().enumerate() {
        clients.push(Clients::connect(server, 1).await?.of(0));
        firsts[which] = page(&mut clients[which]).await?;
        listings[which] = -server.metric(LISTINGS).await?;
    }
    for _ in 0..PAGES {
        for (client, pages) in clients.iter_mut().zip(&mut pages) {
            pages.push(page(client).await?);
        }
    }
    for (server, listings) in servers.iter().zip(&mut listings) {
        *listings = (*listings + server.metric(LISTINGS).await?) / PAGES as f64;
    }
    let case = format!("{:.0} listings each", listings[0]);
    let beside = format!("no history, {:.0} listings", listings[1]);
    let beside = (beside.as_str(), percentile(&pages[1], 50));
    let (figure, twice) = ("a page with a year of history behind it", Some(Target::AtMost(2.0)));
    let first = "the first such page of a server";
    Ok(vec![
        Row::times(figure, &case, percentile(&pages[0], 50), beside, twice),
        Row::times(first, "", firsts[0], ("no history", firsts[1]), None),
    ])
}

/// Makes a store in which so many hours have ended events, besides those of the present one.
async fn begin(plan: &Plan, dir: &Path, hours: i64) -> Result<()> {
    let server = plan.start(dir).await?;
    let mut client = Clients::connect(&server, 1).await?.of(0);
    let ids = shared::create(&mut client, EVENTS).await?;
    shared::answer(&mut client, ids).await?;
    server.kill().await?;
    // What is there of the events themselves makes no difference to a page that does not reach so far.
    let store = EmbeddedStore::open(dir.join("store"), Options::default())?;
    let now = now();
    stream::iter(1..=hours)
        .map(|hours| {
            let (store, at) = (&store, now - TimeDelta::hours(hours));
            let (minute, ms) = (at.format("%Y-%m-%dT%H/%M"), at.timestamp_millis());
            let path = format!("resolved/{minute}/{ms:013}-default-{hours:032x}").into();
            async move { store.put_opts(&path, Vec::new().into(), PutOptions::default()).await }
        })
        .buffer_unordered(AT_A_TIME)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the history of a store lies before the present")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

async fn page(client: &mut Client) -> Result<Duration> {
    let request = ListEventsRequest {
        page_size: PAGE,
        state: EventState::Answered.into(),
        ..ListEventsRequest::default()
    };
    let begun = Instant::now();
    let page = client.list_events(request).await?.into_inner();
    let took = begun.elapsed();
    ensure!(page.events.len() == usize::try_from(PAGE)?, "{} events", page.events.len());
    Ok(took)
}
