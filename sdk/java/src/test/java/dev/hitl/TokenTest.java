package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hitl.v1.Event;
import dev.hitl.v1.WatchEventsRequest;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
class TokenTest {
    private static final String SECRET = "hitl_0123456789abcdef_secret";

    @TempDir private Path dir;

    private static Config.Settings resolve(Config config, Map<String, String> variables) {
        return config.resolve(variables::get);
    }

    private static Scripted server() throws IOException {
        Scripted server = new Scripted();
        server.stored.put("e", Event.newBuilder().setId("e").build());
        return server;
    }

    @Test
    void eachNewCallAsksForItsToken() throws IOException {
        AtomicInteger asked = new AtomicInteger();
        try (Scripted server = server();
                Client client = server.client(new Config().token(() -> " t" + asked.incrementAndGet() + "\n"))) {
            client.get("e");
            client.get("e");
            assertEquals(List.of("Bearer t1", "Bearer t2"), server.bearers);
        }
    }

    @Test
    void withoutATokenNoneIsSent() throws IOException {
        for (Config config : List.of(new Config(), new Config().token(""), new Config().token(() -> ""))) {
            try (Scripted server = server();
                    Client client = server.client(config)) {
                client.get("e");
                assertEquals(1, server.bearers.size());
                assertNull(server.bearers.get(0));
            }
        }
    }

    @Test
    void aCallIsRepeatedWhileItsTokenCannotBeHad() throws IOException {
        AtomicInteger asked = new AtomicInteger();
        Supplier<String> flaky = () -> {
            if (asked.incrementAndGet() % 2 == 1) {
                throw new IllegalStateException("the vault sleeps");
            }
            return SECRET;
        };
        try (Scripted server = server();
                Client client = server.client(new Config().token(flaky), Timer.SYSTEM)) {
            assertEquals("e", client.get("e").getId());
            assertEquals(2, asked.get());
        }
        try (Scripted server = server();
                Client client = server.client(new Config().token(flaky).retryFor(Duration.ZERO))) {
            HitlException error = assertThrows(HitlException.class, () -> client.get("e"));
            assertEquals(HitlException.Kind.UNAVAILABLE, error.kind());
            assertEquals("the token cannot be had: the vault sleeps", error.getMessage());
        }
    }

    @Test
    void aTokenThatNoHeaderCanHaveIsRefusedAndNotShown() throws IOException {
        for (String given : List.of(SECRET + "\nx", SECRET + "é", SECRET + " x", "secret".repeat(1_000))) {
            List<HitlException> errors = new ArrayList<>();
            errors.add(assertThrows(HitlException.class, () -> new Config().token(given)));
            Config local = new Config().endpoint("localhost");
            errors.add(assertThrows(HitlException.class, () -> resolve(local, Map.of("HITL_TOKEN", given))));
            try (Scripted server = server();
                    Client client = server.client(new Config().token(() -> given))) {
                errors.add(assertThrows(HitlException.class, () -> client.get("e")));
                assertTrue(server.bearers.isEmpty());
            }
            for (HitlException error : errors) {
                assertEquals(HitlException.Kind.INVALID, error.kind());
                assertFalse(error.getMessage().contains("secret"), error.getMessage());
            }
        }
    }

    @Test
    void aTokenNeverGoesOverPlainHttpToAnotherMachine() {
        Map<String, String> given = Map.of("HITL_TOKEN", SECRET);
        for (String endpoint :
                List.of("http://hitl.example.org", "http://10.0.0.1:1", "http://[fe80::1]", "localhost.example.org")) {
            Config config = new Config().endpoint(endpoint);
            Config own = new Config().endpoint(endpoint).token(() -> SECRET);
            for (HitlException error :
                    List.of(
                            assertThrows(HitlException.class, () -> resolve(config, given)),
                            assertThrows(HitlException.class, () -> resolve(own, Map.of())))) {
                assertEquals(HitlException.Kind.INVALID, error.kind());
                assertTrue(error.getMessage().contains("HITL_INSECURE_TRANSPORT=1"), error.getMessage());
            }
            assertNotNull(resolve(own.insecure(true), Map.of()).token());
            var allowed = Map.of("HITL_TOKEN", SECRET, "HITL_INSECURE_TRANSPORT", "1");
            assertNotNull(resolve(config, allowed).token());
        }
        for (String endpoint :
                List.of("https://hitl.example.org", "localhost:1", "http://127.1.2.3", "[::1]", "LOCALHOST.")) {
            assertNotNull(resolve(new Config().endpoint(endpoint), given).token(), endpoint);
        }
        // The local server's own is found with it.
        assertNull(resolve(new Config(), given).token());
    }

