package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import dev.hitl.Scripted.Step;
import dev.hitl.v1.CreateEventRequest;
import io.grpc.Status;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several servers, of which one serves; and calls that may not take long. */
@Timeout(20)
class EndpointsTest {
    private static final Duration SHORT = Duration.ofMillis(200);

    private static final class Listed {
        List<Several> several;
    }

    private static final class Several {
        String given;
        List<String> used;
        String refused;
    }

    private static String dead() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return "http://127.0.0.1:" + free.getLocalPort();
        }
    }

    @Test
    void severalAreTakenAsInEveryOtherLanguage() throws IOException {
        Listed listed = new Gson().fromJson(Files.readString(Path.of("../endpoints.json")), Listed.class);
        assertFalse(listed.several.isEmpty());
        for (Several expected : listed.several) {
            if (expected.refused == null) {
                List<String> used = Endpoint.list(expected.given).stream().map(Endpoint::url).toList();
                assertEquals(expected.used, used, expected.given);
            } else {
                var error = assertThrows(HitlException.class, () -> Endpoint.list(expected.given), expected.given);
                assertEquals(HitlException.Kind.INVALID, error.kind());
                assertTrue(error.getMessage().contains(expected.refused), error.getMessage());
            }
        }
        Config mixed = new Config().endpoint("127.0.0.1:1,hitl.example.org").token("hitl_a");
        var error = assertThrows(HitlException.class, () -> new Client(mixed));
        assertTrue(error.getMessage().contains("hitl.example.org"), error.getMessage());
    }

    @Test
    void oneThatEndsIsLeftAndComeBackTo() throws IOException {
        try (Scripted one = new Scripted();
                Scripted two = new Scripted();
                Client client = one.and(two)) {
            client.decline("e", "", "");
            one.failures.add(Scripted.lost());
            client.decline("e", "", "");
            assertEquals("http://127.0.0.1:2", client.endpoint());
            two.failures.add(Scripted.lost());
            client.decline("e", "", "");
            assertEquals("http://127.0.0.1:1", client.endpoint());
            assertEquals(List.of(3, 2), List.of(one.keys.size(), two.keys.size()));
        }
    }

    @Test
    void whatAnotherWouldRefuseTooIsAskedOfOne() throws IOException {
        try (Scripted one = new Scripted();
                Scripted two = new Scripted();
                Client client = one.and(two)) {
            one.failures.add(Status.NOT_FOUND.asRuntimeException());
            var error = assertThrows(HitlException.class, () -> client.decline("e", "", ""));
            assertEquals(HitlException.Kind.NOT_FOUND, error.kind());
            assertTrue(two.keys.isEmpty());
        }
    }

    @Test
    void aWaitFindsTheOneThatServes() throws Exception {
        try (Scripted one = new Scripted(Step.refuse(Scripted.lost()));
                Scripted two = new Scripted(Step.stream(Scripted.answered("e", 1)));
                Client client = one.and(two)) {
            var ended = client.awaitEventAsync("e");
            one.timer.runUntil(ended);
            assertEquals("e", ended.get().getId());
        }
    }

    @Test
    void howLongACallIsRepeatedCanBeItsOwn() throws IOException {
        try (Scripted server = new Scripted();
                Client client = server.client(new Config(), Timer.SYSTEM)) {
            server.failures.addAll(List.of(Scripted.lost(), Scripted.lost()));
            assertThrows(HitlException.class, () -> client.withRetryFor(Duration.ZERO).decline("e", "", ""));
            assertEquals(1, server.keys.size());
            client.withRetryFor(Duration.ofSeconds(9)).decline("e", "", "");
            assertEquals(3, server.keys.size());
        }
    }

    @Test
    void whereTheFirstIsDeadItIsToldOfTheLast() throws IOException {
        String last = dead();
        try (Client client = new Client(new Config().endpoint(dead() + "," + last))) {
            var error = assertThrows(HitlException.class, () -> client.get("e"));
            assertEquals(HitlException.Kind.UNAVAILABLE, error.kind());
            assertTrue(error.getMessage().contains(last), error.getMessage());
        }
    }

    @Test
    void aCallIsGivenUpAfterItsTimeout() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 9, InetAddress.getLoopbackAddress())) {
            String endpoint = "http://127.0.0.1:" + silent.getLocalPort();
            Config config = new Config().endpoint(endpoint);
            String told = "the server at " + endpoint + " sent nothing within the call's timeout of 0.2 s";
            try (Client client = new Client(config);
                    Client configured = new Client(new Config().endpoint(endpoint).callTimeout(SHORT))) {
                for (Client bound : List.of(configured, client.withCallTimeout(SHORT))) {
                    var error = assertThrows(HitlException.class, () -> bound.get("e"));
                    assertEquals(told, error.getMessage());
                    assertTrue(error.isRetryable());
                    var many = bound.createMany(List.of(CreateEventRequest.getDefaultInstance()));
                    assertEquals(told, many.get(0).error().getMessage());
                }
            }
        }
    }

    @Test
    void aTimeoutEndsTheRepeatingToo() throws IOException {
        Config patient = new Config().endpoint(dead()).retryFor(Duration.ofMinutes(1));
        try (Client client = new Client(patient)) {
            var error = assertThrows(HitlException.class, () -> client.withCallTimeout(SHORT).get("e"));
            assertEquals(HitlException.Kind.UNAVAILABLE, error.kind());
        }
    }

    @Test
    void aTimeoutInWhichNoCallCanBeMadeIsRefused() {
        for (Duration limit : List.of(Duration.ZERO, Duration.ofSeconds(-1))) {
            Config config = new Config().endpoint("h").callTimeout(limit);
            assertThrows(HitlException.class, () -> new Client(config));
            try (Client client = new Client(new Config().endpoint("h"))) {
                assertThrows(HitlException.class, () -> client.withCallTimeout(limit));
            }
        }
    }
}
