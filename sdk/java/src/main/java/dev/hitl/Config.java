package dev.hitl;

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
    private String endpoint;
    private String namespace;
    private String runId;
    private Path binary;
    private Duration retryFor = Duration.ofSeconds(30);

    /**
     * The server's address, such as {@code http://127.0.0.1:4485}. Else {@code HITL_ENDPOINT}; without
     * either the local server is used, and started when none runs.
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
     * The {@code hitl} program that finds or starts the local server. Else {@code HITL_BIN}, else {@code
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
     * A {@link Config} with nothing left open. There is an endpoint, unless the server is the local one, which
     * this client may start; there may be no run id.
     */
    record Settings(
            Endpoint endpoint, Local local, String namespace, String runId, Duration retryFor) {}

    /** Fills what is not set. What is empty counts as not set. */
    Settings resolve(UnaryOperator<String> variables) {
        UnaryOperator<String> env = name -> orElse(variables.apply(name), null);
        String space = orElse(namespace, orElse(env.apply("HITL_NAMESPACE"), "default"));
        String run = orElse(runId, env.apply("HITL_RUN_ID"));
        String url = orElse(endpoint, env.apply("HITL_ENDPOINT"));
        if (url != null) {
            return new Settings(Endpoint.parse(url), null, space, run, retryFor);
        }
        String program = orElse(env.apply("HITL_BIN"), "hitl");
        Local local = new Local(binary != null ? binary : Path.of(program));
        return new Settings(null, local, space, run, retryFor);
    }

    private static String orElse(String text, String otherwise) {
        return text == null || text.isEmpty() ? otherwise : text;
    }
}
