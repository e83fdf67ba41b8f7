package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hitl.v1.Event;
import io.grpc.Server;
import io.grpc.TlsServerCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
class TlsTest {
    /** A certificate and its key, in PEM. */
    private record Signed(byte[] cert, byte[] key) {}

    @TempDir private static Path dir;
    private static Signed authority;
    private static Signed serverPair;
    private static Signed clientPair;

    private final List<AutoCloseable> open = new ArrayList<>();

    @BeforeAll
    static void certificates() throws Exception {
        keytool("ca", "-ext", "bc:c");
        keytool("server", "-signer", "ca", "-ext", "san=ip:127.0.0.1");
        keytool("client", "-signer", "ca");
        KeyStore store = KeyStore.getInstance(dir.resolve("store").toFile(), "password".toCharArray());
        authority = signed(store, "ca");
        serverPair = signed(store, "server");
        clientPair = signed(store, "client");
    }

    /** Makes a pair by the program that comes with Java, which has no such function for programs. */
    private static void keytool(String alias, String... more) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of("-genkeypair", "-alias", alias, "-dname", "CN=" + alias, "-keyalg", "EC"));
        command.addAll(List.of("-keystore", dir.resolve("store").toString(), "-storetype", "PKCS12"));
        command.addAll(List.of("-storepass", "password"));
        command.addAll(List.of(more));
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, keytool.waitFor(), said);
    }

    private static Signed signed(KeyStore store, String alias) throws Exception {
        byte[] key = store.getKey(alias, "password".toCharArray()).getEncoded();
        return new Signed(pem("CERTIFICATE", store.getCertificate(alias).getEncoded()), pem("PRIVATE KEY", key));
    }

    private static byte[] pem(String name, byte[] content) {
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        String text = "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(name, base64, name);
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Starts a server and returns its port. */
    private int serve(boolean wantsCertificate) throws IOException {
        var credentials =
                TlsServerCredentials.newBuilder()
                        .keyManager(
                                new ByteArrayInputStream(serverPair.cert()),
                                new ByteArrayInputStream(serverPair.key()))
                        .trustManager(new ByteArrayInputStream(authority.cert()))
                        .clientAuth(
                                wantsCertificate
                                        ? TlsServerCredentials.ClientAuth.REQUIRE
                                        : TlsServerCredentials.ClientAuth.NONE)
                        .build();
        Scripted scripted = new Scripted();
        scripted.stored.put("e", Event.newBuilder().setId("e").build());
        Server server = NettyServerBuilder.forPort(0, credentials).addService(scripted.service()).build().start();
        open.add(server::shutdownNow);
        open.add(scripted);
        return server.getPort();
    }

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable one : open) one.close();
    }

    @Test
    void aServerIsCalledOverTlsByWhomeverItsAuthorityTrusts() throws Exception {
        String endpoint = "https://127.0.0.1:" + serve(true);
        Config config = new Config().endpoint(endpoint).token("t");
        config.ca(authority.cert()).cert(clientPair.cert()).key(clientPair.key());
        try (Client client = new Client(config)) {
            assertEquals("e", client.get("e").getId());
        }
        Map<String, String> variables =
                Map.of(
                        "HITL_CA", Files.write(dir.resolve("ca"), authority.cert()).toString(),
                        "HITL_CERT", Files.write(dir.resolve("cert"), clientPair.cert()).toString(),
                        "HITL_KEY", Files.write(dir.resolve("key"), clientPair.key()).toString());
        try (Client client = new Client(new Config().endpoint(endpoint).resolve(variables::get))) {
            assertEquals("e", client.get("e").getId());
        }
    }

    private static void tellsAtOnce(Config config, String told) {
        try (Client client = new Client(config)) {
            long begun = System.nanoTime();
            HitlException error = assertThrows(HitlException.class, () -> client.get("e"));
            assertTrue(error.getMessage().contains(told), error.getMessage());
            assertEquals(HitlException.Kind.UNAVAILABLE, error.kind());
            assertFalse(error.isRetryable());
            assertTrue(Duration.ofNanos(System.nanoTime() - begun).toSeconds() < 8);
        }
    }

    @Test
    void whatKeepsTlsFromBeingSpokenIsToldAtOnce() throws Exception {
        int port = serve(false);
        tellsAtOnce(new Config().endpoint("https://127.0.0.1:" + port), "set ca or HITL_CA");
        tellsAtOnce(new Config().endpoint("https://localhost:" + port).ca(authority.cert()), "a name that it has");
        tellsAtOnce(new Config().endpoint("https://127.0.0.1:" + serve(true)).ca(authority.cert()), "HITL_CERT");
        Server plain = NettyServerBuilder.forPort(0).build().start();
        open.add(plain::shutdownNow);
        String endpoint = "https://127.0.0.1:" + plain.getPort();
        tellsAtOnce(new Config().endpoint(endpoint).ca(authority.cert()), "does not speak TLS");
    }

    @Test
    void whatCannotBeUsedForTlsIsRefusedWhenTheClientIsMade() {
        byte[] text = "hello".getBytes(StandardCharsets.US_ASCII);
        Map<String, Config> refused =
                Map.of(
                        "/no/such/ca", new Config().endpoint("https://h").ca(Path.of("/no/such/ca")),
                        "HITL_CA", new Config().endpoint("https://h").ca(text),
                        "without the other", new Config().endpoint("https://h").cert(authority.cert()),
                        "no PEM", new Config().endpoint("https://h").cert(authority.cert()).key(text),
                        "an https endpoint", new Config().endpoint("http://127.0.0.1").ca(authority.cert()));
        refused.forEach((told, config) -> {
            HitlException error = assertThrows(HitlException.class, () -> new Client(config), told);
            assertEquals(HitlException.Kind.INVALID, error.kind());
            assertTrue(error.getMessage().contains(told), error.getMessage());
        });
        // The environment's is for another endpoint.
        new Client(new Config().endpoint("http://h").resolve(Map.of("HITL_CA", "/no/such/ca")::get)).close();
    }
}
