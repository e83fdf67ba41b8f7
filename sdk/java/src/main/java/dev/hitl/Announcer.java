package dev.hitl;

import dev.hitl.v1.Event;
import java.io.PrintStream;
import java.util.concurrent.atomic.AtomicInteger;

/** Tells people where to answer. */
final class Announcer {
    /** Most events of a client of which it is told. */
    private static final int EVENTS_MAX = 20;

    private final PrintStream stderr;
    private final AtomicInteger told = new AtomicInteger();

    Announcer(PrintStream stderr) {
        this.stderr = stderr;
    }

    void tell(Event event) {
        int number = told.incrementAndGet();
        if (number <= EVENTS_MAX) {
            // Not everybody who may see an event is given its links.
            String where = event.getFormUrl().isEmpty() ? "(event " + event.getId() + ")" : "at " + event.getFormUrl();
            String line = "hitl: \"%s\" waits for an answer %s".formatted(event.getName(), where);
            stderr.println(Shown.oneLine(line));
        } else if (number == EVENTS_MAX + 1) {
            stderr.println("hitl: more events wait than are told of here");
        }
    }
}
