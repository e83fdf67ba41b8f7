package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
class LocalTest {
    @TempDir private Path dir;

    /** A local server whose program is a script. */
    private Local local(String script) throws IOException {
        Path binary = Files.writeString(dir.resolve("hitl"), "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(binary, PosixFilePermissions.fromString("rwxr-xr-x"));
        return new Local(binary);
    }

    private static Client client(Local local) {
        Config.Settings plain = new Config().binary(local.binary()).retryFor(Duration.ZERO).resolve(name -> null);
        return new Client(
                new Config.Settings(
                        List.of(), local, "default", null, plain.limits(), null, plain.sent(), null, null, null, plain.log(),
                        List.of()));
    }

    private static HitlException failure(Local local) {
        try (Client client = client(local)) {
            HitlException error = assertThrows(HitlException.class, () -> client.get("id"));
            assertEquals(HitlException.Kind.UNAVAILABLE, error.kind());
            assertFalse(error.isRetryable());
            return error;
        }
    }

    @Test
    void aMissingProgramSaysWhatToInstallOrSet() {
        HitlException error = failure(new Local(dir.resolve("absent")));
        assertTrue(error.getMessage().contains("install hitl, or set HITL_BIN"), error.getMessage());
    }

    @Test
    void whatUpSaysWhenItFailsIsTheError() throws IOException {
        for (String end : List.of("exit 1", "echo '{}'", "echo '{'", "")) {
            HitlException error = failure(local("echo \"hitl: told $@\" >&2; echo disk full >&2; " + end));
            assertTrue(error.getMessage().endsWith(":\ntold up\ndisk full"), error.getMessage());
        }
    }

    @Test
    void eachConnectGoesWhereUpSaysAndCallsAtATimeAskItOnce() throws Exception {
        Local local = local("cat \"$0.said\"");
        try (Client client = client(local)) {
            assertEquals("", client.endpoint());
            for (int times = 0; times < 2; times++) {
                try (ServerSocket server = new ServerSocket(0)) {
                    String endpoint = "http://127.0.0.1:" + server.getLocalPort();
                    String line = "{\"endpoint\":\"" + endpoint + "\",\"token\":\"hitl_1\"}";
                    Files.writeString(dir.resolve("hitl.said"), line);
                    CompletableFuture<?> call = client.awaitEventAsync("id");
                    server.accept().close();
                    assertEquals(endpoint, client.endpoint());
                    call.cancel(true);
                }
            }
        }
        assertSame(local.up(), local.up());
    }
}
