package dev.hitl;

import java.math.BigDecimal;
import java.time.Duration;

/**
 * How long the calls of a client may take.
 *
 * @param retryFor how long a call is repeated
 * @param isPatient whether the program has said how long that is
 * @param callTimeout how long a call may take with all of its attempts; null if as long as those take
 */
record Limits(Duration retryFor, boolean isPatient, Duration callTimeout) {
    /** Longer than a local server may take to start, so that its own error is the one that is seen. */
    private static final Duration ATTEMPT = Duration.ofSeconds(15);

    Limits {
        if (callTimeout != null && (callTimeout.isNegative() || callTimeout.isZero())) {
            throw HitlException.invalid("callTimeout is %s: give a time above 0", callTimeout);
        }
    }

    /**
     * How long a server may say nothing.
     *
     * @param told that in words
     */
    record Silence(Duration limit, String told) {
        static Silence of(Duration limit) {
            return new Silence(limit, "for %s s".formatted(number(limit)));
        }
    }

    /** For how long it is worth to begin another attempt. */
    Duration patience() {
        return callTimeout == null || retryFor.compareTo(callTimeout) < 0 ? retryFor : callTimeout;
    }

    /** How long an attempt may take of a call that has taken so long. */
    Silence ofAttempt(Duration elapsed) {
        if (callTimeout == null || callTimeout.minus(elapsed).compareTo(ATTEMPT) >= 0) {
            return Silence.of(ATTEMPT);
        }
        Duration left = callTimeout.minus(elapsed);
        String told = "within the call's timeout of %s s".formatted(number(callTimeout));
        return new Silence(left.isNegative() ? Duration.ZERO : left, told);
    }

    /** Whether the time of a call that has taken so long has passed. */
    boolean areOver(Duration elapsed) {
        return callTimeout != null && callTimeout.compareTo(elapsed) <= 0;
    }

    /** Seconds, with a fraction if there is one. */
    private static String number(Duration limit) {
        return BigDecimal.valueOf(limit.toNanos(), 9).stripTrailingZeros().toPlainString();
    }
}
