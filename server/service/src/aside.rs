//! Work that takes long to compute, away from the threads that serve everybody.
//!
//! A pattern may take a fifth of a second to match, and a schema tens of milliseconds to read. On
//! a thread of the runtime that would hold up every call that the thread has at hand, so it is
//! done on one of the threads for blocking work, and few of those compute at a time.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::Service;
use crate::error::Error;

/// Permits to compute.
#[derive(Clone, Debug)]
pub(super) struct Aside(Arc<Semaphore>);

impl Aside {
    /// As many permits as leave half of the processors to the calls that need little.
    pub(super) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new((processors / 2).max(1))))
    }

    #[cfg(test)]
    pub(super) fn permits(&self) -> &Semaphore {
        &self.0
    }
}

impl Service {
    /// What `work` computes, without anybody else having to wait for it.
    ///
    /// # Errors
    /// [`Error::Internal`] if it panics.
    pub(super) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let permits = self.0.aside.0.clone();
        let permit = permits.acquire_owned().await.expect("nobody closes the semaphore");
        // If the caller hangs up the work goes on to its end, and holds its permit until then.
        let done = spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        done.await.map_err(|panic| Error::Internal(panic.to_string()))
    }
}
