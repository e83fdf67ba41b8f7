package dev.hitl;

import dev.hitl.v1.CreateEventRequestOrBuilder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
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

    /** Counts the events of each (namespace, run, name). */
    static final class Counter {
        /** That of every client that has a run id: one for the whole process, since several may serve one run. */
        static final Counter OF_PROCESS = new Counter();

        private final Map<List<String>, Numbers> series = new HashMap<>();

        private synchronized long take(List<String> one) {
            Numbers numbers = series.computeIfAbsent(one, absent -> new Numbers());
            Long returned = numbers.returned.pollFirst();
            return returned != null ? returned : ++numbers.issued;
        }

        private synchronized void giveBack(List<String> one, long number) {
            series.get(one).returned.add(number);
        }
    }

    /** Null if it is no key of a run. */
    private final Counter counter;

    private final List<String> series;
    private final long number;
    private final String text;
    private boolean kept;

    private Key(Counter counter, List<String> series, long number, String text) {
        this.counter = counter;
        this.series = series;
        this.number = number;
        this.text = text;
    }

    /** The key for a request, which counts in the run. {@code runId} may be null. */
    static Key of(CreateEventRequestOrBuilder request, String runId, Counter counter) {
        String given = request.getIdempotencyKey();
        if (given.isEmpty() && runId != null) {
            return take(request.getNamespace(), runId, request.getName(), counter);
        }
        return new Key(null, null, 0, given.isEmpty() ? once() : given);
    }

    static Key take(String namespace, String runId, String name, Counter counter) {
        List<String> series = List.of(namespace, runId, name);
        long number = counter.take(series);
        return new Key(counter, series, number, textOf(runId, name, number));
    }

    String text() {
        return text;
    }

    /** {@code run-} and the SHA-256 of run id, name and number, one a line: the same in every language. */
    static String textOf(String runId, String name, long number) {
        return "run-" + hash(runId + "\n" + name + "\n" + number);
    }

    /** The SHA-256 of the text, in hexadecimal digits. */
    static String hash(String text) {
        return HexFormat.of().formatHex(sha256(text));
    }

    /** The id that the server gives the event of a key: made of the namespace and the key, as a UUID of version 8. */
    static String eventId(String namespace, String key) {
        byte[] id = Arrays.copyOf(sha256(namespace + "\0" + key), 16);
        id[6] = (byte) (id[6] & 0x0f | 0x80);
        id[8] = (byte) (id[8] & 0x3f | 0x80);
        return HexFormat.of().formatHex(id);
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("every Java platform has SHA-256", impossible);
        }
    }

    void keep() {
        kept = true;
    }

    @Override
    public void close() {
        if (!kept && counter != null) {
            counter.giveBack(series, number);
        }
    }

    /** A key that no other call has. */
    static String once() {
        byte[] bytes = new byte[16];
        RANDOM.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
