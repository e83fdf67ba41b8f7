package dev.hitl;

import io.grpc.Status;
import java.util.stream.Collectors;

/**
 * What people and servers wrote, with its hidden characters as escapes, so that in a message it can forge
 * neither a line nor the order of one. What a program gets is never changed.
 */
final class Shown {
    private Shown() {}

    /** The text as a line of a message has it. */
    static String oneLine(String text) {
        return visible(text, "");
    }

    /** Text that may have several lines. */
    static String lines(String text) {
        return visible(text, "\n\t");
    }

    /** A status whose description, which whoever replied wrote, can be printed. */
    static Status status(Status status) {
        String description = status.getDescription();
        return description == null ? status : status.withDescription(oneLine(description));
    }

    private static String visible(String text, String kept) {
        return text.codePoints()
                .mapToObj(
                        character -> {
                            boolean asItIs = !isHidden(character) || kept.indexOf(character) >= 0;
                            return asItIs ? Character.toString(character) : escape(character);
                        })
                .collect(Collectors.joining());
    }

    private static String escape(int character) {
        return switch (character) {
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> "\\u{%X}".formatted(character);
        };
    }

    /**
     * Finds what no terminal shows as a character: controls, what has no width, and what turns the direction
     * of the text around it.
     */
    static boolean isHidden(int character) {
        return switch (character) {
            case 0xAD, 0x61C, 0x180E, 0xFEFF -> true;
            default ->
                    character < 0x20
                            || within(character, 0x7F, 0x9F)
                            || within(character, 0x200B, 0x200F)
                            || within(character, 0x2028, 0x202E)
                            || within(character, 0x2060, 0x2069)
                            || within(character, 0xE0000, 0xE007F);
        };
    }

    private static boolean within(int character, int first, int last) {
        return first <= character && character <= last;
    }
}
