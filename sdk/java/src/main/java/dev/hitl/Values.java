package dev.hitl;

import dev.hitl.v1.ChoiceValue;
import dev.hitl.v1.ObjectValue;
import dev.hitl.v1.Value;
import java.lang.reflect.Constructor;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** How each Java type travels as a value of the API, and records as objects. */
final class Values {
    private Values() {}

    /** The value that a Java object stands for. */
    static Value of(Object object) {
        Value.Builder value = Value.newBuilder();
        if (object instanceof Value ready) {
            return ready;
        } else if (isWhole(object)) {
            value.setInt(((Number) object).longValue());
        } else if (object instanceof Double || object instanceof Float) {
            value.setFloat(((Number) object).doubleValue());
        } else if (object instanceof String text) {
            value.setStr(text);
        } else if (object instanceof Boolean truth) {
            value.setBool(truth);
        } else if (object instanceof Enum<?> constant) {
            value.setChoice(ChoiceValue.newBuilder().addSelected(constant.name()));
        } else if (object instanceof List<?> options) {
            value.setChoice(
                    ChoiceValue.newBuilder().addAllSelected(options.stream().map(Values::option).toList()));
        } else if (object instanceof Map<?, ?> fields) {
            fields.forEach((name, field) -> put(value.getObjectBuilder(), name.toString(), field));
        } else if (object instanceof Record fields) {
            ObjectValue.Builder builder = value.getObjectBuilder();
            for (RecordComponent component : fields.getClass().getRecordComponents()) {
                put(builder, component.getName(), picked(field(fields, component), component));
            }
        } else {
            throw HitlException.invalid("%s cannot be an answer", object == null ? "null" : object.getClass());
        }
        return value.build();
    }

    private static boolean isWhole(Object object) {
        return object instanceof Long
                || object instanceof Integer
                || object instanceof Short
                || object instanceof Byte;
    }

    /** What is null or empty is left out. */
    private static void put(ObjectValue.Builder fields, String name, Object field) {
        Object present = field instanceof Optional<?> optional ? optional.orElse(null) : field;
        if (present != null) {
            fields.putFields(name, of(present));
        }
    }

    /** Text that is one of several options travels as these do. */
    private static Object picked(Object field, RecordComponent component) {
        Field rules = component.getAnnotation(Field.class);
        Object present = field instanceof Optional<?> optional ? optional.orElse(null) : field;
        boolean isOption = rules != null && rules.options().length > 0 && present instanceof String;
        return isOption ? List.of(present) : field;
    }

    private static Object field(Record fields, RecordComponent component) {
        try {
            component.getAccessor().setAccessible(true);
            return component.getAccessor().invoke(fields);
        } catch (ReflectiveOperationException | RuntimeException unreadable) {
            throw HitlException.invalid("%s cannot be read: %s", component, unreadable);
        }
    }

    /** What an option travels as. */
    static String option(Object option) {
        return option instanceof Enum<?> constant ? constant.name() : String.valueOf(option);
    }

    /** The value as an object of {@code type}, absent if null. */
    static Object to(Value value, Type type) {
        if (type instanceof ParameterizedType generic && generic.getRawType() == Optional.class) {
            Type item = generic.getActualTypeArguments()[0];
            return Optional.ofNullable(value).map(present -> to(present, item));
        }
        if (type instanceof ParameterizedType generic && generic.getRawType() == List.class) {
            return selected(value, (Class<?>) generic.getActualTypeArguments()[0]);
        }
        Class<?> wanted = (Class<?>) type;
        boolean any = wanted == Object.class;
        return switch (value == null ? Value.KindCase.KIND_NOT_SET : value.getKindCase()) {
            case INT -> any ? value.getInt() : whole(value, wanted);
            case FLOAT -> any ? value.getFloat() : fraction(value, wanted);
            case STR -> any || wanted == String.class ? value.getStr() : mismatch(value, type);
            case BOOL ->
                    any || wanted == Boolean.class || wanted == boolean.class
                            ? (Object) value.getBool()
                            : mismatch(value, type);
            case CHOICE -> any ? selected(value, String.class) : only(value, wanted);
            case OBJECT -> {
                Map<String, Value> fields = value.getObject().getFieldsMap();
                yield wanted.isRecord() ? toRecord(fields, wanted) : toMap(fields);
            }
            case REVIEW, KIND_NOT_SET -> mismatch(value, type);
        };
    }

