package dev.hitl;

import java.time.Duration;
import java.util.concurrent.Future;

/** Serves the stream that all waits of a client share, from the first of them to the last. */
final class WaitsServer {
    private final Calls calls;
    private final Waits waits;
    private final Retry.Backoff backoff = new Retry.Backoff();
    private volatile WaitsCall stream;
    /** Opens another one, after a loss. */
    private volatile Future<?> next;
    private volatile boolean isOver;
    /** What the next stream is opened with. */
    private volatile Token.Presented token = Token.Presented.any();

    WaitsServer(Calls calls, Waits waits) {
        this.calls = calls;
        this.waits = waits;
    }

    void open() {
        WaitsCall opened = calls.waits(waits, message -> {
            backoff.reset();
            token = Token.Presented.any();
            waits.hear(message);
        });
        opened.token = token;
        if (!waits.begin(this, opened)) {
            opened.outcome.cancel(true);
            return;
        }
        stream = opened;
        opened.outcome.whenComplete((none, failure) -> {
            if (!isOver) {
                calls.findAgain(failure).thenAccept(isThere -> lost(opened, failure, isThere));
            }
        });
        calls.begin(opened);
        leaveIfOver();
    }

    /** Has what there is to say said. */
    void look() {
        WaitsCall current = stream;
        if (current != null) {
            current.say();
        }
    }

    /** Nothing is waited for any more. */
    void end() {
        isOver = true;
        leaveIfOver();
    }

    private void lost(WaitsCall lost, Throwable failure, boolean isThere) {
        if (isOver) {
            return;
        }
        HitlException error =
                failure instanceof HitlException ours ? ours : HitlException.internal(failure.toString(), failure);
        if (isThere && !lost.token.isAnother()) {
            token = lost.token.another(error);
            open();
            return;
        }
        token = Token.Presented.any();
        Duration delay = backoff.delay(error);
        waits.giveUp(error, lasted -> calls.outlasts(error, lasted.plus(delay)));
        if (!isOver) {
            calls.logLost(waits.count(), delay, error);
            next = calls.timer().after(delay, this::open);
            leaveIfOver();
        }
    }

    private void leaveIfOver() {
        WaitsCall current = stream;
        Future<?> pause = next;
        if (isOver && current != null) {
            current.outcome.cancel(true);
        }
        if (isOver && pause != null) {
            pause.cancel(false);
        }
    }
}
