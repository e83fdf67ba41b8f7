//! Lives at a steady pace, beside something else whose effect on them is to be seen.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hitl_proto::v1::create_event_request::Expiration;
use hitl_proto::v1::{CreateEventRequest, EventState};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::lives::life;
use crate::load::Clients;
use crate::replicas::late;
use crate::requests::{self, Client, Waiter};
use crate::server::Server;
use crate::shared::CONNECTIONS;

const LIVES_A_SECOND: u32 = 200;
/// One life in so many is not answered and times out.
const ONE_EXPIRES: usize = 4;

/// How late whoever waits was told.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) answers: Vec<Duration>,
    pub(crate) timeouts: Vec<Duration>,
}

/// Leads a steady number of lives a second until `end` completes.
pub(crate) async fn lives(server: &Server, end: impl Future<Output = ()>) -> Result<Told> {
    let clients = Clients::connect(server, CONNECTIONS).await?;
    let ended = CancellationToken::new();
    let lead = async {
        let mut told = Told::default();
        let mut all = JoinSet::new();
        let mut pace = interval(Duration::from_secs(1) / LIVES_A_SECOND);
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for number in 0.. {
            tokio::select! {
                () = ended.cancelled() => break,
                _ = pace.tick() => {}
            }
            let client = clients.of(number);
            all.spawn(async move {
                let expires = number % ONE_EXPIRES == 0;
                let told = if expires { timeout(client).await } else { life(client).await };
                anyhow::Ok((expires, told?))
            });
            while let Some(life) = all.try_join_next() {
                told.note(life??);
            }
        }
        while let Some(life) = all.join_next().await {
            told.note(life??);
        }
        anyhow::Ok(told)
    };
    let end = async {
        end.await;
        ended.cancel();
    };
    let (told, ()) = tokio::join!(lead, end);
    told.context("a life at a steady pace")
}

impl Told {
    fn note(&mut self, (expires, told): (bool, Duration)) {
        if expires { &mut self.timeouts } else { &mut self.answers }.push(told);
    }
}

/// Waits for an event until it times out, and returns how late that was told.
async fn timeout(mut client: Client) -> Result<Duration> {
    let second = prost_types::Duration { seconds: 1, nanos: 0 };
    let question =
        CreateEventRequest { expiration: Some(Expiration::Ttl(second)), ..requests::question() };
    let created = client.create_event(question).await?.into_inner();
    let event = created.event.context("a created event")?;
    let (mut waiter, _) = Waiter::attach(&mut client, event.id, None).await?;
    let state = waiter.next().await?;
    ensure!(state == Some(EventState::TimedOut), "expected a timeout, got {state:?}");
    late(event.deadline.context("a deadline")?)
}
