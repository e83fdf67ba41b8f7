package dev.hitl;

import dev.hitl.v1.BoolInput;
import dev.hitl.v1.ChoiceInput;
import dev.hitl.v1.ChoiceOption;
import dev.hitl.v1.FloatInput;
import dev.hitl.v1.IntInput;
import dev.hitl.v1.ObjectInput;
import dev.hitl.v1.ReviewInput;
import dev.hitl.v1.StrFormat;
import dev.hitl.v1.StrInput;
import dev.hitl.v1.Value;
import java.util.List;
import java.util.Map;

/**
 * The type of answer that an event wants, with its restrictions, and the Java type {@code T} it has.
 *
 * <p>Inputs do not change: each restriction returns another one. The server checks the rules.
 */
public abstract sealed class Input<T> {
    /** The input as the API has it. */
    final dev.hitl.v1.Input proto;
    /** Of the answer, or of each option picked. */
    final Class<?> type;

    private Input(Class<?> type, dev.hitl.v1.Input.Builder proto) {
        this.type = type;
        this.proto = proto.build();
    }

    private static dev.hitl.v1.Input.Builder input() {
        return dev.hitl.v1.Input.newBuilder();
    }

    @SuppressWarnings("unchecked") // Each subclass names the class of its T.
    T read(Value value) {
        return (T) Values.to(value, type);
    }

    /** Reads what answers {@code asked}, which may say more than this input. */
    T read(Value value, dev.hitl.v1.Input asked) {
        return read(value);
    }

    Value write(T value) {
        return Values.of(value);
    }

    /**
     * A decision on an action, which would be taken with these arguments: any JSON, with whole numbers beyond 2^53-1
     * written as text.
     */
    public static Action review(String action, String arguments) {
        return new Action(ReviewInput.newBuilder().setAction(action).setArguments(arguments));
    }

    /** A whole number of 64 bits. */
    public static Int integer() {
        return new Int(IntInput.newBuilder());
    }

    /** A number with a fraction. */
    public static Real number() {
        return new Real(FloatInput.newBuilder());
    }

    /** Text. */
    public static Text text() {
        return new Text(StrInput.newBuilder());
    }

    /** Yes or no. */
    public static Bool bool() {
        return new Bool(BoolInput.newBuilder());
    }

    /** One option, of those that {@link Choice#option} adds. */
    public static Choice<String> choice() {
        return new Choice<>(String.class, ChoiceInput.newBuilder());
    }

    /** One constant of an enum, shown as its {@code toString}. */
    public static <E extends Enum<E>> Choice<E> choice(Class<E> constants) {
        return new Choice<>(constants, options(constants));
    }

    /** Several options, of those that {@link Choices#option} adds. */
    public static Choices<String> choices() {
        return new Choices<>(String.class, ChoiceInput.newBuilder());
    }

    /** Several constants of an enum, shown as their {@code toString}. */
    public static <E extends Enum<E>> Choices<E> choices(Class<E> constants) {
        return new Choices<>(constants, options(constants));
    }

    /**
     * Several fields answered together, as a record.
     *
     * <p>Its components may be {@code long}, {@code int}, {@code short}, {@code byte}, {@code double}, {@code
     * float}, {@code boolean}, {@code String}, an enum, a {@code List} of an enum or of {@code String}, and an {@code
     * Optional} of any of these if it may be left out. An answer is never beyond what a component holds: an {@code int}
     * asks for a whole number of 32 bits. What else it must keep to says a {@link Field} of the component.
     *
     * @throws HitlException of kind {@code INVALID} if a component is of another type, or says what the schema cannot
     */
    public static <R extends Record> Fields<R> object(Class<R> type) {
        return new Fields<>(type, Schema.of(type));
    }

    /**
     * Several fields answered together, as {@link Fields#schema} describes them: whole numbers are {@code
     * Long}, others {@code Double}, options {@code List<String>} even where one alone can be picked.
     */
    public static Fields<Map<String, Object>> object() {
        return new Fields<>(Map.class, "");
    }

    private static <E extends Enum<E>> ChoiceInput.Builder options(Class<E> constants) {
        ChoiceInput.Builder input = ChoiceInput.newBuilder();
        for (E constant : constants.getEnumConstants()) {
            String label = constant.toString().equals(constant.name()) ? "" : constant.toString();
            input.addOptionsBuilder().setValue(constant.name()).setLabel(label);
        }
        return input;
    }

    private static ChoiceOption option(Object value, String label) {
        return ChoiceOption.newBuilder().setValue(Values.option(value)).setLabel(label).build();
    }

    private static int natural(int number) {
        if (number < 0) {
            throw HitlException.invalid("%d: a number of characters or options is not negative", number);
        }
        return number;
    }

    /** Asks for a whole number. */
    public static final class Int extends Input<Long> {
        private Int(IntInput.Builder input) {
            super(Long.class, input().setInt(input));
        }

        /** The smallest number accepted. */
        public Int min(long min) {
            return new Int(proto.getInt().toBuilder().setMin(min));
        }

        /** The largest number accepted. */
        public Int max(long max) {
            return new Int(proto.getInt().toBuilder().setMax(max));
        }
    }

    /** Asks for a number with a fraction. */
    public static final class Real extends Input<Double> {
        private Real(FloatInput.Builder input) {
            super(Double.class, input().setFloat(input));
        }

