package dev.hitl.testing;

import java.time.Duration;
import java.util.List;

/**
 * How a {@link Human} does something: at once, unless something else is said.
 *
 * @param after how much time passes on the server before that, at once. If the event has ended by then, what is done comes
 *     too late, as answers do
 * @param nonsense what is given first, as JSON, each of which has to be refused
 */
public record How(Duration after, List<String> nonsense) {
    /** At once. */
    public static final How AT_ONCE = new How(Duration.ZERO, List.of());

    /** With a copy of the list. */
    public How {
        nonsense = List.copyOf(nonsense);
    }

    /** Once so much time has passed on the server. */
    public static How after(Duration duration) {
        return new How(duration, List.of());
    }

    /** After these were refused, each given as JSON. */
    public static How afterNonsense(String... json) {
        return new How(Duration.ZERO, List.of(json));
    }
}
