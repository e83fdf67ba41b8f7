package dev.hitl;

import com.google.protobuf.MessageLite;
import dev.hitl.v1.AnswerEventRequest;
import dev.hitl.v1.AnswerEventResult;
import dev.hitl.v1.BatchAnswerEventsRequest;
import dev.hitl.v1.BatchCreateEventsRequest;
import dev.hitl.v1.CreateEventRequest;
import dev.hitl.v1.CreateEventResponse;
import dev.hitl.v1.CreateEventResult;
import dev.hitl.v1.ErrorReason;
import dev.hitl.v1.EventServiceGrpc;
import dev.hitl.v1.Failure;
import dev.hitl.v1.Response;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** Requests that are sent in batches, each again for as long as that can help. */
final class Many<Q extends MessageLite, R> {
    private static final int ENTRIES_MAX = 1_000;
    /** Most bytes of the entries of one call, though one alone may have more. */
    private static final int BYTES_MAX = 1 << 20;

    /** Which entries of a batch may be sent again, and that error of theirs which asks for the longest delay. */
    private record Failed(List<Integer> again, HitlException error) {}

    private final Calls calls;
    private final Limits limits;
    private final List<Q> requests;
    private final Function<List<Q>, CompletableFuture<List<Result<R>>>> send;
    private final List<Result<R>> results;
    /** Which requests are still to be sent. */
    private final Deque<Integer> waiting = new ArrayDeque<>();

    private Many(
            Calls calls,
            Limits limits,
            List<Q> requests,
            Function<List<Q>, CompletableFuture<List<Result<R>>>> send) {
        this.calls = calls;
        this.limits = limits;
        this.requests = requests;
        this.send = send;
        this.results = new ArrayList<>(Collections.nCopies(requests.size(), null));
        for (int at = 0; at < requests.size(); at++) {
            waiting.add(at);
        }
    }

    static List<Result<CreateEventResponse>> create(Calls calls, Limits limits, List<CreateEventRequest> requests)
            throws InterruptedException {
        return new Many<CreateEventRequest, CreateEventResponse>(calls, limits, requests, entries -> {
            var batch = BatchCreateEventsRequest.newBuilder().addAllRequests(entries).build();
            return calls.round(
                    limits,
                    calls.timer().now(),
                    EventServiceGrpc.getBatchCreateEventsMethod(),
                    batch,
                    reply -> reply.getResultsList().stream().map(Many::created).toList());
        }).run();
    }

    static List<Result<Response>> answer(Calls calls, Limits limits, List<AnswerEventRequest> requests)
            throws InterruptedException {
        return new Many<AnswerEventRequest, Response>(calls, limits, requests, entries -> {
            var batch = BatchAnswerEventsRequest.newBuilder().addAllRequests(entries).build();
            return calls.round(
                    limits,
                    calls.timer().now(),
                    EventServiceGrpc.getBatchAnswerEventsMethod(),
                    batch,
                    reply -> reply.getResultsList().stream().map(Many::answered).toList());
        }).run();
    }

    private static Result<CreateEventResponse> created(CreateEventResult result) {
        CreateEventResponse created = result.hasCreated() ? result.getCreated() : null;
        return outcome(created, result.hasFailure(), result.getFailure());
    }

    private static Result<Response> answered(AnswerEventResult result) {
        Response response = result.hasResponse() ? result.getResponse() : null;
        return outcome(response, result.hasFailure(), result.getFailure());
    }

    private static <R> Result<R> outcome(R value, boolean hasFailed, Failure failure) {
        if (hasFailed) {
            return new Result<>(null, HitlException.of(failure));
        }
        if (value == null) {
            return new Result<>(null, HitlException.internal("the server's reply has no result", null));
        }
        return new Result<>(value, null);
    }

    private List<Result<R>> run() throws InterruptedException {
        Retry.Backoff backoff = new Retry.Backoff();
        Duration begun = calls.timer().now();
        int attempt = 1;
        while (!waiting.isEmpty()) {
            List<Integer> batch = next();
            Failed failed = exchange(batch);
            HitlException error = failed.error();
            if (error == null) {
                continue;
            }
            boolean isProgress = failed.again().size() < batch.size();
            if (isProgress) {
                backoff.reset();
                begun = calls.timer().now();
                attempt = 1;
            }
            if (isProgress && isFullReply(error)) {
                waiting.addAll(failed.again());
                continue;
            }
            Duration delay = backoff.delay(error);
            if (calls.worthAnother(limits, error, calls.timer().now().minus(begun).plus(delay))) {
                Collections.reverse(failed.again());
                failed.again().forEach(waiting::addFirst);
                attempt++;
                calls.logAgain(attempt, delay, error);
                pause(delay);
            } else if (!isProgress && isLost(error)) {
                // What could not be done for a whole batch can be done for no other.
                fail(waiting, error);
                waiting.clear();
            }
        }
        return Collections.unmodifiableList(results);
    }

    /** Takes as many of those that wait as go in one call. */
    private List<Integer> next() {
        List<Integer> batch = new ArrayList<>();
        long bytes = 0;
        while (!waiting.isEmpty()) {
            bytes += requests.get(waiting.peek()).getSerializedSize();
            if (batch.size() == ENTRIES_MAX || !batch.isEmpty() && bytes > BYTES_MAX) {
                break;
            }
            batch.add(waiting.remove());
        }
        return batch;
    }

    /** Sends a batch and keeps its results. */
    private Failed exchange(List<Integer> batch) throws InterruptedException {
        List<Result<R>> replies;
        try {
            replies = Blocking.join(send.apply(batch.stream().map(requests::get).toList()));
            if (replies.size() != batch.size()) {
                String message = "the server sent %d results for %d entries";
                throw HitlException.internal(message.formatted(replies.size(), batch.size()), null);
            }
        } catch (HitlException error) {
            fail(batch, error);
            return new Failed(batch, error);
        }
        List<Integer> again = new ArrayList<>();
        HitlException slowest = null;
        for (int place = 0; place < batch.size(); place++) {
            HitlException error = replies.get(place).error();
            results.set(batch.get(place), replies.get(place));
            if (error != null && error.isRetryable()) {
                again.add(batch.get(place));
                if (slowest == null || slowest.retryDelay().compareTo(error.retryDelay()) < 0) {
                    slowest = error;
                }
            }
        }
        return new Failed(again, slowest);
    }

    private void fail(Collection<Integer> entries, HitlException error) {
        entries.forEach(at -> results.set(at, new Result<>(null, error)));
    }

    private void pause(Duration delay) throws InterruptedException {
        CompletableFuture<Void> passed = new CompletableFuture<>();
        calls.timer().after(delay, () -> passed.complete(null));
        Blocking.join(passed);
    }

    /** Whether the server has asked for an entry again, at once, in another call. */
    private static boolean isFullReply(HitlException error) {
        return error.reason().equals(ErrorReason.ERROR_REASON_OVERLOADED.name()) && error.retryDelay().isZero();
    }

    private static boolean isLost(HitlException error) {
        return error.isRetryable() || error.kind() == HitlException.Kind.UNAVAILABLE;
    }
}
