//! On which threads a connection is served.
//!
//! The steps of all connections are done in turn, so one that has much to do (thousands of calls, floods of frames,
//! replies of megabytes) would hold up all others. Such a connection is served by threads of low priority for as long
//! as that lasts.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use hyper::rt::Executor;
use tokio::runtime::Handle;

use super::meter::Meter;
use crate::budget::Turns;

/// Where one connection and its calls are served. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Place {
    meter: Meter,
    /// Of the calls of the connection: a step costs it more, the more of them are worked on at a time.
    turns: Turns,
    foreground: Handle,
    background: Handle,
}

impl Place {
    /// On this runtime as long as the connection keeps to its share of the processors, else on `background`.
    pub(super) fn new(background: Handle, turns: Turns) -> Self {
        Self { meter: Meter::new(), turns, foreground: Handle::current(), background }
    }

    /// Notes that the next step of the connection will take much.
    pub(super) fn takes_much(&self) {
        self.meter.burst();
    }

    /// Begins `work`, and does it to its end. Before each step it goes to the runtime on which the connection is served
    /// at that time.
    pub(super) fn begin<F: Future<Output = ()> + Send + 'static>(self, work: Pin<Box<F>>) {
        let is_over = self.meter.is_over();
        let runtime = if is_over { self.background.clone() } else { self.foreground.clone() };
        runtime.spawn(async move {
            if let Some(rest) = self.work_on(work, is_over).await {
                self.begin(rest);
            }
        });
    }

    /// Does `work` as long as the connection is over its share, or not over it; then returns the rest.
    async fn work_on<F: Future<Output = ()>>(
        &self,
        mut work: Pin<Box<F>>,
        is_over: bool,
    ) -> Option<Pin<Box<F>>> {
        let ends = poll_fn(|context| {
            let changes = self.meter.is_over() != is_over;
            if changes && !is_over {
                // Before the step, since it may be long.
                return Poll::Ready(false);
            }
            let step = self.meter.count(self.turns.taken(), || work.as_mut().poll(context));
            // What has waited for its turn in the background is done there, however much it is, and counts.
            if changes && step.is_pending() && !self.meter.is_over() {
                return Poll::Ready(false);
            }
            step.map(|()| true)
        });
        let has_ended = tokio::select! {
            biased;
            has_ended = ends => has_ended,
            // Work that only waits goes back too, so that the threads of the foreground tell it what it waits for.
            () = self.meter.relief(), if is_over => false,
        };
        (!has_ended).then_some(work)
    }
}

/// The calls of the connection.
impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Place {
    fn execute(&self, call: F) {
        self.clone().begin(Box::pin(call));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::runtime::{Builder, Runtime};
    use tokio::sync::mpsc;

    use super::*;
    use crate::net::meter::processor_time;

    /// More than the share of a connection.
    const LONG: Duration = Duration::from_millis(50);

    fn runtimes() -> [Runtime; 2] {
        ["foreground", "background"].map(|name| {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(1).thread_name(name).enable_all().build().unwrap()
        })
    }

    fn thread() -> String {
        std::thread::current().name().unwrap().to_owned()
    }

    fn compute(time: Duration) {
        let begun = processor_time();
        while processor_time().saturating_sub(begun) < time {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn a_connection_is_served_in_the_background_while_it_is_new_or_takes_much() {
        let [here, background] = runtimes();
        let seen = here.block_on(async {
            let place = Place::new(background.handle().clone(), Turns::new());
            let meter = place.meter.clone();
            let (tell, mut told) = mpsc::unbounded_channel();
            place.begin(Box::pin(async move {
                for time in [Duration::ZERO, LONG] {
                    compute(time);
                    tokio::task::yield_now().await;
                    tell.send(thread()).unwrap();
                    meter.relief().await;
                    tokio::task::yield_now().await;
                    tell.send(thread()).unwrap();
                }
            }));
            let mut seen = Vec::new();
            while let Some(thread) = told.recv().await {
                seen.push(thread);
            }
            seen
        });
        assert_eq!(seen, ["background", "foreground", "background", "foreground"]);
    }

    #[test]
    fn what_is_known_to_take_much_is_done_in_the_background_before_it_has_taken_anything() {
        let [here, background] = runtimes();
        let seen = here.block_on(async {
            let place = Place::new(background.handle().clone(), Turns::new());
            let (tell, told) = tokio::sync::oneshot::channel();
            let of_connection = place.clone();
            place.begin(Box::pin(async move {
                tokio::task::yield_now().await;
                of_connection.meter.relief().await;
                tokio::task::yield_now().await;
                let before = thread();
                of_connection.takes_much();
                tokio::task::yield_now().await;
                tell.send([before, thread()]).unwrap();
            }));
            told.await.unwrap()
        });
        assert_eq!(seen, ["foreground", "background"]);
    }

    #[test]
    fn what_only_waits_goes_back_to_the_foreground_by_itself() {
        let [here, background] = runtimes();
        let place = here.block_on(async { Place::new(background.handle().clone(), Turns::new()) });
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        place.execute(async move { drop(ended.await) });
        let is_back = async {
            while here.metrics().num_alive_tasks() == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let limit = Duration::from_secs(10);
        let waited = background.block_on(async { tokio::time::timeout(limit, is_back).await });
        waited.expect("it goes back");
        drop(end);
    }
}
