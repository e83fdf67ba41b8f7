package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import io.grpc.Metadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class HeadersTest {
    private static final class Listed {
        List<Case> headers;
    }

    private static final class Case {
        String name;
        String value;
        String refused;
    }

    @Test
    void aHeaderCanBeSetAsInEveryOtherLanguage() throws IOException {
        Listed listed = new Gson().fromJson(Files.readString(Path.of("../endpoints.json")), Listed.class);
        assertFalse(listed.headers.isEmpty());
        for (Case expected : listed.headers) {
            Config config = new Config().endpoint("h").header(expected.name, expected.value);
            if (expected.refused == null) {
                new Client(config).close();
                continue;
            }
            var error = assertThrows(HitlException.class, () -> new Client(config), expected.name);
            assertEquals(HitlException.Kind.INVALID, error.kind());
            assertTrue(error.getMessage().contains(expected.refused), error.getMessage());
        }
        Map<String, String> many = new HashMap<>();
        for (int n = 0; n < 33; n++) {
            many.put("x-" + n, "a");
        }
        assertThrows(HitlException.class, () -> new Headers(many));
    }

    @Test
    void headersGoWithEveryCallBesideTheToken() throws IOException {
        try (Scripted server = new Scripted();
                Client client = server.client(new Config().header("X-Team", "payments").token("hitl_a"))) {
            client.decline("e", "", "");
            assertEquals(List.of("Bearer hitl_a"), server.bearers);
            assertEquals("payments", server.headers.get(Metadata.Key.of("x-team", Metadata.ASCII_STRING_MARSHALLER)));
        }
    }

    @Test
    void headersAreNotPrinted() {
        Config config = new Config().endpoint("h").header("x-key", "secret");
        assertFalse((config + " " + config.resolve(name -> null)).contains("secret"));
    }
}
