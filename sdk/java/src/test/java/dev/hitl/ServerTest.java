package dev.hitl;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hitl.v1.AnswerEventRequest;
import dev.hitl.v1.ChangeKind;
import dev.hitl.v1.CreateEventRequest;
import dev.hitl.v1.IntInput;
import dev.hitl.v1.ListEventsRequest;
import dev.hitl.v1.WatchEventsRequest;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;

/** Against the real server, which the client starts. */
@EnabledIfEnvironmentVariable(named = "HITL_BIN", matches = ".+", disabledReason = "no hitl program")
@Timeout(20)
class ServerTest {
    enum Size {
        SMALL,
        LARGE
    }

    record Order(long count, Size size, List<Size> spare, Optional<String> note) {}

    @TempDir private Path dir;
    private Client client;

    @BeforeEach
    void aServerOfOurOwn() throws IOException {
        // The environment of this program cannot be changed, that of the one that it runs can.
        String script = "#!/bin/sh\nexport HITL_DATA_DIR='%s' HITL_PORT=%d\nexec '%s' \"$@\"\n";
        Path program = dir.resolve("hitl");
        try (ServerSocket socket = new ServerSocket(0)) {
            Files.writeString(
                    program, script.formatted(data(), socket.getLocalPort(), System.getenv("HITL_BIN")));
        }
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
        client = new Client(new Config().binary(program).resolve(name -> null));
    }

    private Path data() {
        return dir.resolve("data");
    }

    @AfterEach
    void end() throws IOException {
        client.close();
        killServer();
    }

    /** A client that is told where the server is, and so has to bring its token. */
    private Client distant(Proxy proxy) throws Exception {
        Process says = new ProcessBuilder(dir.resolve("hitl").toString(), "token", "local").start();
        String token = new String(says.getInputStream().readAllBytes(), UTF_8).strip();
        assertEquals(0, says.waitFor());
        return new Client(new Config().endpoint(proxy.endpoint()).token(token));
    }

    private void killServer() throws IOException {
        String holder = Files.readString(data().resolve("server.lock"));
        ProcessHandle.of(Long.parseLong(holder))
                .ifPresent(
                        server -> {
                            server.destroyForcibly();
                            server.onExit().join();
                        });
    }

    private static int post(String url, String json) throws Exception {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(url))
                        .header("content-type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(json))
                        .build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
    }

    @Test
    void aNumberIsAskedForAndAnsweredOverHttp() throws Exception {
        Event<Long> event =
                client.event("proceed", "What should I add to x?", Input.integer().min(0)).create();
        assertEquals(event.id(), event.requestId());
        assertFalse(event.existed());
        CompletableFuture<Long> answer = event.awaitAsync();
        assertEquals(200, post(event.apiUrl(), "{\"value\": 9007199254740993}"));
        assertEquals(9_007_199_254_740_993L, answer.get());
        assertEquals(9_007_199_254_740_993L, event.await());
    }

    @Test
    void aWaitOutlivesItsServer() throws Exception {
        Event<Boolean> event = client.event("ship", "Ship it?", Input.bool()).create();
        CompletableFuture<Boolean> answer = event.awaitAsync();
        killServer();
        // The next call starts another one, over the same data.
        client.answer(event.id(), Answer.value(true), "Ada");
        assertTrue(answer.get());
    }

    @Test
    void aWatchOutlivesItsServerAndAnotherGoesOnFromItsToken() throws Exception {
        var page = client.list(ListEventsRequest.getDefaultInstance());
        var input = dev.hitl.v1.Input.newBuilder().setInt(IntInput.getDefaultInstance());
        var question = CreateEventRequest.newBuilder().setName("n").setPrompt("?").setInput(input);
        var created =
                client.createMany(
                        List.of(
                                question.build(),
                                question.clone().clearPrompt().build(),
                                question.clone().setName("other").build()));
        assertEquals(HitlException.Kind.INVALID, created.get(1).error().kind());
        String id = created.get(0).get().getEvent().getId();
        var request = WatchEventsRequest.newBuilder().setName("n").setResumeToken(page.getResumeToken());
        String token;
        try (Watch watch = client.watch(request.build())) {
            Change change = watch.next();
            assertEquals(ChangeKind.CHANGE_KIND_CREATED, change.kind());
            killServer();
            var answer = AnswerEventRequest.newBuilder().setEventId(id).setJson("1").build();
            client.answerMany(List.of(answer)).get(0).get();
            while (change.kind() != ChangeKind.CHANGE_KIND_ENDED) {
                assertEquals(id, change.event().getId());
                change = watch.next();
            }
            token = change.resumeToken();
        }
        try (Watch watch = client.watch(request.setResumeToken(token).build())) {
            assertEquals(1, watch.next().event().getResponse().getValue().getInt());
        }
    }

