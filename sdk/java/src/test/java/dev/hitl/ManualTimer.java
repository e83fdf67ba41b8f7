package dev.hitl;

import java.time.Duration;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;

/** A time that passes when a test says so, all at once. */
final class ManualTimer extends Timer {
    private record Task(Duration due, long order, Runnable run, CompletableFuture<Void> handle) {}

    private final PriorityQueue<Task> tasks =
            new PriorityQueue<>(Comparator.comparing(Task::due).thenComparing(Task::order));
    private Duration now = Duration.ZERO;
    private long order;

    @Override
    Duration now() {
        return now;
    }

    @Override
    Future<?> after(Duration delay, Runnable task) {
        CompletableFuture<Void> handle = new CompletableFuture<>();
        tasks.add(new Task(now.plus(delay), order++, task, handle));
        return handle;
    }

    @Override
    void soon(Runnable task) {
        task.run();
    }

    /** Lets time pass until {@code future} ends. */
    void runUntil(Future<?> future) {
        while (!future.isDone()) {
            if (tasks.isEmpty()) {
                throw new AssertionError("nothing is to happen any more");
            }
            next();
        }
    }

    void run(Duration duration) {
        Duration end = now.plus(duration);
        while (!tasks.isEmpty() && tasks.peek().due().compareTo(end) <= 0) {
            next();
        }
        now = end;
    }

    private void next() {
        Task task = tasks.remove();
        if (!task.handle().isDone()) {
            now = task.due();
            task.run().run();
        }
    }
}
