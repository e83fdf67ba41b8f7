package dev.hitl.testing;

import dev.hitl.Answer;
import dev.hitl.Change;
import dev.hitl.Client;
import dev.hitl.HitlException;
import dev.hitl.Watch;
import dev.hitl.v1.ChangeKind;
import dev.hitl.v1.EventState;
import dev.hitl.v1.ListEventsRequest;
import dev.hitl.v1.WatchEventsRequest;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * A person who answers the events of a client's namespace, on a server for tests only.
 *
 * <p>What is to be done is said by the name of the event, before the event is created or later: the first act is for the
 * first event of that name, the second for the second. An event for which nothing is said stays as it is. What goes wrong
 * meanwhile is what {@link #check} throws.
 */
public final class Human implements AutoCloseable {
    /** How long it takes at most until an event that was created is known. */
    private static final Duration NEWS_LIMIT = Duration.ofSeconds(2);
    /** What is done takes a few calls. */
    private static final Duration DONE_LIMIT = Duration.ofSeconds(30);

    private record Act(Consumer<String> what, How how) {}

    private final Client client;
    private final String name;
    private final ServerTime time;
    private final Watch changes;
    private final Map<String, Deque<Act>> acts = new HashMap<>();
    private final Map<String, Deque<String>> asked = new HashMap<>();
    private final List<String> problems = new ArrayList<>();
    private int busy;
    private volatile boolean isClosed;

    /**
     * A person of this name.
     *
     * @throws IllegalArgumentException if the client's server is no server for tests
     */
    public Human(Client client, String name) {
        this.client = client;
        this.name = name;
        this.time = new ServerTime(client.endpoint());
        var pending = ListEventsRequest.newBuilder().setState(EventState.EVENT_STATE_PENDING);
        var page = client.list(pending.build());
        page.getEventsList().forEach(this::hear);
        changes = client.watch(
                WatchEventsRequest.newBuilder().setResumeToken(page.getResumeToken()).build());
        onThread(this::follow);
    }

    /** Answers the next event of that name: with a value of any type that can be asked for. */
    public void answer(String event, Object value) {
        answer(event, value, How.AT_ONCE);
    }

    /** As {@link #answer(String, Object)}, in some way. */
    public void answer(String event, Object value, How how) {
        answer(event, value instanceof Answer given ? given : Answer.value(value), how);
    }

    /** Answers the next event of that name, with JSON or text for example. */
    public void answer(String event, Answer answer, How how) {
        plan(event, id -> client.answer(id, answer, name), how);
    }

    /** Declines the next event of that name. The reason may be empty. */
    public void decline(String event, String reason) {
        decline(event, reason, How.AT_ONCE);
    }

    /** As {@link #decline(String, String)}, in some way. */
    public void decline(String event, String reason, How how) {
        plan(event, id -> client.decline(id, reason, name), how);
    }

    /** Leaves the next event of that name alone. */
    public void ignore(String event, How how) {
        plan(event, id -> {}, how);
    }

    /**
     * Waits for what is under way.
     *
     * @throws AssertionError if nonsense was taken, an answer was refused, or nobody has asked for one
     */
    public synchronized void check() {
        // What was just asked may not have come here yet.
        until(NEWS_LIMIT, () -> acts.values().stream().allMatch(Deque::isEmpty));
        until(DONE_LIMIT, () -> busy == 0);
        acts.forEach((event, left) -> {
            if (!left.isEmpty()) {
                problems.add("nobody has asked \"%s\", %d more times".formatted(event, left.size()));
            }
        });
        String told = String.join("; ", problems);
        problems.clear();
        acts.clear();
        if (!told.isEmpty()) {
            throw new AssertionError(told);
        }
    }

    /** Goes away. What is asked from now on is left as it is. */
    @Override
    public void close() {
        isClosed = true;
        changes.close();
        time.close();
    }

    void advance(Duration duration) {
        time.advance(duration);
    }

    private synchronized void plan(String event, Consumer<String> what, How how) {
        acts.computeIfAbsent(event, unknown -> new ArrayDeque<>()).add(new Act(what, how));
        match(event);
    }

    private synchronized void hear(dev.hitl.v1.Event event) {
        asked.computeIfAbsent(event.getName(), unknown -> new ArrayDeque<>()).add(event.getId());
        match(event.getName());
        notifyAll();
    }

    private void follow() {
        try {
            while (!isClosed) {
                Change change = changes.next();
                if (change.kind() == ChangeKind.CHANGE_KIND_CREATED) {
                    hear(change.event());
                }
            }
        } catch (RuntimeException lost) {
            note("the events could not be followed: " + lost.getMessage());
        }
    }

    /** Does what can be done now. */
    private void match(String event) {
        Deque<Act> toDo = acts.getOrDefault(event, new ArrayDeque<>());
        Deque<String> waiting = asked.getOrDefault(event, new ArrayDeque<>());
        while (!toDo.isEmpty() && !waiting.isEmpty()) {
            Act act = toDo.remove();
            String id = waiting.remove();
            busy++;
            onThread(() -> {
                try {
                    perform(id, act);
                } catch (RuntimeException failed) {
                    note("\"%s\": %s".formatted(event, failed.getMessage()));
                } finally {
                    done();
                }
            });
        }
    }

    private void perform(String id, Act act) {
        for (String wrong : act.how().nonsense()) {
            if (!isRefused(id, wrong)) {
                throw new IllegalStateException(wrong + " was to be refused, and was taken");
            }
        }
        boolean mayBeLate = !act.how().after().isZero();
        if (mayBeLate) {
            advance(act.how().after());
        }
        try {
            act.what().accept(id);
        } catch (HitlException late) {
            if (!mayBeLate || late.kind() != HitlException.Kind.CONFLICT) {
                throw late;
            }
        }
    }

    private boolean isRefused(String id, String json) {
        try {
            client.answer(id, Answer.json(json), name);
            return false;
        } catch (HitlException refused) {
            if (refused.kind() != HitlException.Kind.INVALID) {
                throw refused;
            }
            return true;
        }
    }

    private synchronized void done() {
        busy--;
        notifyAll();
    }

    private synchronized void note(String problem) {
        if (!isClosed) {
            problems.add(problem);
        }
    }

    /** Waits for something, and no longer than the limit. */
    private void until(Duration limit, BooleanSupplier isSo) {
        long end = System.nanoTime() + limit.toNanos();
        try {
            for (long left = end - System.nanoTime(); !isSo.getAsBoolean() && left > 0; left = end - System.nanoTime()) {
                wait(Math.max(1, left / 1_000_000));
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void onThread(Runnable task) {
        Thread thread = new Thread(task, "hitl-human");
        thread.setDaemon(true);
        thread.start();
    }
}
