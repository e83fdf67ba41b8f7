//! Measures the embedded store against the engine it stands on.
//!
//! `cargo run --release -p hitl-embedded --example throughput -- [DIR] [pending]`
//!
//! DIR should be on the disk that is to be judged (default: the current directory); `pending` is
//! how many events wait while opening is timed (default 1,000,000). Each figure comes from a fresh
//! store below DIR, removed at the end.

#[path = "throughput/keys.rs"]
mod keys;
#[path = "throughput/pending.rs"]
mod pending;

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hitl_embedded::{EmbeddedStore, Options};
use keys::Keys;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const RUN: Duration = Duration::from_secs(4);
const CALLERS: [usize; 3] = [1, 64, 512];
const BODY: [u8; 512] = [b'x'; 512];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let fill = arguments.next_if(|first| first == pending::FILL).is_some();
    let parent = PathBuf::from(arguments.next().unwrap_or_else(|| ".".to_owned()));
    let pending = arguments.next().map_or(Ok(1_000_000), |n| n.parse())?;
    let runtime = Runtime::new()?;
    if fill {
        return runtime.block_on(pending::fill_and_wait(&parent, pending));
    }
    println!("durable creates of 512 bytes, a second (p50, p99 in microseconds)");
    for callers in CALLERS {
        let raw = in_fresh_dir(&parent, |dir| raw_groups(dir, callers))?;
        println!("  engine alone, {callers:>3} in a group    {raw:>8.0}");
        for random in [true, false] {
            let run = in_fresh_dir(&parent, |dir| runtime.block_on(creates(dir, callers, random)))?;
            let order = if random { "random" } else { "ordered" };
            println!("  store, {callers:>3} callers, {order:<8}    {run}");
        }
    }
    println!("whole lives, five writes each, lives a second");
    for callers in CALLERS {
        let run = in_fresh_dir(&parent, |dir| runtime.block_on(lives(dir, callers)))?;
        println!("  store, {callers:>3} callers              {run}");
    }
    in_fresh_dir(&parent, |dir| runtime.block_on(pending::measure(dir, pending)))
}

fn in_fresh_dir<T>(parent: &FilePath, work: impl FnOnce(&FilePath) -> Result<T>) -> Result<T> {
    let dir = tempfile::tempdir_in(parent)?;
    work(dir.path())
}

/// The engine with one sync for `group` creates and nothing else: no threads, no queue.
fn raw_groups(dir: &FilePath, group: usize) -> Result<f64> {
    let db = fjall::Database::builder(dir).open()?;
    let objects = db.keyspace("objects", fjall::KeyspaceCreateOptions::default)?;
    let mut keys = Keys::new(true);
    let (mut done, start) = (0u32, Instant::now());
    while start.elapsed() < RUN {
        let mut batch = db.batch().durability(Some(fjall::PersistMode::SyncData));
        for _ in 0..group {
            let key = keys.event();
            if !objects.contains_key(&key)? {
                batch.insert(&objects, key, BODY);
            }
            done += 1;
        }
        batch.commit()?;
    }
    Ok(f64::from(done) / start.elapsed().as_secs_f64())
}

async fn creates(dir: &FilePath, callers: usize, random: bool) -> Result<Run> {
    let store = Arc::new(EmbeddedStore::open(dir, Options::default())?);
    measure(callers, move |caller| {
        let (store, mut keys) = (Arc::clone(&store), Keys::for_caller(caller, random));
        move || {
            let path = format!("events/default/{}/request.json", keys.event());
            let store = Arc::clone(&store);
            async move { create(&store, path, &BODY).await }
        }
    })
    .await
}

/// Request and timer, announcement, response, timer gone.
async fn lives(dir: &FilePath, callers: usize) -> Result<Run> {
    let store = Arc::new(EmbeddedStore::open(dir, Options::default())?);
    measure(callers, move |caller| {
        let (store, mut keys) = (Arc::clone(&store), Keys::for_caller(caller, true));
        move || {
            let (store, id, millis) = (Arc::clone(&store), keys.event(), keys.millis());
            async move { life(&store, &id, millis).await }
        }
    })
    .await
}

async fn life(store: &EmbeddedStore, id: &str, millis: u64) -> object_store::Result<()> {
    let event = format!("events/default/{id}");
    let timer = format!("timers/2026-11-22T10/05/{millis}-expire-default-{id}");
    let resolved = format!("resolved/2026-11-22T10/05/{millis}-default-{id}");
    let request = create(store, format!("{event}/request.json"), &BODY[..450]);
    tokio::try_join!(request, create(store, timer.clone(), b"{}"))?;
    create(store, resolved, b"{}").await?;
    create(store, format!("{event}/response.json"), &BODY[..300]).await?;
    store.delete(&timer.into()).await
}

async fn create(
    store: &EmbeddedStore,
    path: String,
    body: &'static [u8],
) -> object_store::Result<()> {
    let mode = PutMode::Create.into();
    store.put_opts(&path.into(), body.into(), mode).await.map(drop)
}

struct Run {
    per_second: f64,
    p50: u128,
    p99: u128,
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>8.0}   ({}, {})", self.per_second, self.p50, self.p99)
    }
}

async fn measure<C, F>(callers: usize, caller: impl Fn(usize) -> C) -> Result<Run>
where
    C: FnMut() -> F + Send + 'static,
    F: Future<Output = object_store::Result<()>> + Send,
{
    let mut tasks: JoinSet<object_store::Result<Vec<u128>>> = JoinSet::new();
    let start = Instant::now();
    for number in 0..callers {
        let mut once = caller(number);
        tasks.spawn(async move {
            let mut took = Vec::new();
            while start.elapsed() < RUN {
                let before = Instant::now();
                once().await?;
                took.push(before.elapsed().as_micros());
            }
            Ok(took)
        });
    }
    let mut took = Vec::new();
    while let Some(caller) = tasks.join_next().await {
        took.extend(caller??);
    }
    let seconds = start.elapsed().as_secs_f64();
    took.sort_unstable();
    let quantile = |percent: usize| took[took.len() * percent / 100];
    Ok(Run { per_second: took.len() as f64 / seconds, p50: quantile(50), p99: quantile(99) })
}
