//! Servers over one bucket, on a strict object server in this process: how soon one hears of what another has ended,
//! how late the timers of a dead one fire, and what callers notice while servers die.
//!
//! The store is a few hundred microseconds away, so what is measured is our own waiting and not a cloud's.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use hitl_proto::v1;
use hitl_proto::v1::create_event_request::Expiration;
use support::object_server::{Dialect, Door, ObjectServer};
use support::proxy::Proxy;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::cli::Plan;
use crate::load::{Clients, percentile};
use crate::report::{Row, Target};
use crate::requests::{self, Client, Waiter};
use crate::server::Server;

/// Deliveries under way at a time.
const CALLERS: usize = 16;
/// Timers that the dead server has left.
const TIMERS: i64 = 200;
/// The first and the last of them is due so long after its create.
const DUE_MS: std::ops::Range<i64> = 2_000..20_000;
/// Time between two deaths of a server.
const DEATH_EVERY: Duration = Duration::from_secs(4);

/// Servers, and what they share.
struct World {
    objects: ObjectServer,
    door: Door,
    dir: TempDir,
}

impl World {
    fn new(plan: &Plan) -> Result<Self> {
        let objects = ObjectServer::start(Dialect::S3)?;
        let door = objects.door()?;
        Ok(Self { objects, door, dir: plan.fresh_dir()? })
    }

    async fn server(&self) -> Result<Server> {
        self.server_at(0).await
    }

    async fn server_at(&self, port: u16) -> Result<Server> {
        let env = self.objects.env_for(&self.door);
        Server::on(self.dir.path(), port, &self.objects.url("bench"), &env).await
    }
}

pub(crate) async fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let mut rows = deliveries(plan).await?;
    rows.extend(dead_timers(plan).await?);
    rows.extend(failover(plan).await?);
    Ok(rows)
}

async fn deliveries(plan: &Plan) -> Result<Vec<Row>> {
    let world = World::new(plan)?;
    let (one, other) = (world.server().await?, world.server().await?);
    let across = deliver(&one, &other, plan.watch / 2).await?;
    let same = deliver(&one, &one, plan.watch / 2).await?;
    let row = |percent, target| {
        let figure = format!("answer to delivery on a bucket, p{percent}");
        let beside = ("at the same server", percentile(&same, percent));
        Row::times(&figure, "two servers", percentile(&across, percent), beside, target)
    };
    Ok(vec![row(50, None), row(99, Some(Target::Within(Duration::from_secs(2))))])
}

/// Answers at `one` what is waited for at `other`, again and again, at any moment of the second.
async fn deliver(one: &Server, other: &Server, time: Duration) -> Result<Vec<Duration>> {
    let (ones, others) = (Clients::connect(one, 2).await?, Clients::connect(other, 2).await?);
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let (mut here, mut there) = (ones.of(number), others.of(number));
        callers.spawn(async move {
            let mut latencies = Vec::new();
            while begun.elapsed() < time {
                latencies.push(delivery(&mut here, &mut there).await?);
            }
            anyhow::Ok(latencies)
        });
    }
    let all: Result<Vec<Vec<_>>> = callers.join_all().await.into_iter().collect();
    Ok(all?.concat())
}

async fn delivery(here: &mut Client, there: &mut Client) -> Result<Duration> {
    let id = requests::create(here, requests::question()).await?;
    let (mut waiter, _) = Waiter::attach(there, id.clone(), None).await?;
    tokio::time::sleep(Duration::from_millis(rand::random_range(0..1_000))).await;
    let begun = Instant::now();
    let ((), ()) = tokio::try_join!(requests::answer(here, id), waiter.delivered())?;
    Ok(begun.elapsed())
}

async fn dead_timers(plan: &Plan) -> Result<Vec<Row>> {
    let dead = lateness(plan, true).await?;
    let alive = lateness(plan, false).await?;
    let row = |percent, target| {
        let figure = format!("lateness of timers on a bucket, p{percent}");
        let beside = ("of a server that lives", percentile(&alive, percent));
        Row::times(&figure, "of a dead server", percentile(&dead, percent), beside, target)
    };
    Ok(vec![row(50, None), row(100, Some(Target::Within(Duration::from_secs(7))))])
}

