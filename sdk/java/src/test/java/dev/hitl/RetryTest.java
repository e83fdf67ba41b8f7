package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hitl.Scripted.Step;
import io.grpc.Metadata;
import io.grpc.Status;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class RetryTest {
    private static final HitlException LOST = HitlException.unavailable("lost", null);
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final ManualTimer timer = new ManualTimer();
    private final AtomicInteger attempts = new AtomicInteger();

    private Retry<Void> failing(HitlException error) {
        Retry<Void> retry =
                Retry.begin(
                        timer,
                        (failure, elapsed) -> failure.isRetryable() && elapsed.compareTo(LIMIT) <= 0,
                        (attempt, delay, failure) -> {},
                        backoff -> {
                            attempts.incrementAndGet();
                            return CompletableFuture.failedFuture(error);
                        });
        timer.runUntil(retry);
        return retry;
    }

    @Test
    void delaysDoubleWithinBounds() {
        Retry.Backoff backoff = new Retry.Backoff();
        for (int step = 0; step < 12; step++) {
            long full = Math.min(100L << step, 5_000);
            long delay = backoff.delay(LOST).toNanos() / 1_000;
            assertTrue(delay >= full * 500 && delay <= full * 1_000, step + ": " + delay + " us");
        }
    }

    @Test
    void theServersOwnDelayIsKept() {
        var asks = ErrorTest.status(Status.Code.UNAVAILABLE, "R", "hitl.v1");
        HitlException error = HitlException.of(asks.getStatus(), asks.getTrailers(), "http://x");
        assertEquals(Duration.ofSeconds(3), new Retry.Backoff().delay(error));
    }

    @Test
    void repeatsWhatCanPassAndGivesUpInTime() {
        assertTrue(failing(LOST).isCompletedExceptionally());
        assertTrue(attempts.get() > 6, attempts + " attempts");
        assertTrue(timer.now().compareTo(LIMIT) <= 0);
    }

    @Test
    void doesNotRepeatWhatCannotPass() {
        assertTrue(failing(HitlException.invalid("no")).isCompletedExceptionally());
        assertEquals(1, attempts.get());
    }

    @Test
    void aCallWithoutRetryIsMadeOnce() throws IOException {
        try (Scripted server = new Scripted(Step.refuse(Scripted.lost()))) {
            Client client = server.client(new Config().retryFor(Duration.ZERO));
            HitlException error = assertThrows(HitlException.class, () -> client.get("id"));
            assertEquals(HitlException.Kind.UNAVAILABLE, error.kind());
            assertEquals(1, server.calls);
            // The trace is that of the caller, not of a thread of the connection.
            assertEquals("join", error.getStackTrace()[0].getMethodName());
        }
    }

    @Test
    void aCallThatIsRepeatedIsTheSameCallAndTheNextOneIsAnother() throws IOException {
        List<Consumer<Client>> calls =
                List.of(
                        client -> client.event("n", "?", Input.bool()).create(),
                        client -> client.answer("e", Answer.json("1"), "Ada"),
                        client -> client.decline("e", "", "Ada"));
        for (Consumer<Client> call : calls) {
            try (Scripted server = new Scripted()) {
                // The server has seen the call, and nobody knows whether it took effect.
                server.failures.add(Scripted.lost());
                Client client = server.client(new Config(), Timer.SYSTEM);
                call.accept(client);
                call.accept(client);
                assertEquals(3, server.keys.size());
                assertEquals(server.keys.get(0), server.keys.get(1));
                assertNotEquals(server.keys.get(1), server.keys.get(2));
                assertFalse(server.keys.contains(""));
            }
        }
    }

    @Test
    void anAttemptWithoutReplyIsGivenUp() {
        Call<String, String, String> call =
                new Call<>(reply -> reply, timer, Limits.Silence.of(Duration.ofSeconds(15)), "http://x");
        timer.run(Duration.ofSeconds(14));
        assertFalse(call.outcome.isDone());
        timer.run(Duration.ofSeconds(1));
        var failed = assertThrows(CompletionException.class, call.outcome::join);
        assertEquals("the server at http://x sent nothing for 15 s", failed.getCause().getMessage());
    }

    @Test
    void aStreamThatEndsEarlyIsLost() {
        Call<String, String, String> call =
                new Call<>(reply -> reply, timer, Limits.Silence.of(Duration.ofSeconds(15)), "http://x");
        call.onClose(Status.OK, new Metadata());
        var failed = assertThrows(CompletionException.class, call.outcome::join);
        assertTrue(((HitlException) failed.getCause()).isRetryable());
    }

    @Test
    void anInterruptedCallIsCancelledAndTheThreadStaysInterrupted() throws IOException {
        try (Scripted server = new Scripted(Step.refuse(Scripted.lost()))) {
            Client client = server.client();
            Thread.currentThread().interrupt();
            assertThrows(CancellationException.class, () -> client.get("id"));
            assertTrue(Thread.interrupted());
            timer.run(Duration.ofMinutes(1));
            assertEquals(1, server.calls);
        }
    }
}
