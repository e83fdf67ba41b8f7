package dev.hitl;

import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannel;
import java.util.ArrayList;
import java.util.List;

/** The servers of a client, each as good as the others, and the connections to them. */
final class Lines {
    /** A server, and the connection to it, which is made when first needed and made again when lost. */
    record Line(Endpoint endpoint, ManagedChannel channel) {}

    private final List<Line> lines;
    private final Log log;
    private final List<ClientInterceptor> interceptors;
    /** The one that served last, or is tried now. Null before the first connect to a local server. */
    private volatile Line current;

    /** One for each endpoint; none for a local server. */
    Lines(List<Line> lines, Log log, List<ClientInterceptor> interceptors) {
        this.lines = new ArrayList<>(lines);
        this.log = log;
        this.interceptors = interceptors;
        this.current = lines.isEmpty() ? null : lines.get(0);
    }

    Line current() {
        return current;
    }

    int count() {
        return lines.size();
    }

    /** Goes on to the next server after that one, unless some other call has done so. */
    synchronized void leave(Line line) {
        if (lines.size() > 1 && line == current) {
            current = lines.get((lines.indexOf(line) + 1) % lines.size());
            log.warn("no server at %s, tries %s", line.endpoint().url(), current.endpoint().url());
        }
    }

    /** The line to where the local server is now. Calls on another one end as the server there does. */
    synchronized Line to(Endpoint endpoint) {
        if (current == null || !endpoint.equals(current.endpoint())) {
            if (current != null) {
                current.channel().shutdown();
            }
            current = new Line(endpoint, Connection.open(endpoint, null, null, interceptors));
            log.info("the local server is at %s", endpoint.url());
        }
        return current;
    }

    /** Calls under way fail. */
    synchronized void close() {
        lines.forEach(line -> line.channel().shutdownNow());
        if (current != null) {
            current.channel().shutdownNow();
        }
    }
}
