//! What other replicas have ended: announcements in the store, read while anyone waits here.
//!
//! Whoever ends an event announces it first and records the end then, so that a crash between the two loses no wake-up.
//! This replica lists the announcements of the last seconds once a second, one listing however many wait, and reads an
//! announced event only if somebody waits for it here. An announced end that is not recorded yet is looked for again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt, future, stream};
use hitl_core::{EventKey, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Moment};
use crate::error::Error;
use crate::store::{Entry, EventStore, Index, PlantedFault};
use crate::waiters::Waiters;

/// Time between two listings.
const TICK_MS: i64 = 1_000;
/// How far back a listing reaches: an announcement may take its time to the store, and clocks differ.
const LOOK_BACK_MS: i64 = 20_000;
/// Length of a part of the index.
const MINUTE_MS: i64 = 60_000;
/// When the minute that has just passed is listed once more instead of the present one.
const LOOKS_BACK_AT_MS: [i64; 5] = [0, 2_000, 5_000, 10_000, 19_000];
/// Shortest time without a listing that is caught up with, or step of the clock: less is within what every listing
/// reaches back.
const GAP_MS: i64 = 5 * TICK_MS;
/// Longest time without a listing that is caught up with by listing; after a longer one every wait is looked at.
const GAP_MS_MAX: i64 = 5 * MINUTE_MS;
/// Pause before an announced end that is not recorded yet is looked for again; each later one is twice as long.
const PAUSE_MS_MIN: i64 = 50;
/// Longest such pause.
const PAUSE_MS_MAX: i64 = 2_000;
/// How long an announced end is looked for: whoever announced it has crashed, or records it and announces it again.
const PATIENCE_MS: i64 = 60_000;
/// Events read at the same time.
const READING_MAX: usize = 32;

/// See the module.
#[derive(Debug)]
pub struct Feed {
    store: Arc<EventStore>,
    waiters: Arc<Waiters>,
    clock: Arc<dyn Clock>,
    /// Since when somebody waits without a break.
    awaited: Timestamp,
    /// When the listings last covered everything.
    covered: Option<Timestamp>,
    /// Announced ends that are still to be read.
    announced: BTreeMap<EventKey, Look>,
}

/// When to look for an announced end.
#[derive(Debug)]
struct Look {
    next: Moment,
    pause_ms: i64,
    until: Moment,
}

impl Feed {
    /// The announcements in `store`, for `waiters`.
    pub fn new(store: Arc<EventStore>, waiters: Arc<Waiters>, clock: Arc<dyn Clock>) -> Self {
        let awaited = clock.now();
        Self { store, waiters, clock, awaited, covered: None, announced: BTreeMap::new() }
    }

    /// Tells waiters what is announced, until `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            () = self.follow() => {}
        }
    }

    async fn follow(&mut self) {
        let mut next_tick = self.clock.moment();
        loop {
            if self.waiters.count() == 0 {
                self.forget();
                self.waiters.arrival().await;
                self.awaited = self.clock.now();
                next_tick = self.clock.moment();
            }
            let moment = self.clock.moment();
            if moment >= next_tick {
                if let Err(error) = self.tick(self.clock.now()).await {
                    tracing::warn!(%error, "the announcements could not be read and will be again");
                }
                next_tick = moment.plus_ms(TICK_MS);
            }
            self.look().await;
            let wake = self.announced.values().map(|look| look.next).min();
            self.clock.pause_until(wake.map_or(next_tick, |wake| wake.min(next_tick))).await;
        }
    }

    /// Nobody waits, so nothing was missed.
    fn forget(&mut self) {
        self.covered = None;
        self.announced.clear();
    }

    async fn tick(&mut self, now: Timestamp) -> Result<(), Error> {
        // Not from now on: the first listing may have failed for long.
        let covered = self.covered.unwrap_or(self.awaited);
        let gap_ms = now.ms_since(covered);
        // A clock that has stepped back was ahead, nobody knows since when, and what was announced then was not listed.
        if !(-GAP_MS..=GAP_MS_MAX).contains(&gap_ms) {
            for key in self.waiters.awaited() {
                self.announce(key);
            }
        } else if self.covered.is_none() || gap_ms > GAP_MS {
            let mut minute = covered.plus_ms(-LOOK_BACK_MS);
            while minute.ms() / MINUTE_MS <= now.ms() / MINUTE_MS {
                self.list(minute).await?;
                minute = minute.plus_ms(MINUTE_MS - minute.ms() % MINUTE_MS);
            }
        } else {
            self.list(place(covered, now)).await?;
        }
        self.covered = Some(now);
        Ok(())
    }

    async fn list(&mut self, from: Timestamp) -> Result<(), Error> {
        let entries = self.store.indexes().minute_from(Index::Resolved, from).await?;
        for Entry { key, .. } in entries {
            self.announce(key);
        }
        Ok(())
    }

    fn announce(&mut self, key: EventKey) {
        if self.waiters.awaits(&key) && !PlantedFault::DeafToReplicas.is_planted() {
            let now = self.clock.moment();
            let until = now.plus_ms(PATIENCE_MS);
            self.announced.entry(key).or_insert(Look { next: now, pause_ms: PAUSE_MS_MIN, until });
        }
    }

    /// Reads the announced events whose turn has come.
    async fn look(&mut self) {
        let now = self.clock.moment();
        self.announced.retain(|key, look| look.until > now && self.waiters.awaits(key));
        let due = self.announced.iter().filter(|(_, look)| look.next <= now);
        let due: Vec<EventKey> = due.map(|(key, _)| key.clone()).collect();
        let (store, waiters) = (&self.store, &self.waiters);
        let read = |key: EventKey| async move {
            match store.read(&key).await {
                Ok(Some(event)) if event.response.is_some() => waiters.ended(&event),
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "an announced event could not be read");
                    return Some(key);
                }
            }
            None
        };
        let reads = stream::iter(due.iter().cloned()).map(read).buffer_unordered(READING_MAX);
        let failed: BTreeSet<EventKey> = reads.filter_map(future::ready).collect().await;
        let now = self.clock.moment();
        for key in &due {
            let Some(look) = self.announced.get_mut(key) else { continue };
            look.next = now.plus_ms(look.pause_ms);
            look.pause_ms = (2 * look.pause_ms).min(PAUSE_MS_MAX);
            if failed.contains(key) {
                // Nothing is known of it, so it has all the time that there is for a record.
                look.until = now.plus_ms(PATIENCE_MS);
            }
        }
    }
}

/// From where on to list, when nothing was left out lately.
fn place(covered: Timestamp, now: Timestamp) -> Timestamp {
    let past_ms = now.ms() % MINUTE_MS;
    let turn = now.plus_ms(-past_ms);
    let looks_back = |at_ms: &i64| covered < turn.plus_ms(*at_ms) && past_ms >= *at_ms;
    if LOOKS_BACK_AT_MS.iter().any(looks_back) {
        turn.plus_ms(-LOOK_BACK_MS)
    } else {
        turn.max(now.plus_ms(-LOOK_BACK_MS))
    }
}
