//! Jobs alone, with time held in hand.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use hitl_core::{EventId, EventKey, Namespace, Timestamp};
use hitl_testing::scripted::{self, Op, Scripted, Step, broken};

use super::pace::{BACK_MS_MAX, LATER_MS, MINUTE_MS, RETRY_MS_MIN, SWEEP_MS};
use super::*;
use crate::clock::ManualClock;
use crate::random::SystemRandom;

const NOW_MS: i64 = 1_795_348_837_250;
const PROBE: Kind = Kind::new("probe");

struct World {
    clock: ManualClock,
    scripted: Arc<Scripted>,
    store: Arc<EventStore>,
    jobs: Arc<Jobs>,
    done: Arc<AtomicUsize>,
}

impl World {
    /// Jobs of which the first `failures` that are done fail.
    fn failing(failures: usize) -> Self {
        Self::doing(failures, |_| Done::Left)
    }

    /// Jobs that come to what `does` says, but for the first `failures`.
    fn doing(failures: usize, does: impl Fn(Job) -> Done + Send + Sync + 'static) -> Self {
        let clock = ManualClock::at(Timestamp::from_ms(NOW_MS).unwrap());
        let now: Arc<dyn Clock> = Arc::new(clock.clone());
        let scripted = Scripted::over(scripted::empty());
        let store = Arc::new(EventStore::over(scripted.clone(), false, now.clone()));
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let jobs = Jobs::new(&store, &now, &random);
        let done = Arc::<AtomicUsize>::default();
        let handler: Handler = {
            let done = done.clone();
            Arc::new(move |job| {
                let is_failed = done.fetch_add(1, Ordering::SeqCst) < failures;
                let result = if is_failed { Err("planted".into()) } else { Ok(does(job)) };
                async { result }.boxed()
            })
        };
        let handlers = Handlers::from([(Kind::EXPIRE, handler.clone()), (PROBE, handler)]);
        let run = jobs.clone();
        tokio::spawn(async move {
            run.run(handlers, TaskTracker::new(), CancellationToken::new()).await;
        });
        Self { clock, scripted, store, jobs, done }
    }

    /// How many have been done once `ms` milliseconds have passed.
    async fn done_after_ms(&self, ms: i64) -> usize {
        self.clock.advance_ms(ms);
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        self.done.load(Ordering::SeqCst)
    }

    /// An expiry that is due in `ms` milliseconds.
    fn expiry(&self, ms: i64) -> Job {
        Job::expire(self.clock.now().plus_ms(ms), event())
    }

    /// A job of another kind that is due in `ms` milliseconds, and durable.
    async fn probe(&self, ms: i64) -> Job {
        let job = Job { kind: PROBE, n: 3, ..self.expiry(ms) };
        self.store.put_job(&job).await.unwrap();
        job
    }

    /// The jobs that stand in the store.
    async fn stored(&self) -> Vec<Job> {
        let far = self.clock.now().plus_ms(100 * SWEEP_MS);
        let mut jobs = Vec::new();
        for minute in self.store.job_minutes_until(JobIndex::Jobs, far).await.unwrap() {
            jobs.extend(self.store.jobs_of_minute(JobIndex::Jobs, minute).await.unwrap().found);
        }
        jobs
    }
}

fn event() -> EventKey {
    EventKey { namespace: Namespace::default(), id: EventId::from_bytes([1; 16]) }
}

#[tokio::test]
async fn a_job_goes_by_the_wall_clock_however_that_is_set() {
    let world = World::failing(0);
    world.jobs.set(world.expiry(60_000));
    assert_eq!(world.done_after_ms(0).await, 0);
    world.clock.step_ms(-30_000);
    assert_eq!(world.done_after_ms(89_999).await, 0, "early");
    assert_eq!(world.done_after_ms(1).await, 1);
    world.jobs.set(world.expiry(60_000));
    world.clock.step_ms(60_000);
    assert_eq!(world.done_after_ms(0).await, 2);
}

#[tokio::test]
async fn a_job_that_failed_is_done_again_soon_though_the_clock_is_set_back() {
    let world = World::failing(1);
    world.jobs.set(world.expiry(-2 * MINUTE_MS));
    assert_eq!(world.done_after_ms(0).await, 1);
    world.clock.step_ms(-MINUTE_MS);
    assert_eq!(world.done_after_ms(RETRY_MS_MIN - 1).await, 1);
    assert_eq!(world.done_after_ms(1).await, 2);
}

#[tokio::test]
async fn what_came_due_while_the_machine_slept_is_done_at_the_next_look() {
    for place in JobIndex::ALL {
        let world = World::failing(0);
        assert_eq!(world.done_after_ms(0).await, 0);
        match place {
            JobIndex::Pending => {
                world.store.put_job(&world.expiry(10 * MINUTE_MS)).await.unwrap();
            }
            JobIndex::Jobs => drop(world.probe(10 * MINUTE_MS).await),
        }
        // The wall clock runs on while a machine sleeps, and nothing else does.
        world.clock.step_ms(60 * MINUTE_MS);
        assert_eq!(world.done_after_ms(pace::of(place).scan_ms).await, 1, "{place:?}");
    }
}

