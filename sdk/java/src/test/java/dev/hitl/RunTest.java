package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.hitl.v1.CreateEventRequest;
import dev.hitl.v1.Event;
import dev.hitl.v1.Input;
import dev.hitl.v1.IntInput;
import io.grpc.Status;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RunTest {
    private Scripted server;
    private Client client;

    @BeforeEach
    void start() throws IOException {
        server = new Scripted();
        client = server.client();
    }

    @AfterEach
    void end() {
        client.close();
        server.close();
    }

    private static CreateEventRequest named(String name) {
        return CreateEventRequest.newBuilder().setName(name).build();
    }

    /** The key of the event that is created, which the server makes its id. */
    private static String key(Run run, String name) {
        return run.event(name, "?", dev.hitl.Input.bool()).create().id();
    }

    private String key(String name) {
        return client.create(named(name)).getEvent().getId();
    }

    private static List<String> keysOf(String runId, String name, long... numbers) {
        return LongStream.of(numbers).mapToObj(number -> Key.textOf(runId, name, number)).toList();
    }

    @Test
    void eachRunOfAnIdCountsFromTheBeginning() {
        for (int time = 0; time < 2; time++) {
            Run run = client.run("job-9");
            assertEquals("job-9", run.id());
            assertEquals(keysOf("job-9", "a", 1, 2), List.of(key(run, "a"), key(run, "a")));
            assertEquals(keysOf("job-9", "b", 1), List.of(run.create(named("b")).getEvent().getId()));
        }
    }

    @Test
    void theCurrentRunOfTheThreadCountsUnlessAnotherIsAsked() throws InterruptedException {
        Run run = client.run("job-9");
        for (int time = 0; time < 2; time++) {
            List<String> keys =
                    run.within(() -> {
                        String first = key("a");
                        String inner = client.run("inner").within(() -> key("a"));
                        String other = key(client.run("other"), "a");
                        return List.of(first, inner, other, key("a"));
                    });
            assertEquals(keysOf("job-9", "a", 1), keys.subList(0, 1));
            assertEquals(keysOf("inner", "a", 1), keys.subList(1, 2));
            assertEquals(keysOf("other", "a", 1), keys.subList(2, 3));
            assertEquals(keysOf("job-9", "a", 2), keys.subList(3, 4));
        }
        // After it, and in another thread, no run is the current one.
        assertEquals(32, key("a").length());
        String elsewhere = run.within(() -> CompletableFuture.supplyAsync(() -> key("a")).join());
        assertEquals(32, elsewhere.length());
        // What the block throws goes on to the caller as it is.
        assertThrows(IOException.class, () -> run.within(() -> {
            throw new IOException("of the block");
        }));
        assertEquals(32, key("a").length());
    }

    @Test
    void aCreateThatFailedLeavesItsNumberToTheNextOfTheRun() {
        Run run = client.run("job-9");
        key(run, "a");
        server.failures.add(Scripted.refusal(Status.Code.INVALID_ARGUMENT, "ERROR_REASON_INVALID_REQUEST"));
        assertThrows(HitlException.class, () -> key(run, "a"));
        assertEquals(keysOf("job-9", "a", 2), List.of(key(run, "a")));
    }

    @Test
    void manyEventsOfARunCountInTheirOrder() {
        client.run("job-9").createMany(List.of(named("a"), named("b"), named("a")));
        assertEquals(
                List.of(
                        Key.textOf("job-9", "a", 1), Key.textOf("job-9", "b", 1), Key.textOf("job-9", "a", 2)),
                server.batches.get(0));
    }

    @Test
    void aRunWithoutAnIdIsRefused() {
        HitlException error = assertThrows(HitlException.class, () -> client.run(""));
        assertEquals(HitlException.Kind.INVALID, error.kind());
    }

    @Test
    void theEventsOfARunAreFoundByTheirNumber() {
        // The id that a server gave the first event of the name n in the run r of the namespace default.
        String id = "2fe9a4123b058dc29938b652b7e6c297";
        Input input = Input.newBuilder().setInt(IntInput.getDefaultInstance()).build();
        server.stored.put(id, Event.newBuilder().setId(id).setInput(input).build());
        Run run = client.run("r");
        assertEquals(id, run.attach("n", Long.class).id());
        assertEquals(id, run.attach("n", dev.hitl.Input.integer(), 1).id());
        server.steps.add(Scripted.Step.refuse(Scripted.refusal(Status.Code.NOT_FOUND, "ERROR_REASON_EVENT_NOT_FOUND")));
        HitlException error = assertThrows(HitlException.class, () -> run.attach("n", Long.class, 2));
        assertEquals(HitlException.Kind.NOT_FOUND, error.kind());
        assertThrows(HitlException.class, () -> run.attach("n", Long.class, 0));
        assertEquals(keysOf("r", "n", 1), List.of(key(run, "n")));
    }
}
