package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import jakarta.validation.Constraint;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FieldTest {
    enum Check {
        LINT,
        TEST
    }

    record Deploy(
            @Field(title = "How \"many\"", description = "Of\nall", min = "1", max = "9") long replicas,
            @Field(min = "-300", max = "5") byte offset,
            @Field(min = "0.5", max = "1e3") double share,
            @Field(minLength = 1, maxLength = 80, pattern = "^\\d{1,3}$", format = "email") Optional<String> note,
            @Field(options = {"eu", "us"}) String region,
            @Field(options = {"a", "b"}, minItems = 0, maxItems = 2) List<String> letters,
            @Field(minItems = 1) List<Check> checks,
            @Field(title = "Now?") boolean urgent) {}

    @Test
    void whatAComponentSaysIsInItsSchema() {
        String expected =
                """
                {"type":"object","properties":{
                "replicas":{"type":"integer","title":"How \\"many\\"","description":"Of\\nall","minimum":1,"maximum":9},
                "offset":{"type":"integer","minimum":-128,"maximum":5},
                "share":{"type":"number","minimum":0.5,"maximum":1000},
                "note":{"type":"string","minLength":1,"maxLength":80,"pattern":"^\\\\d{1,3}$","format":"email"},
                "region":{"type":"string","enum":["eu","us"]},
                "letters":{"type":"array","items":{"type":"string","enum":["a","b"]},"minItems":0,"maxItems":2},
                "checks":{"type":"array","items":{"type":"string","enum":["LINT","TEST"]},"minItems":1},
                "urgent":{"type":"boolean","title":"Now?"}},
                "required":["replicas","offset","share","region","letters","checks","urgent"]}
                """;
        assertEquals(JsonParser.parseString(expected), JsonParser.parseString(Schema.of(Deploy.class)));
    }

    @Test
    void textThatIsOneOfSeveralTravelsAsAnOptionAndReturns() {
        Deploy deploy =
                new Deploy(1, (byte) 2, 0.5, Optional.of("1"), "eu", List.of("b"), List.of(Check.LINT), true);
        Input<Deploy> input = Input.object(Deploy.class);
        var value = input.write(deploy);
        assertTrue(value.getObject().getFieldsOrThrow("region").hasChoice());
        assertTrue(value.getObject().getFieldsOrThrow("note").hasStr());
        assertEquals(deploy, input.read(value));
    }

    record NoNumber(@Field(min = "few") long n) {}

    record LengthOfNumber(@Field(minLength = 1) long n) {}

    record PatternOfBool(@Field(pattern = "a") boolean n) {}

    record BoundOfText(@Field(max = "1") String n) {}

    record OptionsOfEnum(@Field(options = "LINT") Check n) {}

    record OptionsOfNumber(@Field(options = "1") int n) {}

    record OptionsAndPattern(@Field(options = "a", pattern = "a") String n) {}

    record ItemsOfText(@Field(minItems = 1) String n) {}

    record ListOfAnything(@Field(minItems = 1) List<String> n) {}

    record Negative(@Field(minLength = -2) String n) {}

    /** As Jakarta Bean Validation has one. */
    @Constraint
    @Retention(RetentionPolicy.RUNTIME)
    @interface Positive {}

    record OfAnotherLibrary(@Positive long n) {}

    /** The same, for what is within a type. */
    @Constraint
    @Target(ElementType.TYPE_USE)
    @Retention(RetentionPolicy.RUNTIME)
    @interface Small {}

    record WithinAType(Optional<@Small Integer> n) {}

    @Test
    void whatTheSchemaCannotSayIsRefusedAndNamed() {
        Map<Class<? extends Record>, String> refused =
                Map.ofEntries(
                        Map.entry(NoNumber.class, "min = \"few\""),
                        Map.entry(LengthOfNumber.class, "minLength"),
                        Map.entry(PatternOfBool.class, "pattern"),
                        Map.entry(BoundOfText.class, "max"),
                        Map.entry(OptionsOfEnum.class, "options"),
                        Map.entry(OptionsOfNumber.class, "options"),
                        Map.entry(OptionsAndPattern.class, "pattern"),
                        Map.entry(ItemsOfText.class, "minItems"),
                        Map.entry(ListOfAnything.class, "needs options"),
                        Map.entry(Negative.class, "negative"),
                        Map.entry(OfAnotherLibrary.class, "@Positive"),
                        Map.entry(WithinAType.class, "@Small"));
        refused.forEach((type, told) -> {
            HitlException error = assertThrows(HitlException.class, () -> Input.object(type), type.toString());
            assertEquals(HitlException.Kind.INVALID, error.kind());
            assertTrue(error.getMessage().contains(told), error.getMessage());
        });
    }
}
