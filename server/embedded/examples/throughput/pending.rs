//! Opening with many events pending, listing their timers, and the space that comes back when
//! they end.

use std::io::Read;
use std::path::Path as FilePath;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt, TryStreamExt};
use hitl_embedded::{EmbeddedStore, Options};
use object_store::path::Path;
use object_store::{ObjectStore, PutMode};

use crate::Result;
use crate::keys::Keys;

/// The first argument of the process that is to be killed.
pub(crate) const FILL: &str = "fill";
/// What the engine gets to compact after the deletes.
const SETTLE: Duration = Duration::from_secs(10);
const IN_FLIGHT: usize = 1024;

pub(crate) async fn measure(dir: &FilePath, pending: usize) -> Result<()> {
    let start = Instant::now();
    fill_and_kill(dir, pending)?;
    println!("{pending} events pending, written in {:.1?}", start.elapsed());
    println!("  on disk                       {:>6} MB", megabytes(dir)?);
    drop(time_open("opening after kill -9", dir)?);
    let store = time_open("opening after a close", dir)?;
    time_listings(&store).await?;
    time_reads(&store).await?;
    delete_all(&store).await?;
    tokio::time::sleep(SETTLE).await;
    println!("  on disk after deleting all    {:>6} MB", megabytes(dir)?);
    time_listings(&store).await
}

/// Lets another process write the events and kills it.
fn fill_and_kill(dir: &FilePath, pending: usize) -> Result<()> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(FILL)
        .arg(dir)
        .arg(pending.to_string())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut output = child.stdout.take().ok_or("the child has no output")?;
    output.read_exact(&mut [0])?;
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// The other process: writes the events, says so, and waits to be killed.
pub(crate) async fn fill_and_wait(dir: &FilePath, pending: usize) -> Result<()> {
    let store = EmbeddedStore::open(dir, Options::default())?;
    fill(&store, pending).await?;
    println!("filled");
    std::future::pending().await
}

async fn fill(store: &EmbeddedStore, pending: usize) -> Result<()> {
    let (mut random, mut ordered) = (Keys::for_caller(1, true), Keys::for_caller(2, false));
    let events = (0..pending).map(|number| {
        let keys = if number % 2 == 0 { &mut random } else { &mut ordered };
        (keys.event(), 1_795_341_900_000 + number % 60_000, number % 60)
    });
    let request: &'static [u8] = &[b'j'; 450];
    stream::iter(events.collect::<Vec<_>>())
        .map(async |(id, millis, minute)| {
            let event = format!("events/default/{id}/request.json");
            let timer = format!("timers/2026-11-22T10/{minute:02}/{millis}-expire-default-{id}");
            let create = |path: String, body: &'static [u8]| async move {
                let mode = PutMode::Create.into();
                store.put_opts(&path.into(), body.into(), mode).await
            };
            tokio::try_join!(create(event, request), create(timer, b"{}")).map(drop)
        })
        .buffer_unordered(IN_FLIGHT)
        .try_collect::<()>()
        .await?;
    Ok(())
}

fn time_open(what: &str, dir: &FilePath) -> Result<EmbeddedStore> {
    let start = Instant::now();
    let store = EmbeddedStore::open(dir, Options::default())?;
    println!("  {what:<29} {:>6.0?}", start.elapsed());
    Ok(store)
}

async fn time_listings(store: &EmbeddedStore) -> Result<()> {
    for prefix in ["timers", "timers/2026-11-22T10"] {
        let start = Instant::now();
        let found = store.list_with_delimiter(Some(&Path::from(prefix))).await?;
        let count = found.common_prefixes.len();
        println!("  {count:>2} directories in {prefix:<20} {:>6.0?}", start.elapsed());
    }
    let minute = Path::from("timers/2026-11-22T10/05");
    let start = Instant::now();
    let found = store.list(Some(&minute)).try_collect::<Vec<_>>().await?;
    println!("  {:>6} timers of one minute     {:>6.0?}", found.len(), start.elapsed());
    Ok(())
}

async fn time_reads(store: &EmbeddedStore) -> Result<()> {
    const READS: u32 = 20_000;
    let mut keys = Keys::for_caller(1, true);
    let start = Instant::now();
    for _ in 0..READS {
        let path = Path::from(format!("events/default/{}/request.json", keys.event()));
        // With fewer pending than reads some are missing, which costs about the same.
        let _ = store.get_opts(&path, Default::default()).await;
    }
    println!("  one get                       {:>6.1?}", start.elapsed() / READS);
    Ok(())
}

async fn delete_all(store: &EmbeddedStore) -> Result<()> {
    let start = Instant::now();
    let all = store.list(None).map_ok(|meta| meta.location).boxed();
    let deleted = store.delete_stream(all).try_fold(0u32, async |n, _| Ok(n + 1));
    println!("  {} deleted in {:.1?}", deleted.await?, start.elapsed());
    Ok(())
}

fn megabytes(dir: &FilePath) -> Result<u64> {
    // Blocks, not lengths: the engine's journals are made longer than what is in them.
    let output = Command::new("du").args(["-s", "-m"]).arg(dir).output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split_whitespace().next().unwrap_or("0").parse()?)
}
