//! On which threads a connection is served.
//!
//! What all connections have to do is done in turn, so one that has much to do (thousands of calls, floods of frames,
//! replies of megabytes) would hold up all others. It is served by threads of low priority for as long as that lasts.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use hyper::rt::Executor;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use super::meter::Meter;

/// Where one connection and its calls are served. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Place {
    meter: Meter,
    foreground: Handle,
    background: Handle,
}

impl Place {
    /// On this runtime as long as the connection keeps to its share of the processors, else on `background`.
    pub(super) fn new(background: Handle) -> Self {
        Self { meter: Meter::new(), foreground: Handle::current(), background }
    }

    /// Does `work` to its end, on the one runtime or the other, as the connection deserves at the time.
    pub(super) async fn keep(self, work: impl Future<Output = ()> + Send + 'static) {
        let mut next = Some(Box::pin(work));
        while let Some(work) = next {
            let Some(work) = self.clone().work_on(work, false).await else { return };
            let rest = self.background.spawn(self.clone().work_on(work, true));
            // What has panicked there is at its end as well.
            next = AbortOnDropHandle::new(rest).await.ok().flatten();
        }
    }

    /// Does `work` as long as the connection is over its share, or not over it; then returns the rest.
    async fn work_on<F: Future<Output = ()>>(
        self,
        mut work: Pin<Box<F>>,
        over: bool,
    ) -> Option<Pin<Box<F>>> {
        let moves = poll_fn(|context| {
            // Before each step, since a single one may be long.
            if self.meter.is_over() != over {
                return Poll::Ready(true);
            }
            self.meter.count(|| work.as_mut().poll(context)).map(|()| false)
        });
        moves.await.then_some(work)
    }
}

/// The calls of the connection.
impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Place {
    fn execute(&self, call: F) {
        self.foreground.spawn(self.clone().keep(call));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    fn thread() -> Option<String> {
        std::thread::current().name().map(str::to_owned)
    }

    fn background() -> tokio::runtime::Runtime {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("background").enable_all().build().unwrap()
    }

    #[test]
    fn a_connection_that_takes_much_is_served_in_the_background_until_it_takes_little() {
        let background = background();
        let here = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let name = here.block_on(async {
            let place = Place::new(background.handle().clone());
            let (tell, told) = mpsc::channel();
            let work = async move {
                for busy_ms in [0, 50, 0] {
                    let begun = std::time::Instant::now();
                    while begun.elapsed() < Duration::from_millis(busy_ms) {
                        std::hint::spin_loop();
                    }
                    tokio::task::yield_now().await;
                    tell.send(thread()).unwrap();
                }
                // Long enough for all to be paid for.
                tokio::time::sleep(Duration::from_millis(400)).await;
                tokio::task::yield_now().await;
                tell.send(thread()).unwrap();
            };
            place.keep(work).await;
            told.iter().collect::<Vec<_>>()
        });
        let [here, there] = [thread(), Some("background".to_owned())];
        assert_eq!(name, [here.clone(), there.clone(), there, here]);
    }

    #[test]
    fn a_call_is_served_where_its_connection_is() {
        let background = background();
        let here = tokio::runtime::Builder::new_multi_thread();
        let here = { here }.worker_threads(1).thread_name("here").enable_all().build().unwrap();
        here.block_on(async {
            let place = Place::new(background.handle().clone());
            for (busy_ms, expected) in [(0, "here"), (50, "background")] {
                let _ = place.meter.count(|| {
                    std::thread::sleep(Duration::from_millis(busy_ms));
                    Poll::Ready(())
                });
                let (tell, told) = mpsc::channel();
                place.execute(async move { tell.send(thread()).unwrap() });
                assert_eq!(told.recv().unwrap().as_deref(), Some(expected));
            }
        });
    }
}
