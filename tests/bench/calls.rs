//! Single calls: what a durable create costs above a call that keeps nothing, and a wait above a
//! bare stream.

use std::sync::Arc;

use anyhow::Result;
use hitl_embedded::{EmbeddedStore, Options};
use object_store::{ObjectStore, PutMode};

use crate::cli::{Kind, Plan};
use crate::load::{Clients, Runs, timed};
use crate::report::{Row, Target};
use crate::requests::{self, Waiter};
use crate::server::Server;

const BODY: [u8; 512] = [b'x'; 512];

/// Durable creates beside the same call on a server that keeps nothing, the same call on a synced
/// log, and puts straight into the embedded store.
pub(crate) async fn creates(plan: &Plan) -> Result<Vec<Row>> {
    let dirs = [plan.fresh_dir()?, plan.fresh_dir()?, plan.fresh_dir()?, plan.fresh_dir()?];
    let servers = [
        plan.start(dirs[0].path()).await?,
        Server::baseline(Kind::Bare, dirs[1].path()).await?,
        Server::baseline(Kind::Log, dirs[2].path()).await?,
    ];
    let store = Arc::new(EmbeddedStore::open(dirs[3].path().join("store"), Options::default())?);
    let mut rows = Vec::new();
    for &callers in &plan.callers {
        let [ours, bare, log] = servers.each_ref().map(Runs::on);
        let mut runs = [ours, bare, log, Runs::default()];
        let mut clients = Vec::new();
        for server in &servers {
            clients.push(Clients::for_callers(server, callers).await?);
        }
        for round in 0..plan.rounds {
            // Another goes first each time: what one leaves to the disk may slow the next.
            for turn in 0..runs.len() {
                let which = (round + turn) % runs.len();
                match clients.get(which) {
                    Some(clients) => create_round(&mut runs[which], plan, callers, clients).await?,
                    None => put_round(&mut runs[which], plan, callers, &store).await?,
                }
            }
        }
        let [ours, bare, log, puts] = &runs;
        let row = |beside, other: &Runs, target| {
            let beside = (beside, other.rate());
            Row::rates("durable creates a second", callers, ours.rate(), beside, target)
        };
        let most = (callers == 512).then_some(Target::AtLeast(0.6));
        rows.push(row("bare unary call", bare, most));
        rows.push(row("unary call on a synced log", log, None));
        rows.push(row("raw puts to the embedded store", puts, None));
        rows.push(Row::cpu(
            "a durable create",
            callers,
            ours.cpu(),
            ("bare unary call", bare.cpu()),
            None,
        ));
    }
    Ok(rows)
}

async fn create_round(
    runs: &mut Runs,
    plan: &Plan,
    callers: usize,
    clients: &Clients,
) -> Result<()> {
    let caller = |number| {
        let client = clients.of(number);
        move || {
            let mut client = client.clone();
            timed(
                async move { requests::create(&mut client, requests::question()).await.map(drop) },
            )
        }
    };
    runs.round(plan, callers, caller).await
}

pub(crate) async fn put_round(
    runs: &mut Runs,
    plan: &Plan,
    callers: usize,
    store: &Arc<EmbeddedStore>,
) -> Result<()> {
    let caller = |_| {
        let store = Arc::clone(store);
        move || {
            let store = Arc::clone(&store);
            timed(async move {
                let id: u128 = rand::random();
                let path = format!("events/default/{id:032x}/request.json").into();
                let body = BODY.as_slice().into();
                store.put_opts(&path, body, PutMode::Create.into()).await?;
                Ok(())
            })
        }
    };
    runs.round(plan, callers, caller).await
}

/// A wait for an event that has ended, one message and the end, beside a stream of one message.
pub(crate) async fn streams(plan: &Plan) -> Result<Vec<Row>> {
    let dirs = [plan.fresh_dir()?, plan.fresh_dir()?];
    let servers =
        [plan.start(dirs[0].path()).await?, Server::baseline(Kind::Bare, dirs[1].path()).await?];
    let mut client = Clients::for_callers(&servers[0], 1).await?.of(0);
    let id = requests::create(&mut client, requests::question()).await?;
    requests::answer(&mut client, id.clone()).await?;
    let mut rows = Vec::new();
    for &callers in &plan.callers {
        let mut runs = servers.each_ref().map(Runs::on);
        let clients = [
            Clients::for_callers(&servers[0], callers).await?,
            Clients::for_callers(&servers[1], callers).await?,
        ];
        for _ in 0..plan.rounds {
            for (runs, clients) in runs.iter_mut().zip(&clients) {
                stream_round(runs, plan, callers, clients, &id).await?;
            }
        }
        let [ours, bare] = &runs;
        let figure = "waits a second for an ended event";
        let beside = ("bare stream of one message", bare.rate());
        rows.push(Row::rates(figure, callers, ours.rate(), beside, None));
        rows.push(Row::cpu("such a wait", callers, ours.cpu(), (beside.0, bare.cpu()), None));
    }
    Ok(rows)
}

async fn stream_round(
    runs: &mut Runs,
    plan: &Plan,
    callers: usize,
    clients: &Clients,
    id: &str,
) -> Result<()> {
    let caller = |number| {
        let (client, id) = (clients.of(number), id.to_owned());
        move || {
            let (mut client, id) = (client.clone(), id.clone());
            timed(async move {
                let (mut waiter, _) = Waiter::attach(&mut client, id, None).await?;
                waiter.ended().await
            })
        }
    };
    runs.round(plan, callers, caller).await
}
