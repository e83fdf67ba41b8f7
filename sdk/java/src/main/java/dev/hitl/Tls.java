package dev.hitl;

import io.grpc.ChannelCredentials;
import io.grpc.TlsChannelCredentials;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How a client and its server know each other over TLS. */
final class Tls {
    /** A file in PEM, or what it would hold. Of the latter nothing is ever printed. */
    static final class Pem {
        private final Path path;
        private final byte[] text;

        private Pem(Path path, byte[] text) {
            this.path = path;
            this.text = text;
        }

        static Pem of(Path path) {
            return path == null ? null : new Pem(path, null);
        }

        static Pem of(byte[] text) {
            return text == null ? null : new Pem(null, text.clone());
        }

        private byte[] read(String option) {
            try {
                return text != null ? text : Files.readAllBytes(path);
            } catch (IOException unreadable) {
                throw unusable("%s cannot be read: %s".formatted(option, Shown.oneLine(unreadable.toString())));
            }
        }
    }

    /** What is in none of the three is null. */
    private final Pem ca;

    private final Pem cert;
    private final Pem key;

    Tls(Pem ca, Pem cert, Pem key) {
        this.ca = ca;
        this.cert = cert;
        this.key = key;
        if ((cert == null) != (key == null)) {
            throw unusable("cert and key (HITL_CERT and HITL_KEY): one without the other is of no use");
        }
    }

    /** Reads everything. Without a {@code ca} the server's certificate is trusted as Java does. */
    ChannelCredentials credentials() {
        TlsChannelCredentials.Builder builder = TlsChannelCredentials.newBuilder();
        try {
            if (ca != null) {
                builder.trustManager(new ByteArrayInputStream(ca.read("ca (HITL_CA)")));
            }
            if (cert != null) {
                builder.keyManager(
                        new ByteArrayInputStream(cert.read("cert (HITL_CERT)")),
                        new ByteArrayInputStream(key.read("key (HITL_KEY)")));
            }
            return builder.build();
        } catch (IOException impossible) {
            throw new AssertionError("they are read from memory", impossible);
        }
    }

    static HitlException unusable(String message) {
        return HitlException.invalid("%s", message);
    }
}
