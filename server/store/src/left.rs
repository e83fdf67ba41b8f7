//! What cannot be read of a damaged store: counted, and named as long as there is room.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most that are named.
const NAMED_MAX: usize = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Left(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    named: BTreeMap<String, String>,
    unnamed: u64,
}

impl Left {
    /// Notes what is wrong with `name`. The first thing that is said of it stays.
    pub(super) fn add(&self, name: String, message: String) {
        let mut state = self.state();
        if state.named.len() < NAMED_MAX || state.named.contains_key(&name) {
            state.named.entry(name).or_insert(message);
        } else {
            state.unnamed += 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state().named.is_empty()
    }

    /// The names, each with what is wrong, and how many there are.
    pub(super) fn into_parts(self) -> (Vec<(String, String)>, u64) {
        let State { named, unnamed } = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let count = named.len() as u64 + unnamed;
        (named.into_iter().collect(), count)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
