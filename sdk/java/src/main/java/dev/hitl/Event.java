package dev.hitl;

import dev.hitl.v1.CreateEventResponse;
import dev.hitl.v1.Response;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;

/** An event that was created, whose answer is a {@code T}. */
public final class Event<T> {
    private final Client client;
    private final Input<T> input;
    private final dev.hitl.v1.Event record;
    private final boolean existed;

    Event(Client client, Input<T> input, CreateEventResponse reply) {
        this.client = client;
        this.input = input;
        this.record = reply.getEvent();
        this.existed = reply.getExisted();
    }

    /** The event's id: 32 lower-case hexadecimal digits. */
    public String id() {
        return record.getId();
    }

    /** The same as {@link #id}. */
    public String requestId() {
        return id();
    }

    /** What lists and logs call it. */
    public String name() {
        return record.getName();
    }

    /** The page where a person answers. A secret: whoever has it can answer this one event. */
    public String formUrl() {
        return record.getFormUrl();
    }

    /** Where a program answers with plain JSON. A secret like {@link #formUrl}. */
    public String apiUrl() {
        return record.getApiUrl();
    }

    /** The server's address. */
    public String endpoint() {
        return client.endpoint();
    }

    /** The instant at which it times out, by the server's clock. */
    public Instant deadline() {
        var deadline = record.getDeadline();
        return Instant.ofEpochSecond(deadline.getSeconds(), deadline.getNanos());
    }

    /**
     * Whether it had been created before, by an earlier start of this run or with the same idempotency key.
     * It may have ended since: then {@link #await} returns at once.
     */
    public boolean existed() {
        return existed;
    }

    /** The event as the API has it, as it stood when it was created. */
    public dev.hitl.v1.Event record() {
        return record;
    }

    /**
     * Waits until the event ends, through lost connections and server restarts, and returns the answer; or,
     * if it timed out, the default it was created with. (The name {@code wait} is taken in Java.)
     *
     * @throws HitlException of kind {@code DECLINED}, {@code CANCELLED} or {@code TIMED_OUT} if the event
     *     ended without a value; {@link HitlException#response} tells when, why and by whom
     * @throws InterruptedException if the thread is interrupted; the event stays
     */
    public T await() throws InterruptedException {
        return Calls.join(awaitAsync());
    }

    /**
     * Like {@link #await}, without blocking or holding a thread. Cancel the future, or end it in any other
     * way such as {@link CompletableFuture#orTimeout}, to stop waiting; the event stays.
     */
    public CompletableFuture<T> awaitAsync() {
        CompletableFuture<dev.hitl.v1.Event> ended = client.awaitEventAsync(id());
        CompletableFuture<T> outcome = ended.thenApply(event -> outcome(event, input));
        outcome.whenComplete((value, error) -> ended.cancel(true));
        return outcome;
    }

    /**
     * Withdraws the question. {@code reason} may be empty.
     *
     * @throws HitlException of kind {@code CONFLICT} if the event ended otherwise
     */
    public void cancel(String reason) {
        client.cancel(id(), reason);
    }

    /** The event without its links, which are secrets. */
    @Override
    public String toString() {
        return "event %s \"%s\"".formatted(Shown.oneLine(id()), Shown.oneLine(name()));
    }

    void announce() {
        if (!Waits.isFinal(record)) {
            String told = "hitl: \"%s\" waits for an answer at %s%n";
            System.err.printf(told, Shown.oneLine(name()), Shown.oneLine(formUrl()));
        }
    }

    /** What an ended event means to whoever waited for it. */
    static <T> T outcome(dev.hitl.v1.Event event, Input<T> input) {
        Response response = event.getResponse();
        return switch (event.getState()) {
            case EVENT_STATE_DECLINED -> throw HitlException.outcome(HitlException.Kind.DECLINED, event);
            case EVENT_STATE_CANCELLED -> throw HitlException.outcome(HitlException.Kind.CANCELLED, event);
            case EVENT_STATE_TIMED_OUT -> {
                if (!response.hasValue()) {
                    throw HitlException.outcome(HitlException.Kind.TIMED_OUT, event);
                }
                yield input.read(response.getValue());
            }
            default -> input.read(response.getValue());
        };
    }
}
