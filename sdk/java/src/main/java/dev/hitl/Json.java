package dev.hitl;

/** What little JSON is written here. */
final class Json {
    private Json() {}

    /** Text in quotes. */
    static String text(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        text.chars().forEach(unit -> {
            if (unit == '"' || unit == '\\') {
                quoted.append('\\').append((char) unit);
            } else if (unit < 0x20 || Character.isSurrogate((char) unit)) {
                // Half of a pair alone would be no text.
                quoted.append("\\u%04x".formatted(unit));
            } else {
                quoted.append((char) unit);
            }
        });
        return quoted.append('"').toString();
    }
}
