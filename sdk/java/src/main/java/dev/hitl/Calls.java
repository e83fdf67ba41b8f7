package dev.hitl;

import dev.hitl.Lines.Line;
import dev.hitl.v1.EventServiceGrpc;
import dev.hitl.v1.WaitEventsResponse;
import io.grpc.CallOptions;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.Function;

/** The calls of a client, over one connection, which is made when first needed and made again when lost. */
final class Calls {
    private final Config.Settings settings;
    private final Timer timer;
    private final Lines lines;
    /** What the local server that is called knows this user by. Null before the first connect. */
    private volatile String localToken;
    private volatile boolean reached;
    private volatile boolean closed;
    private final CallOptions options;

    Calls(Config.Settings settings, List<Line> lines, Timer timer) {
        this.settings = settings;
        this.lines = new Lines(lines, settings.log(), settings.interceptors());
        this.timer = timer;
        Token token = settings.token();
        if (token == null && settings.local() != null) {
            token = new Token(() -> localToken);
        }
        this.options = token == null ? CallOptions.DEFAULT : CallOptions.DEFAULT.withCallCredentials(token);
    }

    /** The server's address, empty before it is known. */
    String endpoint() {
        Line known = lines.current();
        return known == null ? "" : known.endpoint().url();
    }

    /** The server for messages, with no port where none is known. */
    String serverName() {
        return endpoint().isEmpty() ? "http://127.0.0.1" : endpoint();
    }

    /** Calls under way fail, and so do all others. */
    synchronized void close() {
        closed = true;
        lines.close();
    }

    static HitlException closedError() {
        return HitlException.invalid("the client is closed");
    }

    /** Calls, again for as long as that can help, and blocks until there is the reply. */
    <Q, R> R call(Limits limits, MethodDescriptor<Q, R> method, Q request) {
        Duration begun = timer.now();
        return Blocking.uninterrupted(() -> Blocking.join(repeat(
                (error, elapsed) -> worthAnother(limits, error, elapsed),
                backoff -> round(limits, begun, method, request, reply -> reply))));
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

    /** Whether a call is made again after {@code error}, when so much time will have passed. */
    boolean worthAnother(Limits limits, HitlException error, Duration elapsed) {
        if (error.isRefused() && !limits.isPatient() && !reached) {
            // Nothing has ever listened there, which time does not mend.
            return false;
        }
        return error.isRetryable() && elapsed.compareTo(limits.patience()) <= 0;
    }

    /**
     * Whether what goes on for as long as a program wants it to goes on after {@code error}. Once the client has
     * reached its server, no loss of it is the end: people may take longer than any outage. Before that, a wrong
     * address is the likelier cause.
     */
    boolean outlasts(HitlException error, Duration elapsed) {
        boolean lost = error.isRetryable() || error.kind() == HitlException.Kind.UNAVAILABLE;
        Limits limits = settings.limits();
        // Where one server is dead, another one may serve.
        boolean mayServe = lines.count() > 1 && error.isRetryable() && elapsed.compareTo(limits.retryFor()) <= 0;
        return reached ? lost : mayServe || worthAnother(limits, error, elapsed);
    }

    /**
     * Makes a call that began then once; of several servers to each in turn, until one serves. {@code read} makes the
     * outcome of the reply.
     */
    <Q, R, T> CompletableFuture<T> round(
            Limits limits, Duration begun, MethodDescriptor<Q, R> method, Q request, Function<R, T> read) {
        return round(limits, begun, lines.count() - 1, silence -> attempt(method, request, silence, read));
    }

    private <T> CompletableFuture<T> round(
            Limits limits, Duration begun, int others, Function<Limits.Silence, CompletableFuture<T>> attempt) {
        CompletableFuture<T> outcome = new CompletableFuture<>();
        follow(attempt.apply(limits.ofAttempt(timer.now().minus(begun))), outcome, failure -> {
            boolean isAway =
                    failure instanceof HitlException error && error.kind() == HitlException.Kind.UNAVAILABLE;
            if (others <= 0 || !isAway || outcome.isDone() || limits.areOver(timer.now().minus(begun))) {
                outcome.completeExceptionally(failure);
                return;
            }
            follow(round(limits, begun, others - 1, attempt), outcome, outcome::completeExceptionally);
        });
        return outcome;
    }

    /** Calls once. {@code read} makes the outcome of the first message that it does not return null for. */
    <Q, R, T> CompletableFuture<T> attempt(
            MethodDescriptor<Q, R> method, Q request, Limits.Silence silenceLimit, Function<R, T> read) {
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
                lineTo(found);
            }
            return isThere;
        });
    }

    /** Begins a call that brings {@code take} each message, and asks for the next one only when it is told to. */
    <Q, R> Call<Q, R, Void> stream(
            MethodDescriptor<Q, R> method,
            Q request,
            Limits.Silence silenceLimit,
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
        Line ready = lines.current();
        if (settings.local() == null
                || ready != null && ready.channel().getState(false) == ConnectivityState.READY) {
            start(call, ready, method, request);
            return;
        }
        settings.local()
                .up()
                .thenAccept(found -> start(call, lineTo(found), method, request))
                .exceptionally(
                        failed -> {
                            call.outcome.completeExceptionally(failed.getCause());
                            return null;
                        });
    }

    private <Q, R, T> void start(Call<Q, R, T> call, Line line, MethodDescriptor<Q, R> method, Q request) {
        ManagedChannel channel = line.channel();
        if (channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
            // Our own backoff decides when to connect again, not the channel's, which grows to minutes.
            channel.enterIdle();
        }
        call.headers = settings.sent().metadata();
        call.failing = error -> {
            if (error.kind() == HitlException.Kind.UNAVAILABLE) {
                lines.leave(line);
            }
        };
        call.start(channel.newCall(method, options.withOption(Token.PRESENTED, call.token)), request);
    }

    private synchronized Line lineTo(Local.Found found) {
        if (closed) {
            throw closedError();
        }
        localToken = found.token;
        return lines.to(found.endpoint);
    }
}
