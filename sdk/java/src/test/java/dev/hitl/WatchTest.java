package dev.hitl;

import static dev.hitl.Scripted.lost;
import static dev.hitl.Scripted.refusal;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hitl.Scripted.Watched;
import dev.hitl.v1.ChangeKind;
import dev.hitl.v1.EventState;
import dev.hitl.v1.WatchEventsRequest;
import dev.hitl.v1.WatchEventsResponse;
import io.grpc.Status;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class WatchTest {
    /** A thousand times as fast as the clock. */
    private static final class FastTimer extends Timer {
        @Override
        Duration now() {
            return super.now().multipliedBy(1_000);
        }

        @Override
        Future<?> after(Duration delay, Runnable task) {
            return super.after(delay.dividedBy(1_000), task);
        }
    }

    private static final WatchEventsRequest ALL = WatchEventsRequest.getDefaultInstance();

    private static WatchEventsResponse bookmark(String token) {
        var message = WatchEventsResponse.newBuilder();
        message.getBookmarkBuilder().setResumeToken(token);
        return message.build();
    }

    private static WatchEventsResponse change(ChangeKind kind, String id) {
        var message = WatchEventsResponse.newBuilder();
        message.getChangeBuilder().setKind(kind).getEventBuilder().setId(id).setFormUrl("http://host/TOKEN");
        return message.build();
    }

    static WatchEventsResponse created(String id) {
        return change(ChangeKind.CHANGE_KIND_CREATED, id);
    }

    private static WatchEventsResponse ended(String id) {
        return change(ChangeKind.CHANGE_KIND_ENDED, id);
    }

    private static String shown(Change change) {
        return change.event().getId() + " " + change.kind().getNumber() + " " + change.resumeToken();
    }

    @Test
    void aWatchGoesOnFromItsLastBookmarkUntilItIsClosed() throws IOException {
        try (Scripted server = new Scripted()) {
            server.watches.add(new Watched(lost(), bookmark("1"), created("a"), bookmark("2"), created("b")));
            server.watches.add(new Watched(refusal(Status.Code.UNAVAILABLE, "ERROR_REASON_SHUTTING_DOWN")));
            server.watches.add(new Watched(null, bookmark("2"), created("b"), ended("a"), ended("c")));
            Client client = server.client(new Config().retryFor(Duration.ZERO), new FastTimer());
            var request =
                    WatchEventsRequest.newBuilder()
                            .setResumeToken("0")
                            .setName("n")
                            .setScope("s")
                            .putLabels("k", "v")
                            .setState(EventState.EVENT_STATE_PENDING);
            Watch watch = client.watch(request.build());
            List<String> got = new ArrayList<>();
            while (got.size() < 4) {
                Change change = watch.next();
                got.add(shown(change));
                assertFalse(change.toString().contains("TOKEN"), change.toString());
            }
            assertEquals(List.of("a 1 1", "b 1 2", "b 1 2", "a 2 2"), got);
            watch.close();
            assertFalse(watch.hasNext());
            assertThrows(NoSuchElementException.class, watch::next);
            assertEquals(1, server.cancelled);
            request.setNamespace("default");
            assertEquals(
                    List.of(
                            request.build(),
                            request.setResumeToken("2").build(),
                            request.setResumeToken("2").build()),
                    server.watched);
        }
    }

    @Test
    void aWatchThatFallsSilentIsOpenedAgain() throws IOException {
        try (Scripted server = new Scripted()) {
            server.watches.add(new Watched(null, bookmark("1"), created("a")));
            server.watches.add(new Watched(null, bookmark("1"), ended("a")));
            Timer timer = new FastTimer();
            try (Watch watch = server.client(new Config(), timer).watch(ALL)) {
                assertEquals("a 1 1", shown(watch.next()));
                Duration begun = timer.now();
                assertEquals("a 2 1", shown(watch.next()));
                assertTrue(timer.now().minus(begun).compareTo(Duration.ofSeconds(45)) >= 0);
                assertEquals(2, server.watched.size());
            }
        }
    }

    @Test
    void theTimeThatTheProgramTakesIsNoSilence() throws IOException {
        try (Scripted server = new Scripted()) {
            server.watches.add(new Watched(null, bookmark("1"), created("a"), created("b")));
            try (Watch watch = server.client().watch(ALL)) {
                assertEquals("a 1 1", shown(watch.next()));
                server.timer.run(Duration.ofHours(1));
                assertEquals("b 1 1", shown(watch.next()));
                assertEquals(1, server.watched.size());
                assertEquals(0, server.cancelled);
            }
        }
    }

    @Test
    void aTokenThatIsTooOldEndsAWatchAsInvalid() throws IOException {
        String reason = "ERROR_REASON_RESUME_TOKEN_EXPIRED";
        try (Scripted server = new Scripted()) {
            server.watches.add(new Watched(refusal(Status.Code.OUT_OF_RANGE, reason)));
            Watch watch = server.client().watch(ALL);
            HitlException error = assertThrows(HitlException.class, watch::hasNext);
            assertEquals(HitlException.Kind.INVALID, error.kind());
            assertEquals(reason, error.reason());
            assertFalse(watch.hasNext());
            assertEquals(1, server.watched.size());
        }
    }

    @Test
    void aServerNeverReachedIsTheErrorOfAWatch() throws IOException {
        try (Scripted server = new Scripted()) {
            server.watches.add(new Watched(lost()));
            Watch watch = server.client(new Config().retryFor(Duration.ZERO)).watch(ALL);
            HitlException error = assertThrows(HitlException.class, watch::next);
            assertEquals(HitlException.Kind.UNAVAILABLE, error.kind());
        }
    }

    @Test
    void whoBlocksInAWatchIsToldThatItIsClosedAndAnInterruptLeavesItOpen() throws IOException {
        try (Scripted server = new Scripted()) {
            server.watches.add(new Watched(null, bookmark("1"), created("a")));
            Watch watch = server.client(new Config(), Timer.SYSTEM).watch(ALL);
            Thread.currentThread().interrupt();
            assertThrows(CancellationException.class, watch::hasNext);
            assertTrue(Thread.interrupted());
            assertEquals("a 1 1", shown(watch.next()));
            CompletableFuture<Boolean> blocked = CompletableFuture.supplyAsync(watch::hasNext);
            watch.close();
            assertFalse(blocked.join());
            assertEquals(1, server.cancelled);
        }
    }

    @Test
    void aWatchOfAClosedClientFails() throws IOException {
        try (Scripted server = new Scripted()) {
            server.watches.add(new Watched(null, bookmark("1"), created("a")));
            Client client = server.client(new Config(), new FastTimer());
            Watch watch = client.watch(ALL);
            assertEquals("a 1 1", shown(watch.next()));
            client.close();
            HitlException error = assertThrows(HitlException.class, watch::hasNext);
            assertTrue(error.getMessage().contains("closed"), error.getMessage());
        }
    }
}
