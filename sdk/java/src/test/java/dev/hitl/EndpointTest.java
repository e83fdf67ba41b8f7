package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class EndpointTest {
    private static final class Listed {
        List<Case> cases;
        List<WithToken> tokens;
    }

    private static final class WithToken {
        String given;
        boolean sent;
    }

    private static final class Case {
        String given;
        String used;
        String refused;
    }

    /** What every SDK makes of endpoints. */
    private static Listed listed() throws IOException {
        Listed listed = new Gson().fromJson(Files.readString(Path.of("../endpoints.json")), Listed.class);
        assertFalse(listed.cases.isEmpty() || listed.tokens.isEmpty());
        return listed;
    }

    @Test
    void aTokenGoesWhereItDoesInEveryOtherLanguage() throws IOException {
        for (WithToken expected : listed().tokens) {
            Config config = new Config().endpoint(expected.given).token("t");
            if (expected.sent) {
                new Client(config).close();
            } else {
                var error = assertThrows(HitlException.class, () -> new Client(config), expected.given);
                assertTrue(error.getMessage().contains("https"), error.getMessage());
            }
        }
    }

    @Test
    void everyEndpointIsTakenAsInEveryOtherLanguage() throws IOException {
        for (Case expected : listed().cases) {
            Config config = new Config().endpoint(expected.given);
            if (expected.refused == null) {
                try (Client client = new Client(config)) {
                    assertEquals(expected.used, client.endpoint(), expected.given);
                }
            } else {
                var error = assertThrows(HitlException.class, () -> new Client(config), expected.given);
                assertEquals(HitlException.Kind.INVALID, error.kind());
                assertTrue(error.getMessage().contains(expected.refused), error.getMessage());
            }
        }
    }

    @Test
    void noPasswordIsShown() {
        for (String given : List.of("http://user:secret@host:1", "https://user:secret@host", "secret@host")) {
            var error = assertThrows(HitlException.class, () -> Endpoint.parse(given));
            assertFalse(error.getMessage().contains("secret"), error.getMessage());
        }
    }

    @Test
    void addressesOfVersion6AreToldFromWhatLooksLikeThem() {
        for (String good : List.of("[::]", "[1:2:3:4:5:6:7:8]", "[1::]", "[::ffff:1.2.3.4]", "[1:2:3:4:5:6:7::]")) {
            assertEquals(good, Endpoint.parse(good).host());
        }
        for (String bad : List.of("[]", "[:]", "[1]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]", "[1::2::3]",
                "[:::]", "[1:]", "[12345::]", "[1.2.3.4]", "[::1.2.3.256]", "[1:2:3:4:5:6:7:1.2.3.4]",
                "[1:2:3:4::5:6:7:8]")) {
            assertThrows(HitlException.class, () -> Endpoint.parse(bad), bad);
        }
    }

    @Test
    void aNameWithAnUnderscoreIsLookedUp() {
        Config config = new Config().endpoint("http://no_such_host:4485").retryFor(Duration.ZERO);
        try (Client client = new Client(config)) {
            var error = assertThrows(HitlException.class, () -> client.get("id"));
            assertEquals(HitlException.Kind.UNAVAILABLE, error.kind());
            assertTrue(error.getMessage().contains("http://no_such_host:4485: no_such_host"), error.getMessage());
        }
    }

    @Test
    void whatANameLeadsToIsConnectedTo() throws Exception {
        for (String host : List.of("localhost", "127.0.0.1", "[::1]")) {
            try (ServerSocket server = new ServerSocket()) {
                server.bind(new InetSocketAddress(InetAddress.getByName(host), 0));
                Config config = new Config().endpoint(host + ":" + server.getLocalPort());
                CompletableFuture<Void> accepted =
                        CompletableFuture.runAsync(
                                () -> {
                                    try {
                                        server.accept().close();
                                    } catch (IOException failed) {
                                        throw new AssertionError(failed);
                                    }
                                });
                try (Client client = new Client(config.retryFor(Duration.ZERO))) {
                    assertThrows(HitlException.class, () -> client.get("id"));
                    accepted.get(5, TimeUnit.SECONDS);
                }
            }
        }
    }
}
