package dev.hitl;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Set;

/**
 * What a receipt says that was verified.
 *
 * @param eventId the id of the event; that it is the one that you mean is for you to compare
 * @param namespace the namespace of the event
 * @param state how the event ended, such as {@code EVENT_STATE_ANSWERED}
 * @param time when the event ended, in RFC 3339
 * @param json all of it: {@code question} and {@code response}, as the JSON of the API has them
 */
public record Statement(String eventId, String namespace, String state, String time, String json) {
    private static final Set<String> FORMATS = Set.of("hitl.receipt.v1", "hitl.receipt.v2", "hitl.receipt.v3");

    /** Reads the text of a receipt whose signature is right. */
    static Statement read(String text) {
        JsonObject said = Json.object(text);
        String format = said == null ? "" : member(said, "format");
        if (!FORMATS.contains(format)) {
            String why = said == null ? "it is no JSON object" : "its format is \"%s\"".formatted(format);
            throw HitlException.invalid(
                    "its signature is right, and this program does not understand what it says (%s): use a newer one",
                    Shown.oneLine(why));
        }
        return new Statement(
                member(said, "question", "id"),
                member(said, "question", "namespace"),
                member(said, "response", "state"),
                member(said, "response", "time"),
                text);
    }

    /** The text at the path, empty if there is none. */
    private static String member(JsonElement from, String... path) {
        JsonElement at = from;
        for (String name : path) {
            at = at instanceof JsonObject object ? object.get(name) : null;
        }
        String text = Json.textOf(at);
        return text == null ? "" : text;
    }
}
