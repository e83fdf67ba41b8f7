package dev.hitl;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiPredicate;
import java.util.function.Function;

/**
 * Repeats a call that is safe to repeat. All of ours are: creates carry an idempotency key, answers an
 * answer id. Cancelling it cancels the attempt under way.
 */
final class Retry<R> extends CompletableFuture<R> {
    private static final Duration FIRST_DELAY = Duration.ofMillis(100);
    private static final Duration MAX_DELAY = Duration.ofSeconds(5);

    /**
     * Delays that double from 100 ms to 5 s, each shortened at random by up to half, so that the clients
     * of a server that comes back do not all call it at once.
     */
    static final class Backoff {
        private Duration next = FIRST_DELAY;

        /** After progress, the next loss is a new one. */
        synchronized void reset() {
            next = FIRST_DELAY;
        }

        /** The delay before the next attempt, and at least what the server asked for with {@code error}. */
        synchronized Duration delay(HitlException error) {
            long nanos = next.toNanos();
            next = min(next.multipliedBy(2), MAX_DELAY);
            nanos -= ThreadLocalRandom.current().nextLong(nanos / 2 + 1);
            Duration asked = error.retryDelay();
            return Duration.ofNanos(nanos).compareTo(asked) < 0 ? asked : Duration.ofNanos(nanos);
        }
    }

    /** Is told that there is another attempt, of which number, after which delay, and why. */
    interface Again {
        void tell(int attempt, Duration delay, HitlException error);
    }

    private final Timer timer;
    private final Again told;
    private final Function<Backoff, CompletableFuture<R>> attempt;
    private final BiPredicate<HitlException, Duration> goesOn;
    private final Backoff backoff = new Backoff();
    private final Duration begun;
    private volatile CompletableFuture<R> current;
    /** Of the attempt under way: there is one at a time. */
    private volatile int number = 1;

    private Retry(
            Timer timer,
            BiPredicate<HitlException, Duration> goesOn,
            Again told,
            Function<Backoff, CompletableFuture<R>> attempt) {
        this.timer = timer;
        this.told = told;
        this.goesOn = goesOn;
        this.attempt = attempt;
        this.begun = timer.now();
    }

    /**
     * Begins attempts until one succeeds, or {@code goesOn} says of an error, and of the time that will
     * have passed at the next attempt, that it is the last.
     */
    static <R> Retry<R> begin(
            Timer timer,
            BiPredicate<HitlException, Duration> goesOn,
            Again told,
            Function<Backoff, CompletableFuture<R>> attempt) {
        Retry<R> retry = new Retry<>(timer, goesOn, told, attempt);
        retry.whenComplete((reply, error) -> retry.current.cancel(true));
        retry.again();
        return retry;
    }

    private void again() {
        if (isDone()) {
            return;
        }
        CompletableFuture<R> now = attempt.apply(backoff);
        current = now;
        now.whenComplete(this::ended);
        // It may have been cancelled before there was an attempt to cancel.
        if (isDone()) {
            now.cancel(true);
        }
    }

    private void ended(R reply, Throwable failure) {
        if (failure == null) {
            complete(reply);
        } else if (failure instanceof HitlException error) {
            Duration delay = backoff.delay(error);
            if (goesOn.test(error, timer.now().minus(begun).plus(delay))) {
                told.tell(++number, delay, error);
                timer.after(delay, this::again);
            } else {
                completeExceptionally(error);
            }
        } else {
            completeExceptionally(failure);
        }
    }

    private static Duration min(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }
}