    /** Refuses every call whose token is another one. */
    private record Guard(String token, List<String> heard) implements ServerInterceptor {
        @Override
        public <Q, R> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            String bearer = headers.get(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER));
            heard.add(bearer);
            if (!("Bearer " + token).equals(bearer)) {
                var refusal = Scripted.refusal(Status.Code.UNAUTHENTICATED, "ERROR_REASON_UNAUTHENTICATED");
                call.close(refusal.getStatus(), refusal.getTrailers());
                return new ServerCall.Listener<>() {};
            }
            return next.startCall(call, headers);
        }
    }

    /** A program that first says the first token, and later the last one. */
    private static Path up(Path program, int port, String first, String last) {
        String line = "echo '{\"endpoint\":\"http://127.0.0.1:" + port + "\",\"token\":\"'$(cat $0.token)'\"}'";
        String script = "#!/bin/sh\n[ -e $0.token ] || echo %s > $0.token\n%s\necho %s > $0.token\n";
        try {
            Files.writeString(program, script.formatted(first, line, last));
            return Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }

    /** Has a call, a wait and a watch made, each by a client of its own, and returns how each ended. */
    private static List<Object> made(Scripted scripted, Supplier<Config> config) throws Exception {
        scripted.steps.clear();
        scripted.steps.add(Scripted.Step.stream(Scripted.answered("e", 7)));
        scripted.watches.clear();
        scripted.watches.add(new Scripted.Watched(null, WatchTest.created("e")));
        List<Callable> calls =
                List.of(
                        client -> client.get("e").getId(),
                        client -> client.awaitEvent("e").getId(),
                        client -> {
                            try (Watch watch = client.watch(WatchEventsRequest.getDefaultInstance())) {
                                return watch.next().event().getId();
                            }
                        });
        List<Object> ends = new ArrayList<>();
        for (Callable call : calls) {
            try (Client client = new Client(config.get().resolve(name -> null))) {
                ends.add(call.make(client));
            } catch (HitlException error) {
                ends.add(error.kind() + ": " + error.reason());
            }
        }
        return ends;
    }

    private interface Callable {
        Object make(Client client) throws InterruptedException;
    }

    private static final List<Object> GOOD = List.of("e", "e", "e");
    private static final List<Object> REFUSED =
            Collections.nCopies(3, "UNAUTHENTICATED: ERROR_REASON_UNAUTHENTICATED");

    @Test
    void aTokenThatIsRefusedIsAskedForOnceMore() throws Exception {
        try (Scripted scripted = server()) {
            List<String> tokens = Collections.synchronizedList(new ArrayList<>());
            var guarded = ServerInterceptors.intercept(scripted.service(), new Guard("new", tokens));
            Server server = NettyServerBuilder.forPort(0).addService(guarded).build().start();
            try {
                String endpoint = "http://127.0.0.1:" + server.getPort();
                for (List<String> said : List.of(List.of("old", "new"), List.of("old", "older", "new"),
                        List.of("old", "old", "new"))) {
                    tokens.clear();
                    List<Object> ends = made(scripted, () -> {
                        Iterator<String> next = said.iterator();
                        return new Config().endpoint(endpoint).token(next::next);
                    });
                    assertEquals(said.get(1).equals("new") ? GOOD : REFUSED, ends);
                    assertEquals(said.get(1).equals("old") ? 3 : 6, tokens.size(), tokens.toString());
                }
                tokens.clear();
                assertEquals(REFUSED, made(scripted, () -> new Config().endpoint(endpoint).token("old")));
                assertEquals(Collections.nCopies(3, "Bearer old"), tokens);
            } finally {
                server.shutdownNow();
            }
        }
    }

    @Test
    void upIsAskedOnceMoreWhenTheLocalServerRefusesItsToken() throws Exception {
        AtomicInteger programs = new AtomicInteger();
        try (Scripted scripted = server()) {
            List<String> tokens = Collections.synchronizedList(new ArrayList<>());
            var guarded = ServerInterceptors.intercept(scripted.service(), new Guard("new", tokens));
            Server server = NettyServerBuilder.forPort(0).addService(guarded).build().start();
            try {
                for (String last : List.of("new", "old")) {
                    tokens.clear();
                    List<Object> ends = made(scripted, () -> {
                        Path program = dir.resolve("hitl" + programs.incrementAndGet());
                        return new Config().binary(up(program, server.getPort(), "old", last));
                    });
                    assertEquals(last.equals("new") ? GOOD : REFUSED, ends);
                    assertEquals(last.equals("new") ? 6 : 3, tokens.size(), tokens.toString());
                }
                Path program = dir.resolve("hitl");
                Config own = new Config().token("new").binary(up(program, server.getPort(), "old", "older"));
                try (Client client = new Client(own.resolve(name -> null))) {
                    assertEquals("e", client.get("e").getId());
                }
            } finally {
                server.shutdownNow();
            }
        }
    }

    @Test
    void upMayNotLeadTheTokenToAnotherMachine() throws IOException {
        String line = "#!/bin/sh\necho '{\"endpoint\":\"http://10.0.0.1:1\",\"token\":\"t\"}'\n";
        Path program = Files.writeString(dir.resolve("hitl"), line);
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
        try (Client client = new Client(new Config().binary(program).resolve(name -> null))) {
            HitlException error = assertThrows(HitlException.class, () -> client.get("e"));
            assertEquals(HitlException.Kind.UNAVAILABLE, error.kind());
            assertTrue(error.getMessage().contains("no server of this machine"), error.getMessage());
        }
    }

    @Test
    void nothingPrintsATokenOrAKey() {
        Config config = new Config().endpoint("https://host").token(SECRET);
        Config.Settings settings = config.resolve(name -> null);
        try (Client client = new Client(settings)) {
            config.key("secret".getBytes(java.nio.charset.StandardCharsets.UTF_8));
            for (Object printed : Arrays.asList(config, settings, settings.token(), settings.tls(), client)) {
                assertFalse(printed.toString().contains("secret"), printed.toString());
            }
        }
    }
}
