package dev.hitl;

import io.grpc.ClientInterceptor;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
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
    private Duration retryFor;
    private Duration callTimeout;
    private Token token;
    private boolean isInsecure;
    private final Map<String, String> headers = new LinkedHashMap<>();
    private final List<ClientInterceptor> interceptors = new ArrayList<>();
    private Tls.Pem ca;
    private Tls.Pem cert;
    private Tls.Pem key;
    private String proxy;
    private Boolean announces;
    private System.Logger log;

    /**
     * The server's address, such as {@code https://hitl.example.org} or {@code http://127.0.0.1:4485}. Else {@code
     * HITL_ENDPOINT}; without either the local server is used, and started when none runs. Of several, with commas
     * between, the first is called, and each next one when the one before does not serve.
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
     * attempt. A wait, once it has reached the server, goes on without limit. Unless set, a connection that is refused
     * before the client has ever reached its server is an error at once.
     */
    public Config retryFor(Duration limit) {
        this.retryFor = limit;
        return this;
    }

    /**
     * How long a call may take with all of its attempts: unless set, as long as those take. Waits and watches are not
     * bound by it. {@link Client#withCallTimeout} sets it for some calls.
     */
    public Config callTimeout(Duration limit) {
        this.callTimeout = limit;
        return this;
    }

    /**
     * What the server knows the program by. Else {@code HITL_TOKEN}, or, for the local server, the one that is found
     * together with it. It is never sent over plain http to another machine, unless {@link #insecure} says so, and
     * never printed.
     *
     * @throws HitlException of kind {@code INVALID} if no token has such characters
     */
    public Config token(String token) {
        this.token = Token.of(token);
        return this;
    }

    /** As {@link #token(String)}, from a function that is asked for each new call, by many threads at once. */
    public Config token(Supplier<String> token) {
        this.token = new Token(token);
        return this;
    }

    /** Lets the token go over plain http to another machine. Else {@code HITL_INSECURE_TRANSPORT=1}. */
    public Config insecure(boolean isInsecure) {
        this.isInsecure = isInsecure;
        return this;
    }

    /**
     * A header that goes with every call, such as what a proxy on the way asks for: there may be 32. It goes over plain
     * http too, unlike the token, and is never printed.
     */
    public Config header(String name, String value) {
        headers.put(name, value);
        return this;
    }

    /**
     * The proxy that leads to the server by CONNECT, as {@code http://HOST:PORT} or {@code
     * http://USER:PASSWORD@HOST:PORT}, which is never printed. Else {@code HITL_PROXY}, but not to a server of this
     * machine; no other variable or property names one. TLS is spoken with the server, so that the proxy reads nothing
     * of it. The local server is reached without.
     */
    public Config proxy(String proxy) {
        this.proxy = proxy;
        return this;
    }

    /**
     * The file, in PEM, of the certificates that an https server's own must be signed by. Else {@code HITL_CA}, else
     * what Java trusts.
     */
    public Config ca(Path file) {
        this.ca = Tls.Pem.of(file);
        return this;
    }

    /** What the file of {@link #ca(Path)} would hold. */
    public Config ca(byte[] pem) {
        this.ca = Tls.Pem.of(pem);
        return this;
    }

    /**
     * The file, in PEM, of the client's own certificate and those that sign it, to which {@link #key(Path)} belongs.
     * Else {@code HITL_CERT}, else it has none.
     */
    public Config cert(Path file) {
        this.cert = Tls.Pem.of(file);
        return this;
    }

    /** What the file of {@link #cert(Path)} would hold. */
    public Config cert(byte[] pem) {
        this.cert = Tls.Pem.of(pem);
        return this;
    }

    /** The file, in PEM and PKCS #8, of the key of {@link #cert(Path)}. Else {@code HITL_KEY}. */
    public Config key(Path file) {
        this.key = Tls.Pem.of(file);
        return this;
    }

    /** What the file of {@link #key(Path)} would hold. */
    public Config key(byte[] pem) {
        this.key = Tls.Pem.of(pem);
        return this;
    }

    /** What each call passes through, such as one of OpenTelemetry, which traces and counts calls. */
    public Config interceptor(ClientInterceptor interceptor) {
        interceptors.add(interceptor);
        return this;
    }

    /**
     * Whether a wait tells where to answer, on stderr, if the program has not read a link of the event itself. Else
     * {@code HITL_ANNOUNCE}, which {@code 0}, {@code false} and {@code off} turn off; without either it does.
     */
    public Config announce(boolean announces) {
        this.announces = announces;
        return this;
    }

    /**
     * Is told what the client does: where the local server is, what is waited for, that the server is lost and calls
     * are repeated. Else what {@code HITL_LOG} asks for ({@code debug}, {@code info}, {@code warn} or {@code error})
     * is printed to stderr; without either nothing is.
     */
    public Config log(System.Logger log) {
        this.log = log;
        return this;
    }

    /**
     * A {@link Config} with nothing left open. There are endpoints, unless the server is the local one, which
     * this client may start; there may be no run id, no token, no TLS, no proxy and nobody who is told where to answer.
     *
     * @param endpoints each as good as the others, and all of one scheme
     */
    record Settings(
            List<Endpoint> endpoints,
            Local local,
            String namespace,
            String runId,
            Limits limits,
            Token token,
            Headers sent,
            Tls tls,
            HttpProxy proxy,
            Announcer announcer,
            Log log,
            List<ClientInterceptor> interceptors) {}

    /** Fills what is not set. What is empty counts as not set. */
    Settings resolve(UnaryOperator<String> variables) {
        UnaryOperator<String> env = name -> orElse(variables.apply(name), null);
        String space = orElse(namespace, orElse(env.apply("HITL_NAMESPACE"), "default"));
        String run = orElse(runId, env.apply("HITL_RUN_ID"));
        Duration repeated = retryFor == null ? Duration.ofSeconds(30) : retryFor;
        Limits limits = new Limits(repeated, retryFor != null, callTimeout);
        Headers sent = new Headers(headers);
        List<ClientInterceptor> passed = List.copyOf(interceptors);
        Announcer announcer = announces(env) ? new Announcer(System.err) : null;
        Log logger = new Log(log, env.apply("HITL_LOG"), System.err);
        HttpProxy through = HttpProxy.of(orElse(proxy, null), env.apply("HITL_PROXY"));
        String url = orElse(endpoint, env.apply("HITL_ENDPOINT"));
        if (url == null) {
            String program = orElse(env.apply("HITL_BIN"), "hitl");
            Local local = new Local(binary != null ? binary : Path.of(program));
            return new Settings(
                    List.of(), local, space, run, limits, token, sent, null, null, announcer, logger, passed);
        }
        List<Endpoint> servers = Endpoint.list(url);
        Token bearer = token != null ? token : Token.of(env.apply("HITL_TOKEN"));
        boolean maySendAnywhere = isInsecure || isYes(env.apply("HITL_INSECURE_TRANSPORT"));
        for (Endpoint server : servers) {
            boolean mayBeSeen = !server.isTls() && !server.isLoopback();
            if (bearer != null && mayBeSeen && !maySendAnywhere) {
                throw Token.overPlainHttp(server);
            }
        }
        // They are alike in that.
        Tls tls = tls(servers.get(0), env);
        return new Settings(servers, null, space, run, limits, bearer, sent, tls, through, announcer, logger, passed);
    }

    /** How to speak TLS to the server, null if it is not https. */
    private Tls tls(Endpoint endpoint, UnaryOperator<String> env) {
        if (endpoint.isTls()) {
            return new Tls(
                    orFile(ca, env.apply("HITL_CA")),
                    orFile(cert, env.apply("HITL_CERT")),
                    orFile(key, env.apply("HITL_KEY")));
        }
        if (ca != null || cert != null || key != null) {
            throw HitlException.invalid(
                    "ca, cert and key are for an https endpoint, which %s is not", endpoint.url());
        }
        return null;
    }

    private static Tls.Pem orFile(Tls.Pem given, String path) {
        return given == null && path != null ? Tls.Pem.of(Path.of(path)) : given;
    }

    private boolean announces(UnaryOperator<String> env) {
        String variable = orElse(env.apply("HITL_ANNOUNCE"), "");
        return announces != null ? announces : !List.of("0", "false", "off").contains(variable);
    }

    private static boolean isYes(String variable) {
        return "1".equals(variable) || "true".equals(variable);
    }

    private static String orElse(String text, String otherwise) {
        return text == null || text.isEmpty() ? otherwise : text;
    }
}
