package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hitl.Scripted.Step;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ResourceBundle;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class LogTest {
    /** A logger of a program, which keeps what it is told. */
    private static final class Kept implements System.Logger {
        final List<String> lines = new ArrayList<>();

        @Override
        public String getName() {
            return "kept";
        }

        @Override
        public boolean isLoggable(Level level) {
            return true;
        }

        @Override
        public void log(Level level, ResourceBundle bundle, String message, Throwable thrown) {
            lines.add(level + ": " + message);
        }

        @Override
        public void log(Level level, ResourceBundle bundle, String format, Object... values) {
            lines.add(level + ": " + format);
        }
    }

    @Test
    void theProgramsLoggerIsToldWhatTheClientDoes() throws Exception {
        Kept kept = new Kept();
        try (Scripted server =
                        new Scripted(
                                Step.cut(Scripted.lost()), Step.stream(Scripted.answered("e", 1)));
                Client client = server.client(new Config().log(kept))) {
            var ended = client.awaitEventAsync("e");
            server.timer.runUntil(ended);
            server.failures.add(Scripted.lost());
            Client real = server.client(new Config().log(kept), Timer.SYSTEM);
            real.decline("e", "", "");
        }
        List<String> expected =
                List.of(
                        "INFO: waits for 1 events at http://127\\.0\\.0\\.1:1",
                        "WARNING: lost the server at http://127\\.0\\.0\\.1:1 while 1 events are waited for, "
                                + "tries again in 0\\.\\d s: cannot reach .*",
                        "INFO: waits for 1 events at http://127\\.0\\.0\\.1:1",
                        "WARNING: calls again in 0\\.\\d s \\(attempt 2\\): cannot reach .*");
        assertEquals(expected.size(), kept.lines.size(), kept.lines.toString());
        for (int at = 0; at < expected.size(); at++) {
            assertTrue(kept.lines.get(at).matches(expected.get(at)), kept.lines.get(at));
        }
    }

    @Test
    void theVariableAsksForLinesUnlessTheProgramHasALogger() {
        var printed =
                Map.of(
                        "", "", "verbose", "", "hitl=debug", "", "error", "", "warn", "hitl warn: w {0}\n",
                        "info", "hitl info: i\nhitl warn: w {0}\n", "debug", "hitl info: i\nhitl warn: w {0}\n");
        printed.forEach((level, expected) -> {
            for (Kept kept : new Kept[] {null, new Kept()}) {
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                Log log = new Log(kept, level, new PrintStream(bytes, true, StandardCharsets.UTF_8));
                log.info("i");
                log.warn("w %s", "{0}");
                String said = bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
                assertEquals(kept == null ? expected : "", said, level);
                assertTrue(kept == null || kept.lines.equals(List.of("INFO: i", "WARNING: w {0}")));
            }
        });
    }

    /** An endpoint where nothing listens. */
    private static String dead() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return "http://127.0.0.1:" + socket.getLocalPort();
        }
    }

    @Test
    void aDeadEndpointIsAnErrorAtOnceUnlessTheProgramSaysOtherwise() throws Exception {
        Kept kept = new Kept();
        String endpoint = dead();
        try (Client client = new Client(new Config().endpoint(endpoint).log(kept))) {
            for (HitlException error :
                    List.of(
                            assertThrows(HitlException.class, () -> client.get("e")),
                            assertThrows(HitlException.class, () -> client.awaitEvent("e")))) {
                assertEquals(HitlException.Kind.UNAVAILABLE, error.kind());
                assertTrue(error.isRetryable());
                assertTrue(error.getMessage().startsWith("cannot reach the hitl server at " + endpoint));
            }
        }
        assertEquals(List.of(), kept.lines);
        Config patient = new Config().endpoint(endpoint).log(kept).retryFor(Duration.ofMillis(300));
        try (Client client = new Client(patient)) {
            assertThrows(HitlException.class, () -> client.get("e"));
        }
        assertTrue(kept.lines.get(0).startsWith("WARNING: calls again in"), kept.lines.toString());
    }
}
