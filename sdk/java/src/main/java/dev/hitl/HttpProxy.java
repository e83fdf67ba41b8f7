package dev.hitl;

import io.grpc.HttpConnectProxiedSocketAddress;
import io.grpc.ProxiedSocketAddress;
import io.grpc.ProxyDetector;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.regex.Pattern;

/**
 * What leads to servers by CONNECT. What an SDK takes is the same in every language: {@code sdk/endpoints.json} lists
 * it.
 */
final class HttpProxy implements ProxyDetector {
    /** Signs of a user or a password as a URL has them. */
    private static final Pattern PART = Pattern.compile("(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*");

    /** Plain http. */
    private final Endpoint endpoint;
    /** Null if it wants none. */
    private final String user;

    private final String password;
    /** Whether it is not for servers of this machine. */
    private final boolean sparesLoopback;

    private HttpProxy(Endpoint endpoint, String user, String password, boolean sparesLoopback) {
        this.endpoint = endpoint;
        this.user = user;
        this.password = password;
        this.sparesLoopback = sparesLoopback;
    }

    /**
     * The one that code names, else the one of the environment, which may be meant for other servers than those of this
     * machine. Null if neither does.
     */
    static HttpProxy of(String code, String environment) {
        String given = code != null ? code : environment;
        return given == null ? null : parse(given, code == null);
    }

    private static HttpProxy parse(String given, boolean sparesLoopback) {
        String text = given.replaceAll("^[ \t\r\n]+|[ \t\r\n]+$", "");
        int scheme = text.indexOf("://");
        if (scheme >= 0 && !text.substring(0, scheme).equalsIgnoreCase("http")) {
            throw unusable();
        }
        String rest = scheme < 0 ? text : text.substring(scheme + 3);
        int at = rest.lastIndexOf('@');
        Endpoint endpoint = server(rest.substring(at + 1));
        if (at < 0) {
            return new HttpProxy(endpoint, null, null, sparesLoopback);
        }
        String written = rest.substring(0, at);
        int colon = written.indexOf(':') < 0 ? written.length() : written.indexOf(':');
        String user = decoded(written.substring(0, colon));
        String password = colon == written.length() ? "" : decoded(written.substring(colon + 1));
        if (user.isEmpty() || user.contains(":")) {
            throw unusable();
        }
        return new HttpProxy(endpoint, user, password, sparesLoopback);
    }

    private static Endpoint server(String text) {
        // A second scheme would be that of the server.
        if (text.contains("://")) {
            throw unusable();
        }
        try {
            return Endpoint.parse(text);
        } catch (HitlException tellsWhatWasGiven) {
            throw unusable();
        }
    }

    /** What a part of a URL stands for: text without control characters. */
    private static String decoded(String part) {
        if (!PART.matcher(part).matches()) {
            throw unusable();
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int at = 0; at < part.length(); at++) {
            boolean isEscaped = part.charAt(at) == '%';
            bytes.write(isEscaped ? Integer.parseInt(part.substring(at + 1, at + 3), 16) : part.charAt(at));
            at += isEscaped ? 2 : 0;
        }
        try {
            var text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.toByteArray()));
            if (text.chars().anyMatch(Character::isISOControl)) {
                throw unusable();
            }
            return text.toString();
        } catch (CharacterCodingException noText) {
            throw unusable();
        }
    }

    /** Nothing of what was given is shown, for any of it may be a password. */
    private static HitlException unusable() {
        return HitlException.invalid("proxy (HITL_PROXY) is not usable: give it as http://HOST:PORT or "
                + "http://USER:PASSWORD@HOST:PORT, with signs such as @ in USER and PASSWORD as %%40");
    }

    /** Whether it is gone through to get to the server. */
    boolean isFor(Endpoint server) {
        return !(sparesLoopback && server.isLoopback());
    }

    /** What {@code proxy-authorization} says, null if nothing. */
    String authorization() {
        if (user == null) {
            return null;
        }
        byte[] proof = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
        return "Basic " + Base64.getEncoder().encodeToString(proof);
    }

    /** The way to a server, whose name the proxy looks up. */
    @Override
    public ProxiedSocketAddress proxyFor(SocketAddress server) throws IOException {
        return HttpConnectProxiedSocketAddress.newBuilder()
                .setProxyAddress(new InetSocketAddress(address(), endpoint.port()))
                .setTargetAddress((InetSocketAddress) server)
                .setUsername(user)
                .setPassword(password)
                .build();
    }

    private InetAddress address() throws IOException {
        try {
            return InetAddress.getByName(endpoint.host());
        } catch (UnknownHostException unknown) {
            throw new IOException(ThroughProxy.unreachable(this, "its name cannot be looked up", unknown));
        }
    }

    /** Where it is, without the password. */
    @Override
    public String toString() {
        return endpoint.url();
    }
}
