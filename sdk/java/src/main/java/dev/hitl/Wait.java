package dev.hitl;

import dev.hitl.v1.Event;
import dev.hitl.v1.EventServiceGrpc;
import dev.hitl.v1.WaitEventRequest;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * Waits that outlive connections.
 *
 * <p>A wait is one server stream: the event as it stands, heartbeats, the final event. To resume after
 * any loss is to call again, so there is nothing to remember but the event's id.
 */
final class Wait {
    /** Three of the server's default heartbeats. */
    static final Duration SILENCE_LIMIT = Duration.ofSeconds(45);

    private Wait() {}

    /** Waits until the event has ended. Cancelling the future ends the stream. */
    static CompletableFuture<Event> begin(Calls calls, String namespace, String eventId) {
        WaitEventRequest request =
                WaitEventRequest.newBuilder()
                        .setNamespace(namespace)
                        .setEventId(eventId)
                        .build();
        return calls.repeat(
                calls::outlasts,
                backoff ->
                        calls.attempt(
                                EventServiceGrpc.getWaitEventMethod(),
                                request,
                                SILENCE_LIMIT,
                                message -> {
                                    backoff.reset();
                                    return isFinal(message.getEvent()) ? message.getEvent() : null;
                                }));
    }

    /** A state that this version does not know counts as pending. */
    static boolean isFinal(Event event) {
        return switch (event.getState()) {
            case EVENT_STATE_ANSWERED,
                    EVENT_STATE_DECLINED,
                    EVENT_STATE_CANCELLED,
                    EVENT_STATE_TIMED_OUT ->
                    true;
            default -> false;
        };
    }
}
