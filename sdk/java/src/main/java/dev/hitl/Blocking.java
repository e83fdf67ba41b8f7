package dev.hitl;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** How a thread blocks until something has happened elsewhere. */
final class Blocking {
    private Blocking() {}

    /** What blocks, and ends if its thread is interrupted. */
    interface Work<R> {
        R run() throws InterruptedException;
    }

    /** Blocks until {@code work} is done. An interrupt cancels it, and the thread stays interrupted. */
    static <R> R uninterrupted(Work<R> work) {
        try {
            return work.run();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            CancellationException cancelled = new CancellationException("interrupted");
            cancelled.initCause(interrupted);
            throw cancelled;
        }
    }

    /** Blocks until {@code future} ends. An interrupt cancels it. */
    static <R> R join(CompletableFuture<R> future) throws InterruptedException {
        try {
            return future.get();
        } catch (InterruptedException interrupted) {
            future.cancel(true);
            throw interrupted;
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof HitlException error) {
                // It was made by a thread of the connection; where it is thrown is what one wants to see.
                error.fillInStackTrace();
                throw error;
            }
            throw HitlException.internal(failed.getCause().toString(), failed.getCause());
        }
    }
}
