package dev.hitl.testing;

import dev.hitl.Client;
import dev.hitl.Config;
import dev.hitl.Programs;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A server for tests, which keeps nothing and ends with this process at the latest. */
public final class TestServer implements AutoCloseable {
    private static final int END_SECONDS = 10;
    private static final Pattern ENDPOINT = Pattern.compile("\"endpoint\"\\s*:\\s*\"([^\"\\\\]+)\"");

    private final Process process;
    private final String endpoint;
    private final Client client;
    private final Human human;

    private TestServer(Process process) throws IOException {
        this.process = process;
        this.endpoint = endpoint(process);
        this.client = new Client(new Config().endpoint(endpoint).announce(false));
        this.human = new Human(client, "a test");
    }

    /**
     * Starts one. The program is that of {@code HITL_BIN}, else {@code hitl} in {@code PATH}, of which directories that are
     * not absolute are left out.
     *
     * @throws UncheckedIOException if it cannot be run
     */
    public static TestServer start() {
        String given = System.getenv("HITL_BIN");
        return start(Path.of(given == null || given.isEmpty() ? "hitl" : given));
    }

    /** As {@link #start()}, with this program. */
    public static TestServer start(Path binary) {
        try {
            Process process = run(binary);
            try {
                return new TestServer(process);
            } catch (IOException | RuntimeException failed) {
                end(process);
                throw failed;
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** Where it is. */
    public String endpoint() {
        return endpoint;
    }

    /** A client of it. */
    public Client client() {
        return client;
    }

    /** A person who does as the test says. */
    public Human human() {
        return human;
    }

    /** Lets time pass on the server at once: deadlines that are due then are due. */
    public void advance(Duration duration) {
        human.advance(duration);
    }

    /** Ends it. What it holds is gone. */
    @Override
    public void close() {
        human.close();
        client.close();
        end(process);
    }

    private static Process run(Path binary) throws IOException {
        Path program = Programs.find(binary, System.getenv("PATH"));
        if (program == null) {
            throw new IOException("`%s` cannot be run to start a server for tests: install hitl, or set HITL_BIN to the program"
                    .formatted(binary));
        }
        ProcessBuilder builder = new ProcessBuilder(program.toString(), "test-server");
        builder.environment().keySet().removeIf(name -> name.startsWith("HITL_") && !name.equals("HITL_LOG"));
        return builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    private static String endpoint(Process process) throws IOException {
        var lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String said = lines.readLine();
        Matcher endpoint = ENDPOINT.matcher(said == null ? "" : said);
        if (!endpoint.find()) {
            throw new IOException("`hitl test-server` has not said where it is: is the program an older one?");
        }
        return endpoint.group(1);
    }

    /** Its input ends, and then it does. */
    private static void end(Process process) {
        try {
            process.getOutputStream().close();
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException gone) {
            process.destroyForcibly();
        } catch (InterruptedException interrupted) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
