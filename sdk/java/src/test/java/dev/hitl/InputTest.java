package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hitl.v1.CreateEventRequest;
import dev.hitl.v1.IntInput;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class InputTest {
    enum Region {
        EU,
        US {
            @Override
            public String toString() {
                return "United States";
            }
        }
    }

    record Deploy(
            long replicas,
            int retries,
            double share,
            boolean canary,
            String ticket,
            Region region,
            List<Region> mirrors,
            Optional<String> note) {}

    record Dated(LocalDate day) {}

    private static <T> void returns(Input<T> input, T value) {
        assertEquals(value, input.read(input.write(value)));
    }

    @Test
    void everyTypeReturnsAsItWas() {
        for (long number : new long[] {Long.MIN_VALUE, -1, 0, 9_007_199_254_740_993L, Long.MAX_VALUE}) {
            returns(Input.integer(), number);
        }
        returns(Input.number(), Double.MIN_VALUE);
        returns(Input.text(), "\u202etext\n");
        returns(Input.bool(), true);
        returns(Input.choice(), "a");
        returns(Input.choice(Region.class), Region.US);
        returns(Input.choices(), List.of("a", "b"));
        returns(Input.choices(Region.class), List.of(Region.EU, Region.US));
        returns(Input.object(), Map.of("n", 1L, "x", 0.5, "some", List.of("a"), "yes", true));
        for (Optional<String> note : List.of(Optional.of("now"), Optional.<String>empty())) {
            returns(
                    Input.object(Deploy.class),
                    new Deploy(Long.MAX_VALUE, 2, 1.0, true, "T-1", Region.EU, List.of(Region.US), note));
        }
    }

    @Test
    void whatDoesNotFitIsAnError() {
        var wrong =
                List.of(
                        assertThrows(HitlException.class, () -> Input.integer().read(Values.of(true))),
                        assertThrows(HitlException.class, () -> Input.choice().read(Values.of(List.of()))),
                        assertThrows(
                                HitlException.class,
                                () -> Input.choice(Region.class).read(Values.of(List.of("MARS")))),
                        assertThrows(
                                HitlException.class,
                                () -> Input.object(Deploy.class).read(Values.of(Map.of("replicas", 1)))));
        wrong.forEach(error -> assertEquals(HitlException.Kind.INTERNAL, error.kind()));
        var refused =
                List.of(
                        assertThrows(HitlException.class, () -> Answer.value(LocalDate.EPOCH)),
                        assertThrows(HitlException.class, () -> Input.object(Dated.class)),
                        assertThrows(HitlException.class, () -> Input.text().minLength(-1)));
        refused.forEach(error -> assertEquals(HitlException.Kind.INVALID, error.kind()));
    }

    @Test
    void aRecordIsItsSchema() {
        String schema = Input.object(Deploy.class).proto.getObject().getJsonSchema();
        assertTrue(schema.contains("\"replicas\":{\"type\":\"integer\"},"), schema);
        assertTrue(schema.contains("\"region\":{\"type\":\"string\",\"enum\":[\"EU\",\"US\"]}"), schema);
        assertTrue(schema.contains("\"mirrors\":{\"type\":\"array\",\"items\":{"), schema);
        assertTrue(schema.contains("\"note\":{\"type\":\"string\"}"), schema);
        assertTrue(schema.contains("\"region\",\"mirrors\"]"), schema);
    }

    @Test
    void whatIsSetIsWhatIsAsked() {
        CreateEventRequest request =
                new EventBuilder<>(null, null, "proceed", "Add to x?", Input.integer().min(0).max(9))
                        .scope("run-7")
                        .timeout(Duration.ofMillis(1500))
                        .defaultOnTimeout(5L)
                        .label("team", "a")
                        .idempotencyKey("k")
                        .request();
        assertEquals(IntInput.newBuilder().setMin(0).setMax(9).build(), request.getInput().getInt());
        assertEquals(1, request.getTtl().getSeconds());
        assertEquals(500_000_000, request.getTtl().getNanos());
        assertEquals(5, request.getOnTimeout().getDefaultValue().getInt());
        assertEquals("run-7", request.getScope());
        assertEquals(Map.of("team", "a"), request.getLabelsMap());
    }

    @Test
    void oneChoiceAndSeveralAreToldApart() {
        var one = Input.choice().option("a").option("b", "B").proto.getChoice();
        assertEquals(2, one.getOptionsCount());
        assertEquals("B", one.getOptions(1).getLabel());
        assertFalse(one.hasMaxSelected());
        var several = Input.choices(Region.class).maxSelected(2).proto.getChoice();
        assertEquals(2, several.getMaxSelected());
        assertEquals("", several.getOptions(0).getLabel());
        assertEquals("United States", several.getOptions(1).getLabel());
    }
}
