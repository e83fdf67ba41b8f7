//! Many answers to one event at the same time, spread over all replicas.

use std::time::Duration;

use futures::future::join_all;
use hitl_proto::v1::event_service_client::EventServiceClient;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::history::{Draft, Op, Outcome};
use support::server;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tonic::transport::Channel;

use support::load::common::{Shared, is_open};
use support::load::lines::Lines;
use support::load::phase::Phase;
use support::load::target::Held;
use support::load::wait::Wait;

/// Answers to each event.
const RACERS: u64 = 64;
/// Waiters that look on.
const WAITERS: usize = 3;
/// The number by which the first racer goes among the clients.
const FIRST: usize = 1_000;
const TTL_MS: i64 = 600_000;

/// Races until the load is to stop, and returns how many there were.
pub(crate) async fn races(
    replicas: Vec<String>,
    lines: std::sync::Arc<Lines>,
    shared: Shared,
    seed: u64,
) -> usize {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut waits = JoinSet::new();
    let mut races = 0;
    while shared.phase.get() == Phase::Load {
        if let Some(event) = create(&lines, &shared, &mut rng).await {
            for _ in 0..WAITERS {
                let wait = Wait {
                    number: shared.board.number(),
                    client: FIRST,
                    event: event.clone(),
                    held: Held::Alone,
                    rng: StdRng::seed_from_u64(rng.random()),
                    target: lines.clone(),
                    shared: shared.clone(),
                };
                waits.spawn(wait.run());
            }
            race(&event, &replicas, &lines, &shared, &mut rng).await;
            races += 1;
        }
        sleep(Duration::from_millis(rng.random_range(200..2_000))).await;
    }
    while waits.join_next().await.is_some() {}
    races
}

async fn create(lines: &Lines, shared: &Shared, rng: &mut StdRng) -> Option<String> {
    let number = shared.board.number();
    let draft = Draft {
        name: format!("race-{number}"),
        key: format!("race-{number}"),
        ttl_ms: TTL_MS,
        default: None,
    };
    match shared.repeat(lines, rng, FIRST, None, &Op::Create(draft)).await {
        Outcome::Seen(view) => Some(view.id),
        _ => None,
    }
}

async fn race(event: &str, replicas: &[String], lines: &Lines, shared: &Shared, rng: &mut StdRng) {
    let clients: Vec<EventServiceClient<Channel>> = replicas
        .iter()
        .map(|endpoint| EventServiceClient::new(server::channel(endpoint)))
        .collect();
    let racers = (0..RACERS).zip(clients.iter().cycle()).map(|(racer, client)| {
        let mut rng = StdRng::seed_from_u64(rng.random());
        async move {
            let number = FIRST + usize::try_from(racer).unwrap_or_default();
            let answer_id = format!("racer-{racer}-{event}");
            let op = Op::Answer { answer_id, value: i64::try_from(racer).unwrap_or_default() };
            let outcome = shared.call(lines, client.clone(), number, Some(event), &op).await;
            // Nobody who raced stays in the dark.
            if is_open(&outcome) {
                shared.repeat(lines, &mut rng, number, Some(event), &op).await;
            }
        }
    });
    let racers: Vec<_> = racers.collect();
    join_all(racers).await;
}
