package dev.hitl;

import java.io.PrintStream;
import java.util.Locale;

/** Tells what a client does, to whom the program says, or on stderr if the environment asks for it, or nobody. */
final class Log {
    /** Null if there is none. */
    private final System.Logger logger;
    /** Where lines are printed if there is none. */
    private final PrintStream stderr;
    /** What is printed at the least. */
    private final System.Logger.Level least;

    Log(System.Logger logger, String level, PrintStream stderr) {
        this.logger = logger;
        this.stderr = stderr;
        this.least =
                switch (level == null ? "" : level) {
                    case "debug" -> System.Logger.Level.DEBUG;
                    case "info" -> System.Logger.Level.INFO;
                    case "warn" -> System.Logger.Level.WARNING;
                    case "error" -> System.Logger.Level.ERROR;
                    default -> System.Logger.Level.OFF;
                };
    }

    void info(String message, Object... values) {
        tell(System.Logger.Level.INFO, "info", message, values);
    }

    void warn(String message, Object... values) {
        tell(System.Logger.Level.WARNING, "warn", message, values);
    }

    private void tell(System.Logger.Level level, String name, String message, Object... values) {
        String told = Shown.oneLine(message.formatted(values));
        if (logger != null) {
            // As a supplier, lest braces in it be taken for places of values.
            logger.log(level, () -> told);
        } else if (level.getSeverity() >= least.getSeverity()) {
            stderr.println("hitl " + name + ": " + told);
        }
    }

    /** A delay as people read it. */
    static String seconds(java.time.Duration delay) {
        return String.format(Locale.ROOT, "%.1f s", delay.toMillis() / 1000.0);
    }
}