        /** The smallest number accepted. */
        public Real min(double min) {
            return new Real(proto.getFloat().toBuilder().setMin(min));
        }

        /** The largest number accepted. */
        public Real max(double max) {
            return new Real(proto.getFloat().toBuilder().setMax(max));
        }
    }

    /** Asks for text. */
    public static final class Text extends Input<String> {
        private Text(StrInput.Builder input) {
            super(String.class, input().setStr(input));
        }

        /** The fewest characters accepted. */
        public Text minLength(int characters) {
            return new Text(proto.getStr().toBuilder().setMinLength(natural(characters)));
        }

        /** The most characters accepted. */
        public Text maxLength(int characters) {
            return new Text(proto.getStr().toBuilder().setMaxLength(natural(characters)));
        }

        /** A regular expression (RE2) to be found in the text; anchor it to match the whole. */
        public Text pattern(String pattern) {
            return new Text(proto.getStr().toBuilder().setPattern(pattern));
        }

        /** Offers several lines to write on. */
        public Text multiline() {
            return new Text(proto.getStr().toBuilder().setMultiline(true));
        }

        /** A well-known format that the text must have. */
        public Text format(StrFormat format) {
            return new Text(proto.getStr().toBuilder().setFormat(format));
        }
    }

    /** Asks for yes or no. */
    public static final class Bool extends Input<Boolean> {
        private Bool(BoolInput.Builder input) {
            super(Boolean.class, input().setBool(input));
        }

        /** What the form calls true and false: {@code Yes} and {@code No} unless set. */
        public Bool labels(String yes, String no) {
            return new Bool(proto.getBool().toBuilder().setTrueLabel(yes).setFalseLabel(no));
        }
    }

    /** Asks for one of several options, each a {@code T}: a string or an enum constant. */
    public static final class Choice<T> extends Input<T> {
        private Choice(Class<?> type, ChoiceInput.Builder input) {
            super(type, input().setChoice(input));
        }

        /** Offers an option, under its own value. */
        public Choice<T> option(T value) {
            return option(value, "");
        }

        /** Offers an option that the form shows as {@code label}. */
        public Choice<T> option(T value, String label) {
            return new Choice<>(type, proto.getChoice().toBuilder().addOptions(Input.option(value, label)));
        }

        @Override
        Value write(T value) {
            return Values.of(List.of(value));
        }
    }

    /** Asks for some of several options, each a {@code T}: strings or enum constants. */
    public static final class Choices<T> extends Input<List<T>> {
        private Choices(Class<?> type, ChoiceInput.Builder input) {
            super(type, input().setChoice(input));
        }

        /** Offers an option, under its own value. */
        public Choices<T> option(T value) {
            return option(value, "");
        }

        /** Offers an option that the form shows as {@code label}. */
        public Choices<T> option(T value, String label) {
            return new Choices<>(type, proto.getChoice().toBuilder().addOptions(Input.option(value, label)));
        }

        /** The fewest options to pick: 1 unless set. */
        public Choices<T> minSelected(int options) {
            return new Choices<>(type, proto.getChoice().toBuilder().setMinSelected(natural(options)));
        }

        /** The most options to pick: 1, or the fewest if that is more, unless set. */
        public Choices<T> maxSelected(int options) {
            return new Choices<>(type, proto.getChoice().toBuilder().setMaxSelected(natural(options)));
        }

        @Override
        @SuppressWarnings("unchecked") // The type is that of T.
        List<T> read(Value value) {
            return (List<T>) Values.selected(value, type);
        }
    }

    /** Asks for a decision on an action. */
    public static final class Action extends Input<Review> {
        private Action(ReviewInput.Builder input) {
            super(Review.class, input().setReview(input));
        }

        /** That of an event which was asked before. */
        static Action any() {
            return new Action(ReviewInput.newBuilder());
        }

        /** A JSON Schema, as JSON, that the arguments fit, and that edited ones must fit. */
        public Action schema(String json) {
            return new Action(proto.getReview().toBuilder().setJsonSchema(json));
        }

        /** Which decisions may be made: all unless set. */
        public Action allow(Review.Decision... decisions) {
            ReviewInput.Builder input = proto.getReview().toBuilder().clearAllow();
            for (Review.Decision decision : decisions) {
                input.addAllow(decision.number);
            }
            return new Action(input);
        }

        @Override
        Review read(Value value) {
            return read(value, proto);
        }

        @Override
        Review read(Value value, dev.hitl.v1.Input asked) {
            if (!value.hasReview()) {
                String sent = value.getKindCase().toString();
                throw HitlException.internal("the server sent " + sent + " where the event asks for a review", null);
            }
            return Review.of(value.getReview(), asked.getReview());
        }

        @Override
        Value write(Review value) {
            return Value.newBuilder().setReview(value.toProto()).build();
        }
    }

    /** Asks for several fields, together a {@code T}: a record, or a map of field to value. */
    public static final class Fields<T> extends Input<T> {
        private Fields(Class<?> type, String schema) {
            super(type, input().setObject(ObjectInput.newBuilder().setJsonSchema(schema)));
        }

        /**
         * The fields, as a flat JSON Schema; {@link ObjectInput} says what it may hold. A record has one
         * already; another one, with titles and limits, must agree with its components.
         */
        public Fields<T> schema(String json) {
            return new Fields<>(type, json);
        }
    }
}
