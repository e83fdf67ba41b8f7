//! Memory of the server for each waiter that is attached and idle.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::cli::{Kind, Plan};
use crate::load::Clients;
use crate::process;
use crate::report::{Row, Target, many};
use crate::requests::{self, Waiter};
use crate::server::Server;

/// Far below what a server allows, and 200 connections stay far below the limit of open files.
const STREAMS_A_CONNECTION: usize = 500;
const AT_A_TIME: usize = 256;
/// The longest there is: a heartbeat within the measurement would not be idle.
const HEARTBEAT: Duration = Duration::from_secs(300);
const SETTLE: Duration = Duration::from_secs(2);

pub(crate) async fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let ours = ours(plan).await?;
    let dir = plan.fresh_dir()?;
    let server = Server::baseline(Kind::Open, dir.path()).await?;
    let most = plan.waiters[plan.waiters.len() - 1];
    let beside = attach(plan, &server, vec![String::new(); most]).await?;
    let rows = plan.waiters.iter().zip(ours.into_iter().zip(beside));
    Ok(rows
        .map(|(&count, (ours, beside))| {
            let case = many(count, "waiter");
            let beside = ("bare stream that stays open", beside);
            Row::bytes("memory of an idle waiter", &case, ours, beside, Some(Target::AtMost(2.0)))
        })
        .collect())
}

/// Every waiter has an event of its own, which is the dearest case.
async fn ours(plan: &Plan) -> Result<Vec<f64>> {
    let dir = plan.fresh_dir()?;
    let server = plan.start(dir.path()).await?;
    let most = plan.waiters[plan.waiters.len() - 1];
    let clients = Clients::for_callers(&server, AT_A_TIME).await?;
    let ids = stream::iter(0..most)
        .map(|number| {
            let mut client = clients.of(number);
            async move { requests::create(&mut client, requests::question()).await }
        })
        .buffer_unordered(AT_A_TIME)
        .try_collect()
        .await
        .context("creating events to wait for")?;
    drop(clients);
    server.kill().await?;
    // A new process: the old one has freed memory that would hide what waiters take.
    let server = plan.start(dir.path()).await?;
    attach(plan, &server, ids).await
}

/// Attaches to all of `events`, and returns the bytes a waiter at each size of the plan.
async fn attach(plan: &Plan, server: &Server, events: Vec<String>) -> Result<Vec<f64>> {
    tokio::time::sleep(SETTLE).await;
    let before = process::rss(server.pid)?;
    let clients = Clients::connect(server, events.len().div_ceil(STREAMS_A_CONNECTION)).await?;
    let (mut events, mut waiters, mut figures) = (events.into_iter(), Vec::new(), Vec::new());
    for size in plan.waiters {
        let more = events.by_ref().take(size - waiters.len()).enumerate();
        let first = waiters.len();
        let attached: Vec<Waiter> = stream::iter(more)
            .map(|(number, id)| {
                let mut client = clients.of((first + number) / STREAMS_A_CONNECTION);
                async move {
                    let (waiter, _) = Waiter::attach(&mut client, id, Some(HEARTBEAT)).await?;
                    anyhow::Ok(waiter)
                }
            })
            .buffer_unordered(AT_A_TIME)
            .try_collect()
            .await
            .context("attaching waiters")?;
        waiters.extend(attached);
        tokio::time::sleep(SETTLE).await;
        figures.push((process::rss(server.pid)? - before) / size as f64);
    }
    let ended = waiters.iter_mut().filter_map(|waiter| waiter.next().now_or_never()).count();
    ensure!(ended == 0, "{ended} of the idle waiters have ended");
    Ok(figures)
}
