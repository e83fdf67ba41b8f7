//! Threads of low priority, for work that may take long and that nobody else should wait for.
//!
//! They are a runtime of their own. The operating system gives them a processor when no other thread of ours wants it,
//! and a tenth of one otherwise, so that what they do goes on as well.

use std::num::NonZeroUsize;

use tokio::runtime::{Builder, Handle, Runtime};

/// By how much their priority is lower: each step is worth about a quarter.
#[cfg(target_os = "linux")]
const NICER_BY: i32 = 10;
/// Most threads beside those of the processors, for what blocks or computes at length.
const BLOCKING_MAX: usize = 32;

/// The threads, until it is dropped.
#[derive(Debug)]
pub struct LowPriority(Option<Runtime>);

impl LowPriority {
    /// Starts them.
    ///
    /// # Errors
    /// The operating system has none to give.
    pub fn start() -> std::io::Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let runtime = Builder::new_multi_thread()
            .worker_threads(processors)
            .max_blocking_threads(BLOCKING_MAX)
            .thread_name("background")
            .on_thread_start(lower_priority)
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// What runs work on them.
    pub fn handle(&self) -> Handle {
        self.0.as_ref().expect("it is there until it is dropped").handle().clone()
    }
}

impl Drop for LowPriority {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // It may be dropped by a task, which must not wait for threads to end.
            runtime.shutdown_background();
        }
    }
}

/// Lowers the priority of this thread. Elsewhere than on Linux that would be the priority of the whole process.
#[cfg(target_os = "linux")]
fn lower_priority() {
    use rustix::process::{getpriority_process, setpriority_process};
    let lowered = getpriority_process(None)
        .and_then(|priority| setpriority_process(None, (priority + NICER_BY).min(19)));
    if let Err(error) = lowered {
        tracing::debug!(%error, "a thread keeps its priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_threads_have_a_lower_priority_and_nobody_else_has() {
        use rustix::process::getpriority_process;
        let here = getpriority_process(None).unwrap();
        let threads = LowPriority::start().unwrap();
        let there = threads.handle().spawn(async { getpriority_process(None) });
        let computing = threads.handle().spawn_blocking(|| getpriority_process(None));
        let lower = (here + NICER_BY).min(19);
        assert_eq!(there.await.unwrap(), Ok(lower));
        assert_eq!(computing.await.unwrap(), Ok(lower));
        assert_eq!(getpriority_process(None), Ok(here));
    }
}
