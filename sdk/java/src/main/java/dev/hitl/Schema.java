package dev.hitl;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Derives the JSON Schema of a record. It asks for nothing that the type of a component cannot hold, since an
 * answer that is accepted can be given only once.
 */
final class Schema {
    private Schema() {}

    /** The JSON Schema of a record's components. Names are Java's, so that none needs escapes. */
    static String of(Class<? extends Record> type) {
        List<String> properties = new ArrayList<>();
        List<String> required = new ArrayList<>();
        for (RecordComponent component : type.getRecordComponents()) {
            Type field = component.getGenericType();
            if (field instanceof ParameterizedType generic && generic.getRawType() == Optional.class) {
                field = generic.getActualTypeArguments()[0];
            } else {
                required.add("\"" + component.getName() + "\"");
            }
            properties.add("\"%s\":{%s}".formatted(component.getName(), property(field, component)));
        }
        return "{\"type\":\"object\",\"properties\":{%s},\"required\":[%s]}"
                .formatted(String.join(",", properties), String.join(",", required));
    }

    private static String bounded(String kind, Number smallest, Number largest) {
        return "\"type\":\"%s\",\"minimum\":%s,\"maximum\":%s".formatted(kind, smallest, largest);
    }

    private static String property(Type type, RecordComponent component) {
        if (type == long.class || type == Long.class) {
            return "\"type\":\"integer\"";
        } else if (type == int.class || type == Integer.class) {
            return bounded("integer", Integer.MIN_VALUE, Integer.MAX_VALUE);
        } else if (type == short.class || type == Short.class) {
            return bounded("integer", Short.MIN_VALUE, Short.MAX_VALUE);
        } else if (type == byte.class || type == Byte.class) {
            return bounded("integer", Byte.MIN_VALUE, Byte.MAX_VALUE);
        } else if (type == double.class || type == Double.class) {
            return "\"type\":\"number\"";
        } else if (type == float.class || type == Float.class) {
            return bounded("number", -(double) Float.MAX_VALUE, (double) Float.MAX_VALUE);
        } else if (type == boolean.class || type == Boolean.class) {
            return "\"type\":\"boolean\"";
        } else if (type == String.class) {
            return "\"type\":\"string\"";
        } else if (type instanceof Class<?> constants && constants.isEnum()) {
            return "\"type\":\"string\",\"enum\":[%s]"
                    .formatted(
                            Arrays.stream(constants.getEnumConstants())
                                    .map(constant -> "\"" + Values.option(constant) + "\"")
                                    .collect(Collectors.joining(",")));
        } else if (type instanceof ParameterizedType generic
                && generic.getRawType() == List.class
                && generic.getActualTypeArguments()[0] instanceof Class<?> item
                && item.isEnum()) {
            return "\"type\":\"array\",\"items\":{%s}".formatted(property(item, component));
        }
        throw HitlException.invalid(
                "%s: a field is a long, int, short, byte, double, float, boolean, String, enum, List of an "
                        + "enum, or an Optional of one of these",
                component);
    }
}
