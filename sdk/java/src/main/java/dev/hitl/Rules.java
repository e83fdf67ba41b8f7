package dev.hitl;

import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** What a component of a record says by its {@link Field}, as keywords of JSON Schema. Each is taken or refused. */
final class Rules {
    private final RecordComponent component;
    /** What it says and is not taken yet, in JSON, by the member of {@link Field}. */
    private final Map<String, String> said = new LinkedHashMap<>();

    Rules(RecordComponent component) {
        this.component = component;
        Field field = component.getAnnotation(Field.class);
        if (field == null) {
            return;
        }
        say("title", field.title());
        say("description", field.description());
        number("min", field.min());
        number("max", field.max());
        count("minLength", field.minLength());
        count("maxLength", field.maxLength());
        say("pattern", field.pattern());
        say("format", field.format());
        count("minItems", field.minItems());
        count("maxItems", field.maxItems());
        if (field.options().length > 0) {
            said.put("options", options(field.options()));
        }
    }

    private void say(String member, String text) {
        if (!text.isEmpty()) {
            said.put(member, Json.text(text));
        }
    }

    private void count(String member, int count) {
        if (count < -1) {
            throw refused("%s is negative", member);
        }
        if (count >= 0) {
            said.put(member, Integer.toString(count));
        }
    }

    private void number(String member, String text) {
        if (text.isEmpty()) {
            return;
        }
        try {
            said.put(member, new BigDecimal(text).toString());
        } catch (NumberFormatException none) {
            throw refused("%s = \"%s\" is no number", member, text);
        }
    }

    private static String options(String[] values) {
        return Arrays.stream(values).map(Json::text).collect(Collectors.joining(",", "[", "]"));
    }

    private static String constants(Class<?> type) {
        return options(Arrays.stream(type.getEnumConstants()).map(Values::option).toArray(String[]::new));
    }

    /** A number, which is kept to what the type holds as well, if that has bounds. */
    String number(String type, Number smallest, Number largest) {
        StringBuilder property = open(type);
        keep(property, "minimum", tighter("min", smallest, 1));
        keep(property, "maximum", tighter("max", largest, -1));
        return close(property);
    }

    String bool() {
        return close(open("boolean"));
    }

    String text() {
        StringBuilder property = open("string");
        if (said.containsKey("options")) {
            return close(keep(property, "enum", said.remove("options")));
        }
        for (String keyword : new String[] {"minLength", "maxLength", "pattern", "format"}) {
            keep(property, keyword, said.remove(keyword));
        }
        return close(property);
    }

    String option(Class<?> constants) {
        return close(keep(open("string"), "enum", constants(constants)));
    }

    String list(Class<?> item) {
        StringBuilder property = open("array");
        String options = item.isEnum() ? constants(item) : said.remove("options");
        if (options == null) {
            throw refused("a List of String needs options, of which some are picked");
        }
        property.append(",\"items\":{\"type\":\"string\",\"enum\":").append(options).append('}');
        keep(property, "minItems", said.remove("minItems"));
        keep(property, "maxItems", said.remove("maxItems"));
        return close(property);
    }

    private StringBuilder open(String type) {
        StringBuilder property = new StringBuilder("\"type\":\"" + type + "\"");
        keep(property, "title", said.remove("title"));
        return keep(property, "description", said.remove("description"));
    }

    private static StringBuilder keep(StringBuilder property, String keyword, String value) {
        if (value != null) {
            property.append(",\"").append(keyword).append("\":").append(value);
        }
        return property;
    }

    private String close(StringBuilder property) {
        if (!said.isEmpty()) {
            String names = String.join(", ", said.keySet());
            throw refused("%s does not belong to its type, or not to what else is said of it", names);
        }
        return property.toString();
    }

    /** The tighter of what is said and what the type holds: for a minimum by sign 1, for a maximum by -1. */
    private String tighter(String member, Number bound, int sign) {
        String own = said.remove(member);
        if (own == null || bound == null) {
            return own != null || bound == null ? own : bound.toString();
        }
        boolean isTight = new BigDecimal(own).compareTo(new BigDecimal(bound.toString())) * sign >= 0;
        return isTight ? own : bound.toString();
    }

    private HitlException refused(String format, Object... values) {
        return HitlException.invalid("%s: %s", component, Shown.oneLine(format.formatted(values)));
    }
}
