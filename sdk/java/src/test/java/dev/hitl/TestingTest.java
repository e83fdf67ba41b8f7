package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hitl.testing.How;
import dev.hitl.testing.Human;
import dev.hitl.testing.TestServer;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The test kit against the real server. */
@Timeout(60)
final class TestingTest {
    private static final Duration HOUR = Duration.ofHours(1);

    @Test
    void aPersonDoesAsATestSaysAndNoTimeIsLost() throws InterruptedException {
        try (TestServer server = TestServer.start()) {
            Client client = server.client();
            Human human = server.human();
            human.answer("count", 3L, How.afterNonsense("\"many\"", "-1"));
            human.decline("ship", "not on a Friday");
            human.answer("ship", true);
            human.answer("slow", Answer.text("yes"), How.after(HOUR.multipliedBy(2)));
            assertEquals(3L, client.event("count", "How many?", Input.integer().min(0)).create().await());
            assertKind(HitlException.Kind.DECLINED, client.event("ship", "Ship it?", Input.bool()));
            assertTrue(client.event("ship", "Ship it?", Input.bool()).create().await());
            assertKind(HitlException.Kind.TIMED_OUT, client.event("slow", "Sure?", Input.bool()).timeout(HOUR));
            var later = client.event("later", "Sure?", Input.bool()).timeout(HOUR).defaultOnTimeout(false).create();
            server.advance(HOUR);
            assertFalse(later.await());
            human.check();
        }
    }

    private static void assertKind(HitlException.Kind kind, EventBuilder<?> asked) {
        Event<?> event = asked.create();
        assertEquals(kind, assertThrows(HitlException.class, event::await).kind());
    }

    @Test
    void aTestThatSaysWhatDoesNotHappenFails() throws InterruptedException {
        try (TestServer server = TestServer.start()) {
            server.human().answer("never", 1L);
            server.human().answer("text", "x", How.afterNonsense("\"fits\""));
            assertEquals("fits", server.client().event("text", "What?", Input.text()).create().await());
            String told = assertThrows(AssertionError.class, server.human()::check).getMessage();
            assertTrue(told.contains("nobody has asked \"never\", 1 more times"), told);
            assertTrue(told.contains("\"fits\" was to be refused, and was taken"), told);
        }
    }

    @Test
    void nobodyAnswersForPeopleOnAServerThatIsNoneForTests() {
        try (Client client = new Client(new Config().endpoint("https://hitl.example.org"))) {
            var refused = assertThrows(IllegalArgumentException.class, () -> new Human(client, "a test"));
            assertTrue(refused.getMessage().contains("no server for tests"), refused.getMessage());
        }
    }
}
