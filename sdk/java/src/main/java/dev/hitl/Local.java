package dev.hitl;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The local server: {@code hitl up} finds it or starts it, and says where it is. */
final class Local {
    /** Longer than {@code hitl up} takes, and shorter than an attempt of a call, so that its own error is seen. */
    private static final int UP_LIMIT_SECONDS = 13;
    /** In its line of JSON: no character of an address or of a token is ever escaped there. */
    private static final Pattern ENDPOINT = Pattern.compile("\"endpoint\"\\s*:\\s*\"([^\"\\\\]+)\"");

    private static final Pattern TOKEN = Pattern.compile("\"token\"\\s*:\\s*\"([^\"\\\\]+)\"");

    /** Where the local server is, and what it knows this user by, empty if by nothing. */
    static final class Found {
        final Endpoint endpoint;
        final String token;

        Found(Endpoint endpoint, String token) {
            this.endpoint = endpoint;
            this.token = token;
        }
    }

    private final Path binary;
    /** The search under way, or the last one. */
    private CompletableFuture<Found> search;

    Local(Path binary) {
        this.binary = binary;
    }

    Path binary() {
        return binary;
    }

    /** Ends once it serves. All who ask meanwhile share the search under way. */
    synchronized CompletableFuture<Found> up() {
        if (search == null || search.isDone()) {
            search = CompletableFuture.supplyAsync(this::run, Local::onThread);
        }
        return search;
    }

    private static void onThread(Runnable task) {
        Thread thread = new Thread(task, "hitl-up");
        thread.setDaemon(true);
        thread.start();
    }

    private Found run() {
        Process up = start();
        var said = CompletableFuture.supplyAsync(() -> text(up.getInputStream()), Local::onThread);
        var told = CompletableFuture.supplyAsync(() -> text(up.getErrorStream()), Local::onThread);
        try {
            if (!up.waitFor(UP_LIMIT_SECONDS, TimeUnit.SECONDS)) {
                up.destroyForcibly();
                String late = "`hitl up` has not ended within %d s".formatted(UP_LIMIT_SECONDS);
                throw HitlException.unavailable(late, null);
            }
            Matcher endpoint = ENDPOINT.matcher(said.join());
            if (up.exitValue() == 0 && endpoint.find()) {
                Matcher token = TOKEN.matcher(said.join());
                return found(Endpoint.parse(endpoint.group(1)), token.find() ? token.group(1) : "");
            }
        } catch (InterruptedException interrupted) {
            // The thread is our own, and nobody interrupts it.
            throw new AssertionError(interrupted);
        }
        String why = told.join().strip().replaceFirst("^hitl: ", "");
        throw HitlException.noServer("`hitl up` failed, status %d:\n%s".formatted(up.exitValue(), why), null);
    }

    private static Found found(Endpoint endpoint, String token) {
        if (endpoint.isTls() || !endpoint.isLoopback()) {
            String elsewhere = "`hitl up` names %s, which is no server of this machine".formatted(endpoint.url());
            throw HitlException.noServer(elsewhere, null);
        }
        return new Found(endpoint, token);
    }

    private Process start() {
        try {
            Path program = Programs.find(binary, System.getenv("PATH"));
            if (program == null) {
                throw new IOException("no such program");
            }
            return new ProcessBuilder(program.toString(), "up").start();
        } catch (IOException error) {
            String message = "`%s` cannot be run (%s) to find or start the local server: install hitl, or set HITL_BIN to "
                    + "the program, or HITL_ENDPOINT to a server that runs elsewhere";
            throw HitlException.noServer(message.formatted(binary, error.getMessage()), error);
        }
    }

    private static String text(InputStream stream) {
        try (stream) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException lost) {
            throw new UncheckedIOException(lost);
        }
    }
}
