//! Troubles of whole replicas: killed, stopped, cut off from the store, with a clock that steps.

use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, sleep, sleep_until};

use crate::clock::SKEW_MAX_MS;
use crate::fault_store::{Cut, millis};
use crate::world::World;

/// What befalls a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    Kill,
    KillAll,
    Pause,
    Cut(Cut),
    /// The store refuses everyone.
    Outage,
    ClockStep,
}

impl Trouble {
    pub(crate) const ALL: [Self; 8] = [
        Self::Kill,
        Self::KillAll,
        Self::Pause,
        Self::Cut(Cut::Refused),
        Self::Cut(Cut::Silent),
        Self::Cut(Cut::OneWay),
        Self::Outage,
        Self::ClockStep,
    ];

    fn draw(rng: &mut StdRng) -> Self {
        match rng.random_range(0..100) {
            0..30 => Self::Kill,
            30..38 => Self::KillAll,
            38..56 => Self::Pause,
            56..80 => Self::Cut([Cut::Refused, Cut::Silent, Cut::OneWay][rng.random_range(0..3)]),
            80..87 => Self::Outage,
            _ => Self::ClockStep,
        }
    }
}

/// Makes trouble until it is dropped. Each trouble goes away by itself.
pub(crate) async fn make_trouble(world: Arc<World>, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    loop {
        sleep(millis(rng.random_range(world.scenario.trouble_ms.clone()))).await;
        let number = rng.random_range(0..world.replicas.len());
        let trouble = Trouble::draw(&mut rng);
        world.count(trouble);
        match trouble {
            Trouble::Kill => kill(&world, number, rng.random_range(0..10_000)),
            Trouble::KillAll => {
                for number in 0..world.replicas.len() {
                    kill(&world, number, rng.random_range(0..20_000));
                }
            }
            Trouble::Outage => {
                let ms = rng.random_range(1_000..40_000);
                for number in 0..world.replicas.len() {
                    partition(&world, number, Cut::Refused, ms);
                }
            }
            Trouble::Pause => pause(&world, number, rng.random_range(100..30_000)),
            Trouble::Cut(cut) => partition(&world, number, cut, rng.random_range(1_000..20_000)),
            Trouble::ClockStep => {
                let offset_ms = rng.random_range(-SKEW_MAX_MS..=SKEW_MAX_MS);
                world.replicas[number].step_clock(offset_ms);
            }
        }
    }
}

fn kill(world: &Arc<World>, number: usize, down_ms: u64) {
    world.replicas[number].kill();
    let world = world.clone();
    tokio::spawn(async move {
        sleep(millis(down_ms)).await;
        world.replicas[number].start();
    });
}

fn pause(world: &World, number: usize, ms: u64) {
    if let Some(process) = world.replicas[number].process() {
        world.bucket.trace().note(format_args!("pause replica-{} {ms} ms", number + 1));
        process.link.pause(true);
        tokio::spawn(async move {
            sleep(millis(ms)).await;
            process.link.pause(false);
        });
    }
}

fn partition(world: &Arc<World>, number: usize, cut: Cut, ms: u64) {
    let until = Instant::now() + millis(ms);
    world.replicas[number].cut(cut, until);
    let world = world.clone();
    tokio::spawn(async move {
        sleep_until(until).await;
        world.replicas[number].mend();
    });
}
