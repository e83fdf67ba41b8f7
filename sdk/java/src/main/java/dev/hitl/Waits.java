package dev.hitl;

import dev.hitl.v1.Event;
import dev.hitl.v1.EventKey;
import dev.hitl.v1.WaitEventsRequest;
import dev.hitl.v1.WaitEventsResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.function.Predicate;

/**
 * All waits of a client, which share one stream.
 *
 * <p>The stream is opened for the first wait, carries however many there are, and is opened again after any loss with
 * everything that is still waited for; it ends with the last wait. To resume is to ask again, so there is nothing to
 * remember but which events.
 */
final class Waits {
    /** Three of the server's default heartbeats. */
    static final Limits.Silence SILENCE_LIMIT = Limits.Silence.of(Duration.ofSeconds(45));
    /** Most events that one message adds, or removes. */
    private static final int KEYS_MAX = 1_000;

    /** No id is as long, and too long a message would end the waits of others. */
    private static final int ID_LENGTH_MAX = 128;

    private enum Phase {
        TO_ADD,
        ADDED,
        LATER
    }

    /** What is waited for, and by whom. */
    private static final class Wait {
        final String eventId;
        final long number;
        final Duration begun;
        final List<CompletableFuture<Event>> listeners = new ArrayList<>(1);
        Phase phase;
        /** Asks for it again, if that is for later. */
        Future<?> again;
        /** After the server could not take it, else null. */
        Retry.Backoff backoff;

        Wait(String eventId, long number, Duration begun) {
            this.eventId = eventId;
            this.number = number;
            this.begun = begun;
        }
    }

    private final Calls calls;
    private final String namespace;
    /** By the id of the event. */
    private final Map<String, Wait> open = new HashMap<>();
    /** What the server is to be asked for, in order. */
    private final Set<Wait> toAdd = new LinkedHashSet<>();
    /** What it was asked for and is not waited for any more. */
    private final Set<String> toRemove = new LinkedHashSet<>();
    private long last;
    /** Serves them as long as there are any, and is null otherwise. */
    private WaitsServer server;
    /** The only one that is told what to say, lest another one that is lost takes it. */
    private WaitsCall speaker;

    Waits(Calls calls, String namespace) {
        this.calls = calls;
        this.namespace = namespace;
    }

    /** Waits until the event has ended. Ending the future in any other way ends the wait. */
    CompletableFuture<Event> join(String eventId) {
        if (eventId.length() > ID_LENGTH_MAX) {
            return CompletableFuture.failedFuture(
                    HitlException.invalid("event_id: must be 32 lower-case hexadecimal digits"));
        }
        CompletableFuture<Event> listener = new CompletableFuture<>();
        synchronized (this) {
            open.computeIfAbsent(eventId, this::add).listeners.add(listener);
        }
        listener.whenComplete((event, error) -> leave(eventId, listener));
        follow();
        return listener;
    }

    private Wait add(String eventId) {
        Wait wait = new Wait(eventId, ++last, calls.timer().now());
        // What the server still waits for, since it has not been told otherwise, needs no asking.
        if (toRemove.remove(eventId)) {
            wait.phase = Phase.ADDED;
        } else {
            ask(wait);
        }
        return wait;
    }

    private void leave(String eventId, CompletableFuture<Event> listener) {
        synchronized (this) {
            Wait wait = open.get(eventId);
            if (wait == null || !wait.listeners.remove(listener) || !wait.listeners.isEmpty()) {
                return;
            }
            if (wait.phase == Phase.ADDED) {
                toRemove.add(eventId);
            }
            take(wait);
        }
        follow();
    }

    /** How many events are waited for. */
    synchronized int count() {
        return open.size();
    }

    /** Has everything asked for anew, of a new stream. Says whether {@code opener} still serves the waits. */
    synchronized boolean begin(WaitsServer opener, WaitsCall stream) {
        if (opener != server) {
            return false;
        }
        speaker = stream;
        toRemove.clear();
        open.values().stream()
                .filter(wait -> wait.phase == Phase.ADDED)
                .sorted(Comparator.comparingLong(wait -> wait.number))
                .forEach(this::ask);
        return true;
    }

