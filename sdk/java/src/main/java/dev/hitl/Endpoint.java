package dev.hitl;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where a server is. What an SDK takes is the same in every language: {@code sdk/endpoints.json} lists it.
 *
 * @param isTls whether it is https
 * @param host in lower case; an IPv6 address in brackets
 * @param port 1 to 65535
 */
record Endpoint(boolean isTls, String host, int port) {
    /** The ports that an endpoint without one names, as every URL. */
    private static final int HTTP_PORT = 80;

    private static final int HTTPS_PORT = 443;

    /** More servers than anybody would list. */
    private static final int ENDPOINTS_MAX = 16;

    private static final int PORT_MAX = 65_535;
    private static final int NAME_LENGTH_MAX = 253;
    private static final Pattern AUTHORITY = Pattern.compile("(\\[[^\\]]*\\]|[^\\[\\]:]*)(?::(0*[0-9]{1,5}))?");
    /** Underscores are no part of names on the Internet, but of many within a network. */
    private static final Pattern NAME = Pattern.compile("(?:[A-Za-z0-9_-]{1,63}\\.)*[A-Za-z0-9_-]{1,63}\\.?");

    private static final Pattern ENDS_IN_NUMBER = Pattern.compile("(?:.*\\.)?[0-9]+\\.?");
    private static final String BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private static final String GROUPS = "[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*";
    private static final Pattern IPV6 = Pattern.compile("(?:%s)?(?:::(?:%s)?)?".formatted(GROUPS, GROUPS));
    private static final Pattern IPV4 = Pattern.compile("(?:%s\\.){3}%s".formatted(BYTE, BYTE));

    /** Reads a list with commas. Each is taken once, and all must have one scheme. */
    static List<Endpoint> list(String given) {
        String[] listed = given.split(",", -1);
        if (listed.length > ENDPOINTS_MAX) {
            throw HitlException.invalid("these are %d endpoints: give at most %d", listed.length, ENDPOINTS_MAX);
        }
        List<Endpoint> endpoints = Stream.of(listed).map(Endpoint::parse).distinct().toList();
        if (endpoints.stream().map(Endpoint::isTls).distinct().count() > 1) {
            throw HitlException.invalid("some of the endpoints are http and some https: give all as one of both");
        }
        return endpoints;
    }

    /** Reads what a person set. */
    static Endpoint parse(String given) {
        String text = given.replaceAll("^[ \t\r\n]+|[ \t\r\n]+$", "");
        int scheme = text.indexOf("://");
        boolean isTls = false;
        if (scheme >= 0) {
            String name = text.substring(0, scheme).toLowerCase(Locale.ROOT);
            isTls = name.equals("https");
            if (!isTls && !name.equals("http")) {
                throw unusable(given, "");
            }
            text = text.substring(scheme + 3);
        }
        int slash = text.indexOf('/') < 0 ? text.length() : text.indexOf('/');
        Matcher parts = AUTHORITY.matcher(text.substring(0, slash));
        boolean plain = text.chars().noneMatch(character -> "?#@\\".indexOf(character) >= 0);
        if (!plain || !parts.matches() || !isHost(parts.group(1))) {
            throw unusable(given, "");
        }
        int usual = isTls ? HTTPS_PORT : HTTP_PORT;
        int port = parts.group(2) == null ? usual : Integer.parseInt(parts.group(2));
        if (port < 1 || port > PORT_MAX) {
            throw unusable(given, "");
        }
        String path = text.substring(slash).replaceAll("/+$", "");
        if (!path.isEmpty()) {
            String help = ". It has the path \"%s\", and hitl serves nothing below a path: leave it out";
            throw unusable(given, help.formatted(path));
        }
        return new Endpoint(isTls, parts.group(1).toLowerCase(Locale.ROOT), port);
    }

    /** {@code HOST:PORT}. */
    String authority() {
        return host + ":" + port;
    }

    /** {@code http://HOST:PORT} or {@code https://HOST:PORT}. */
    String url() {
        return (isTls ? "https://" : "http://") + authority();
    }

    /** Whether what is sent there cannot leave the machine. */
    boolean isLoopback() {
        String name = host.replaceFirst("\\.$", "");
        if (host.startsWith("[")) {
            try {
                // An address in brackets is read, and no name is looked up.
                return InetAddress.getByName(host).isLoopbackAddress();
            } catch (UnknownHostException noAddress) {
                return false;
            }
        }
        return name.equals("localhost") || IPV4.matcher(name).matches() && name.startsWith("127.");
    }

    private static boolean isHost(String host) {
        if (host.startsWith("[")) {
            return isIpv6(host.substring(1, host.length() - 1));
        }
        // What ends in a number is an address, as every resolver takes it.
        boolean isName = !ENDS_IN_NUMBER.matcher(host).matches() && host.length() <= NAME_LENGTH_MAX;
        return isName ? NAME.matcher(host).matches() : IPV4.matcher(host).matches();
    }

    /** Eight groups, of which one run may be left out, and the last two of which may be an IPv4 address. */
    private static boolean isIpv6(String text) {
        String groups = text;
        int last = text.lastIndexOf(':') + 1;
        if (IPV4.matcher(text.substring(last)).matches()) {
            groups = text.substring(0, last) + "0:0";
        }
        long counted = Stream.of(groups.split(":")).filter(group -> !group.isEmpty()).count();
        return IPV6.matcher(groups).matches() && (groups.contains("::") ? counted <= 7 : counted == 8);
    }

    private static HitlException unusable(String given, String more) {
        // What stands before an @ may be a password.
        String shown = given.indexOf('@') < 0 ? given : "…" + given.substring(given.lastIndexOf('@'));
        String help = "the endpoint \"%s\" is not usable: give it as http://HOST:PORT or https://HOST:PORT%s";
        return HitlException.invalid("%s", Shown.oneLine(help.formatted(shown, more)));
    }
}
