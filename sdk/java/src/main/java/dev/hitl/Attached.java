package dev.hitl;

import dev.hitl.v1.ChoiceInput;
import dev.hitl.v1.ChoiceOption;
import dev.hitl.v1.Input.KindCase;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** The inputs of events that were asked before, which must read whatever answers these. */
final class Attached {
    private Attached() {}

    /** The input whose answer is of the type. */
    @SuppressWarnings("unchecked") // Each branch has compared the class of its T.
    static <T> Input<T> input(Class<T> type, dev.hitl.v1.Input stored) {
        Input<?> input;
        if (type == Long.class || type == long.class) {
            input = Input.integer();
        } else if (type == Double.class || type == double.class) {
            input = Input.number();
        } else if (type == Boolean.class || type == boolean.class) {
            input = Input.bool();
        } else if (type == String.class) {
            input = stored.hasChoice() ? Input.choice() : Input.text();
        } else if (type.isEnum()) {
            input = Input.choice(type.asSubclass(Enum.class));
        } else if (type == Review.class) {
            input = Input.Action.any();
        } else if (type.isRecord()) {
            input = Input.object(type.asSubclass(Record.class));
        } else {
            throw HitlException.invalid(
                    "%s is no type of an answer: give Long, Double, String, Boolean, an enum, a record, or an Input",
                    type.getName());
        }
        return (Input<T>) checked(input, stored);
    }

    /** The input, if it reads what answers the stored one. */
    static <T> Input<T> checked(Input<T> input, dev.hitl.v1.Input stored) {
        if (stored.getKindCase() != input.proto.getKindCase()) {
            throw another(stored, name(input.proto));
        }
        if (stored.hasChoice()) {
            boolean isSeveral = isSeveral(stored.getChoice());
            if (isSeveral && input instanceof Input.Choice) {
                throw another(stored, "one option alone");
            }
            missing(input.type, stored.getChoice());
        }
        return input;
    }

    private static boolean isSeveral(ChoiceInput choice) {
        return choice.getMaxSelected() > 1 || choice.getMinSelected() > 1;
    }

    private static void missing(Class<?> type, ChoiceInput stored) {
        if (type.isEnum()) {
            Set<String> own =
                    Arrays.stream(type.getEnumConstants()).map(Values::option).collect(Collectors.toSet());
            for (ChoiceOption option : stored.getOptionsList()) {
                if (!own.contains(option.getValue())) {
                    String help = "the event offers \"%s\", which %s does not have";
                    throw HitlException.invalid(
                            "%s", help.formatted(Shown.oneLine(option.getValue()), type.getName()));
                }
            }
        }
    }

    private static HitlException another(dev.hitl.v1.Input stored, String wanted) {
        return HitlException.invalid("the event asks for %s, not %s", name(stored), wanted);
    }

    private static String name(dev.hitl.v1.Input input) {
        KindCase kind = input.getKindCase();
        return kind == KindCase.KIND_NOT_SET
                ? "what this version does not know"
                : kind.name().toLowerCase(Locale.ROOT);
    }
}
