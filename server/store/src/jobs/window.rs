//! The jobs of one place that are held in memory: a bounded window over the store.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use hitl_core::Timestamp;

use super::job::Job;
use super::pace::WINDOW_MAX;
use crate::clock::Monotonic;

/// Jobs by the instant at which they are done.
#[derive(Debug, Default)]
pub(super) struct Window {
    queue: BTreeSet<(Timestamp, Job)>,
    /// Jobs that failed, by the moment at which they come back: a pause, so no instant of the wall clock.
    failed: BTreeSet<(Monotonic, Job)>,
    known: BTreeMap<Job, JobState>,
    /// How often each of them has failed in a row that has.
    failures: BTreeMap<Job, u32>,
}

/// What is known of a job.
#[derive(Clone, Copy, Debug)]
enum JobState {
    /// It was set by this process, and is to be done at this instant.
    Set(Timestamp),
    /// It was found in the store, and is to be done at this instant.
    Found(Timestamp),
    /// It is being done, or has failed, so that a look at the store does not begin it twice.
    Doing,
}

impl Window {
    /// Adds `job`, which was set by this process, to be done at `at`, unless it is being done; says whether it is now
    /// the nearest.
    pub(super) fn insert(&mut self, at: Timestamp, job: Job) -> bool {
        match self.known.get(&job) {
            Some(JobState::Set(_) | JobState::Doing) => return false,
            Some(JobState::Found(_)) => self.remove(&job),
            None => {}
        }
        self.add(at, job, JobState::Set(at))
    }

    /// Adds `job`, which was found in the store, to be done at `at`, unless it is known.
    pub(super) fn insert_found(&mut self, at: Timestamp, job: Job) {
        if !self.known.contains_key(&job) {
            self.add(at, job, JobState::Found(at));
        }
    }

    fn add(&mut self, at: Timestamp, job: Job, known: JobState) -> bool {
        self.known.insert(job.clone(), known);
        self.queue.insert((at, job));
        if self.queue.len() > WINDOW_MAX
            && let Some((_, farthest)) = self.queue.pop_last()
        {
            self.settled(&farthest);
        }
        self.nearest() == Some(at)
    }

    /// Lets go of jobs due `within` that were found once and are not among the `listed` any more: somebody has seen
    /// to them.
    pub(super) fn forget_absent(&mut self, within: Range<Timestamp>, listed: &[Job]) {
        let known = self.known.iter().filter(|(job, known)| {
            matches!(known, JobState::Found(_)) && within.contains(&job.due)
        });
        let gone = known.filter(|(job, _)| listed.binary_search(job).is_err());
        for job in gone.map(|(job, _)| job.clone()).collect::<Vec<_>>() {
            self.remove(&job);
        }
    }

