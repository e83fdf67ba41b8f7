package dev.hitl;

import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.AnnotatedParameterizedType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Derives the JSON Schema of a record. It asks for nothing that the type of a component cannot hold, since an
 * answer that is accepted can be given only once, and leaves out nothing that the component says.
 */
final class Schema {
    /** What marks a constraint of Jakarta Bean Validation. */
    private static final Set<String> MARKERS =
            Set.of("jakarta.validation.Constraint", "javax.validation.Constraint");

    private Schema() {}

    /** The JSON Schema of a record's components. Names are Java's, so that none needs escapes. */
    static String of(Class<? extends Record> type) {
        List<String> properties = new ArrayList<>();
        List<String> required = new ArrayList<>();
        for (RecordComponent component : type.getRecordComponents()) {
            refuseOthers(component);
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

    /** Bounds of another library would be left out: no schema is made of them. */
    private static void refuseOthers(RecordComponent component) {
        Stream<AnnotatedElement> places =
                Stream.of(component, component.getAccessor(), component.getAnnotatedType());
        if (component.getAnnotatedType() instanceof AnnotatedParameterizedType generic) {
            places = Stream.concat(places, Arrays.stream(generic.getAnnotatedActualTypeArguments()));
        }
        places.flatMap(place -> Arrays.stream(place.getAnnotations()))
                .map(Annotation::annotationType)
                .filter(Schema::isConstraint)
                .findFirst()
                .ifPresent(found -> {
                    throw HitlException.invalid(
                            "%s: nobody would be held to @%s: say it by @Field", component, found.getSimpleName());
                });
    }

    private static boolean isConstraint(Class<? extends Annotation> type) {
        return Arrays.stream(type.getAnnotations())
                .map(marker -> marker.annotationType().getName())
                .anyMatch(MARKERS::contains);
    }

    private static String property(Type type, RecordComponent component) {
        Rules rules = new Rules(component);
        if (type == long.class || type == Long.class) {
            return rules.number("integer", null, null);
        } else if (type == int.class || type == Integer.class) {
            return rules.number("integer", Integer.MIN_VALUE, Integer.MAX_VALUE);
        } else if (type == short.class || type == Short.class) {
            return rules.number("integer", Short.MIN_VALUE, Short.MAX_VALUE);
        } else if (type == byte.class || type == Byte.class) {
            return rules.number("integer", Byte.MIN_VALUE, Byte.MAX_VALUE);
        } else if (type == double.class || type == Double.class) {
            return rules.number("number", null, null);
        } else if (type == float.class || type == Float.class) {
            return rules.number("number", -(double) Float.MAX_VALUE, (double) Float.MAX_VALUE);
        } else if (type == boolean.class || type == Boolean.class) {
            return rules.bool();
        } else if (type == String.class) {
            return rules.text();
        } else if (type instanceof Class<?> constants && constants.isEnum()) {
            return rules.option(constants);
        } else if (type instanceof ParameterizedType generic
                && generic.getRawType() == List.class
                && generic.getActualTypeArguments()[0] instanceof Class<?> item
                && (item.isEnum() || item == String.class)) {
            return rules.list(item);
        }
        throw HitlException.invalid(
                "%s: a field is a long, int, short, byte, double, float, boolean, String, enum, List of an "
                        + "enum or of String, or an Optional of one of these",
                component);
    }
}
