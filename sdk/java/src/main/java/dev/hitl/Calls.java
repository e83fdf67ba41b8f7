package dev.hitl;

import dev.hitl.v1.EventServiceGrpc;
import dev.hitl.v1.WaitEventsResponse;
import io.grpc.CallOptions;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.Function;

/** The calls of a client, over one connection, which is made when first needed and made again when lost. */
final class Calls {
    /** Longer than a local server may take to start, so that its own error is the one that is seen. */
    private static final Duration ATTEMPT_LIMIT = Duration.ofSeconds(15);

    private final Config.Settings settings;
    private final Timer timer;
    /** Where the channel leads. That of a local server may change; it is null before the first connect. */
    private volatile Endpoint target;
    /** What the local server that the channel leads to knows this user by. Null before the first connect. */
    private volatile String localToken;
    private volatile ManagedChannel channel;
    private volatile boolean reached;
    private volatile boolean closed;
    private final CallOptions options;

    Calls(Config.Settings settings, ManagedChannel channel, Timer timer) {
        this.settings = settings;
        this.target = settings.endpoint();
        this.channel = channel;
        this.timer = timer;
        Token token = settings.token();
        if (token == null && settings.local() != null) {
            token = new Token(() -> localToken);
        }
        this.options = token == null ? CallOptions.DEFAULT : CallOptions.DEFAULT.withCallCredentials(token);
    }

    /** The server's address, empty before it is known. */
    String endpoint() {
        Endpoint known = target;
        return known == null ? "" : known.url();
    }

    /** The server for messages, with no port where none is known. */
    String serverName() {
        return endpoint().isEmpty() ? "http://127.0.0.1" : endpoint();
    }

    /** Calls under way fail, and so do all others. */
    synchronized void close() {
        closed = true;
        if (channel != null) {
            channel.shutdownNow();
        }
    }

    static HitlException closedError() {
        return HitlException.invalid("the client is closed");
    }

    /** Calls, again for as long as that can help, and blocks until there is the reply. */
    <Q, R> R call(MethodDescriptor<Q, R> method, Q request) {
        return Blocking.uninterrupted(
                () -> Blocking.join(repeat(this::worthAnother, backoff -> attempt(method, request, reply -> reply))));
    }

    Timer timer() {
        return timer;
    }

    <R> CompletableFuture<R> repeat(
            BiPredicate<HitlException, Duration> goesOn,
            Function<Retry.Backoff, CompletableFuture<R>> attempt) {
        return Retry.begin(timer, goesOn, this::logAgain, attempt);
    }

    /** Tells that a call is made again. */
    void logAgain(int attempt, Duration delay, HitlException error) {
        settings.log().warn(
                "calls again in %s (attempt %d): %s", Log.seconds(delay), attempt, error.getMessage());
    }

    /** Tells that the server is asked for so many events. */
    void logWaits(int count) {
        settings.log().info("waits for %d events at %s", count, serverName());
    }

    /** Tells that the server is gone which was to tell of the ends of so many events. */
    void logLost(int count, Duration delay, HitlException error) {
        settings.log().warn(
                "lost the server at %s while %d events are waited for, tries again in %s: %s",
                serverName(), count, Log.seconds(delay), error.getMessage());
    }

    boolean worthAnother(HitlException error, Duration elapsed) {
        if (error.isRefused() && !settings.isPatient() && !reached) {
            // Nothing has ever listened there, which time does not mend.
            return false;
        }
        return error.isRetryable() && elapsed.compareTo(settings.retryFor()) <= 0;
    }

    /**
     * Whether what goes on for as long as a program wants it to goes on after {@code error}. Once the client has
     * reached its server, no loss of it is the end: people may take longer than any outage. Before that, a wrong
     * address is the likelier cause.
     */
    boolean outlasts(HitlException error, Duration elapsed) {
        boolean lost = error.isRetryable() || error.kind() == HitlException.Kind.UNAVAILABLE;
        return reached ? lost : worthAnother(error, elapsed);
    }

    /** Calls once. {@code read} makes the outcome of the reply. */
    <Q, R, T> CompletableFuture<T> attempt(MethodDescriptor<Q, R> method, Q request, Function<R, T> read) {
        return attempt(method, request, ATTEMPT_LIMIT, read);
    }