#[tokio::test]
async fn a_job_that_is_settled_is_removed_and_one_that_is_left_is_not() {
    for (done, is_kept) in [(Done::Settled, false), (Done::Left, true)] {
        let world = World::doing(0, move |_| done.clone());
        let job = world.probe(1_000).await;
        world.jobs.set(job.clone());
        assert_eq!(world.done_after_ms(1_000).await, 1);
        assert_eq!(world.stored().await == [job], is_kept);
    }
}

#[tokio::test]
async fn the_later_job_is_durable_before_the_earlier_is_removed() {
    let later = move |job: Job| match job.n {
        3 => Done::Then(Job { due: job.due.plus_ms(5_000), n: 4, ..job }),
        _ => Done::Left,
    };
    let world = World::doing(0, later);
    let job = world.probe(1_000).await;
    world.scripted.next(Op::Delete, "-3", Step::RefuseAndSay(broken));
    world.jobs.set(job.clone());
    assert_eq!(world.done_after_ms(1_000).await, 1);
    let next = Job { due: job.due.plus_ms(5_000), n: 4, ..job.clone() };
    assert_eq!(world.stored().await, [job, next.clone()], "the removal failed");
    assert_eq!(world.done_after_ms(RETRY_MS_MIN).await, 2);
    assert_eq!(world.stored().await, [next]);
    assert_eq!(world.done_after_ms(5_000).await, 3, "the later one is done on time");
}

#[tokio::test]
async fn a_job_that_keeps_failing_is_done_ever_less_often_and_then_put_off() {
    let world = World::failing(usize::MAX);
    let job = world.probe(0).await;
    world.jobs.set(job.clone());
    let mut times = vec![];
    for second in 0..=400 {
        let done = world.done_after_ms(if second == 0 { 0 } else { 1_000 }).await;
        while times.len() < done {
            times.push(second);
        }
    }
    assert_eq!(times, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
    let put_off = Job { due: Timestamp::from_ms(NOW_MS + 243_000 + LATER_MS).unwrap(), ..job };
    assert_eq!(world.stored().await, [put_off]);
}

#[tokio::test]
async fn a_kind_without_a_handler_is_left_alone() {
    let world = World::failing(0);
    let job = Job { kind: Kind::new("newer"), ..world.expiry(-60 * MINUTE_MS) };
    let soon = Job { due: world.clock.now().plus_ms(1_000), ..job.clone() };
    for job in [&job, &soon] {
        world.store.put_job(job).await.unwrap();
    }
    world.jobs.set(soon.clone());
    for _ in 0..5 {
        assert_eq!(world.done_after_ms(pace::of(JobIndex::Jobs).scan_ms).await, 0);
    }
    assert_eq!(world.done_after_ms(SWEEP_MS).await, 0);
    assert_eq!(world.stored().await, [job, soon]);
}

#[tokio::test]
async fn many_jobs_at_once_are_done_a_few_at_a_time() {
    let most = Arc::new(Mutex::new((0, 0)));
    let clock = ManualClock::at(Timestamp::from_ms(NOW_MS).unwrap());
    let now: Arc<dyn Clock> = Arc::new(clock.clone());
    let store = Arc::new(EventStore::over(scripted::empty(), false, now.clone()));
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let jobs = Jobs::new(&store, &now, &random);
    let handler: Handler = {
        let most = most.clone();
        Arc::new(move |_| {
            let most = most.clone();
            async move {
                let count = |by: i64| {
                    let mut most = most.lock().unwrap();
                    most.0 += by;
                    most.1 = most.1.max(most.0);
                };
                count(1);
                tokio::task::yield_now().await;
                count(-1);
                Ok(Done::Settled)
            }
            .boxed()
        })
    };
    let due = clock.now().plus_ms(-2 * BACK_MS_MAX);
    for n in 0..300 {
        let job = Job { due, kind: PROBE, key: event(), n };
        store.put_job(&job).await.unwrap();
    }
    let run = jobs.clone();
    let handlers = Handlers::from([(PROBE, handler)]);
    tokio::spawn(async move {
        run.run(handlers, TaskTracker::new(), CancellationToken::new()).await;
    });
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    let (left, most) = *most.lock().unwrap();
    let doing_max = i64::try_from(pace::of(JobIndex::Jobs).doing_max).unwrap();
    assert_eq!((left, most), (0, doing_max));
    let minutes = store.job_minutes_until(JobIndex::Jobs, clock.now()).await.unwrap();
    assert!(minutes.is_empty(), "{minutes:?}");
}
