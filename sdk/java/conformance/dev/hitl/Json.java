package dev.hitl;

import com.google.gson.*;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import dev.hitl.v1.EventState;
import dev.hitl.v1.Value;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/** What the adapter's commands and replies are made of. */
final class Json {
    static final Gson GSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

    private Json() {}

    static JsonObject event(dev.hitl.v1.Event event) {
        var response = event.getResponse();
        return object("event_id", event.getId(), "name", event.getName(), "state", state(event.getState()),
                "value", response.hasValue() ? json(response.getValue()) : null,
                "reason", response.getReason(), "responder", response.getResponder().getName());
    }

    static JsonObject error(HitlException error) {
        var how = error.response();
        return object("kind", error.kind().name().toLowerCase(Locale.ROOT),
                "reason", error.reason(), "message", error.getMessage(),
                "fields", error.fieldViolations().stream().map(HitlException.FieldViolation::field).toList(),
                "retryable", error.isRetryable(), "response", how == null ? null : object(
                        "state", state(how.getState()), "reason", how.getReason(),
                        "responder", how.getResponder().getName()));
    }

    static String state(EventState state) {
        return state.name().replace("EVENT_STATE_", "");
    }

    static Value value(JsonElement json) {
        try {
            Value.Builder value = Value.newBuilder();
            JsonFormat.parser().merge(GSON.toJson(json), value);
            return value.build();
        } catch (InvalidProtocolBufferException malformed) {
            throw new IllegalArgumentException(malformed);
        }
    }

    static JsonElement json(Value value) {
        try {
            return JsonParser.parseString(JsonFormat.printer().print(value));
        } catch (InvalidProtocolBufferException impossible) {
            throw new IllegalArgumentException(impossible);
        }
    }

    static String text(JsonObject c, String key) {
        return c.has(key) ? c.get(key).getAsString() : "";
    }

    static Map<String, String> labels(JsonObject c) {
        Map<String, String> labels = new HashMap<>();
        on(c, "labels", it -> it.getAsJsonObject().entrySet()
                .forEach(label -> labels.put(label.getKey(), label.getValue().getAsString())));
        return labels;
    }

    static void on(JsonObject c, String key, Consumer<JsonElement> set) {
        if (c.has(key)) set.accept(c.get(key));
    }

    static JsonObject object(Object... members) {
        JsonObject object = new JsonObject();
        for (int at = 0; at < members.length; at += 2) {
            object.add((String) members[at], GSON.toJsonTree(members[at + 1]));
        }
        return object;
    }
}
