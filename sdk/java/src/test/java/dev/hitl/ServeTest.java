package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServeTest {
    @TempDir private Path dir;
    private InetSocketAddress address;

    @BeforeEach
    void aPortThatWasFreeAMomentAgo() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            address = new InetSocketAddress("127.0.0.1", socket.getLocalPort());
        }
    }

    private Serve serve(String script) throws IOException {
        Path binary = Files.writeString(dir.resolve("hitl"), "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(binary, PosixFilePermissions.fromString("rwxr-xr-x"));
        return new Serve(address, binary, dir.resolve("data"), Duration.ofSeconds(1));
    }

    private static HitlException failure(Serve serve) {
        return assertThrows(HitlException.class, () -> Client.join(serve.ensure()));
    }

    @Test
    void aMissingProgramSaysWhatToInstallOrSetThroughTheWholeClient() {
        Serve launcher = new Serve(address, dir.resolve("absent"), dir, Duration.ofSeconds(1));
        var settings = new Config.Settings(new Endpoint("127.0.0.1", 1), launcher, "default", null, Duration.ZERO);
        try (Client client = new Client(settings)) {
            HitlException error = assertThrows(HitlException.class, () -> client.get("id"));
            assertTrue(error.getMessage().contains("install hitl, or set HITL_BIN"), error.getMessage());
            assertFalse(error.isRetryable());
        }
    }

    @Test
    void aServerThatCannotStartShowsTheEndOfItsLog() throws IOException {
        Files.createDirectories(dir.resolve("data"));
        Files.writeString(dir.resolve("data/serve.log"), "of another day\n");
        serve("echo told \"$@\" in $HITL_DATA_DIR $PWD; echo disk full >&2; exit 1");
        // A relative path is of the program's directory, not of the server's, which has no `src`.
        Path up = Path.of("").toAbsolutePath().relativize(dir.resolve("hitl"));
        Path binary = Path.of("src/..").resolve(up);
        HitlException error = failure(new Serve(address, binary, dir.resolve("data"), Duration.ofSeconds(1)));
        String data = dir.resolve("data").toString();
        String told =
                "ends:\ntold serve --idle-exit 10m --listen 127.0.0.1:%d in %s %s\ndisk full"
                        .formatted(address.getPort(), data, data);
        assertTrue(error.getMessage().contains(told), error.getMessage());
        assertEquals(HitlException.Kind.UNAVAILABLE, error.kind());
    }

    @Test
    void aLogGrownLargeIsPutAside() throws IOException {
        Files.createDirectories(dir.resolve("data"));
        Files.write(dir.resolve("data/serve.log"), new byte[(8 << 20) + 1]);
        failure(serve("echo new; exit 1"));
        assertEquals((8 << 20) + 1, Files.size(dir.resolve("data/serve.log.1")));
        assertTrue(Files.readString(dir.resolve("data/serve.log")).startsWith("new"));
    }

    @Test
    void withoutAPlaceForDataItSaysWhatToSet() throws IOException {
        HitlException error = failure(new Serve(address, dir, null, Duration.ofSeconds(1)));
        assertTrue(error.getMessage().contains("set HITL_DATA_DIR"), error.getMessage());
    }

    @Test
    void aServerThatLosesTheRaceIsNoFailure() throws Exception {
        Path started = dir.resolve("started");
        Serve serve = serve("touch " + started + "; exit 1");
        CompletableFuture<Void> serving = serve.ensure();
        while (!Files.exists(started)) {
            Thread.onSpinWait();
        }
        try (ServerSocket winner = new ServerSocket()) {
            winner.bind(address);
            try (Socket probe = winner.accept()) {
                String alive = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nalive\n";
                probe.getOutputStream().write(alive.getBytes(StandardCharsets.US_ASCII));
                probe.shutdownOutput();
                serving.get(5, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void whatListensAndIsNotHitlIsNamedAtOnce() throws Exception {
        String notAlive = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK";
        for (String greeting : List.of("HTTP/1.1 404 Not Found\r\n\r\n", "SSH-2.0-OpenSSH_9.6\r\n", notAlive)) {
            try (ServerSocket other = new ServerSocket()) {
                other.bind(address);
                CompletableFuture<Void> serving = serve("exit 1").ensure();
                HitlException error;
                try (Socket probe = other.accept()) {
                    probe.getOutputStream().write(greeting.getBytes(StandardCharsets.US_ASCII));
                    probe.shutdownOutput();
                    error = assertThrows(HitlException.class, () -> Client.join(serving));
                }
                String told =
                        "something that is not hitl listens on 127.0.0.1:%d: set HITL_PORT to another port, "
                                + "or HITL_ENDPOINT to a server";
                assertEquals(told.formatted(address.getPort()), error.getMessage());
                assertEquals(HitlException.Kind.UNAVAILABLE, error.kind());
                assertFalse(error.isRetryable());
            }
        }
    }

    @Test
    void aServerThatIsTooBusyToReplyIsTakenForHitlAndAskedOnceForAllCalls() throws Exception {
        try (ServerSocket busy = new ServerSocket()) {
            busy.bind(address);
            Serve serve = serve("exit 1");
            assertSame(serve.ensure(), serve.ensure());
            serve.ensure().get(5, TimeUnit.SECONDS);
        }
    }
}
