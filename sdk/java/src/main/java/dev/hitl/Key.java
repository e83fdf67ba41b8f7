package dev.hitl;

import dev.hitl.v1.CreateEventRequestOrBuilder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * An idempotency key: that of the request; else one from the run, of which the n-th event of a name always gets
 * the same; else a random one. That of the run is what makes a program that crashed and starts again from its
 * beginning meet the events it had created.
 *
 * <p>Unless kept, its number goes to the next one: a create that failed and is repeated by the program
 * must not change what later events are.
 */
final class Key implements AutoCloseable {
    private static final SecureRandom RANDOM = new SecureRandom();

    /** Numbers of one (namespace, run, name). */
    private static final class Numbers {
        private long issued;
        /** Issued, but given back because nothing was created. */
        private final TreeSet<Long> returned = new TreeSet<>();
    }

    /** One count for the whole process, since several clients may serve one run. */
    private static final Map<List<String>, Numbers> SERIES = new HashMap<>();

    /** Null if it is no key of a run. */
    private final List<String> series;
    private final long number;
    private final String text;
    private boolean kept;

    private Key(List<String> series, long number, String text) {
        this.series = series;
        this.number = number;
        this.text = text;
    }

    /** The key for a request. {@code runId} may be null. */
    static Key of(CreateEventRequestOrBuilder request, String runId) {
        String given = request.getIdempotencyKey();
        if (given.isEmpty() && runId != null) {
            return take(request.getNamespace(), runId, request.getName());
        }
        return new Key(null, 0, given.isEmpty() ? once() : given);
    }

    static Key take(String namespace, String runId, String name) {
        List<String> series = List.of(namespace, runId, name);
        synchronized (SERIES) {
            Numbers numbers = SERIES.computeIfAbsent(series, absent -> new Numbers());
            Long returned = numbers.returned.pollFirst();
            long number = returned != null ? returned : ++numbers.issued;
            return new Key(series, number, textOf(series, number));
        }
    }

    String text() {
        return text;
    }

    /** {@code run-} and the SHA-256 of run id, name and number, one a line: the same in every language. */
    private static String textOf(List<String> series, long number) {
        String lines = series.get(1) + "\n" + series.get(2) + "\n" + number;
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            byte[] digest = sha256.digest(lines.getBytes(StandardCharsets.UTF_8));
            return "run-" + HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("every Java platform has SHA-256", impossible);
        }
    }

    void keep() {
        kept = true;
    }

    @Override
    public void close() {
        if (!kept && series != null) {
            synchronized (SERIES) {
                SERIES.get(series).returned.add(number);
            }
        }
    }

    /** A key that no other call has. */
    static String once() {
        byte[] bytes = new byte[16];
        RANDOM.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
