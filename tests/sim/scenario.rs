//! What one seed stands for: how many clients there are, how fast, and how much goes wrong.

use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Every how-many-th seed is a long day instead of a wild minute.
const DAY_EVERY: u64 = 100;
const SECOND_MS: u64 = 1_000;
const HOUR_MS: u64 = 3_600 * SECOND_MS;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) clients: usize,
    /// How often everything goes wrong for a while, and then nothing.
    pub(crate) storms: usize,
    /// How long each time the clients make calls and everything goes wrong.
    pub(crate) load: Duration,
    /// Time between two calls of a client.
    pub(crate) pace_ms: Range<u64>,
    /// Time from create to deadline of most events.
    pub(crate) ttl_ms: Range<i64>,
    /// How often something goes wrong with an operation of the store.
    pub(crate) fault_rate: f64,
    /// Time between two troubles of a whole replica.
    pub(crate) trouble_ms: Range<u64>,
}

impl Scenario {
    /// The scenario of `seed`.
    pub(crate) fn of(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let clients = rng.random_range(6..=20);
        let fault_rate = [0.01, 0.03, 0.06, 0.12][rng.random_range(0..4)];
        if seed % DAY_EVERY == DAY_EVERY - 1 {
            return Self {
                seed,
                clients,
                storms: 1,
                load: Duration::from_millis(25 * HOUR_MS),
                pace_ms: HOUR_MS / 2..3 * HOUR_MS,
                ttl_ms: 60_000..12 * HOUR_MS as i64,
                fault_rate,
                trouble_ms: 60 * SECOND_MS..HOUR_MS,
            };
        }
        Self {
            seed,
            clients,
            storms: 3,
            load: Duration::from_secs(rng.random_range(15..40)),
            pace_ms: 200..4 * SECOND_MS,
            ttl_ms: 300..20_000,
            fault_rate,
            trouble_ms: 500..8 * SECOND_MS,
        }
    }
}
