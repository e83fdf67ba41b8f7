package dev.hitl;

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
 * An idempotency key from the run: the n-th event of a name always gets the same. That is what makes a
 * program that crashed and starts again from its beginning meet the events it had created.
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

    private final List<String> series;
    private final long number;
    private boolean kept;

    private Key(List<String> series, long number) {
        this.series = series;
        this.number = number;
    }

    static Key take(String namespace, String runId, String name) {
        List<String> series = List.of(namespace, runId, name);
        synchronized (SERIES) {
            Numbers numbers = SERIES.computeIfAbsent(series, absent -> new Numbers());
            Long returned = numbers.returned.pollFirst();
            return new Key(series, returned != null ? returned : ++numbers.issued);
        }
    }

    /** {@code run-} and the SHA-256 of run id, name and number, one a line: the same in every language. */
    String text() {
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
        if (!kept) {
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
