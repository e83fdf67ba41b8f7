//! What the streams of many waits did, in numbers.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// See the module.
#[derive(Debug, Default)]
pub struct Tally {
    load_ms: AtomicU64,
    streams: AtomicU64,
    adds: AtomicU64,
    removes: AtomicU64,
    told: AtomicU64,
}

impl Tally {
    /// There was load for so long.
    pub fn load(&self, time: Duration) {
        add(&self.load_ms, usize::try_from(time.as_millis()).unwrap_or(usize::MAX));
    }

    /// A stream was opened.
    pub fn stream(&self) {
        add(&self.streams, 1);
    }

    /// So many waits were said to be added and removed.
    pub fn said(&self, adds: usize, removes: usize) {
        add(&self.adds, adds);
        add(&self.removes, removes);
    }

    /// Waits were told, or failed.
    pub fn told(&self, waits: usize) {
        add(&self.told, waits);
    }

    /// How many streams were opened.
    pub fn streams(&self) -> u64 {
        self.streams.load(Ordering::Relaxed)
    }

    /// How many waits were told on these streams.
    pub fn waits_told(&self) -> u64 {
        self.told.load(Ordering::Relaxed)
    }

    /// Adds and removes a second under load.
    pub fn per_second(&self) -> u64 {
        self.rates().iter().sum()
    }

    fn rates(&self) -> [u64; 2] {
        let load_ms = self.load_ms.load(Ordering::Relaxed).max(1);
        [&self.adds, &self.removes].map(|number| number.load(Ordering::Relaxed) * 1_000 / load_ms)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [adds, removes] = self.rates();
        let (streams, told) = (self.streams(), self.waits_told());
        write!(f, "{told} waits told on {streams}, {adds} adds and {removes} removes a second")
    }
}

fn add(to: &AtomicU64, number: usize) {
    to.fetch_add(u64::try_from(number).unwrap_or(u64::MAX), Ordering::Relaxed);
}
