package dev.hitl;

import java.time.Duration;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The time, and what is to happen later. One for the process; tests bring their own. */
class Timer {
    static final Timer SYSTEM = new Timer();

    private final ScheduledThreadPoolExecutor executor =
            new ScheduledThreadPoolExecutor(
                    1,
                    task -> {
                        Thread thread = new Thread(task, "hitl-timer");
                        thread.setDaemon(true);
                        return thread;
                    });

    Timer() {
        executor.setRemoveOnCancelPolicy(true);
    }

    /** Time since some fixed instant. */
    Duration now() {
        return Duration.ofNanos(System.nanoTime());
    }

    /** Runs {@code task} once {@code delay} has passed, unless the returned future is cancelled before. */
    Future<?> after(Duration delay, Runnable task) {
        // Programs may have hung anything on a wait, and that must not hold up the others' time.
        Runnable handOver = () -> ForkJoinPool.commonPool().execute(task);
        return executor.schedule(handOver, delay.toNanos(), TimeUnit.NANOSECONDS);
    }
}
