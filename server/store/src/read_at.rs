//! How old something is that was read. Both clocks have to agree, since the monotonic one stands still while a machine
//! sleeps, and the other may be set.

use hitl_core::Timestamp;
use object_store::path::Path;

use crate::EventStore;
use crate::clock::Monotonic;
use crate::error::Error;

/// For how long a request that was read proves that its event is there. The removal of an event waits longer than this
/// between the request and the response, so that no server takes a removed event for an open one.
pub(crate) const VOUCHED_MS: i64 = 30_000;

/// When something was read.
#[derive(Clone, Copy, Debug)]
pub struct ReadAt {
    time: Timestamp,
    moment: Monotonic,
}

impl EventStore {
    /// The present, for what is read from now on.
    pub fn read_at(&self) -> ReadAt {
        ReadAt { time: self.clock.now(), moment: self.clock.monotonic() }
    }

    /// Whether what was read at `read_at` is at most so old.
    pub(crate) fn is_within(&self, read_at: ReadAt, ms: i64) -> bool {
        let now = self.read_at();
        now.time.ms_since(read_at.time) <= ms && now.moment.ms_since(read_at.moment) <= ms
    }

    /// Refuses to act on what was read at `path` so long ago that it may be gone.
    pub(crate) fn expect_within(&self, read_at: ReadAt, path: &Path) -> Result<(), Error> {
        if self.is_within(read_at, VOUCHED_MS) {
            return Ok(());
        }
        Err(Error::StoreUnavailable(format!("{path} was read too long ago to act on it").into()))
    }
}
