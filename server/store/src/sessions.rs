//! Which sign-ins have ended before their time: a marker for each, whose key says all.
//!
//! A session is in the cookie of its holder, and the store knows nothing of it until somebody signs out. A marker
//! stands below the day on which the session began, since no session is older than a day: what stands below older days
//! is removed.

use hitl_core::Timestamp;
use object_store::path::Path;

use crate::error::Error;
use crate::events::EventStore;
use crate::keys;

/// Longest that a session may last: a day.
pub const SESSION_MS_MAX: i64 = 86_400_000;

/// Days that markers are kept after their own, since a session of one day may end on the next, and clocks differ.
const DAYS_KEPT: i64 = 2;

/// What a marker is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionMark {
    /// Days since 1970.
    day: i64,
    name: String,
}

impl SessionMark {
    /// The marker of sessions that began on the same day as `begun`, of which a hash says which.
    pub fn new(begun: Timestamp, hash: [u8; 32]) -> Self {
        let name = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { day: day(begun), name }
    }

    fn path(&self) -> Path {
        keys::path(&format!("sessions/{:06}/{}", self.day, self.name))
    }
}

fn day(time: Timestamp) -> i64 {
    time.ms().div_euclid(SESSION_MS_MAX)
}

impl EventStore {
    /// Marks as ended what `mark` is about. Doing so twice changes nothing.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn end_session(&self, mark: &SessionMark) -> Result<(), Error> {
        self.objects.mark(&mark.path()).await
    }

    /// Whether what `mark` is about was marked as ended.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn is_session_ended(&self, mark: &SessionMark) -> Result<bool, Error> {
        self.objects.exists(&mark.path()).await
    }

    /// Removes the markers of sessions that are over at `now`, ended or not.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`], and what a listing may fail with.
    pub async fn remove_old_session_marks(&self, now: Timestamp) -> Result<(), Error> {
        let listed = self.objects.list(&Path::from("sessions")).await?;
        let is_old = |path: &&Path| {
            let day_of = path.as_ref().split('/').nth(1).and_then(|day| day.parse::<i64>().ok());
            day_of.is_some_and(|day_of| day_of < day(now) - DAYS_KEPT)
        };
        for path in listed.found.iter().filter(is_old) {
            self.objects.delete(path).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;
    use crate::clock::SystemClock;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_ms(day * SESSION_MS_MAX + 5).unwrap()
    }

    #[tokio::test]
    async fn a_session_stays_ended_until_it_would_be_over_anyway() {
        let store = EventStore::over(Arc::new(InMemory::new()), true, Arc::new(SystemClock));
        let mark = SessionMark::new(at(20_000), [7; 32]);
        assert!(!store.is_session_ended(&mark).await.unwrap());
        store.end_session(&mark).await.unwrap();
        store.end_session(&mark).await.unwrap();
        store.remove_old_session_marks(at(20_002)).await.unwrap();
        assert!(store.is_session_ended(&mark).await.unwrap());
        store.remove_old_session_marks(at(20_003)).await.unwrap();
        assert!(!store.is_session_ended(&mark).await.unwrap());
    }
}
