package dev.hitl;

import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The time, and what is to happen later. One for the process; tests bring their own. */
class Timer {
    static final Timer SYSTEM = new Timer();

    private final ScheduledThreadPoolExecutor executor =
            new ScheduledThreadPoolExecutor(1, task -> thread(task, "hitl-timer"));
    /**
     * As many as are busy at a time. The pool that all of a process share would do no more of ours once a program
     * blocks its threads by waits.
     */
    private final ExecutorService workers = Executors.newCachedThreadPool(task -> thread(task, "hitl-worker"));

    Timer() {
        executor.setRemoveOnCancelPolicy(true);
    }

    /** Time since some fixed instant. */
    Duration now() {
        return Duration.ofNanos(System.nanoTime());
    }

    /** Runs {@code task} once {@code delay} has passed, unless the returned future is cancelled before. */
    Future<?> after(Duration delay, Runnable task) {
        return executor.schedule(() -> soon(task), delay.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Has another thread run {@code task}: programs hang anything on a wait, and it must not hold up the others. */
    void soon(Runnable task) {
        workers.execute(task);
    }

    private static Thread thread(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }
}