/// How late waiters at one server are told of timeouts that another has set, which is dead by then or not.
async fn lateness(plan: &Plan, is_dead: bool) -> Result<Vec<Duration>> {
    let world = World::new(plan)?;
    let (one, other) = (world.server().await?, world.server().await?);
    let (mut here, there) =
        (Clients::connect(&one, 1).await?.of(0), Clients::connect(&other, 1).await?.of(0));
    let mut waits = JoinSet::new();
    for _ in 0..TIMERS {
        let ttl_ms = rand::random_range(DUE_MS);
        let nanos = i32::try_from(ttl_ms % 1_000 * 1_000_000)?;
        let ttl = prost_types::Duration { seconds: ttl_ms / 1_000, nanos };
        let question = v1::CreateEventRequest {
            expiration: Some(Expiration::Ttl(ttl)),
            ..requests::question()
        };
        let created = here.create_event(question).await?.into_inner();
        let event = created.event.context("a created event")?;
        let deadline = event.deadline.context("a deadline")?;
        let mut there = there.clone();
        waits.spawn(async move {
            let (mut waiter, _) = Waiter::attach(&mut there, event.id, None).await?;
            let state = waiter.next().await?;
            ensure!(state == Some(v1::EventState::TimedOut), "expected a timeout, got {state:?}");
            late(deadline)
        });
    }
    if is_dead {
        one.kill().await?;
        return waits.join_all().await.into_iter().collect();
    }
    waits.join_all().await.into_iter().collect()
}

/// How long ago `deadline` was.
#[expect(clippy::disallowed_methods, reason = "deadlines are instants of the wall clock")]
pub(crate) fn late(deadline: prost_types::Timestamp) -> Result<Duration> {
    let deadline = SystemTime::try_from(deadline)?;
    Ok(SystemTime::now().duration_since(deadline).unwrap_or_default())
}

/// Whole lives through the SDK by a proxy before three servers, of which one dies every few seconds and comes back.
async fn failover(plan: &Plan) -> Result<Vec<Row>> {
    let world = World::new(plan)?;
    let calm = through_proxy(&world, plan.watch / 2, false).await?;
    let dying = through_proxy(&world, plan.watch, true).await?;
    let row = |percent, target| {
        let figure = format!("life through the SDK on a bucket, p{percent}");
        let beside = ("all live", percentile(&calm, percent));
        Row::times(&figure, "servers die", percentile(&dying, percent), beside, target)
    };
    Ok(vec![row(50, None), row(99, None), row(100, None)])
}

async fn through_proxy(world: &World, time: Duration, die: bool) -> Result<Vec<Duration>> {
    let mut servers = vec![world.server().await?, world.server().await?, world.server().await?];
    let ports = servers.iter().map(Server::port).collect::<Result<_>>()?;
    let proxy = Proxy::start(ports).await?;
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let config = hitl::Config::default().endpoint(proxy.endpoint());
        let client = hitl::Client::new(config)?;
        callers.spawn(async move {
            let mut latencies = Vec::new();
            while begun.elapsed() < time {
                // Any error that the SDK does not get over by itself ends the run.
                latencies.push(life(&client).await?);
            }
            anyhow::Ok(latencies)
        });
    }
    let deaths = async {
        let mut turn = 0;
        while die && begun.elapsed() + DEATH_EVERY < time {
            tokio::time::sleep(DEATH_EVERY / 2).await;
            let at = turn % servers.len();
            let (port, dead) = (servers[at].port()?, servers.remove(at));
            dead.kill().await?;
            tokio::time::sleep(DEATH_EVERY / 2).await;
            servers.insert(at, world.server_at(port).await?);
            turn += 1;
        }
        anyhow::Ok(())
    };
    let (all, died) = tokio::join!(callers.join_all(), deaths);
    died?;
    let all: Result<Vec<Vec<_>>> = all.into_iter().collect();
    Ok(all?.concat())
}

async fn life(client: &hitl::Client) -> Result<Duration> {
    let begun = Instant::now();
    let event = client.event::<i64>("failover", "How many?").create().await?;
    let answer = async {
        let value = v1::Value { kind: Some(v1::value::Kind::Int(7)) };
        let answer = v1::answer_event_request::Answer::Value(value);
        client.answer(event.id(), answer, "ann").await
    };
    let (told, answered) = tokio::join!(event.wait(), answer);
    answered?;
    ensure!(told? == 7, "another answer than was given");
    Ok(begun.elapsed())
}
