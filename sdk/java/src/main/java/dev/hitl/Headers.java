package dev.hitl;

import io.grpc.Metadata;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/** Headers that go with every call, such as what a proxy on the way asks for. They are never printed. */
final class Headers {
    private static final int HEADERS_MAX = 32;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");
    /** Those of HTTP/2 and gRPC are made by them, and who calls is said by the token. */
    private static final Pattern TAKEN = Pattern.compile(
            "authorization|connection|content-.*|grpc-.*|host|te|trailer|transfer-encoding|upgrade|user-agent|.*-bin");

    private static final Pattern VALUE = Pattern.compile("[ -~]{0,4096}");

    /** By their names in lower case. */
    private final Map<String, String> values;

    /** Checks that there can be such headers. */
    Headers(Map<String, String> given) {
        if (given.size() > HEADERS_MAX) {
            throw HitlException.invalid("these are %d headers: give at most %d", given.size(), HEADERS_MAX);
        }
        values = new LinkedHashMap<>();
        given.forEach((name, value) -> {
            String lower = name.toLowerCase(Locale.ROOT);
            if (!NAME.matcher(name).matches() || TAKEN.matcher(lower).matches()) {
                throw HitlException.invalid(
                        "no header can be called \"%s\": give a name of letters, digits, -, _ and . that is not one of "
                                + "HTTP or gRPC, and the token by `token`",
                        Shown.oneLine(name));
            }
            if (!VALUE.matcher(value).matches()) {
                throw HitlException.invalid(
                        "the header \"%s\" has characters that a header cannot have, or more than 4,096", lower);
            }
            values.put(lower, value);
        });
    }

    /** What a call begins with. */
    Metadata metadata() {
        Metadata metadata = new Metadata();
        values.forEach((name, value) ->
                metadata.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value));
        return metadata;
    }
}
