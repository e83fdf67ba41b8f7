//! Randomness that a seed repeats.

use std::sync::{Mutex, PoisonError};

use hitl_store::random::Random;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// See the module.
#[derive(Debug)]
pub(crate) struct SimRandom(Mutex<StdRng>);

impl SimRandom {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Random for SimRandom {
    fn fill(&self, buffer: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buffer);
    }
}
