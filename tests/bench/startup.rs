//! From the start of the process to ready after kill -9, and the memory of events that nobody
//! waits for.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hitl_proto::v1::create_event_request::Expiration;
use hitl_proto::v1::{self, CreateEventRequest};
use tokio::task::JoinSet;

use crate::cli::Plan;
use crate::load::Clients;
use crate::process;
use crate::report::{Row, Target, grouped};
use crate::requests;
use crate::server::Server;

const CALLERS: usize = 512;
const STARTS: usize = 3;
const MORE_BETWEEN_STARTS: usize = 2_000;
const SPREAD: Duration = Duration::from_secs(30 * 24 * 3_600);
/// After a start there is work once (what came due meanwhile) and every 5 s (what is due soon).
const SETTLE: Duration = Duration::from_secs(8);
const LONGEST_START: Duration = Duration::from_secs(60);
/// As text an id takes 32 bytes: a server that took no more holds nothing for each event.
const NOTHING_FOR_EACH: f64 = 32.0;

struct Started {
    /// The slowest of several starts.
    ready: Duration,
    /// The memory at ready, the most of several starts, in bytes.
    rss: f64,
    /// The same, settled.
    settled: f64,
}

pub(crate) async fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let none = after_kill(plan, 0).await?;
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for pending in plan.pending {
        let some = after_kill(plan, pending).await?;
        let (case, beside) = (format!("{} pending", grouped(pending)), "nothing pending");
        let limit = Some(Target::Within(Duration::from_secs(1)));
        let figure = "start to ready after kill -9";
        times.push(Row::times(figure, &case, some.ready, (beside, none.ready), limit));
        let figure = "memory at ready";
        memory.push(Row::bytes(figure, &case, some.rss, (beside, none.rss), None));
        let figure = "memory once settled";
        let (count, bytes) = (pending, NOTHING_FOR_EACH);
        // With few events the engine's own buffers, which are bounded, outweigh them.
        let each = (pending >= 1_000_000).then_some(Target::EachBelow { count, bytes });
        memory.push(Row::bytes(figure, &case, some.settled, (beside, none.settled), each));
    }
    times.extend(memory);
    Ok(times)
}

async fn after_kill(plan: &Plan, pending: usize) -> Result<Started> {
    let dir = plan.fresh_dir()?;
    let server = plan.start(dir.path()).await?;
    let mut acknowledged = fill(&server, pending).await?;
    server.kill().await?;
    let mut worst = Started { ready: Duration::ZERO, rss: 0.0, settled: 0.0 };
    for _ in 0..STARTS {
        let (server, ready) = start_until_ready(plan, dir.path()).await?;
        worst.ready = worst.ready.max(ready);
        worst.rss = worst.rss.max(process::rss(server.pid)?);
        tokio::time::sleep(SETTLE).await;
        worst.settled = worst.settled.max(process::rss(server.pid)?);
        if pending > 0 {
            still_pending(&server, acknowledged).await?;
            acknowledged = fill(&server, MORE_BETWEEN_STARTS).await?;
        }
        server.kill().await?;
    }
    Ok(worst)
}

async fn start_until_ready(plan: &Plan, dir: &Path) -> Result<(Server, Duration)> {
    let start = Instant::now();
    let server = plan.start(dir).await?;
    let readyz = format!("{}/readyz", server.url);
    let http = support::http::client().build()?;
    while start.elapsed() < LONGEST_START {
        let reply = http.get(&readyz).send().await;
        if reply.is_ok_and(|reply| reply.status().is_success()) {
            return Ok((server, start.elapsed()));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    bail!("not ready after {LONGEST_START:?}")
}

/// A figure about a server that has lost events would be worth nothing.
async fn still_pending(server: &Server, event_id: String) -> Result<()> {
    let mut client = Clients::connect(server, 1).await?.of(0);
    let request = v1::GetEventRequest { event_id, ..v1::GetEventRequest::default() };
    client.get_event(request).await.context("an acknowledged event after kill -9")?;
    Ok(())
}

/// Creates `count` events that stay pending, and returns the id of one of the last.
async fn fill(server: &Server, count: usize) -> Result<String> {
    let clients = Clients::for_callers(server, CALLERS).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for caller in 0..CALLERS.min(count) {
        let (mut client, next) = (clients.of(caller), Arc::clone(&next));
        tasks.spawn(async move {
            let mut last = String::new();
            while next.fetch_add(1, Ordering::Relaxed) < count {
                last = requests::create(&mut client, long_pending()).await?;
            }
            anyhow::Ok(last)
        });
    }
    let mut last = String::new();
    while let Some(done) = tasks.join_next().await {
        last = done??;
    }
    Ok(last)
}

/// Due at any time within the next month but not soon; one in four is safe to repeat.
fn long_pending() -> CreateEventRequest {
    let seconds = rand::random_range(3_600..SPREAD.as_secs() as i64);
    let keyed = rand::random_ratio(1, 4);
    CreateEventRequest {
        expiration: Some(Expiration::Ttl(prost_types::Duration { seconds, nanos: 0 })),
        idempotency_key: if keyed {
            format!("{:032x}", rand::random::<u128>())
        } else {
            String::new()
        },
        ..requests::question()
    }
}
