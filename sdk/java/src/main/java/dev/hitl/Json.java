package dev.hitl;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import com.google.gson.TypeAdapter;
import java.io.IOException;

/** What little JSON is written and read here. */
final class Json {
    private static final TypeAdapter<JsonElement> READER = new Gson().getAdapter(JsonElement.class);

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

    /** The JSON object in the text, null if it is none. */
    static JsonObject object(String text) {
        return value(text) instanceof JsonObject object ? object : null;
    }

    /** The JSON in the text, null if it is none. */
    static JsonElement value(String text) {
        try {
            return text.isBlank() ? null : READER.fromJson(text);
        } catch (IOException | JsonParseException noJson) {
            return null;
        }
    }

    /** The text that a member is, null if it is none. */
    static String textOf(JsonElement member) {
        return member instanceof JsonPrimitive primitive && primitive.isString() ? primitive.getAsString() : null;
    }
}
