package dev.hitl;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.TreeSet;

/** Canonical JSON (RFC 8785), and the digest of an action that a person reviews. */
final class Canonical {
    /** The most of RFC 7493: beyond it not every program reads the same number. */
    private static final double SAFE_MAX = 9_007_199_254_740_991.0;
    /** No double needs more digits. */
    private static final int DIGITS_MAX = 17;

    private Canonical() {}

    /**
     * The SHA-256 of an action and its arguments, as JSON, in 64 hexadecimal digits; null if they are no JSON that
     * every program reads alike.
     */
    static String actionDigest(String action, String arguments) {
        JsonElement read = Json.value(arguments);
        if (read == null) {
            return null;
        }
        JsonObject whole = new JsonObject();
        whole.addProperty("action", action);
        whole.add("arguments", read);
        try {
            byte[] text = text(whole).getBytes(StandardCharsets.UTF_8);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text));
        } catch (ArithmeticException | NumberFormatException unclear) {
            return null;
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("every Java has SHA-256", impossible);
        }
    }

    /** The value in its canonical form. */
    static String text(JsonElement value) {
        StringBuilder text = new StringBuilder();
        write(text, value);
        return text.toString();
    }

    private static void write(StringBuilder text, JsonElement value) {
        if (value instanceof JsonArray items) {
            text.append('[');
            for (int at = 0; at < items.size(); at++) {
                text.append(at > 0 ? "," : "");
                write(text, items.get(at));
            }
            text.append(']');
        } else if (value instanceof JsonObject members) {
            text.append('{');
            // A tree orders text by its UTF-16 code units, as the RFC has it.
            String comma = "";
            for (String name : new TreeSet<>(members.keySet())) {
                text.append(comma);
                quote(text, name);
                text.append(':');
                write(text, members.get(name));
                comma = ",";
            }
            text.append('}');
        } else if (value instanceof JsonPrimitive primitive && primitive.isString()) {
            quote(text, primitive.getAsString());
        } else if (value instanceof JsonPrimitive primitive && primitive.isNumber()) {
            text.append(number(primitive.getAsString()));
        } else {
            text.append(value);
        }
    }

    private static void quote(StringBuilder text, String value) {
        text.append('"');
        value.chars().forEach(unit -> {
            switch (unit) {
                case '"' -> text.append("\\\"");
                case '\\' -> text.append("\\\\");
                case '\b' -> text.append("\\b");
                case '\f' -> text.append("\\f");
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                default -> text.append(unit < 0x20 ? "\\u%04x".formatted(unit) : String.valueOf((char) unit));
            }
        });
        text.append('"');
    }

    /** A double as ECMAScript writes it. */
    static String number(String literal) {
        double number = Double.parseDouble(literal);
        boolean isWhole = literal.chars().noneMatch(unit -> unit == '.' || unit == 'e' || unit == 'E');
        if (!Double.isFinite(number) || (isWhole && Math.abs(number) > SAFE_MAX)) {
            throw new ArithmeticException("not every program reads it alike");
        }
        if (number == 0) {
            return "0";
        }
        BigDecimal shortest = shortest(Math.abs(number));
        String digits = shortest.unscaledValue().toString();
        // How many digits stand before the point.
        int point = digits.length() - shortest.scale();
        String sign = number < 0 ? "-" : "";
        if (digits.length() <= point && point <= 21) {
            return sign + digits + "0".repeat(point - digits.length());
        }
        if (0 < point && point <= 21) {
            return sign + digits.substring(0, point) + "." + digits.substring(point);
        }
        if (-6 < point && point <= 0) {
            return sign + "0." + "0".repeat(-point) + digits;
        }
        String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
        return "%s%s%se%+d".formatted(sign, digits.charAt(0), fraction, point - 1);
    }

    /**
     * The fewest digits that are read as the same double; of several the nearest, and of two that are equally near the
     * even ones. {@code Double.toString} has more of them than it needs before Java 19.
     */
    private static BigDecimal shortest(double number) {
        BigDecimal exact = new BigDecimal(number);
        for (int digits = 1; digits < DIGITS_MAX; digits++) {
            BigDecimal below = exact.round(new MathContext(digits, RoundingMode.DOWN));
            BigDecimal above = exact.round(new MathContext(digits, RoundingMode.UP));
            BigDecimal nearest = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
            BigDecimal other = nearest.compareTo(below) == 0 ? above : below;
            for (BigDecimal candidate : new BigDecimal[] {nearest, other}) {
                if (candidate.doubleValue() == number) {
                    return candidate.stripTrailingZeros();
                }
            }
        }
        return exact.round(new MathContext(DIGITS_MAX, RoundingMode.HALF_EVEN)).stripTrailingZeros();
    }
}
