package dev.hitl;

import dev.hitl.v1.CreateEventResponse;
import dev.hitl.v1.Response;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/** An event that was created, whose answer is a {@code T}. */
public final class Event<T> {
    private final Client client;
    private final Input<T> input;
    private final dev.hitl.v1.Event record;
    private final boolean existed;
    /** Whether people know where to answer, as far as we know. */
    private final AtomicBoolean isTold = new AtomicBoolean();

    Event(Client client, Input<T> input, dev.hitl.v1.Event record, boolean existed) {
        this.client = client;
        this.input = input;
        this.record = record;
        this.existed = existed;
    }

    static <T> Event<T> of(Client client, Input<T> input, CreateEventResponse reply) {
        return new Event<>(client, input, reply.getEvent(), reply.getExisted());
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
        isTold.set(true);
        return record.getFormUrl();
    }

    /** Where a program answers with plain JSON. A secret like {@link #formUrl}. */
    public String apiUrl() {
        isTold.set(true);
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
     * if it timed out, the default it was created with. (The name {@code wait} is taken in Java.) It tells where to
     * answer, on stderr and once, unless the program has read a link of the event or {@link Config#announce} says not
     * to.
     *
     * @throws HitlException of kind {@code DECLINED}, {@code CANCELLED} or {@code TIMED_OUT} if the event
     *     ended without a value; {@link HitlException#response} tells when, why and by whom
     * @throws InterruptedException if the thread is interrupted; the event stays
     */
    public T await() throws InterruptedException {
        return Blocking.join(awaitAsync());
    }

    /**
     * Like {@link #await}, without blocking or holding a thread. Cancel the future, or end it in any other
     * way such as {@link CompletableFuture#orTimeout}, to stop waiting; the event stays.
     */
    public CompletableFuture<T> awaitAsync() {
        return ended(event -> outcome(event, input));
    }

    /**
     * Is {@link #await}, with what else was said: the comment, by whom and when.
     *
     * @throws HitlException as {@link #await} does
     * @throws InterruptedException if the thread is interrupted; the event stays
     */
    public Details<T> awaitDetails() throws InterruptedException {
        return Blocking.join(awaitDetailsAsync());
    }

    /** As {@link #awaitDetails}, without blocking, as {@link #awaitAsync} is. */
    public CompletableFuture<Details<T>> awaitDetailsAsync() {
        return ended(event -> new Details<>(outcome(event, input), event.getResponse()));
    }

    private <R> CompletableFuture<R> ended(Function<dev.hitl.v1.Event, R> read) {
        announce();
        CompletableFuture<dev.hitl.v1.Event> ended = client.awaitEventAsync(id());
        CompletableFuture<R> outcome = ended.thenApply(read);
        outcome.whenComplete((value, error) -> ended.cancel(true));
        return outcome;
    }

    /**
     * Is {@link #await}, at most for so long: empty if the limit has passed before the event ended, which stays. A
     * limit of zero, or less, looks once, as {@link #poll} does.
     */
    public Optional<T> awaitFor(Duration limit) throws InterruptedException {
        if (limit.isZero() || limit.isNegative()) {
            return poll();
        }
        CompletableFuture<T> answer = awaitAsync();
        CompletableFuture<Optional<T>> late = new CompletableFuture<>();
        Future<?> passed = client.after(limit, () -> late.complete(Optional.empty()));
        answer.whenComplete((value, error) -> {
            if (error == null) {
                late.complete(Optional.of(value));
            } else {
                late.completeExceptionally(error instanceof CompletionException ? error.getCause() : error);
            }
        });
        try {
            return Blocking.join(late);
        } finally {
            passed.cancel(false);
            answer.cancel(true);
        }
    }

    /**
     * Looks whether the event has ended, without waiting for it: empty while nobody has answered, else what {@link
     * #await} returns.
     *
     * @throws HitlException as {@link #await} does
     */
    public Optional<T> poll() {
        dev.hitl.v1.Event now = client.get(id());
        return Waits.isFinal(now) ? Optional.of(outcome(now, input)) : Optional.empty();
    }

    /**
     * What tells the event from all others and has no secret, as JSON: its id, its namespace, its name, its deadline
     * and whether it existed. {@link Client#attach(String, Class)} makes an event of the id again, anywhere.
     */
    public String toJson() {
        return "{\"id\":%s,\"namespace\":%s,\"name\":%s,\"deadline\":%s,\"existed\":%b}".formatted(
                Json.text(id()),
                Json.text(record.getNamespace()),
                Json.text(name()),
                record.hasDeadline() ? Json.text(deadline().toString()) : "null",
                existed);
    }

    /**
     * Makes a link by which the person called {@code responder} answers, while the event waits. Whoever asks for one
     * tells that person, so {@link #await} does not.
     *
     * @throws HitlException as {@link Client#createLink(String, String)} does
     */
    public Link linkFor(String responder) {
        Link link = client.createLink(id(), responder);
        isTold.set(true);
        return link;
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

    /** Tells people where to answer, if nobody has yet. */
    private void announce() {
        if (!Waits.isFinal(record) && !isTold.getAndSet(true)) {
            client.announce(record);
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
                yield input.read(response.getValue(), event.getInput());
            }
            default -> input.read(response.getValue(), event.getInput());
        };
    }
}
