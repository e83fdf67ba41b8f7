package dev.hitl;

import static dev.hitl.Scripted.Step.cut;
import static dev.hitl.Scripted.Step.hang;
import static dev.hitl.Scripted.Step.refuse;
import static dev.hitl.Scripted.Step.reply;
import static dev.hitl.Scripted.Step.stream;
import static dev.hitl.Scripted.answered;
import static dev.hitl.Scripted.failed;
import static dev.hitl.Scripted.heartbeat;
import static dev.hitl.Scripted.lost;
import static dev.hitl.Scripted.refusal;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hitl.v1.ErrorReason;
import dev.hitl.v1.WaitEventsResponse;
import io.grpc.Status;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WaitTest {
    private static HitlException errorOf(CompletableFuture<?> future) {
        CompletionException failed = assertThrows(CompletionException.class, future::join);
        return assertInstanceOf(HitlException.class, failed.getCause());
    }

    @Test
    void anIdThatIsNoneDoesNotReachTheStreamOfTheOthers() throws IOException {
        try (Scripted server = new Scripted()) {
            HitlException error = errorOf(server.client().awaitEventAsync("a".repeat(1 << 20)));
            assertEquals(HitlException.Kind.INVALID, error.kind());
            assertEquals(0, server.calls);
        }
    }

    @Test
    void aCutOrRefusedStreamIsOpenedAgainUntilTheEventEnds() throws IOException {
        try (Scripted server =
                new Scripted(
                        stream(heartbeat()),
                        refuse(refusal(Status.Code.UNAVAILABLE, "ERROR_REASON_SHUTTING_DOWN")),
                        refuse(Status.UNKNOWN.asRuntimeException()),
                        cut(Status.INTERNAL.asRuntimeException(), heartbeat()),
                        refuse(refusal(Status.Code.RESOURCE_EXHAUSTED, "ERROR_REASON_TOO_MANY_WAITERS")),
                        stream(),
                        stream(heartbeat(), answered("e", 42)))) {
            var ended = server.client().awaitEventAsync("e");
            server.timer.runUntil(ended);
            assertEquals(42, Event.outcome(ended.join(), Input.integer()));
            assertEquals(7, server.calls);
        }
    }

    @Test
    void aServerFallenSilentIsLeftAfterThreeHeartbeats() throws IOException {
        try (Scripted server = new Scripted(hang(heartbeat(), heartbeat()), stream(answered("e", 1)))) {
            var ended = server.client().awaitEventAsync("e");
            server.timer.runUntil(ended);
            long waited = server.timer.now().toMillis();
            assertTrue(waited >= 45_000 && waited < 46_000, waited + " ms");
            assertEquals(2, server.calls);
            assertEquals(1, server.cancelled);
        }
    }

    @Test
    void anOutageLongerThanAnyRetryDoesNotEndAWaitThatHadBegun() throws IOException {
        // Nothing but the stream itself shows that the server had been reached.
        try (Scripted server = new Scripted(stream())) {
            server.steps.addAll(Collections.nCopies(100, refuse(lost())));
            server.steps.add(stream(answered("e", 7)));
            var ended = server.client().awaitEventAsync("e");
            server.timer.runUntil(ended);
            ended.join();
            assertTrue(server.timer.now().compareTo(Duration.ofSeconds(120)) > 0);
        }
    }

    @Test
    void aServerNeverReachedIsAnErrorInTime() throws IOException {
        try (Scripted server = new Scripted()) {
            server.steps.addAll(Collections.nCopies(100, refuse(lost())));
            Client client = server.client();
            var ended = client.awaitEventAsync("e");
            var other = client.awaitEventAsync("f");
            server.timer.runUntil(ended);
            assertEquals(HitlException.Kind.UNAVAILABLE, errorOf(ended).kind());
            // Where an error is thrown is part of it, and that is not the same place for both.
            assertNotSame(errorOf(ended), errorOf(other));
            assertTrue(server.timer.now().compareTo(Duration.ofSeconds(30)) <= 0);
            assertTrue(server.calls > 6);
        }
    }

    @Test
    void aServerThatIsTooOldForSharedWaitsIsAnErrorAtOnce() throws IOException {
        try (Scripted server = new Scripted(refuse(Status.UNIMPLEMENTED.asRuntimeException()))) {
            HitlException error = errorOf(server.client().awaitEventAsync("e"));
            assertEquals(HitlException.Kind.INTERNAL, error.kind());
            assertTrue(error.getMessage().contains("too old for this call"), error.getMessage());
            assertEquals(1, server.calls);
        }
    }

    @Test
    void delaysAfterProgressAreShortAgain() throws IOException {
        try (Scripted server = new Scripted(stream(heartbeat()))) {
            server.steps.addAll(Collections.nCopies(9, refuse(lost())));
            server.steps.add(stream(heartbeat()));
            server.steps.add(hang(heartbeat()));
            var ended = server.client().awaitEventAsync("e");
            while (server.calls < 11) {
                server.timer.run(Duration.ofMillis(10));
            }
            server.timer.run(Duration.ofMillis(110));
            assertEquals(12, server.calls);
            ended.cancel(true);
        }
    }

    @Test
    void anUnknownEventIsAnErrorAtOnceAndTheOtherWaitsGoOn() throws IOException {
        var unknown = failed("e", Status.Code.NOT_FOUND, ErrorReason.ERROR_REASON_EVENT_NOT_FOUND);
        try (Scripted server = new Scripted(hang(unknown).after(2))) {
            Client client = server.client();
            var other = client.awaitEventAsync("f");
            HitlException error = assertThrows(HitlException.class, () -> client.awaitEvent("e"));
            assertEquals(HitlException.Kind.NOT_FOUND, error.kind());
            assertEquals("ERROR_REASON_EVENT_NOT_FOUND", error.reason());
            server.timer.run(Duration.ofSeconds(40));
            assertFalse(other.isDone());
            assertEquals(1, server.calls);
        }
    }

    @Test
    void anUnknownStateIsPendingAndAnEndThatNobodyWaitsForIsPassedOver() throws IOException {
        WaitEventsResponse unknown =
                WaitEventsResponse.newBuilder()
                        .setEvent(dev.hitl.v1.Event.newBuilder().setId("e").setStateValue(99))
                        .build();
        try (Scripted server = new Scripted(hang(unknown, answered("f", 1)))) {
            var ended = server.client().awaitEventAsync("e");
            server.timer.run(Duration.ofSeconds(40));
            assertFalse(ended.isDone());
            assertEquals(1, server.calls);
            ended.cancel(true);
        }
    }

    @Test
    void allWaitsOfAClientShareOneStreamAndAreToldApart() throws IOException {
        try (Scripted server =
                new Scripted(reply(2_500, id -> answered(id, Long.parseLong(id))))) {
            Client client = server.client();
            // The first of them is waited for by three.
            var waits =
                    IntStream.range(0, 2_502)
                            .mapToObj(number -> client.awaitEventAsync("" + Math.max(0, number - 2)))
                            .toList();
            for (int number = 0; number < waits.size(); number++) {
                assertEquals(Math.max(0, number - 2), Event.outcome(waits.get(number).join(), Input.integer()));
            }
            assertEquals(1, server.calls);
            assertEquals(2_500, server.waits.size());
        }
    }

    @Test
    void everythingThatIsStillWaitedForIsAskedForAgainAfterALossInFewMessages() throws IOException {
        var lost = cut(Status.INTERNAL.asRuntimeException(), answered("0", 1)).after(2_500);
        try (Scripted server = new Scripted(lost, reply(2_498, id -> answered(id, 2)))) {
            Client client = server.client();
            var waits = IntStream.range(0, 2_500).mapToObj(id -> client.awaitEventAsync("" + id)).toList();
            assertTrue(waits.get(0).isDone());
            waits.get(1).cancel(true);
            server.timer.runUntil(waits.get(2_499));
            waits.subList(2, 2_500).forEach(CompletableFuture::join);
            var again = IntStream.range(2, 2_500).mapToObj(id -> "+" + id).toList();
            assertEquals(again, server.waits.subList(2_500, 4_998));
            assertEquals(4_998, server.waits.size());
        }
    }

    @Test
    void aWaitThatIsGivenUpIsRemovedAndTheLastOneEndsTheStream() throws IOException {
        try (Scripted server = new Scripted(hang(), hang())) {
            Client client = server.client();
            var event = client.event("n", "?", Input.integer()).create();
            String id = event.id();
            var other = client.awaitEventAsync("f");
            event.awaitAsync().cancel(true);
            var same = event.awaitAsync();
            event.awaitAsync().complete(0L);
            other.cancel(true);
            assertEquals(0, server.cancelled);
            same.cancel(true);
            assertEquals(1, server.cancelled);
            event.awaitAsync().cancel(true);
            server.timer.run(Duration.ofMinutes(5));
            assertEquals(List.of("+f", "+" + id, "-" + id, "+" + id, "-f", "+" + id), server.waits);
            assertEquals(2, server.calls);
            assertEquals(2, server.cancelled);
        }
    }

    @Test
    void whoeverStopsWaitingForALostServerEndsItsRetries() throws IOException {
        try (Scripted server = new Scripted(refuse(lost()), stream(answered("e", 1)))) {
            Client client = server.client();
            client.awaitEventAsync("e").cancel(true);
            server.timer.run(Duration.ofMinutes(5));
            assertEquals(1, server.calls);
            assertTrue(client.awaitEventAsync("e").isDone());
        }
    }

    @Test
    void aWaitThatTheServerHasNoRoomForIsAddedAgainLater() throws IOException {
        var full = failed("e", Status.Code.RESOURCE_EXHAUSTED, ErrorReason.ERROR_REASON_TOO_MANY_WAITERS);
        try (Scripted server = new Scripted(hang(full))) {
            var ended = server.client().awaitEventAsync("e");
            server.timer.run(Duration.ofSeconds(40));
            assertFalse(ended.isDone());
            assertEquals(List.of("+e", "+e"), server.waits);
            assertEquals(1, server.calls);
        }
    }

    @Test
    void whatIsHungOnAWaitMayBlockUntilAnotherEnds() throws IOException {
        try (Scripted server = new Scripted(hang(answered("e", 1), answered("f", 2)).after(2))) {
            Client client = server.client(new Config(), Timer.SYSTEM);
            var other = new CompletableFuture<dev.hitl.v1.Event>().orTimeout(10, TimeUnit.SECONDS);
            var ended = client.awaitEventAsync("e").thenApply(event -> other.join().getId());
            client.awaitEventAsync("f").thenAccept(other::complete);
            assertEquals("f", ended.join());
        }
    }

    @Test
    void anInterruptEndsTheWaitAndTheStream() throws IOException {
        try (Scripted server = new Scripted(hang(heartbeat()))) {
            var event = server.client().event("n", "?", Input.integer()).create();
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, event::await);
            assertEquals(1, server.cancelled);
        }
    }

    @Test
    void closingTheClientEndsItsWaitsAtOnce() throws IOException {
        for (Scripted.Step step : List.of(hang(heartbeat()), refuse(lost()))) {
            try (Scripted server = new Scripted(step)) {
                Client client = server.client();
                var ended = client.awaitEventAsync("e");
                client.close();
                assertTrue(errorOf(ended).getMessage().contains("closed"));
                assertTrue(errorOf(client.awaitEventAsync("e")).getMessage().contains("closed"));
            }
        }
    }

    @Test
    void clientsOfOneRunShareItsCountAndRunsDoNotShareKeys() throws IOException {
        try (Scripted server = new Scripted()) {
            var ids =
                    List.of("w1", "w1", "w2").stream()
                            .map(run -> server.client(new Config().runId(run)))
                            .map(client -> client.event("n", "?", Input.bool()).create().id())
                            .distinct();
            assertEquals(3, ids.count());
            Client run = server.client(new Config().runId("w1"));
            assertEquals("mine", run.event("n", "?", Input.bool()).idempotencyKey("mine").create().id());
        }
    }
}
