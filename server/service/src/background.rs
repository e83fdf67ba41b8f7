//! Work whose size others choose, away from the threads that serve everybody.
//!
//! A pattern may take a fifth of a second to match, a page of a list tens of milliseconds to make, and a form is as
//! long as its prompt. On a thread of the runtime that would hold up every call that the thread has at hand, so it is
//! done on the threads of another runtime, which has a lower priority: however much of it there is, who waits for an
//! answer is told of it as if there were none. Where no such runtime is given, as in tests, it is done on this one.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use crate::error::Error;

/// Where such work is done. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Background {
    runtime: Option<Handle>,
    /// One permit for each computation: more at a time than there are processors would only take more memory.
    turns: Arc<Semaphore>,
}

/// The right to compute, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    runtime: Option<Handle>,
    permit: OwnedSemaphorePermit,
}

impl Background {
    /// On the threads of `runtime`, or on those of whoever asks for it.
    pub fn new(runtime: Option<Handle>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self::with_turns(runtime, processors)
    }

    /// The same, with so many computations at a time.
    pub fn with_turns(runtime: Option<Handle>, turns: usize) -> Self {
        Self { runtime, turns: Arc::new(Semaphore::new(turns)) }
    }

    /// Completes when it is the caller's turn to compute.
    pub async fn turn(&self) -> Turn {
        let permit = self.turns.clone().acquire_owned().await;
        let permit = permit.expect("the semaphore is never closed");
        Turn { runtime: self.runtime.clone(), permit }
    }

    /// What `work` computes, when its turn has come.
    ///
    /// # Errors
    /// [`Error::Internal`] if it panics.
    pub async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.turn().await.compute(work).await
    }

    /// Runs `work`, which waits for others most of the time and computes at length now and then. It ends if its caller
    /// goes away.
    ///
    /// # Errors
    /// [`Error::Internal`] if it panics.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let Some(runtime) = &self.runtime else {
            return Ok(work.await);
        };
        let done = AbortOnDropHandle::new(runtime.spawn(work.in_current_span()));
        done.await.map_err(|error| failed(&error))
    }

    /// The runtime, if it is another than that of whoever asks.
    pub fn runtime(&self) -> Option<&Handle> {
        self.runtime.as_ref()
    }

    #[cfg(test)]
    pub(crate) fn turns(&self) -> &Arc<Semaphore> {
        &self.turns
    }
}

impl Turn {
    /// What `work` computes. If the caller goes away it goes on to its end, and keeps its turn until then.
    ///
    /// # Errors
    /// [`Error::Internal`] if it panics.
    pub async fn compute<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let span = tracing::Span::current();
        let permit = self.permit;
        let work = move || {
            let done = span.in_scope(work);
            drop(permit);
            done
        };
        let runtime = self.runtime.unwrap_or_else(Handle::current);
        runtime.spawn_blocking(work).await.map_err(|error| failed(&error))
    }
}

fn failed(error: &tokio::task::JoinError) -> Error {
    Error::Internal(format!("what was to be computed could not be: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn what_is_computed_holds_no_thread_that_others_wait_for() {
        let (go, gone) = mpsc::channel();
        let background = Background::with_turns(None, 1);
        // This test has one thread: it would never come to the second line of the join.
        let work = background.compute(move || gone.recv().unwrap());
        let (done, ()) = tokio::join!(work, async { go.send(7).unwrap() });
        assert_eq!(done.unwrap(), 7);
    }

    #[tokio::test]
    async fn work_that_fails_gives_its_turn_back() {
        let background = Background::with_turns(None, 1);
        let failed = background.compute::<()>(|| panic!("planted")).await;
        assert!(matches!(failed, Err(Error::Internal(_))));
        assert!(background.compute(|| ()).await.is_ok());
    }

    #[test]
    fn work_is_done_on_the_runtime_that_is_for_it() {
        let other = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("other")
            .build()
            .unwrap();
        let here = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let background = Background::new(Some(other.handle().clone()));
        let name = || std::thread::current().name().map(str::to_owned);
        let ran = here.block_on(background.run(async move { name() })).unwrap();
        let computed = here.block_on(background.compute(name)).unwrap();
        assert_eq!([ran.as_deref(), computed.as_deref()], [Some("other"); 2]);
    }
}
