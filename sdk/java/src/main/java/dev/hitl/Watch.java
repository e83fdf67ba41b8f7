package dev.hitl;

import dev.hitl.v1.EventServiceGrpc;
import dev.hitl.v1.WatchEventsRequest;
import dev.hitl.v1.WatchEventsResponse;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The changes of events as they happen, until it is closed.
 *
 * <p>A watch goes on through lost connections and server restarts. No change is missed, and those of one event come in
 * order; one may come twice. It is for one thread, but any may close it.
 */
public final class Watch implements Iterator<Change>, AutoCloseable {
    private final Calls calls;
    /** With the token of the last bookmark. */
    private final WatchEventsRequest.Builder request;
    private final Limits.Silence silenceLimit;
    /** What has happened, for the thread that asks. There is at most one message at a time. */
    private final BlockingQueue<Runnable> happened = new LinkedBlockingQueue<>();
    private final Retry.Backoff backoff = new Retry.Backoff();
    private final Duration begun;
    private volatile Call<WatchEventsRequest, WatchEventsResponse, Void> call;
    private volatile boolean isClosed;
    private int opened;
    /** What the next stream is opened with. */
    private Token.Presented token = Token.Presented.any();
    /** How often in a row it was lost. */
    private int losses;
    private boolean isNextWanted;
    private Change next;

    Watch(Calls calls, WatchEventsRequest.Builder request) {
        this.calls = calls;
        this.request = request;
        this.begun = calls.timer().now();
        // What the server sends at the least is bookmarks.
        Duration bookmarks = Duration.ofSeconds(3 * request.getBookmarkInterval().getSeconds());
        boolean areRarer = bookmarks.compareTo(Waits.SILENCE_LIMIT.limit()) > 0;
        this.silenceLimit = areRarer ? Limits.Silence.of(bookmarks) : Waits.SILENCE_LIMIT;
        happened.add(this::open);
    }

    /**
     * Blocks until there is a change, or the watch is closed.
     *
     * @throws HitlException if it cannot go on, and then it is closed: of kind {@code INVALID} with the reason {@code
     *     ERROR_REASON_RESUME_TOKEN_EXPIRED} if the token is too old (list the events then, and watch from the list's
     *     token on)
     * @throws java.util.concurrent.CancellationException if the thread is interrupted; it stays interrupted
     */
    @Override
    public boolean hasNext() {
        while (next == null && !isClosed) {
            if (isNextWanted) {
                isNextWanted = false;
                call.next();
            }
            Blocking.uninterrupted(happened::take).run();
        }
        return next != null && !isClosed;
    }

    /**
     * The next change. Blocks as {@link #hasNext}.
     *
     * @throws NoSuchElementException if the watch is closed
     */
    @Override
    public Change next() {
        if (!hasNext()) {
            throw new NoSuchElementException("the watch is closed");
        }
        Change change = next;
        next = null;
        return change;
    }

    /** Ends the stream, and whoever asks for the next change is told that there is none. */
    @Override
    public void close() {
        isClosed = true;
        if (call != null) {
            call.outcome.cancel(true);
        }
        happened.add(() -> {});
    }

    private void open() {
        int number = ++opened;
        call = calls.stream(
                EventServiceGrpc.getWatchEventsMethod(),
                request.build(),
                silenceLimit,
                token,
                message -> happened.add(() -> take(number, message)));
        Token.Presented used = call.token;
        call.outcome.whenComplete(
                (none, failure) ->
                        calls.findAgain(failure)
                                .thenAccept(isThere -> happened.add(() -> lost(used, failure, isThere))));
        if (isClosed) {
            call.outcome.cancel(true);
        }
    }

    private void take(int number, WatchEventsResponse message) {
        if (number != opened) {
            // It came too late: the stream had been given up as silent, and the one of now brings it again.
            return;
        }
        backoff.reset();
        losses = 0;
        token = Token.Presented.any();
        isNextWanted = true;
        if (message.hasBookmark()) {
            request.setResumeToken(message.getBookmark().getResumeToken());
        } else if (message.hasChange()) {
            var change = message.getChange();
            next = new Change(change.getKind(), change.getEvent(), request.getResumeToken());
        }
    }

    private void lost(Token.Presented used, Throwable failure, boolean isThere) {
        isNextWanted = false;
        if (!(failure instanceof HitlException error)) {
            // The watch was closed.
            return;
        }
        if (isThere && !used.isAnother() && !isClosed) {
            token = used.another(error);
            open();
            return;
        }
        token = Token.Presented.any();
        Duration delay = backoff.delay(error);
        if (calls.outlasts(error, calls.timer().now().minus(begun).plus(delay))) {
            losses++;
            calls.logAgain(losses + 1, delay, error);
            calls.timer().after(delay, () -> happened.add(this::open));
            return;
        }
        close();
        // It was made by a thread of the connection; where it is thrown is what one wants to see.
        error.fillInStackTrace();
        throw error;
    }
}
