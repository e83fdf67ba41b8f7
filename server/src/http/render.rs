//! Makes the replies whose length others choose: pages, and long lists as JSON.
//!
//! Each takes memory of its own while it is made and while it waits for its turn, so there are bounds on both.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use hitl_service::Background;
use hitl_service::error::Error;

/// How many may be made or wait for their turn: each has what it is made of in memory.
const PLACES: usize = 8;

/// Longest time that one waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(5);

/// Has replies made in the background.
#[derive(Clone, Debug)]
pub(super) struct Renderer {
    background: Background,
    /// One permit for each that is being made or waits for its turn.
    places: Arc<Semaphore>,
}

impl Renderer {
    pub(super) fn new(background: Background) -> Self {
        Self { background, places: Arc::new(Semaphore::new(PLACES)) }
    }

    /// What `work` makes.
    ///
    /// # Errors
    /// Too many others are at it, or `work` failed.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| Error::Overloaded)?;
        let turn = timeout(TURN_MAX, self.background.turn()).await;
        let turn = turn.map_err(|_| Error::Overloaded)?;
        let work = move || {
            // The permit is held until the work is done, even if the caller hangs up before.
            let _place = place;
            work()
        };
        turn.compute(work).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renderer() -> Renderer {
        Renderer::new(Background::with_turns(None, 1))
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever_for_a_turn() {
        let renderer = renderer();
        let turn = renderer.background.turn().await;
        assert!(matches!(renderer.run(|| ()).await, Err(Error::Overloaded)));
        drop(turn);
        assert!(renderer.run(|| ()).await.is_ok());
    }

    #[tokio::test]
    async fn only_so_many_wait_for_their_turn() {
        let renderer = renderer();
        let _turn = renderer.background.turn().await;
        let mut waiting: Vec<_> = (0..PLACES).map(|_| Box::pin(renderer.run(|| ()))).collect();
        for wait in &mut waiting {
            assert!(futures::poll!(wait).is_pending());
        }
        assert!(matches!(renderer.run(|| ()).await, Err(Error::Overloaded)));
    }

    #[tokio::test]
    async fn work_that_fails_gives_its_place_back() {
        let renderer = renderer();
        let failed = renderer.run::<()>(|| panic!("planted")).await;
        assert!(matches!(failed, Err(Error::Internal(_))));
        assert_eq!(renderer.places.available_permits(), PLACES);
    }
}
