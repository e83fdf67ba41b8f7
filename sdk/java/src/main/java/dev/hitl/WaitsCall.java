package dev.hitl;

import dev.hitl.v1.WaitEventsRequest;
import dev.hitl.v1.WaitEventsResponse;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** One stream of waits, on which there is always more to say. */
final class WaitsCall extends Call<WaitEventsRequest, WaitEventsResponse, Void> {
    private final Waits waits;
    private final Runnable reached;
    /** How often it was told to say what there is, since the one who says it has looked. */
    private final AtomicInteger told = new AtomicInteger();
    /** Null before it takes messages. */
    private volatile ClientCall<WaitEventsRequest, WaitEventsResponse> begun;

    WaitsCall(
            Waits waits,
            Runnable reached,
            Function<WaitEventsResponse, Void> read,
            Timer timer,
            Limits.Silence silenceLimit,
            String endpoint) {
        super(read, timer, silenceLimit, endpoint);
        this.waits = waits;
        this.reached = reached;
    }

    /** The stream stays open for what is said later. */
    @Override
    void ask(ClientCall<WaitEventsRequest, WaitEventsResponse> call, WaitEventsRequest none) {
        begun = call;
        say();
    }

    @Override
    public void onReady() {
        say();
    }

    /** They come at once, and the first message may be a heartbeat. */
    @Override
    public void onHeaders(Metadata headers) {
        reached.run();
        heard();
    }

    /** Says what there is to say, for as long as the connection takes it. */
    void say() {
        if (told.getAndIncrement() > 0) {
            // Whoever says something now looks again.
            return;
        }
        int seen = 1;
        while (seen > 0) {
            for (var call = begun; call != null && call.isReady(); ) {
                WaitEventsRequest message = outcome.isDone() ? null : waits.message(this);
                if (message == null) {
                    break;
                }
                send(call, message);
            }
            seen = told.addAndGet(-seen);
        }
    }

    private void send(ClientCall<WaitEventsRequest, WaitEventsResponse> call, WaitEventsRequest message) {
        try {
            call.sendMessage(message);
        } catch (IllegalStateException over) {
            // It was cancelled meanwhile: what is still waited for is said to the next one.
            if (!outcome.isDone()) {
                throw over;
            }
        }
    }
}
