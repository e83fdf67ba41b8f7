package dev.hitl;

import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * One call to the server, as a future that ends with the first message that {@code read} makes one of. The call asks
 * for the message after each other one by itself, unless it is paced: then {@link #next} does.
 */
class Call<Q, R, T> extends ClientCall.Listener<R> {
    /** Cancelling it cancels the call. */
    final CompletableFuture<T> outcome = new CompletableFuture<>();

    /** What it is made with. Set before it begins. */
    Token.Presented token = Token.Presented.any();

    /** What it begins with. Set before it begins. */
    Metadata headers = new Metadata();

    /** Is told what it failed by, before anybody else. Set before it begins. */
    Consumer<HitlException> failing = error -> {};

    private final Function<R, T> read;
    private final Timer timer;
    private final Limits.Silence silenceLimit;
    private final String endpoint;
    private final boolean isPaced;
    private volatile Future<?> silence;
    private volatile ClientCall<Q, R> call;

    Call(Function<R, T> read, Timer timer, Limits.Silence silenceLimit, String endpoint) {
        this(read, timer, silenceLimit, endpoint, false);
    }

    Call(Function<R, T> read, Timer timer, Limits.Silence silenceLimit, String endpoint, boolean isPaced) {
        this.read = read;
        this.timer = timer;
        this.silenceLimit = silenceLimit;
        this.endpoint = endpoint;
        this.isPaced = isPaced;
        listen();
    }

    void start(ClientCall<Q, R> call, Q request) {
        this.call = call;
        // Only what ended badly is cancelled: the server ends the other calls itself.
        outcome.whenComplete(
                (reply, error) -> {
                    if (error != null) {
                        call.cancel("the caller has left", null);
                    }
                });
        if (outcome.isDone()) {
            return;
        }
        try {
            call.start(this, headers);
            ask(call, request);
            call.request(1);
        } catch (RuntimeException unsent) {
            outcome.completeExceptionally(
                    HitlException.internal("the request cannot be sent: " + unsent.getMessage(), unsent));
        }
    }

    /** Says what is asked for. */
    void ask(ClientCall<Q, R> call, Q request) {
        call.sendMessage(request);
        call.halfClose();
    }

    @Override
    public void onMessage(R message) {
        silence.cancel(false);
        T reply = read.apply(message);
        if (reply != null) {
            outcome.complete(reply);
        } else if (!isPaced) {
            next();
        }
    }

    /** Asks for the next message, after the one before has come. */
    void next() {
        if (!outcome.isDone()) {
            listen();
            call.request(1);
        }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
        silence.cancel(false);
        fail(status.isOk()
                ? HitlException.unavailable("the stream ended before the event", null)
                : HitlException.of(status, trailers, endpoint));
    }

    /** The silence is broken, and begins again. */
    void heard() {
        silence.cancel(false);
        listen();
    }

    private void listen() {
        silence = timer.after(silenceLimit.limit(), this::wasSilent);
    }

    private void wasSilent() {
        String message = "the server at %s sent nothing %s".formatted(endpoint, silenceLimit.told());
        fail(HitlException.unavailable(message, null));
    }

    private void fail(HitlException error) {
        // What its caller has ended says nothing of the server.
        if (!outcome.isDone()) {
            failing.accept(error);
        }
        outcome.completeExceptionally(error);
    }
}
