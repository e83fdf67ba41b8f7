package dev.hitl;

import static dev.hitl.Scripted.Step.hang;
import static dev.hitl.Scripted.Step.refuse;
import static dev.hitl.Scripted.Step.stream;
import static dev.hitl.Scripted.answered;
import static dev.hitl.Scripted.event;
import static dev.hitl.Scripted.heartbeat;
import static dev.hitl.Scripted.lost;
import static dev.hitl.Scripted.pending;
import static dev.hitl.Scripted.refusal;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hitl.v1.EventState;
import dev.hitl.v1.WaitEventResponse;
import io.grpc.Status;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class WaitTest {
    private static HitlException errorOf(CompletableFuture<?> future) {
        CompletionException failed = assertThrows(CompletionException.class, future::join);
        return assertInstanceOf(HitlException.class, failed.getCause());
    }

    @Test
    void aCutOrRefusedStreamIsOpenedAgainUntilTheEventEnds() throws IOException {
        try (Scripted server =
                new Scripted(
                        stream(pending()),
                        refuse(refusal(Status.Code.UNAVAILABLE, "ERROR_REASON_SHUTTING_DOWN")),
                        refuse(Status.UNKNOWN.asRuntimeException()),
                        new Scripted.Step(List.of(pending()), Status.INTERNAL.asRuntimeException()),
                        refuse(refusal(Status.Code.RESOURCE_EXHAUSTED, "ERROR_REASON_TOO_MANY_WAITERS")),
                        stream(),
                        stream(pending(), heartbeat(), answered(42)))) {
            var ended = server.client().awaitEventAsync("e");
            server.timer.runUntil(ended);
            assertEquals(42, Event.outcome(ended.join(), Input.integer()));
            assertEquals(7, server.calls);
        }
    }

    @Test
    void aServerFallenSilentIsLeftAfterThreeHeartbeats() throws IOException {
        try (Scripted server = new Scripted(hang(pending(), heartbeat()), stream(answered(1)))) {
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
        try (Scripted server = new Scripted(stream(pending()))) {
            server.steps.addAll(Collections.nCopies(100, refuse(lost())));
            server.steps.add(stream(answered(7)));
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
            var ended = server.client().awaitEventAsync("e");
            server.timer.runUntil(ended);
            assertEquals(HitlException.Kind.UNAVAILABLE, errorOf(ended).kind());
            assertTrue(server.timer.now().compareTo(Duration.ofSeconds(30)) <= 0);
            assertTrue(server.calls > 6);
        }
    }

    @Test
    void delaysAfterProgressAreShortAgain() throws IOException {
        try (Scripted server = new Scripted(stream(pending()))) {
            server.steps.addAll(Collections.nCopies(9, refuse(lost())));
            server.steps.add(stream(pending()));
            server.steps.add(hang(pending()));
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
    void anUnknownEventIsAnErrorAtOnce() throws IOException {
        try (Scripted server =
                new Scripted(refuse(refusal(Status.Code.NOT_FOUND, "ERROR_REASON_EVENT_NOT_FOUND")))) {
            Client client = server.client();
            HitlException error = assertThrows(HitlException.class, () -> client.awaitEvent("e"));
            assertEquals(HitlException.Kind.NOT_FOUND, error.kind());
            assertEquals(1, server.calls);
        }
    }

    @Test
    void anUnknownStateIsPending() throws IOException {
        WaitEventResponse unknown =
                WaitEventResponse.newBuilder()
                        .setEvent(dev.hitl.v1.Event.newBuilder().setStateValue(99))
                        .build();
        try (Scripted server = new Scripted(hang(unknown))) {
            var ended = server.client().awaitEventAsync("e");
            server.timer.run(Duration.ofSeconds(40));
            assertFalse(ended.isDone());
            ended.cancel(true);
        }
    }

    @Test
    void anEventThatEndedWithoutAValueIsAnErrorOfItsKind() throws IOException {
        var kinds =
                List.of(
                        HitlException.Kind.DECLINED,
                        HitlException.Kind.CANCELLED,
                        HitlException.Kind.TIMED_OUT);
        for (HitlException.Kind kind : kinds) {
            EventState state = EventState.valueOf("EVENT_STATE_" + kind);
            try (Scripted server = new Scripted(stream(event(state, null)))) {
                var event = server.client().event("n", "?", Input.integer()).create();
                assertEquals(kind, errorOf(event.awaitAsync()).kind());
            }
        }
    }

    @Test
    void aDefaultIsTheValueOfAnEventThatTimedOut() throws Exception {
        var defaulted = event(EventState.EVENT_STATE_TIMED_OUT, Values.of(5));
        try (Scripted server = new Scripted(stream(defaulted))) {
            assertEquals(5, server.client().event("n", "?", Input.integer()).create().await());
        }
    }

    @Test
    void whoeverStopsWaitingEndsTheStreamAndNothingIsTriedAgain() throws IOException {
        try (Scripted server = new Scripted(hang(pending()), hang(pending()), stream(pending()))) {
            var event = server.client().event("n", "?", Input.integer()).create();
            event.awaitAsync().cancel(true);
            assertEquals(1, server.cancelled);
            event.awaitAsync().complete(0L);
            assertEquals(2, server.cancelled);
            event.awaitAsync().cancel(true);
            server.timer.run(Duration.ofMinutes(5));
            assertEquals(3, server.calls);
        }
    }

    @Test
    void anInterruptEndsTheWaitAndTheStream() throws IOException {
        try (Scripted server = new Scripted(hang(pending()))) {
            var event = server.client().event("n", "?", Input.integer()).create();
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, event::await);
            assertEquals(1, server.cancelled);
        }
    }

    @Test
    void aWaitOfAClosedClientFails() throws IOException {
        try (Scripted server = new Scripted(hang(pending()))) {
            Client client = server.client();
            var ended = client.awaitEventAsync("e");
            client.close();
            server.timer.runUntil(ended);
            assertTrue(errorOf(ended).getMessage().contains("closed"));
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
