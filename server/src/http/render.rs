//! Work whose size others choose (pages, long lists as JSON), done away from the threads that everybody waits for.
//!
//! A page is as long as its prompt, its options and what was typed make it. The threads that serve all connections
//! must not be held by one of them, so it is made on a thread for such work, and only so many are made at a time: each
//! takes memory of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use hitl_service::error::Error;

/// How many are made at a time.
const AT_A_TIME: usize = 4;
/// How many may wait for their turn: each has what it is made of in memory.
const WAITING_MAX: usize = 12;

/// Longest time that one waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(5);

/// Hands out the turns.
#[derive(Clone, Debug)]
pub(super) struct Renderer {
    turns: Arc<Semaphore>,
    /// One permit for each that is being made or waits for its turn.
    places: Arc<Semaphore>,
}

impl Default for Renderer {
    fn default() -> Self {
        Self::new(AT_A_TIME)
    }
}

impl Renderer {
    pub(super) fn new(at_a_time: usize) -> Self {
        let [turns, places] =
            [at_a_time, at_a_time + WAITING_MAX].map(|permits| Arc::new(Semaphore::new(permits)));
        Self { turns, places }
    }

    /// What `work` makes.
    ///
    /// # Errors
    /// Too many others are at it, or `work` failed.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _place = self.places.try_acquire().map_err(|_| Error::Overloaded)?;
        let turn = timeout(TURN_MAX, self.turns.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| Error::Overloaded)?.expect("the semaphore is never closed");
        let span = tracing::Span::current();
        let work = move || {
            // Held until the work is done, whoever has hung up meanwhile.
            let _turn = turn;
            span.in_scope(work)
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| {
            Error::Internal(format!("what was to be shown could not be made: {error}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn work_holds_no_thread_that_others_wait_for() {
        let (go, gone) = mpsc::channel();
        let renderer = Renderer::new(1);
        // This test has one thread: it would never come to the second line of the join.
        let work = renderer.run(move || gone.recv().unwrap());
        let (done, ()) = tokio::join!(work, async { go.send(7).unwrap() });
        assert_eq!(done.unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_much_is_made_at_a_time() {
        let renderer = Renderer::new(1);
        let turn = renderer.turns.clone().acquire_owned().await.unwrap();
        assert!(matches!(renderer.run(|| ()).await, Err(Error::Overloaded)));
        drop(turn);
        assert!(renderer.run(|| ()).await.is_ok());
    }

    #[tokio::test]
    async fn only_so_many_wait_for_their_turn() {
        let renderer = Renderer::new(1);
        let _turn = renderer.turns.clone().acquire_owned().await.unwrap();
        let mut waiting: Vec<_> =
            (0..=WAITING_MAX).map(|_| Box::pin(renderer.run(|| ()))).collect();
        for wait in &mut waiting {
            assert!(futures::poll!(wait).is_pending());
        }
        assert!(matches!(renderer.run(|| ()).await, Err(Error::Overloaded)));
    }

    #[tokio::test]
    async fn work_that_fails_gives_its_turn_back() {
        let renderer = Renderer::new(1);
        let failed = renderer.run::<()>(|| panic!("planted")).await;
        assert!(matches!(failed, Err(Error::Internal(_))));
        assert!(renderer.run(|| ()).await.is_ok());
    }
}
