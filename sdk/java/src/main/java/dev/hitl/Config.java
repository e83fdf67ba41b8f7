package dev.hitl;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.UnaryOperator;

/**
 * How a {@link Client} reaches its server. {@code new Config()} takes everything from the environment.
 *
 * <p>What code sets wins over the environment, and the environment over the default. The environment is
 * read once, when a client is made.
 */
public final class Config {
    /** The port of a server that was told no other: HITL on the keys of a telephone. */
    private static final String DEFAULT_PORT = "4485";

    private String endpoint;
    private String namespace;
    private String runId;
    private Path binary;
    private Duration retryFor = Duration.ofSeconds(30);

    /**
     * The server's address, such as {@code http://127.0.0.1:4485}. Else {@code HITL_ENDPOINT}; without
     * either a local server is used, and started when none runs.
     */
    public Config endpoint(String endpoint) {
        this.endpoint = endpoint;
        return this;
    }

    /** The namespace of every event. Else {@code HITL_NAMESPACE}, else {@code default}. */
    public Config namespace(String namespace) {
        this.namespace = namespace;
        return this;
    }

    /**
     * Names this run of the program, so that it can crash and start again (see the package's
     * documentation). Else {@code HITL_RUN_ID}; without either every create makes another event.
     */
    public Config runId(String runId) {
        this.runId = runId;
        return this;
    }

    /**
     * The {@code hitl} program with which to start a local server. Else {@code HITL_BIN}, else {@code
     * hitl} in {@code PATH}, of which directories that are not absolute are left out.
     */
    public Config binary(Path binary) {
        this.binary = binary;
        return this;
    }

    /**
     * How long a call is repeated while the server cannot be reached: 30 s unless set; zero means one
     * attempt. A wait, once it has reached the server, goes on without limit.
     */
    public Config retryFor(Duration limit) {
        this.retryFor = limit;
        return this;
    }

    /**
     * A {@link Config} with nothing left open. There is a launcher if the server is a local one that
     * this client may start; there may be no run id.
     */
    record Settings(
            Endpoint endpoint, Serve launcher, String namespace, String runId, Duration retryFor) {}

    /** Fills what is not set. What is empty counts as not set. */
    Settings resolve(UnaryOperator<String> variables) {
        UnaryOperator<String> env = name -> orElse(variables.apply(name), null);
        String space = orElse(namespace, orElse(env.apply("HITL_NAMESPACE"), "default"));
        String run = orElse(runId, env.apply("HITL_RUN_ID"));
        String url = orElse(endpoint, env.apply("HITL_ENDPOINT"));
        if (url != null) {
            return new Settings(Endpoint.parse(url), null, space, run, retryFor);
        }
        Endpoint local = new Endpoint("127.0.0.1", port(env));
        InetSocketAddress address = new InetSocketAddress(local.host(), local.port());
        String program = orElse(env.apply("HITL_BIN"), "hitl");
        Path serve = binary != null ? binary : Path.of(program);
        Serve launcher = new Serve(address, serve, dataDir(env), Serve.START_LIMIT);
        return new Settings(local, launcher, space, run, retryFor);
    }

    private static String orElse(String text, String otherwise) {
        return text == null || text.isEmpty() ? otherwise : text;
    }

    private static int port(UnaryOperator<String> env) {
        String text = orElse(env.apply("HITL_PORT"), DEFAULT_PORT);
        if (text.matches("0*[0-9]{1,5}")) {
            int port = Integer.parseInt(text);
            if (port >= 1 && port <= 65_535) {
                return port;
            }
        }
        throw HitlException.invalid("HITL_PORT is \"%s\": set it to 1 to 65535", Shown.oneLine(text));
    }

    /** Where a local server keeps its data, and where its log goes. Null if there is no place. */
    private static Path dataDir(UnaryOperator<String> env) {
        String own = env.apply("HITL_DATA_DIR");
        if (own != null) {
            return Path.of(own);
        }
        // The specification of XDG has relative paths ignored. They would be of wherever this program happens to
        // run, and so would a relative home.
        String shared = env.apply("XDG_DATA_HOME");
        if (isAbsolute(shared)) {
            return Path.of(shared, "hitl");
        }
        String home = env.apply("HOME");
        return isAbsolute(home) ? Path.of(home, ".local/share/hitl") : null;
    }

    private static boolean isAbsolute(String path) {
        return path != null && Path.of(path).isAbsolute();
    }
}
