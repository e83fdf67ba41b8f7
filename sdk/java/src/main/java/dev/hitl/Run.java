package dev.hitl;

import dev.hitl.v1.CreateEventRequest;
import dev.hitl.v1.CreateEventResponse;
import java.util.List;

/**
 * Counts the events of one run of a program, or of one task in it, by their names. The n-th event of a name has the
 * same idempotency key in every {@code Run} of the same id, in this process or another, so that whoever tries again
 * with a new one meets the same events, and the answers already given:
 *
 * <pre>{@code
 * while (true) { // Until the task succeeds.
 *     Run run = client.run("job-9");
 *     Event<Boolean> event = run.event("approve", "Ship it?", Input.bool()).create();
 *     ...
 * }
 * }</pre>
 *
 * <p>A run is for all threads of one try. Two tries at the same time need ids of their own.
 */
public final class Run {
    /** Those that the thread is within, the innermost of which is the current one. */
    private static final ThreadLocal<Run> CURRENT = new ThreadLocal<>();

    private final Client client;
    private final String id;
    private final Key.Counter counter = new Key.Counter();

    Run(Client client, String id) {
        if (id.isEmpty()) {
            throw HitlException.invalid("the run has no id: give it one that is the same each time the program tries");
        }
        this.client = client;
        this.id = id;
    }

    /** The run that the thread is within, null if it is within none. */
    static Run current() {
        return CURRENT.get();
    }

    /** The run's id. */
    public String id() {
        return id;
    }

    Key.Counter counter() {
        return counter;
    }

    /** Is {@link Client#event}, whose event counts in the run. */
    public <T> EventBuilder<T> event(String name, String prompt, Input<T> input) {
        return new EventBuilder<>(client, this, name, prompt, input);
    }

    /** Is {@link Client#review}, whose event counts in the run. */
    public EventBuilder<Review> review(Input.Action input) {
        String action = input.proto.getReview().getAction();
        return event(action, "May " + action + " be done as shown?", input);
    }

    /** Is {@link Client#create}, and counts in the run. */
    public CreateEventResponse create(CreateEventRequest request) {
        return client.create(this, request);
    }

    /** Is {@link Client#createMany}, and counts in the run. */
    public List<Result<CreateEventResponse>> createMany(List<CreateEventRequest> requests) {
        return client.createMany(this, requests);
    }

    /** The first event of the name in the run, as {@link Client#attach(String, Class)} does. It counts nothing. */
    public <T> Event<T> attach(String name, Class<T> type) {
        return attach(name, type, 1);
    }

    /** The n-th event of the name in the run, the first of them by 1. It counts nothing. */
    public <T> Event<T> attach(String name, Class<T> type, long n) {
        return client.attach(eventId(name, n), type);
    }

    /** As {@link #attach(String, Class, long)}, by an input that reads the answer. */
    public <T> Event<T> attach(String name, Input<T> input, long n) {
        return client.attach(eventId(name, n), input);
    }

    private String eventId(String name, long n) {
        if (n < 1) {
            throw HitlException.invalid("the events of a run are counted from 1");
        }
        return Key.eventId(client.namespace(), Key.textOf(id, name, n));
    }

    /** What {@link #within} runs. */
    @FunctionalInterface
    public interface Block<T, E extends Exception> {
        /** Does it. */
        T run() throws E;
    }

    /**
     * Makes the run the current one of the thread while the block runs: what it creates counts in the run, from the
     * beginning, unless it is asked of another one. So each call is one try of what the run is for. Threads that the
     * block starts are not within.
     *
     * @return what the block returns
     */
    public <T, E extends Exception> T within(Block<T, E> block) throws E {
        Run before = CURRENT.get();
        CURRENT.set(new Run(client, id));
        try {
            return block.run();
        } finally {
            if (before == null) {
                CURRENT.remove();
            } else {
                CURRENT.set(before);
            }
        }
    }
}
