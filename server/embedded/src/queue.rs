//! The way to the writer thread: bounded in number and in bytes, so that a burst makes callers
//! wait instead of filling the memory.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::batch::{Answer, Op, Step};
use crate::shared::Shared;

/// The least budget of bytes; a larger object raises it so that it fits.
const MIN_BYTES: usize = 64 << 20;
/// About what a queued write takes besides its body.
const OVERHEAD: usize = 256;

/// A write with the way back to its caller.
pub(crate) struct Request {
    pub(crate) op: Op,
    pub(crate) reply: oneshot::Sender<Answer>,
    /// Gives the bytes back when the write has been decided.
    _bytes: Option<OwnedSemaphorePermit>,
}

/// A way to the writer thread for the store's own work, which does not keep the store open.
pub(crate) struct Aside(mpsc::WeakSender<Request>);

impl Aside {
    /// Waits for the answer. `None` if the store closes or has stopped.
    pub(crate) fn submit(&self, op: Op) -> Option<Answer> {
        let (reply, answer) = oneshot::channel();
        let request = Request { op, reply, _bytes: None };
        self.0.upgrade()?.blocking_send(request).ok()?;
        answer.blocking_recv().ok()
    }
}

pub(crate) struct Queue {
    sender: mpsc::Sender<Request>,
    budget: Arc<Semaphore>,
}

impl Queue {
    pub(crate) fn new(max_ops: usize, max_object_bytes: usize) -> (Self, mpsc::Receiver<Request>) {
        let (sender, receiver) = mpsc::channel(max_ops);
        let bytes = (max_object_bytes + (1 << 20)).max(MIN_BYTES);
        let budget = Arc::new(Semaphore::new(bytes));
        (Self { sender, budget }, receiver)
    }

    pub(crate) fn aside(&self) -> Aside {
        Aside(self.sender.downgrade())
    }

    /// Waits for room, then for the answer. Dropped while waiting for room, nothing happens;
    /// dropped after that, the write may still happen.
    pub(crate) async fn submit(&self, op: Op, shared: &Shared) -> Answer {
        shared.check()?;
        let cost = u32::try_from(cost(&op)).expect("options bound an object to 1 GiB");
        let budget = Arc::clone(&self.budget);
        let bytes = budget.acquire_many_owned(cost).await;
        let (reply, answer) = oneshot::channel();
        let bytes = Some(bytes.expect("the budget is never closed"));
        let request = Request { op, reply, _bytes: bytes };
        if self.sender.send(request).await.is_err() {
            return Err(shared.stopped().into());
        }
        answer.await.unwrap_or_else(|_| Err(shared.stopped().into()))
    }
}

/// About how much memory a write takes, and of the disk too.
pub(crate) fn cost(op: &Op) -> usize {
    OVERHEAD
        + match op {
            Op::Put { key, record, .. } => key.len() + record.len(),
            Op::Delete { key } => key.len(),
            Op::Together { steps, .. } => steps.iter().map(Step::bytes).sum(),
            Op::Erase { keys } => keys.iter().map(|key| key.len()).sum(),
            Op::Copy { from, to, .. } => from.len() + to.len(),
        }
}