    /** The next message to the server, null if there is nothing to say. */
    synchronized WaitEventsRequest message(WaitsCall stream) {
        if (stream != speaker || toAdd.isEmpty() && toRemove.isEmpty()) {
            return null;
        }
        WaitEventsRequest.Builder message = WaitEventsRequest.newBuilder();
        for (Iterator<String> at = toRemove.iterator(); at.hasNext() && message.getRemoveCount() < KEYS_MAX; ) {
            message.addRemove(key(at.next()));
            at.remove();
        }
        for (Iterator<Wait> at = toAdd.iterator(); at.hasNext() && message.getAddCount() < KEYS_MAX; ) {
            Wait wait = at.next();
            at.remove();
            wait.phase = Phase.ADDED;
            message.addAdd(key(wait.eventId));
        }
        return message.build();
    }

    private EventKey key(String eventId) {
        return EventKey.newBuilder().setNamespace(namespace).setEventId(eventId).build();
    }

    /** Takes what the server says. */
    void hear(WaitEventsResponse message) {
        Event event = message.getEvent();
        if (message.hasEvent() && isFinal(event)) {
            Wait ended;
            synchronized (this) {
                ended = open.get(event.getId());
                take(ended);
            }
            tell(ended, listener -> listener.complete(event));
        } else if (message.hasFailed() && message.getFailed().hasFailure()) {
            failed(message.getFailed().getKey().getEventId(), HitlException.of(message.getFailed().getFailure()));
        }
    }

    /** Takes what the server could not do for the event: another time, or never. */
    private void failed(String eventId, HitlException error) {
        Wait wait;
        synchronized (this) {
            wait = open.get(eventId);
            if (wait != null && error.isRetryable()) {
                later(wait, error);
                return;
            }
            take(wait);
        }
        tell(wait, listener -> listener.completeExceptionally(error.copy()));
    }

    private void later(Wait wait, HitlException error) {
        leaveQueues(wait);
        if (wait.backoff == null) {
            wait.backoff = new Retry.Backoff();
        }
        wait.phase = Phase.LATER;
        wait.again = calls.timer().after(wait.backoff.delay(error), () -> askAgain(wait));
    }

    /** Has the server asked for what it could not take before. */
    private void askAgain(Wait wait) {
        synchronized (this) {
            // It may have ended, or come to stand elsewhere, while this began.
            if (open.get(wait.eventId) == wait && wait.phase == Phase.LATER) {
                ask(wait);
            }
        }
        follow();
    }

    /** Ends every wait by {@code error} that has lasted too long for {@code goesOn}. */
    void giveUp(HitlException error, Predicate<Duration> goesOn) {
        List<Wait> ended;
        synchronized (this) {
            Duration now = calls.timer().now();
            ended = open.values().stream().filter(wait -> !goesOn.test(now.minus(wait.begun))).toList();
            ended.forEach(this::take);
        }
        ended.forEach(wait -> tell(wait, listener -> listener.completeExceptionally(error.copy())));
    }

    /** Tells whoever waited how the wait, which may be null, has ended. */
    private void tell(Wait wait, Predicate<CompletableFuture<Event>> told) {
        if (wait != null) {
            wait.listeners.forEach(listener -> calls.timer().soon(() -> told.test(listener)));
            follow();
        }
    }

    /** Has the stream served if there are waits, and served no more if there are none. */
    private void follow() {
        WaitsServer current;
        boolean isNew = false;
        boolean isOver = false;
        synchronized (this) {
            current = server;
            if (open.isEmpty() && server != null) {
                isOver = true;
                server = null;
            } else if (!open.isEmpty() && server == null) {
                isNew = true;
                server = new WaitsServer(calls, this);
                current = server;
            }
        }
        if (isOver) {
            current.end();
        } else if (isNew) {
            current.open();
        } else if (current != null) {
            current.look();
        }
    }

    private void take(Wait wait) {
        if (wait != null) {
            open.remove(wait.eventId);
            leaveQueues(wait);
        }
    }

    private void ask(Wait wait) {
        leaveQueues(wait);
        wait.phase = Phase.TO_ADD;
        toAdd.add(wait);
    }

    private void leaveQueues(Wait wait) {
        toAdd.remove(wait);
        if (wait.again != null) {
            wait.again.cancel(false);
            wait.again = null;
        }
    }

    /** A state that this version does not know counts as pending. */
    static boolean isFinal(Event event) {
        return switch (event.getState()) {
            case EVENT_STATE_ANSWERED, EVENT_STATE_DECLINED, EVENT_STATE_CANCELLED, EVENT_STATE_TIMED_OUT -> true;
            default -> false;
        };
    }
}
