//! The removal of a long history: whether it slows down whoever works meanwhile, and whether the space comes back.
//!
//! What says that an event was removed stays for a day. So a service of this program, whose clock is ahead, opens the
//! store once more at the end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result};
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};
use hitl_core::Timestamp;
use hitl_service::{Background, Service};
use hitl_store::clock::{Clock, Monotonic, SystemClock};
use hitl_store::random::Random;
use hitl_store::{Disk, Options, Retention, RetentionRule, StoreUrl};
use tokio_util::sync::CancellationToken;

use crate::cli::Plan;
use crate::load::{Clients, percentile};
use crate::report::{Row, Target, many};
use crate::server::Server;
use crate::shared::{self, CONNECTIONS, KEYS_MAX};
use crate::steady;

/// How long whoever works is looked at while nothing is removed.
const CALM: Duration = Duration::from_secs(15);
/// The rest of an event goes two minutes after its request, and that takes a moment.
const CLEAR: Duration = Duration::from_secs(140);
/// Whoever waits hears of an end, and of a timeout, within this time.
const BOUND: Duration = Duration::from_secs(2);
/// The shortest time of retention there is.
const RETAIN: (&str, &str) = ("HITL_RETAIN", "1m");
const LOOK: Duration = Duration::from_secs(1);
/// Longer than what removes announcements pauses for, see [`Ahead`].
const STEADY: Duration = Duration::from_secs(100);
/// A day, and what clocks may differ by.
const DAY_MS: i64 = 25 * 3_600_000;
const MIB: u64 = 1 << 20;

pub(crate) async fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let dir = plan.fresh_dir()?;
    let server = plan.start(dir.path()).await?;
    let begun = Instant::now();
    history(&server, plan.ended).await?;
    let made = begun.elapsed();
    let calm = steady::lives(&server, tokio::time::sleep(CALM)).await?;
    shared::settled(server.pid).await?;
    let before = server.metric("hitl_store_bytes").await?;
    server.kill().await?;

    let server = Server::ours_with(dir.path(), &[RETAIN]).await?;
    let mut removed = Ok(Duration::ZERO);
    let removal = async {
        removed = until_removed(&server, plan.ended).await;
        tokio::time::sleep(CLEAR).await;
    };
    let busy = steady::lives(&server, removal).await?;
    let removed = removed?;
    shared::settled(server.pid).await?;
    let after = server.metric("hitl_store_bytes").await?;
    server.kill().await?;
    let day_after = a_day_later(&dir.path().join("store")).await?;

    let case = many(plan.ended, "ended event");
    let mut rows = vec![
        Row::times("removal", &case, removed, ("asked and answered in batches", made), None),
        Row::bytes("size of the store after it", &case, after, ("before", before), None),
        Row::bytes("size of the store a day later", &case, day_after, ("before", before), None),
    ];
    let within = Some(Target::Within(BOUND));
    for (percent, target) in [(50, None), (99, None), (100, within)] {
        let beside = ("nothing to remove", percentile(&calm.answers, percent));
        let figure = format!("answer to delivery beside it, p{percent}");
        let ours = percentile(&busy.answers, percent);
        rows.push(Row::times(&figure, "200 lives a second", ours, beside, target));
    }
    let beside = ("nothing to remove", percentile(&calm.timeouts, 100));
    let ours = percentile(&busy.timeouts, 100);
    rows.push(Row::times("timeouts beside it, p100", "50 a second", ours, beside, within));
    Ok(rows)
}

/// Has so many events asked and answered.
async fn history(server: &Server, events: usize) -> Result<()> {
    let clients = Clients::connect(server, CONNECTIONS).await?;
    stream::iter(0..events / KEYS_MAX)
        .map(|number| {
            let mut client = clients.of(number);
            async move {
                let ids = shared::create(&mut client, KEYS_MAX).await?;
                shared::answer(&mut client, ids).await
            }
        })
        .buffer_unordered(CONNECTIONS)
        .try_collect()
        .await
}

/// Returns how long it took until the server had removed so many events.
async fn until_removed(server: &Server, events: usize) -> Result<Duration> {
    let begun = Instant::now();
    while server.metric("hitl_events_removed_total").await? < events as f64 {
        tokio::time::sleep(LOOK).await;
    }
    Ok(begun.elapsed())
}

/// The size of the store in `dir` once all that is left of what was removed is gone, and the size stays as it is.
async fn a_day_later(dir: &Path) -> Result<f64> {
    let clock = Ahead(Arc::default());
    let minute = RetentionRule { namespace: None, kept_ms: Some(60_000) };
    let options = Options {
        clock: Arc::new(clock.clone()),
        retention: Retention::of(&[minute]).map_err(Error::msg)?,
        ..Options::default()
    };
    let store = hitl_store::open(&StoreUrl::Embedded(dir.to_owned()), options).await?;
    let disk = store.disk().cloned().context("it is on this machine")?;
    let shutdown = CancellationToken::new();
    let background = Background::new(None);
    let service = Service::new(
        store,
        Arc::new(clock.clone()),
        Arc::new(Zeros),
        1,
        shutdown.clone(),
        background,
    );
    let run = tokio::spawn({
        let service = service.clone();
        async move { service.run().await }
    });
    // The lives beside the removal were not all removed before, so that takes a second day.
    for day in 1..=2 {
        clock.0.store(day * DAY_MS, Ordering::Relaxed);
        steady(&disk).await?;
    }
    shutdown.cancel();
    run.await?;
    service.finish().await;
    Ok(size(&disk)? as f64)
}

/// Waits until the size of the store has not changed for a while.
async fn steady(disk: &Disk) -> Result<()> {
    let (mut last, mut since) = (size(disk)?, Instant::now());
    while since.elapsed() < STEADY {
        tokio::time::sleep(LOOK).await;
        let now = size(disk)?;
        if now.abs_diff(last) > MIB {
            (last, since) = (now, Instant::now());
        }
    }
    Ok(())
}

fn size(disk: &Disk) -> Result<u64> {
    disk.store_bytes().context("the embedded store knows its size")
}

/// The machine's clock, so many milliseconds ahead. A pause is as long as it is.
#[derive(Clone, Debug)]
struct Ahead(Arc<AtomicI64>);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_ms(self.0.load(Ordering::Relaxed))
    }

    fn sleep_until(&self, instant: Timestamp) -> BoxFuture<'static, ()> {
        SystemClock.sleep_until(instant.plus_ms(-self.0.load(Ordering::Relaxed)))
    }

    fn monotonic(&self) -> Monotonic {
        SystemClock.monotonic()
    }

    fn pause_until(&self, moment: Monotonic) -> BoxFuture<'static, ()> {
        // What is done once an hour is done once a minute here.
        let longest = self.monotonic().plus_ms(60_000);
        SystemClock.pause_until(moment.min(longest))
    }
}

/// Makes everything begin at once that begins at a time of its own.
#[derive(Debug)]
struct Zeros;

impl Random for Zeros {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}
