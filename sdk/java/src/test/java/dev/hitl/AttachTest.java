package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.hitl.v1.EventState;
import dev.hitl.v1.Response;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class AttachTest {
    enum Region {
        EU,
        US
    }

    record Crew(int size, @Field(options = {"ada", "bob"}) List<String> names) {}

    record Fewer(int size) {}

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

    /** Has the server hold an event, and returns it. */
    private dev.hitl.v1.Event stored(EventState state, Input<?> input, Object value) {
        var event = dev.hitl.v1.Event.newBuilder().setId("e").setNamespace("shop").setName("n").setState(state);
        event.setInput(input.proto).setFormUrl("http://host/form/secret").getDeadlineBuilder().setSeconds(1);
        if (value != null) {
            event.setResponse(Response.newBuilder().setState(state).setValue(Values.of(value)));
        }
        server.stored.put("e", event.build());
        return event.build();
    }

    private <T> void reads(Input<?> asked, T answer, Class<T> type) {
        stored(EventState.EVENT_STATE_ANSWERED, asked, asked.proto.hasChoice() ? List.of(answer) : answer);
        Event<T> event = client.attach("e", type);
        assertTrue(event.existed());
        assertEquals(Optional.of(answer), event.poll());
    }

    @Test
    void anEventIsAttachedToWithTheTypeOfItsAnswer() {
        reads(Input.integer(), 7L, Long.class);
        reads(Input.number(), 0.5, Double.class);
        reads(Input.text(), "a", String.class);
        reads(Input.bool(), true, Boolean.class);
        reads(Input.choice().option("a"), "a", String.class);
        reads(Input.choice(Region.class), Region.US, Region.class);
        reads(Input.object(Crew.class), new Crew(2, List.of("ada", "bob")), Crew.class);

        Input<?> several = Input.choices().option("a").option("b").maxSelected(2);
        stored(EventState.EVENT_STATE_ANSWERED, several, List.of("a", "b"));
        assertEquals(Optional.of(List.of("a", "b")), client.attach("e", Input.choices()).poll());
        stored(EventState.EVENT_STATE_ANSWERED, Input.object(Crew.class), new Crew(2, List.of("ada")));
        Map<String, Object> fields = Map.of("size", 2L, "names", List.of("ada"));
        assertEquals(Optional.of(fields), client.attach("e", Input.object()).poll());
        HitlException fewer = assertThrows(HitlException.class, () -> client.attach("e", Fewer.class).poll());
        assertTrue(fewer.getMessage().contains("names"), fewer.getMessage());
    }

    @Test
    void anEventOfAnotherTypeIsRefused() {
        Map<Class<?>, Input<?>> refused =
                Map.of(
                        Long.class, Input.text(),
                        Integer.class, Input.integer(),
                        Boolean.class, Input.choice().option("a"),
                        String.class, Input.choices().option("a").option("b").maxSelected(2),
                        Region.class, Input.choice().option("EU").option("ASIA"),
                        Crew.class, Input.bool());
        refused.forEach((type, asked) -> {
            stored(EventState.EVENT_STATE_PENDING, asked, null);
            HitlException error = assertThrows(HitlException.class, () -> client.attach("e", type), type.toString());
            assertEquals(HitlException.Kind.INVALID, error.kind());
        });
        stored(EventState.EVENT_STATE_PENDING, Input.text(), null);
        HitlException error = assertThrows(HitlException.class, () -> client.attach("e", Input.integer()));
        assertEquals("the event asks for str, not int", error.getMessage());
    }

    @Test
    void aLookNeverWaitsAndALimitedWaitLooksAtLeastOnce() throws Exception {
        stored(EventState.EVENT_STATE_PENDING, Input.integer(), null);
        try (Client real = server.client(new Config(), Timer.SYSTEM)) {
            Event<Long> event = real.attach("e", Long.class);
            assertEquals(Optional.empty(), event.poll());
            assertEquals(Optional.empty(), event.awaitFor(Duration.ZERO));
            assertEquals(Optional.empty(), event.awaitFor(Duration.ofSeconds(-1)));
            assertEquals(3 + 1, server.calls);

            server.steps.add(Scripted.Step.hang());
            assertEquals(Optional.empty(), event.awaitFor(Duration.ofMillis(50)));
            server.steps.add(Scripted.Step.stream(Scripted.answered("e", 7)));
            assertEquals(Optional.of(7L), event.awaitFor(Duration.ofSeconds(10)));

            stored(EventState.EVENT_STATE_ANSWERED, Input.integer(), 7L);
            assertEquals(Optional.of(7L), event.poll());
            assertEquals(Optional.of(7L), event.awaitFor(Duration.ZERO));
            stored(EventState.EVENT_STATE_DECLINED, Input.integer(), null);
            HitlException error = assertThrows(HitlException.class, event::poll);
            assertEquals(HitlException.Kind.DECLINED, error.kind());
            server.steps.add(Scripted.Step.stream(Scripted.event("e", EventState.EVENT_STATE_CANCELLED, null)));
            error = assertThrows(HitlException.class, () -> event.awaitFor(Duration.ofSeconds(10)));
            assertEquals(HitlException.Kind.CANCELLED, error.kind());
        }
    }

    @Test
    void anEventIsJsonWithoutSecrets() {
        var record = stored(EventState.EVENT_STATE_PENDING, Input.integer(), null);
        server.stored.put("e", record.toBuilder().setName("a \"\\\n\ud800 😀").build());
        JsonObject json = JsonParser.parseString(client.attach("e", Long.class).toJson()).getAsJsonObject();
        assertEquals("[id, namespace, name, deadline, existed]", json.keySet().toString());
        assertEquals("e", json.get("id").getAsString());
        assertEquals("shop", json.get("namespace").getAsString());
        assertTrue(json.get("name").getAsString().startsWith("a \"\\\n"), json.toString());
        assertTrue(json.get("name").getAsString().endsWith(" 😀"), json.toString());
        assertEquals("1970-01-01T00:00:01Z", json.get("deadline").getAsString());
        assertTrue(json.get("existed").getAsBoolean());
        server.stored.put("e", record.toBuilder().clearDeadline().build());
        assertTrue(client.attach("e", Long.class).toJson().contains("\"deadline\":null"));
    }

    /** What a client prints while the event, after {@code before}, is waited for twice. */
    private String told(dev.hitl.v1.Event record, Consumer<Event<Long>> before) {
        server.stored.put("e", record);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream stderr = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        Config.Settings plain = new Config().endpoint("http://127.0.0.1:1").resolve(name -> null);
        Config.Settings settings =
                new Config.Settings(
                        plain.endpoints(), null, "default", null, plain.limits(), null, plain.sent(), null, null,
                        new Announcer(stderr),
                        plain.log(),
                        List.of());
        Event<Long> event = server.client(settings).attach("e", Long.class);
        before.accept(event);
        event.poll();
        for (int time = 0; time < 2; time++) {
            server.steps.add(Scripted.Step.stream(Scripted.answered("e", 1)));
            server.timer.runUntil(event.awaitAsync());
        }
        return bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }

    @Test
    void aWaitTellsOnceWhereToAnswerUnlessTheProgramKnows() {
        var record = stored(EventState.EVENT_STATE_PENDING, Input.integer(), null);
        var named = record.toBuilder().setName("a\nb");
        String line = "hitl: \"a\\nb\" waits for an answer at http://host/form/secret\n";
        assertEquals(line, told(named.build(), event -> {}));
        assertEquals("", told(named.build(), Event::formUrl));
        assertEquals("", told(named.build(), Event::apiUrl));
        line = "hitl: \"n\" waits for an answer (event e)\n";
        assertEquals(line, told(record.toBuilder().clearFormUrl().build(), event -> {}));
        assertEquals("", told(record.toBuilder().setState(EventState.EVENT_STATE_DECLINED).build(), event -> {
            // It has ended, so that to look is to be told.
            server.stored.put("e", record);
        }));
    }

    @Test
    void onlySoManyEventsAreToldOf() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Announcer announcer = new Announcer(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        for (int at = 0; at < 50; at++) {
            announcer.tell(dev.hitl.v1.Event.newBuilder().setName("n" + at).setFormUrl("http://h").build());
        }
        List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
        assertEquals(21, lines.size());
        assertEquals("hitl: more events wait than are told of here", lines.get(20));
    }

    @Test
    void nobodyIsToldIfTheProgramOrTheEnvironmentSaysSo() {
        var quiet = Map.of("", false, "0", true, "false", true, "off", true, "1", false);
        quiet.forEach((variable, isQuiet) -> {
            var variables = Map.of("HITL_ANNOUNCE", variable);
            assertEquals(isQuiet, new Config().resolve(variables::get).announcer() == null, variable);
            assertFalse(new Config().announce(true).resolve(variables::get).announcer() == null);
            assertTrue(new Config().announce(false).resolve(variables::get).announcer() == null);
        });
    }
}
