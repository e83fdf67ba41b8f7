//! Whole lives: create, wait until attached, answer, delivered to the waiter. And how long the
//! last step takes, from calling answer until the waiter's client has the ended event.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hitl_proto::v1::EventState;

use crate::cli::{Kind, Plan};
use crate::load::{Clients, Runs};
use crate::report::{Row, Target, many};
use crate::requests::{self, Client, Waiter};
use crate::server::Server;

const BESIDE: &str = "service on a synced log";

pub(crate) async fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let dirs = [plan.fresh_dir()?, plan.fresh_dir()?];
    let servers =
        [plan.start(dirs[0].path()).await?, Server::baseline(Kind::Log, dirs[1].path()).await?];
    let (mut lives, mut deliveries) = (Vec::new(), Vec::new());
    for &callers in &plan.callers {
        let mut runs = servers.each_ref().map(Runs::on);
        let clients = [
            Clients::for_callers(&servers[0], callers).await?,
            Clients::for_callers(&servers[1], callers).await?,
        ];
        for _ in 0..plan.rounds {
            for (runs, clients) in runs.iter_mut().zip(&clients) {
                round(runs, plan, callers, clients).await?;
            }
        }
        let [ours, log] = &runs;
        let target = (callers == 512).then_some(Target::AtLeast(0.8));
        let beside = (BESIDE, log.rate());
        lives.push(Row::rates("whole lives a second", callers, ours.rate(), beside, target));
        let target = (callers == 512).then_some(Target::AtMost(1.35));
        lives.push(Row::cpu("a whole life", callers, ours.cpu(), (BESIDE, log.cpu()), target));
        let case = many(callers, "caller");
        for percent in [50, 99] {
            let target = (percent == 50 && callers == 64).then_some(Target::AtMost(1.3));
            let figure = format!("answer to delivery, p{percent}");
            let beside = (BESIDE, log.latency(percent));
            deliveries.push(Row::times(&figure, &case, ours.latency(percent), beside, target));
        }
    }
    lives.extend(deliveries);
    Ok(lives)
}

pub(crate) async fn round(
    runs: &mut Runs,
    plan: &Plan,
    callers: usize,
    clients: &Clients,
) -> Result<()> {
    let caller = |number| {
        let client = clients.of(number);
        move || life(client.clone())
    };
    runs.round(plan, callers, caller).await
}

/// One life; returns the latency of its delivery.
pub(crate) async fn life(mut client: Client) -> Result<Duration> {
    let id = requests::create(&mut client, requests::question()).await?;
    let (mut waiter, state) = Waiter::attach(&mut client, id.clone(), None).await?;
    ensure!(state == EventState::Pending, "a new event is {state:?}");
    let start = Instant::now();
    let delivered = async {
        waiter.delivered().await?;
        let latency = start.elapsed();
        waiter.ended().await?;
        anyhow::Ok(latency)
    };
    let ((), latency) = tokio::try_join!(requests::answer(&mut client, id), delivered)?;
    Ok(latency)
}