    @Test
    void hundredsOfWaitsShareOneConnection() throws Exception {
        client.list(ListEventsRequest.getDefaultInstance());
        try (Proxy proxy = new Proxy(client.endpoint());
                Client distant = distant(proxy)) {
            Map<String, List<CompletableFuture<String>>> answers = new HashMap<>();
            for (int n = 0; n < 10; n++) {
                Event<String> event = distant.event("n" + n, "?", Input.text()).create();
                answers.put(event.id(), Stream.generate(event::awaitAsync).limit(30).toList());
            }
            for (String id : answers.keySet()) {
                distant.answer(id, Answer.text(id), "");
                for (CompletableFuture<String> answer : answers.get(id)) {
                    assertEquals(id, answer.get());
                }
            }
            assertEquals(1, proxy.connections());
        }
    }

    @Test
    @Timeout(40)
    void aCallOnADeadConnectionGoesOverToANewOneInTime() throws Exception {
        Event<Boolean> event = client.event("n", "?", Input.bool()).create();
        try (Proxy proxy = new Proxy(client.endpoint());
                Client distant = distant(proxy)) {
            CompletableFuture<dev.hitl.v1.Event> ended = distant.awaitEventAsync(event.id());
            distant.get(event.id());
            proxy.kill();
            assertEquals(event.id(), distant.get(event.id()).getId());
            client.answer(event.id(), Answer.value(true), "");
            assertTrue(ended.get().getResponse().getValue().getBool());
        }
    }

    @Test
    void aRecordIsAskedForAndAnswered() throws Exception {
        Order order = new Order(3, Size.LARGE, List.of(Size.SMALL), Optional.empty());
        Event<Order> event =
                client.event("order", "What?", Input.object(Order.class))
                        .defaultOnTimeout(order)
                        .timeout(Duration.ofMinutes(5))
                        .create();
        client.answer(event.id(), Answer.value(order), "");
        assertEquals(order, event.await());
        Event<Order> late =
                client.event("order", "What?", Input.object(Order.class))
                        .defaultOnTimeout(order)
                        .timeout(Duration.ofMillis(1))
                        .create();
        assertEquals(order, late.await());
    }

    @Test
    void theServerSaysWhichFieldIsWrongAndHowAnEventEnded() {
        Event<Long> event = client.event("n", "?", Input.integer().max(9)).create();
        var invalid =
                assertThrows(
                        HitlException.class, () -> client.answer(event.id(), Answer.json("10"), ""));
        assertEquals(HitlException.Kind.INVALID, invalid.kind());
        assertEquals("ERROR_REASON_INVALID_ANSWER", invalid.reason());
        assertEquals("value", invalid.fieldViolations().get(0).field());
        client.decline(event.id(), "not today", "Ada");
        var declined = assertThrows(HitlException.class, event::await);
        assertEquals(HitlException.Kind.DECLINED, declined.kind());
        assertEquals("Ada", declined.response().getResponder().getName());
        var late = assertThrows(HitlException.class, () -> event.cancel(""));
        assertEquals(HitlException.Kind.CONFLICT, late.kind());
    }

    @Test
    void aWaitThatIsGivenUpLeavesTheEvent() throws Exception {
        Event<Long> event = client.event("n", "?", Input.integer()).label("k", "v").create();
        CompletableFuture<Long> answer = event.awaitAsync();
        answer.cancel(true);
        assertThrows(CancellationException.class, () -> answer.get(1, TimeUnit.SECONDS));
        var page = client.list(ListEventsRequest.newBuilder().putLabels("k", "v").build());
        assertEquals(event.id(), page.getEvents(0).getId());
        event.cancel("asked no more");
        assertEquals("asked no more", client.awaitEvent(event.id()).getResponse().getReason());
        assertEquals(client.get(event.id()), client.awaitEvent(event.id()));
    }
}
