package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class KeyTest {
    private final Key.Counter counter = new Key.Counter();

    private String kept(String runId, String name) {
        try (Key key = Key.take("default", runId, name, counter)) {
            key.keep();
            return key.text();
        }
    }

    private String lost(String runId, String name) {
        try (Key key = Key.take("default", runId, name, counter)) {
            return key.text();
        }
    }

    @Test
    void theDerivationNeverChanges() {
        // printf 'r\nn\n1' | sha256sum
        String expected = "run-b1782565ffd03f55c14560a1cd6def44fa03e5808e228626e97a8192ac01eff7";
        assertEquals(expected, lost("r", "n"));
    }

    @Test
    void eachEventOfARunHasItsOwnKey() {
        Stream<String> keys =
                Stream.of(kept("k1", "a"), kept("k1", "a"), kept("k1", "b"), kept("k2", "a"));
        assertEquals(4, keys.distinct().count());
    }

    @Test
    void aNumberThatMadeNoEventGoesToTheNextOneSmallestFirst() {
        Key first = Key.take("default", "k3", "a", counter);
        Key second = Key.take("default", "k3", "a", counter);
        String smallest = first.text();
        String larger = second.text();
        second.close();
        first.close();
        assertEquals(smallest, kept("k3", "a"));
        assertEquals(larger, kept("k3", "a"));
    }

    @Test
    void withoutARunNoTwoKeysAreAlike() {
        assertNotEquals(Key.once(), Key.once());
        assertEquals(32, Key.once().length());
    }
}
