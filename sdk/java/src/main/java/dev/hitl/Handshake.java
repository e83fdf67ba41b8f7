package dev.hitl;

import java.security.cert.CertificateException;
import javax.net.ssl.SSLException;

/** What keeps TLS from being spoken, and time does not mend. */
final class Handshake {
    private Handshake() {}

    /** What to do about it, after the endpoint; null if that is not why. */
    static String help(Throwable cause) {
        String message = Shown.oneLine(String.valueOf(cause.getMessage()));
        if (cause instanceof CertificateException) {
            String untrusted = "has a certificate that is not trusted (%s): set ca or HITL_CA to that of whoever signed "
                    + "it, and call the server by a name that it has";
            return untrusted.formatted(message);
        }
        if (!(cause instanceof SSLException)) {
            return null;
        }
        if (cause.getClass().getSimpleName().equals("NotSslRecordException")) {
            return "does not speak TLS: give the endpoint as http:// if that is meant";
        }
        // What the other side says when it ends a handshake, which for TLS 1.3 comes with the first read.
        if (message.toLowerCase(java.util.Locale.ROOT).contains("alert")) {
            String refused = "refused the connection (%s): set cert and key, or HITL_CERT and HITL_KEY, to a "
                    + "certificate that it takes";
            return refused.formatted(message);
        }
        return null;
    }
}
