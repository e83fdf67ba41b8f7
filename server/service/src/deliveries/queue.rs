//! What this process has under way: one thread at a time for each event on each channel, and so many threads at a time
//! for each channel, so that a slow one delays no other.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hitl_core::{ChannelId, EventKey};
use hitl_store::jobs::Job;
use hitl_store::{DeliveryId, Step};
use tokio::sync::Semaphore;

use super::pace;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Queue {
    threads: HashMap<(EventKey, ChannelId), Waiting>,
    /// How many of them each channel has.
    counts: HashMap<ChannelId, usize>,
    lanes: HashMap<Lane, Arc<Semaphore>>,
}

/// The jobs of one thread, by their step.
#[derive(Debug, Default)]
struct Waiting(BTreeMap<(Step, Job), ()>);

/// What has turns of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    /// A channel.
    Channel(ChannelId),
    /// The host of a requester.
    Host(String),
}

/// What became of a job that came into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entered {
    /// It began a thread, which the caller has to work off.
    Begins,
    /// Its thread is under way, and takes it along.
    Joins,
    /// There is no room.
    Full,
}

impl Queue {
    /// Takes in the job that makes the delivery `id`.
    pub(super) fn enter(&mut self, id: &DeliveryId, job: Job) -> Entered {
        let thread = (id.key.clone(), id.channel);
        if let Some(waiting) = self.threads.get_mut(&thread) {
            waiting.0.insert((id.step, job), ());
            return Entered::Joins;
        }
        let count = self.counts.entry(id.channel).or_default();
        if *count >= pace::QUEUED_MAX {
            return Entered::Full;
        }
        *count += 1;
        self.threads.insert(thread, Waiting(BTreeMap::from([((id.step, job), ())])));
        Entered::Begins
    }

    /// The next job of a thread, which stays in the queue until it is [`left`](Self::leave). With none left the thread
    /// ends.
    pub(super) fn next(&mut self, key: &EventKey, channel: ChannelId) -> Option<Job> {
        let thread = (key.clone(), channel);
        let first = self.threads.get(&thread)?.0.first_key_value();
        let next = first.map(|((_, job), ())| job.clone());
        if next.is_none() {
            self.threads.remove(&thread);
            self.uncount(channel);
        }
        next
    }

    /// Lets go of a job for which this process does nothing any more.
    pub(super) fn leave(&mut self, id: &DeliveryId, job: &Job) {
        if let Some(waiting) = self.threads.get_mut(&(id.key.clone(), id.channel)) {
            waiting.0.remove(&(id.step, job.clone()));
        }
    }

    /// The turns of a lane.
    pub(super) fn turns(&mut self, lane: &Lane) -> Arc<Semaphore> {
        // Those that nobody holds any more.
        if self.lanes.len() > 2 * self.threads.len() + 64 {
            self.lanes.retain(|_, turns| Arc::strong_count(turns) > 1);
        }
        let new = || Arc::new(Semaphore::new(pace::SENDING_MAX));
        self.lanes.entry(lane.clone()).or_insert_with(new).clone()
    }

    fn uncount(&mut self, channel: ChannelId) {
        let Some(count) = self.counts.get_mut(&channel) else { return };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(&channel);
        }
    }

    /// How many threads are under way.
    pub(super) fn len(&self) -> usize {
        self.threads.len()
    }
}

#[cfg(test)]
mod tests {
    use hitl_core::{EventId, Timestamp};

    use super::*;

    fn delivery(event: u8, step: Step) -> (DeliveryId, Job) {
        let key = EventKey {
            namespace: hitl_core::Namespace::default(),
            id: EventId::from_bytes([event; 16]),
        };
        let id = DeliveryId { key, channel: ChannelId::of_random(u64::MAX), step };
        let job = id.job(Timestamp::from_ms(1_000).unwrap(), 0);
        (id, job)
    }

    #[test]
    fn a_thread_is_worked_off_in_the_order_of_its_steps_and_each_job_once() {
        let mut queue = Queue::default();
        let (asked, asked_job) = delivery(1, Step::ASKED);
        let (ended, ended_job) = delivery(1, Step::ENDED);
        assert_eq!(queue.enter(&ended, ended_job.clone()), Entered::Begins);
        assert_eq!(queue.enter(&asked, asked_job.clone()), Entered::Joins);
        assert_eq!(queue.enter(&asked, asked_job.clone()), Entered::Joins, "it is there already");
        let mut next = || queue.next(&asked.key, asked.channel);
        assert_eq!((next(), next()), (Some(asked_job.clone()), Some(asked_job.clone())));
        queue.leave(&asked, &asked_job);
        assert_eq!(queue.next(&asked.key, asked.channel), Some(ended_job.clone()));
        queue.leave(&ended, &ended_job);
        assert_eq!((queue.next(&asked.key, asked.channel), queue.len()), (None, 0));
    }

    #[test]
    fn each_channel_has_turns_of_its_own_for_as_long_as_somebody_holds_them() {
        let mut queue = Queue::default();
        let host = |n: u32| Lane::Host(format!("{n}.example"));
        let first = queue.turns(&host(0));
        assert_eq!(first.available_permits(), pace::SENDING_MAX);
        assert!(Arc::ptr_eq(&first, &queue.turns(&host(0))));
        for n in 0..1_000 {
            queue.turns(&host(n));
        }
        assert!(queue.lanes.len() < 100, "{}", queue.lanes.len());
        assert!(Arc::ptr_eq(&first, &queue.turns(&host(0))));
    }
}
