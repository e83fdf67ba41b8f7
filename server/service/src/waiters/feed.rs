//! What other replicas have ended: announcements in the store, read while anyone waits here.
//!
//! Whoever ends an event announces it first and records the end then, so that a crash between the two loses no wake-up.
//! This replica lists the announcements of the last seconds once a second, one listing however many wait and two near
//! the turn of a minute, and has an announced event read only if somebody waits for it here.

use std::iter;
use std::sync::Arc;

use futures::future;
use hitl_core::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::waiters::Waiters;
use crate::waiters::reads::Reads;
use hitl_store::clock::Clock;
use hitl_store::{EventStore, Index};

/// Time between two listings.
const TICK_MS: i64 = 1_000;
/// How far back a listing reaches: an announcement may take its time to the store, and clocks differ.
const LOOK_BACK_MS: i64 = 20_000;
/// Length of a part of the index.
const MINUTE_MS: i64 = 60_000;
/// When the minute that has just passed is listed once more, beside the present one: once a second for as long as a
/// clock elsewhere may be in it still, and then for what took its time to the store.
const LOOKS_BACK_AT_MS: [i64; 7] = [0, 1_000, 2_000, 3_000, 5_000, 10_000, 19_000];
/// How long before its turn the next minute is listed too: a clock elsewhere may be in it already.
const LOOK_AHEAD_MS: i64 = 2_000;
/// Shortest time without a listing that is caught up with, or step of the clock: less is within what every listing
/// reaches back.
const GAP_MS: i64 = 5 * TICK_MS;
/// Longest time without a listing that is caught up with by listing; after a longer one every wait is read once.
const GAP_MS_MAX: i64 = 5 * MINUTE_MS;

/// See the module.
#[derive(Debug)]
pub(crate) struct Feed {
    store: Arc<EventStore>,
    waiters: Arc<Waiters>,
    clock: Arc<dyn Clock>,
    reads: Reads,
}

/// How far the listings have come.
#[derive(Debug)]
struct Progress {
    /// Since when somebody waits without a break.
    awaited: Timestamp,
    /// When the listings last covered everything.
    covered: Option<Timestamp>,
}

impl Feed {
    /// The announcements in `store`, for `waiters`.
    pub(crate) fn new(
        store: Arc<EventStore>,
        waiters: Arc<Waiters>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let reads = Reads::new(store.clone(), waiters.clone(), clock.clone());
        Self { store, waiters, clock, reads }
    }

    /// Tells waiters what is announced, until `shutdown`.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let both = async { tokio::join!(self.follow(), self.reads.run()) };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            _ = both => {}
        }
    }

    async fn follow(&self) {
        loop {
            self.waiters.arrival().await;
            let mut progress = Progress { awaited: self.clock.now(), covered: None };
            while self.waiters.count() > 0 {
                let next_tick = self.clock.moment().plus_ms(TICK_MS);
                if let Err(error) = self.tick(&mut progress, self.clock.now()).await {
                    tracing::warn!(%error, "the announcements could not be read and will be again");
                }
                self.clock.pause_until(next_tick).await;
            }
            // Nobody waits, so nothing was missed.
            self.reads.forget();
        }
    }

    async fn tick(&self, progress: &mut Progress, now: Timestamp) -> Result<(), Error> {
        // Not from now on: the first listing may have failed for long.
        let covered = progress.covered.unwrap_or(progress.awaited);
        let gap_ms = now.ms_since(covered);
        // A clock that has stepped back was ahead, nobody knows since when, and what was announced then was not listed.
        let is_lost = !(-GAP_MS..=GAP_MS_MAX).contains(&gap_ms);
        let is_gap = progress.covered.is_none() || !(0..=GAP_MS).contains(&gap_ms);
        let from = if is_gap {
            let since = if is_lost { now } else { covered.min(now) };
            since.plus_ms(-LOOK_BACK_MS)
        } else {
            place(covered, now)
        };
        // At the same time, and each for itself, so that none waits for another.
        let listings = minutes(from, now.plus_ms(LOOK_AHEAD_MS)).map(|from| self.list(from));
        future::join_all(listings).await.into_iter().collect::<Result<(), Error>>()?;
        if is_lost {
            self.reads.missed();
        }
        progress.covered = Some(now);
        Ok(())
    }

    async fn list(&self, from: Timestamp) -> Result<(), Error> {
        for announced in self.store.indexes().minute_from(Index::Resolved, from).await?.found {
            self.reads.announced(announced.key);
        }
        Ok(())
    }
}

/// From where on to list, when nothing was left out lately.
fn place(covered: Timestamp, now: Timestamp) -> Timestamp {
    let turn = now.plus_ms(-(now.ms() % MINUTE_MS));
    let mut looks_back = LOOKS_BACK_AT_MS.iter().map(|at_ms| turn.plus_ms(*at_ms));
    if looks_back.any(|at| covered < at && at <= now) {
        turn.plus_ms(-LOOK_BACK_MS)
    } else {
        turn.max(now.plus_ms(-LOOK_BACK_MS))
    }
}

/// The minutes from `from` to the one that holds `to`, as the instants from which on they are listed.
fn minutes(from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> {
    let next = |at: &Timestamp| Some(at.plus_ms(MINUTE_MS - at.ms() % MINUTE_MS));
    iter::successors(Some(from), next).take_while(move |at| *at <= to)
}
