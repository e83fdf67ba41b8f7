//! The writer thread: takes what is queued, decides it, makes it durable with one sync, shows it
//! to readers, and only then answers.
//!
//! It never waits for a batch to fill: while one batch syncs, the next one gathers in the queue,
//! so a lone caller waits for one sync only and many callers share one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use crate::batch::{Answer, Batch, Op};
use crate::commit::Commit;
use crate::options::Clock;
use crate::queue::{self, Request};
use crate::reserve::Room;
use crate::shared::Shared;
use crate::versions::Versions;

/// The most writes that share one sync; more gain nothing and only make the first ones wait.
const MAX_BATCH_OPS: usize = 1024;
/// A batch takes no further write once it has this many bytes: copies are not in the queue's
/// budget, because their size is known only here.
const MAX_BATCH_BYTES: usize = 16 << 20;

type Answers = Vec<(oneshot::Sender<Answer>, Answer)>;

/// The store has stopped, and says why.
struct Stopped;

pub(crate) struct Writer {
    /// Whether it was this writer that stopped the store, so that it has to say so.
    pub(crate) was_first: bool,
    pub(crate) shared: Arc<Shared>,
    pub(crate) commit: Box<dyn Commit>,
    pub(crate) versions: Versions,
    pub(crate) clock: Clock,
}

impl Writer {
    /// The thread ends when every sender of `requests` is gone and the queue is empty.
    pub(crate) fn spawn(
        self,
        requests: mpsc::Receiver<Request>,
    ) -> std::io::Result<JoinHandle<()>> {
        thread::Builder::new()
            .name("hitl-embedded-writer".to_owned())
            .spawn(move || self.run(requests))
    }

    fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut taken = Vec::with_capacity(MAX_BATCH_OPS);
        let mut queued = VecDeque::with_capacity(MAX_BATCH_OPS);
        while requests.blocking_recv_many(&mut taken, MAX_BATCH_OPS) > 0 {
            queued.extend(taken.drain(..));
            while !queued.is_empty() {
                if let Err(Stopped) = self.write_some(&mut queued) {
                    self.stop(queued, requests);
                    return;
                }
            }
        }
    }

    /// Writes one batch from the front of `queued`.
    fn write_some(&mut self, queued: &mut VecDeque<Request>) -> Result<(), Stopped> {
        self.shared.check().map_err(|_| Stopped)?;
        let room = self.room(queued);
        let mut batch = Batch::new(&self.shared.objects, &mut self.versions, (self.clock)(), room);
        let mut answers = Answers::with_capacity(queued.len());
        let mut is_asked_for = false;
        while batch.bytes() < MAX_BATCH_BYTES
            && let Some(request) = queued.pop_front()
        {
            is_asked_for |= matches!(request.op, Op::Erase { .. });
            answers.push((request.reply, batch.apply(request.op)));
        }
        let changes = batch.into_changes();
        // Refusals wait for the sync as well: the object that refused may be in this batch.
        if !changes.is_empty() {
            let committed = self.commit.commit_and_sync(changes);
            let committed = committed.map_err(|error| self.explain(&error));
            // Whatever was synced is of no use to anybody if no restart will find it.
            if let Err(reason) = committed.and_then(|()| self.shared.is_in_place()) {
                self.was_first = self.shared.stop(&reason);
                refuse(answers.into_iter().map(|(reply, _)| reply), &self.shared);
                return Err(Stopped);
            }
            self.shared.publish();
            self.shared.keep_up();
        } else if is_asked_for {
            // Lets the engine drop what only the snapshot before still shows.
            self.shared.publish();
        }
        send(answers);
        Ok(())
    }

    /// The room for what is queued. What is new work lets go of nothing that is kept for the rest.
    fn room(&self, queued: &VecDeque<Request>) -> Room {
        let (mut all, mut rest) = (0, 0);
        for Request { op, .. } in queued {
            let cost = queue::cost(op);
            all += cost;
            rest += if op.is_new_work() { 0 } else { cost };
        }
        let bounded = |bytes: usize| bytes.min(MAX_BATCH_BYTES) as u64;
        self.shared.room(bounded(rest), bounded(all))
    }

    fn explain(&self, error: &fjall::Error) -> String {
        if matches!(error, fjall::Error::Poisoned) {
            // It may have met a damaged table, and would again.
            self.shared.dir.suspect_damage();
            return "the engine could not move or merge what was written, and has said why in the log; the next start \
                    looks for damage first"
                .to_owned();
        }
        format!("writing failed: {error}")
    }

    /// Every caller gets the error before the hook runs, because the hook may end the process.
    fn stop(&self, queued: VecDeque<Request>, mut requests: mpsc::Receiver<Request>) {
        requests.close();
        refuse(queued.into_iter().map(|request| request.reply), &self.shared);
        while let Some(request) = requests.blocking_recv() {
            refuse([request.reply], &self.shared);
        }
        if self.was_first {
            self.shared.tell_fatal();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if thread::panicking() && self.shared.stop("the writer thread panicked") {
            self.shared.tell_fatal();
        }
    }
}

fn send(answers: Answers) {
    for (reply, answer) in answers {
        // A caller that has gone away needs no answer.
        let _ = reply.send(answer);
    }
}

fn refuse(replies: impl IntoIterator<Item = oneshot::Sender<Answer>>, shared: &Shared) {
    for reply in replies {
        let _ = reply.send(Err(shared.stopped().into()));
    }
}