    private static Object whole(Value value, Class<?> wanted) {
        long number = value.getInt();
        if (wanted == Long.class || wanted == long.class) {
            return number;
        } else if ((wanted == Integer.class || wanted == int.class) && number == (int) number) {
            return (int) number;
        } else if ((wanted == Short.class || wanted == short.class) && number == (short) number) {
            return (short) number;
        } else if ((wanted == Byte.class || wanted == byte.class) && number == (byte) number) {
            return (byte) number;
        }
        return mismatch(value, wanted);
    }

    private static Object fraction(Value value, Class<?> wanted) {
        double number = value.getFloat();
        if (wanted == Double.class || wanted == double.class) {
            return number;
        }
        boolean small = wanted == Float.class || wanted == float.class;
        return small && Math.abs(number) <= Float.MAX_VALUE ? (Object) (float) number : mismatch(value, wanted);
    }

    /** The options that were picked. */
    static <T> List<T> selected(Value value, Class<T> type) {
        if (value == null || !value.hasChoice()) {
            mismatch(value, type);
        }
        return value.getChoice().getSelectedList().stream().map(name -> constant(name, type)).toList();
    }

    /** The one option that was picked. */
    static <T> T only(Value value, Class<T> type) {
        List<T> selected = selected(value, type);
        if (selected.size() != 1) {
            throw HitlException.internal("the answer is not exactly one option", null);
        }
        return selected.get(0);
    }

    private static <T> T constant(String name, Class<T> type) {
        if (type == String.class) {
            return type.cast(name);
        }
        return Stream.ofNullable(type.getEnumConstants())
                .flatMap(Arrays::stream)
                .filter(constant -> option(constant).equals(name))
                .findFirst()
                .orElseThrow(() -> HitlException.internal("%s has no \"%s\"".formatted(type, Shown.oneLine(name)), null));
    }

    private static Map<String, Object> toMap(Map<String, Value> fields) {
        Map<String, Object> map = new LinkedHashMap<>();
        fields.forEach((name, value) -> map.put(name, to(value, Object.class)));
        return map;
    }

    private static Object toRecord(Map<String, Value> fields, Class<?> type) {
        RecordComponent[] components = type.getRecordComponents();
        Class<?>[] types = Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
        List<Object> values = new ArrayList<>();
        Set<String> unknown = new TreeSet<>(fields.keySet());
        for (RecordComponent component : components) {
            unknown.remove(component.getName());
            values.add(to(fields.get(component.getName()), component.getGenericType()));
        }
        if (!unknown.isEmpty()) {
            String help = "the answer has fields that %s does not have: %s; a record and its schema must agree";
            String names = Shown.oneLine(String.join(", ", unknown));
            throw HitlException.internal(help.formatted(type.getName(), names), null);
        }
        try {
            Constructor<?> constructor = type.getDeclaredConstructor(types);
            constructor.setAccessible(true);
            return constructor.newInstance(values.toArray());
        } catch (ReflectiveOperationException | RuntimeException unfit) {
            throw HitlException.internal("the answer does not fit " + type + ": " + unfit, unfit);
        }
    }

    private static Object mismatch(Value found, Type wanted) {
        String sent =
                switch (found == null ? Value.KindCase.KIND_NOT_SET : found.getKindCase()) {
                    case INT -> "the whole number " + found.getInt();
                    case FLOAT -> "the number " + found.getFloat();
                    case KIND_NOT_SET -> "nothing";
                    default -> found.getKindCase().toString();
                };
        throw HitlException.internal(
                "the server sent %s where %s is asked for; a record and its schema must agree"
                        .formatted(sent, wanted.getTypeName()),
                null);
    }
}
