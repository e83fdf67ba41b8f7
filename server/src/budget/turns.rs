//! The turns of the calls of one connection.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most calls of one connection that are worked on at a time; calls that only wait are not counted. The others wait for
/// their turn, so that a peer that sends thousands at once does not come before all others.
const WORKED_ON_MAX: usize = 64;

/// One permit for each call of a connection that may be worked on. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Turns(Arc<Semaphore>);

impl Turns {
    /// As many as a connection may have at a time.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(WORKED_ON_MAX)))
    }

    /// Completes when it is the turn of one more call.
    pub(super) async fn next(&self) -> Turn {
        let permit = self.0.clone().acquire_owned().await;
        Turn(Arc::new(Mutex::new(Some(permit.expect("the semaphore is never closed")))))
    }

    /// How many calls are worked on, 0 to 64.
    pub fn taken(&self) -> usize {
        WORKED_ON_MAX.saturating_sub(self.0.available_permits())
    }
}

/// The turn of a call to be worked on, until it is dropped or the call only waits. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Turn(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Turn {
    /// Lets another call have its turn, since this one only waits from here on.
    pub fn pass(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_that_only_waits_is_not_worked_on() {
        let turns = Turns::new();
        let [waits, works] = [turns.next().await, turns.next().await];
        assert_eq!(turns.taken(), 2);
        waits.pass();
        assert_eq!(turns.taken(), 1);
        drop(works);
        assert_eq!(turns.taken(), 0);
    }
}