    /// The instant at which the next job is to be done.
    pub(super) fn nearest(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes out what is due at or before `now`; each is known as being done from now on.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Job> {
        let mut due = Vec::new();
        while self.nearest().is_some_and(|at| at <= now)
            && let Some((_, job)) = self.queue.pop_first()
        {
            self.known.insert(job.clone(), JobState::Doing);
            due.push(job);
        }
        due
    }

    /// Makes `job` known as being done; `false` if it is known already.
    pub(super) fn claim(&mut self, job: &Job) -> bool {
        let unknown = !self.known.contains_key(job);
        if unknown {
            self.known.insert(job.clone(), JobState::Doing);
        }
        unknown
    }

    /// Counts one more failure of `job`; says how many in a row that makes.
    pub(super) fn fail(&mut self, job: &Job) -> u32 {
        let failures = self.failures.entry(job.clone()).or_default();
        *failures += 1;
        *failures
    }

    /// Keeps a job that failed until `again`.
    pub(super) fn postpone(&mut self, job: Job, again: Monotonic) {
        self.failed.insert((again, job));
        if self.failed.len() > WINDOW_MAX
            && let Some((_, farthest)) = self.failed.pop_last()
        {
            self.settled(&farthest);
        }
    }

    /// The moment at which the next job that failed comes back.
    pub(super) fn nearest_failed(&self) -> Option<Monotonic> {
        self.failed.first().map(|(again, _)| *again)
    }

    /// Puts back what failed and was to come back at or before `moment`.
    pub(super) fn resume(&mut self, moment: Monotonic) {
        while self.nearest_failed().is_some_and(|again| again <= moment)
            && let Some((_, job)) = self.failed.pop_first()
        {
            self.known.remove(&job);
            self.insert(job.due, job);
        }
    }

    /// Lets go of a job that is done.
    pub(super) fn settled(&mut self, job: &Job) {
        self.failures.remove(job);
        self.known.remove(job);
    }

    /// Lets go of a job that need not be done any more, unless it is being done.
    pub(super) fn remove(&mut self, job: &Job) {
        if let Some(JobState::Set(at) | JobState::Found(at)) = self.known.get(job).copied() {
            self.queue.remove(&(at, job.clone()));
            self.settled(job);
        }
    }
}

#[cfg(test)]
mod tests {
    use hitl_core::{EventId, EventKey, Namespace};

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms).unwrap()
    }

    fn job(ms: i64, id: u8) -> Job {
        let key = EventKey { namespace: Namespace::default(), id: EventId::from_bytes([id; 16]) };
        Job::expire(at(ms), key)
    }

    fn insert(window: &mut Window, job: Job) -> bool {
        window.insert(job.due, job)
    }

    #[test]
    fn what_is_due_comes_out_in_order_and_once() {
        let mut window = Window::default();
        assert!(insert(&mut window, job(20, 1)));
        assert!(insert(&mut window, job(10, 2)));
        assert!(!insert(&mut window, job(30, 3)));
        assert_eq!(window.take_due(at(9)), []);
        assert_eq!(window.take_due(at(20)), [job(10, 2), job(20, 1)]);
        assert_eq!(window.take_due(at(20)), []);
        assert_eq!(window.nearest(), Some(at(30)));
    }

    #[test]
    fn a_job_that_is_being_done_is_not_taken_in_again() {
        let mut window = Window::default();
        insert(&mut window, job(10, 1));
        window.take_due(at(10));
        assert!(!insert(&mut window, job(10, 1)));
        assert!(!window.claim(&job(10, 1)));
        assert_eq!(window.take_due(at(10)), []);
        window.settled(&job(10, 1));
        assert!(window.claim(&job(10, 1)));
    }

    #[test]
    fn a_job_that_somebody_else_has_settled_is_let_go_unless_it_was_set_here() {
        let mut window = Window::default();
        window.insert_found(at(12), job(10, 1));
        window.insert_found(at(23), job(21, 2));
        insert(&mut window, job(11, 3));
        window.insert_found(at(14), job(12, 4));
        window.forget_absent(at(0)..at(20), &[job(12, 4)]);
        assert_eq!(window.take_due(at(30)), [job(11, 3), job(12, 4), job(21, 2)]);
    }

    #[test]
    fn a_job_that_is_set_here_after_all_is_done_on_time() {
        let mut window = Window::default();
        window.insert_found(at(12), job(10, 1));
        assert!(insert(&mut window, job(10, 1)));
        assert_eq!(window.take_due(at(10)), [job(10, 1)]);
        assert_eq!(window.nearest(), None);
    }

    #[test]
    fn a_failed_job_is_done_again_later() {
        let mut window = Window::default();
        insert(&mut window, job(10, 1));
        window.take_due(at(10));
        window.postpone(job(10, 1), Monotonic::from_ms(50));
        window.resume(Monotonic::from_ms(49));
        assert!(!window.claim(&job(10, 1)), "nothing else may begin it meanwhile");
        assert_eq!(window.take_due(at(10)), []);
        window.resume(Monotonic::from_ms(50));
        assert_eq!(window.nearest_failed(), None);
        assert_eq!(window.take_due(at(10)), [job(10, 1)]);
    }

    #[test]
    fn failures_in_a_row_are_counted_until_the_job_is_done() {
        let mut window = Window::default();
        for times in 1..=3 {
            insert(&mut window, job(10, 1));
            window.take_due(at(10));
            assert_eq!(window.fail(&job(10, 1)), times);
            window.postpone(job(10, 1), Monotonic::from_ms(50));
            window.resume(Monotonic::from_ms(50));
        }
        window.take_due(at(10));
        window.settled(&job(10, 1));
        assert_eq!(window.fail(&job(10, 1)), 1);
        window.remove(&job(10, 1));
        window.settled(&job(10, 1));
        assert!(window.failures.is_empty());
    }

    #[test]
    fn memory_is_bounded_and_the_nearest_are_kept() {
        let mut window = Window::default();
        for ms in (0..=WINDOW_MAX as i64).rev() {
            insert(&mut window, job(ms, 1));
        }
        assert_eq!(window.queue.len(), WINDOW_MAX);
        assert_eq!(window.known.len(), WINDOW_MAX);
        assert_eq!(window.nearest(), Some(at(0)));
    }
}
