package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.hitl.v1.EventState;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SchemaTest {
    record Narrow(byte a, Byte b, short c, Short d, int e, Integer f, float g, Float h, Optional<Short> i, long j) {}

    record Date(LocalDate day) {}

    record Moment(Instant at) {}

    record Zoned(OffsetDateTime at) {}

    record Endless(BigInteger number) {}

    record Exact(BigDecimal number) {}

    record Letter(char letter) {}

    record Numbers(List<Integer> numbers) {}

    record Nested(Narrow inner) {}

    record Any(Object any) {}

    record Twice(Optional<Optional<Long>> number) {}

    record Open<T>(T value) {}

    record Array(String[] values) {}

    private static void bounded(JsonObject properties, String name, String kind, Number smallest, Number largest) {
        JsonElement expected =
                JsonParser.parseString(
                        "{\"type\":\"%s\",\"minimum\":%s,\"maximum\":%s}".formatted(kind, smallest, largest));
        assertEquals(expected, properties.get(name), name);
    }

    @Test
    void theSchemaBoundsWhatTheTypeHolds() {
        JsonObject schema = JsonParser.parseString(Schema.of(Narrow.class)).getAsJsonObject();
        JsonObject properties = schema.getAsJsonObject("properties");
        bounded(properties, "a", "integer", -128, 127);
        bounded(properties, "b", "integer", -128, 127);
        bounded(properties, "c", "integer", -32768, 32767);
        bounded(properties, "d", "integer", -32768, 32767);
        bounded(properties, "e", "integer", -2147483648, 2147483647);
        bounded(properties, "f", "integer", -2147483648, 2147483647);
        bounded(properties, "g", "number", -3.4028234663852886E38, 3.4028234663852886E38);
        bounded(properties, "h", "number", -3.4028234663852886E38, 3.4028234663852886E38);
        bounded(properties, "i", "integer", -32768, 32767);
        assertEquals(JsonParser.parseString("{\"type\":\"integer\"}"), properties.get("j"));
        assertEquals(9, schema.getAsJsonArray("required").size());
    }

    @Test
    void theLimitsOfEveryTypeReturnAsTheyWere() {
        Input<Narrow> input = Input.object(Narrow.class);
        for (Narrow value :
                List.of(
                        new Narrow(
                                Byte.MIN_VALUE, Byte.MIN_VALUE, Short.MIN_VALUE, Short.MIN_VALUE, Integer.MIN_VALUE,
                                Integer.MIN_VALUE, -Float.MAX_VALUE, Float.MIN_VALUE, Optional.empty(),
                                Long.MIN_VALUE),
                        new Narrow(
                                Byte.MAX_VALUE, Byte.MAX_VALUE, Short.MAX_VALUE, Short.MAX_VALUE, Integer.MAX_VALUE,
                                Integer.MAX_VALUE, Float.MAX_VALUE, 0.1f, Optional.of(Short.MAX_VALUE),
                                Long.MAX_VALUE))) {
            assertEquals(value, input.read(input.write(value)));
        }
    }

    @Test
    void aTypeWhoseValuesNothingBoundsIsRefusedAtOnce() {
        List<Class<? extends Record>> records =
                List.of(
                        Date.class, Moment.class, Zoned.class, Endless.class, Exact.class, Letter.class, Numbers.class,
                        Nested.class, Any.class, Twice.class, Open.class, Array.class);
        for (Class<? extends Record> type : records) {
            HitlException error = assertThrows(HitlException.class, () -> Input.object(type), type.toString());
            assertEquals(HitlException.Kind.INVALID, error.kind());
        }
    }

    @Test
    void anAnswerBeyondItsTypeIsAnErrorOnce() throws IOException {
        for (Map<String, Object> fields :
                List.<Map<String, Object>>of(
                        Map.of("a", 128), Map.of("a", 0, "b", 0, "c", 40_000),
                        Map.of("a", 0, "b", 0, "c", 0, "d", 0, "e", 0, "f", 0, "g", 1e39))) {
            var answer = Scripted.event("e", EventState.EVENT_STATE_ANSWERED, Values.of(fields));
            try (Scripted server = new Scripted(Scripted.Step.stream(answer))) {
                var ended = server.client().awaitEventAsync("e");
                server.timer.runUntil(ended);
                HitlException error =
                        assertThrows(
                                HitlException.class, () -> Event.outcome(ended.join(), Input.object(Narrow.class)));
                assertEquals(HitlException.Kind.INTERNAL, error.kind());
                assertTrue(error.getMessage().contains("must agree"), error.getMessage());
                assertEquals(1, server.calls);
            }
        }
    }
}
