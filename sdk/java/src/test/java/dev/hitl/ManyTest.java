package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hitl.v1.AnswerEventRequest;
import dev.hitl.v1.CreateEventRequest;
import dev.hitl.v1.CreateEventResponse;
import dev.hitl.v1.ErrorReason;
import dev.hitl.v1.Failure;
import dev.hitl.v1.FieldViolation;
import io.grpc.Status;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ManyTest {
    /** So many requests, called by their number. */
    private static List<CreateEventRequest> questions(int count) {
        return IntStream.range(0, count)
                .mapToObj(number -> CreateEventRequest.newBuilder().setName("" + number).build())
                .toList();
    }

    /** Every result is the event of its request. */
    private static void assertCreated(int count, List<Result<CreateEventResponse>> results) {
        assertEquals(
                questions(count).stream().map(CreateEventRequest::getName).toList(),
                results.stream().map(result -> result.get().getEvent().getName()).toList());
    }

    private static Failure.Builder failure(Status.Code code, ErrorReason reason) {
        return Failure.newBuilder().setCode(code.value()).setReason(reason).setMessage("why\nnot");
    }

    private static Failure overloaded(Duration delay) {
        var asked = com.google.protobuf.Duration.newBuilder();
        asked.setSeconds(delay.getSeconds()).setNanos(delay.getNano());
        return failure(Status.Code.RESOURCE_EXHAUSTED, ErrorReason.ERROR_REASON_OVERLOADED)
                .setRetryAfter(asked)
                .build();
    }

    @Test
    void manyGoInCallsOfAThousandAndOfOneMebibyte() throws IOException {
        try (Scripted server = new Scripted()) {
            Client client = server.client();
            assertCreated(2500, client.createMany(questions(2500)));
            List<CreateEventRequest> large = new ArrayList<>();
            for (int kib : new int[] {500, 500, 500, 2000, 1}) {
                String prompt = "x".repeat(kib << 10);
                large.add(questions(5).get(large.size()).toBuilder().setPrompt(prompt).build());
            }
            assertCreated(5, client.createMany(large));
            assertEquals(List.of(), client.createMany(List.of()));
            assertEquals(
                    List.of(1000, 1000, 500, 2, 1, 1, 1), server.batches.stream().map(List::size).toList());
        }
    }

    @Test
    void whatIsWrongWithOneOfManyIsItsErrorAlone() throws IOException {
        var violation = FieldViolation.newBuilder().setField("name").setDescription("must not be empty");
        Failure failure =
                failure(Status.Code.INVALID_ARGUMENT, ErrorReason.ERROR_REASON_INVALID_REQUEST)
                        .putMetadata("state", "s")
                        .addFieldViolations(violation)
                        .build();
        try (Scripted server = new Scripted()) {
            server.failure = (place, name) -> place == 1 ? failure : null;
            var results = server.client().createMany(questions(3));
            var error = assertThrows(HitlException.class, results.get(1)::get);
            assertSame(error, results.get(1).error());
            assertEquals(HitlException.Kind.INVALID, error.kind());
            assertEquals("why\\nnot", error.getMessage());
            assertEquals("ERROR_REASON_INVALID_REQUEST", error.reason());
            assertEquals("s", error.metadata().get("state"));
            assertEquals(
                    List.of(new HitlException.FieldViolation("name", "must not be empty")),
                    error.fieldViolations());
            assertFalse(error.isRetryable());
            assertEquals("2", results.get(2).get().getEvent().getName());
            assertEquals(1, server.batches.size());
        }
    }

    @Test
    void whatHadNoRoomInTheReplyIsSentAgainAtOnce() throws IOException {
        try (Scripted server = new Scripted()) {
            server.failure = (place, name) -> place >= 100 ? overloaded(Duration.ZERO) : null;
            Client client = server.client(new Config().retryFor(Duration.ZERO));
            assertCreated(1500, client.createMany(questions(1500)));
            assertEquals(15, server.batches.size());
        }
    }

    @Test
    void anEntryIsSentAgainAfterAsLongAsTheServerAsks() throws IOException {
        Duration asked = Duration.ofMillis(150);
        try (Scripted server = new Scripted()) {
            server.failure =
                    (place, name) -> server.batches.size() == 1 && name.equals("1") ? overloaded(asked) : null;
            Duration begun = Timer.SYSTEM.now();
            assertCreated(3, server.client(new Config(), Timer.SYSTEM).createMany(questions(3)));
            assertTrue(Timer.SYSTEM.now().minus(begun).compareTo(asked) >= 0);
            assertEquals(List.of(3, 1), server.batches.stream().map(List::size).toList());
        }
    }

    @Test
    void manyThatAreRepeatedAreTheSame() throws IOException {
        try (Scripted server = new Scripted()) {
            // The server has seen the call, and nobody knows whether it took effect.
            server.failures.add(Scripted.lost());
            Client client = server.client(new Config(), Timer.SYSTEM);
            assertCreated(2, client.createMany(questions(2)));
            server.failures.add(Scripted.lost());
            var named = AnswerEventRequest.newBuilder().setEventId("f").setNamespace("n").setAnswerId("a");
            var answers = List.of(AnswerEventRequest.newBuilder().setEventId("e").build(), named.build());
            var results = client.answerMany(answers);
            assertEquals(List.of("e", "f"), results.stream().map(result -> result.get().getReason()).toList());
            var batches = server.batches;
            assertEquals(batches.get(0), batches.get(1));
            assertNotEquals(batches.get(0).get(0), batches.get(0).get(1));
            assertEquals(batches.get(2), batches.get(3));
            assertTrue(batches.get(2).get(0).matches("default/e/[0-9a-f]{32}"), batches.toString());
            assertEquals("n/f/a", batches.get(2).get(1));
        }
    }

    @Test
    void oneOfManyThatWasNotCreatedDoesNotCount() throws IOException {
        Failure fault = failure(Status.Code.INTERNAL, ErrorReason.ERROR_REASON_INTERNAL).build();
        try (Scripted server = new Scripted()) {
            server.failure = (place, name) -> server.batches.size() == 1 && place == 1 ? fault : null;
            Client run = server.client(new Config().runId("many"));
            var same = Collections.nCopies(3, CreateEventRequest.newBuilder().setName("n").build());
            run.createMany(same);
            run.createMany(same.subList(0, 1));
            assertEquals(server.batches.get(0).get(1), server.batches.get(1).get(0));
            assertNotEquals(server.batches.get(0).get(0), server.batches.get(0).get(2));
        }
    }

    @Test
    void aServerThatIsNotThereIsTheErrorOfAll() throws IOException {
        try (Scripted server = new Scripted()) {
            server.failures.add(Scripted.lost());
            Client client = server.client(new Config().retryFor(Duration.ZERO));
            var results = client.createMany(questions(2500));
            assertEquals(2500, results.size());
            for (var result : results) {
                assertEquals(HitlException.Kind.UNAVAILABLE, result.error().kind());
            }
            assertEquals(1, server.batches.size());
        }
    }

    @Test
    void aBatchThatIsRefusedForGoodTakesNoOtherWithIt() throws IOException {
        try (Scripted server = new Scripted()) {
            server.failures.add(Status.INVALID_ARGUMENT.withDescription("too large").asRuntimeException());
            var results = server.client().createMany(questions(2500));
            for (var result : results.subList(0, 1000)) {
                assertEquals(HitlException.Kind.INVALID, result.error().kind());
            }
            results.subList(1000, 2500).forEach(Result::get);
            assertEquals(3, server.batches.size());
        }
    }

    @Test
    void anInterruptEndsManyAndTheThreadStaysInterrupted() throws IOException {
        try (Scripted server = new Scripted()) {
            server.failures.add(Scripted.lost());
            Client client = server.client();
            Thread.currentThread().interrupt();
            assertThrows(CancellationException.class, () -> client.createMany(questions(2)));
            assertTrue(Thread.interrupted());
        }
    }
}