    /** Calls once. {@code read} makes the outcome of the first message that it does not return null for. */
    <Q, R, T> CompletableFuture<T> attempt(
            MethodDescriptor<Q, R> method, Q request, Duration silenceLimit, Function<R, T> read) {
        Call<Q, R, T> first = new Call<>(noted(read), timer, silenceLimit, serverName());
        begin(first, method, request);
        CompletableFuture<T> outcome = new CompletableFuture<>();
        follow(first.outcome, outcome, failure ->
                findAgain(failure).thenAccept(isThere -> {
                    if (!isThere || outcome.isDone()) {
                        outcome.completeExceptionally(failure);
                        return;
                    }
                    Call<Q, R, T> again = new Call<>(noted(read), timer, silenceLimit, serverName());
                    again.token = first.token.another((HitlException) failure);
                    begin(again, method, request);
                    follow(again.outcome, outcome, outcome::completeExceptionally);
                }));
        return outcome;
    }

    /** Ends {@code outcome} as the attempt ends, unless that failed; and the attempt if nobody wants it any more. */
    private static <T> void follow(
            CompletableFuture<T> attempt, CompletableFuture<T> outcome, Consumer<Throwable> failed) {
        outcome.whenComplete((reply, failure) -> attempt.cancel(true));
        attempt.whenComplete((reply, failure) -> {
            if (failure == null) {
                outcome.complete(reply);
            } else {
                failed.accept(failure);
            }
        });
    }

    /**
     * Whether the server that refused a call by this failure is asked once more, with another token: that of a local one
     * which has been started anew, or what the program's function says now.
     */
    CompletableFuture<Boolean> findAgain(Throwable failure) {
        boolean isRefused = failure instanceof HitlException error
                && error.kind() == HitlException.Kind.UNAUTHENTICATED;
        if (!isRefused || options.getCredentials() == null) {
            return CompletableFuture.completedFuture(false);
        }
        if (settings.local() == null) {
            return CompletableFuture.completedFuture(true);
        }
        return settings.local().up().handle((found, none) -> {
            boolean isThere = found != null && !closed;
            if (isThere) {
                channelTo(found);
            }
            return isThere;
        });
    }

    /** Begins a call that brings {@code take} each message, and asks for the next one only when it is told to. */
    <Q, R> Call<Q, R, Void> stream(
            MethodDescriptor<Q, R> method,
            Q request,
            Duration silenceLimit,
            Token.Presented token,
            Consumer<R> take) {
        Function<R, Void> read =
                message -> {
                    take.accept(message);
                    return null;
                };
        Call<Q, R, Void> call = new Call<>(noted(read), timer, silenceLimit, serverName(), true);
        call.token = token;
        begin(call, method, request);
        return call;
    }

    /** A stream of waits, which is yet to {@link #begin}, and brings {@code take} each message. */
    WaitsCall waits(Waits waits, Consumer<WaitEventsResponse> take) {
        Function<WaitEventsResponse, Void> read =
                message -> {
                    take.accept(message);
                    return null;
                };
        Runnable isThere =
                () -> {
                    reached = true;
                    logWaits(waits.count());
                };
        return new WaitsCall(waits, isThere, noted(read), timer, Waits.SILENCE_LIMIT, serverName());
    }

    void begin(WaitsCall stream) {
        begin(stream, EventServiceGrpc.getWaitEventsMethod(), null);
    }

    private <R, T> Function<R, T> noted(Function<R, T> read) {
        return message -> {
            reached = true;
            return read.apply(message);
        };
    }

    private <Q, R, T> void begin(Call<Q, R, T> call, MethodDescriptor<Q, R> method, Q request) {
        if (closed) {
            call.outcome.completeExceptionally(closedError());
            return;
        }
        ManagedChannel ready = channel;
        if (settings.local() == null || ready != null && ready.getState(false) == ConnectivityState.READY) {
            start(call, ready, method, request);
            return;
        }
        settings.local()
                .up()
                .thenAccept(found -> start(call, channelTo(found), method, request))
                .exceptionally(
                        failed -> {
                            call.outcome.completeExceptionally(failed.getCause());
                            return null;
                        });
    }

    private <Q, R, T> void start(
            Call<Q, R, T> call, ManagedChannel channel, MethodDescriptor<Q, R> method, Q request) {
        if (channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
            // Our own backoff decides when to connect again, not the channel's, which grows to minutes.
            channel.enterIdle();
        }
        call.start(channel.newCall(method, options.withOption(Token.PRESENTED, call.token)), request);
    }

    /** The channel to where the local server is now. Calls on another one end as the server there does. */
    private synchronized ManagedChannel channelTo(Local.Found found) {
        if (closed) {
            throw closedError();
        }
        localToken = found.token;
        if (!found.endpoint.equals(target)) {
            if (channel != null) {
                channel.shutdown();
            }
            channel = Connection.open(found.endpoint, null);
            target = found.endpoint;
            settings.log().info("the local server is at %s", target.url());
        }
        return channel;
    }
}
