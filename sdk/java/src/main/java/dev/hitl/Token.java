package dev.hitl;

import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/** Adds the token to each call. Whether it may go to where the call goes is decided before. */
final class Token extends CallCredentials {
    private static final int LENGTH_MAX = 4_096;
    private static final Metadata.Key<String> HEADER =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    /** By which a call tells what it is made with. */
    static final CallOptions.Key<Presented> PRESENTED = CallOptions.Key.create("hitl-token");

    /**
     * The token that a call is made with. One that is made because the server refused the one before is made with
     * another token, or not at all.
     */
    static final class Presented {
        /** That the server refused, and the error by which it did; null if there was none. */
        private final String refused;

        private final HitlException refusal;
        /** Null before the call is made. */
        private volatile String token;

        private Presented(String refused, HitlException refusal) {
            this.refused = refused;
            this.refusal = refusal;
        }

        static Presented any() {
            return new Presented(null, null);
        }

        /** Another one, after this one was refused. */
        Presented another(HitlException refusal) {
            return new Presented(token, refusal);
        }

        /** Whether it was made in place of one that was refused. */
        boolean isAnother() {
            return refusal != null;
        }
    }

    private final Supplier<String> source;

    Token(Supplier<String> source) {
        this.source = source;
    }

    /** One that stays the same, null if it is empty. */
    static Token of(String text) {
        String token = read(text);
        return token.isEmpty() ? null : new Token(() -> token);
    }

    /**
     * The token without the white space around it, such as the end of a line of its file. What it holds is in no
     * error.
     */
    private static String read(String given) {
        String token = given == null ? "" : given.strip();
        if (token.length() > LENGTH_MAX) {
            throw HitlException.invalid("the token is longer than %d characters", LENGTH_MAX);
        }
        if (token.chars().anyMatch(character -> character <= ' ' || character > '~')) {
            throw HitlException.invalid("the token has characters that a header cannot have");
        }
        return token;
    }

    @Override
    public void applyRequestMetadata(RequestInfo call, Executor executor, MetadataApplier applier) {
        // The program's function may take its time.
        Presented presented = call.getCallOptions().getOption(PRESENTED);
        executor.execute(() -> apply(presented, applier));
    }

    private void apply(Presented presented, MetadataApplier applier) {
        String given;
        try {
            given = source.get();
        } catch (RuntimeException failed) {
            String message = "the token cannot be had: " + Shown.oneLine(String.valueOf(failed.getMessage()));
            applier.fail(Status.UNAVAILABLE.withCause(HitlException.unavailable(message, failed)));
            return;
        }
        Metadata headers = new Metadata();
        try {
            String token = read(given);
            if (presented.isAnother() && token.equals(presented.refused)) {
                applier.fail(Status.UNAUTHENTICATED.withCause(presented.refusal));
                return;
            }
            presented.token = token;
            if (!token.isEmpty()) {
                headers.put(HEADER, "Bearer " + token);
            }
        } catch (HitlException unusable) {
            applier.fail(Status.UNAUTHENTICATED.withCause(unusable));
            return;
        }
        applier.apply(headers);
    }

    /** The error that keeps a token from whoever is on the way to the endpoint. */
    static HitlException overPlainHttp(Endpoint endpoint) {
        String help = "a token is not sent over plain http to %s: use https, or set HITL_INSECURE_TRANSPORT=1 if "
                + "the way there is safe";
        return HitlException.invalid("%s", help.formatted(endpoint.host()));
    }
}
