//! What one credential may have of the turns to work, so that the next turn is never all that others wait for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use hitl_service::quotas::Credential;
use tokio::sync::Semaphore;

/// Credentials that are remembered before those are forgotten that have nothing under way.
const CREDENTIALS: usize = 1_000;

/// The shares of all credentials.
#[derive(Debug)]
pub(super) struct Shares {
    whole: Whole,
    of: Mutex<HashMap<Credential, Share>>,
}

/// How many turns there are of each kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole {
    pub(super) calls: usize,
    pub(super) pages: usize,
    pub(super) entries: usize,
}

/// The turns that one credential may have: half of them.
#[derive(Clone, Debug)]
pub(super) struct Share {
    pub(super) calls: Arc<Semaphore>,
    pub(super) pages: Arc<Semaphore>,
    pub(super) entries: Arc<Semaphore>,
    /// Shared by all clones.
    in_use: Arc<()>,
}

impl Shares {
    pub(super) fn new(whole: Whole) -> Self {
        Self { whole, of: Mutex::default() }
    }

    /// The share of `credential`, which is the same for as long as anybody holds it.
    pub(super) fn of(&self, credential: Credential) -> Share {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if of.len() >= CREDENTIALS {
            of.retain(|_, share| Arc::strong_count(&share.in_use) > 1);
        }
        of.entry(credential).or_insert_with(|| Share::half_of(self.whole)).clone()
    }
}

impl Share {
    fn half_of(whole: Whole) -> Self {
        let half = |turns: usize| Arc::new(Semaphore::new(turns.div_ceil(2)));
        Self {
            calls: half(whole.calls),
            pages: half(whole.pages),
            entries: half(whole.entries),
            in_use: Arc::new(()),
        }
    }
}
