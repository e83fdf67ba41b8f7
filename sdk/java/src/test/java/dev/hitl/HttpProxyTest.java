package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class HttpProxyTest {
    @Test
    void everyProxyIsTakenAsInEveryOtherLanguage() throws Exception {
        String list = Files.readString(Path.of("..", "endpoints.json"));
        var cases = JsonParser.parseString(list).getAsJsonObject().getAsJsonArray("proxies");
        assertFalse(cases.isEmpty());
        for (JsonElement element : cases) {
            JsonObject each = element.getAsJsonObject();
            String given = each.get("given").getAsString();
            if (each.has("used")) {
                HttpProxy proxy = HttpProxy.of(given, null);
                assertEquals(each.get("used").getAsString(), proxy.toString(), given);
                assertEquals(each.has("says") ? each.get("says").getAsString() : null, proxy.authorization(), given);
                continue;
            }
            HitlException error = assertThrows(HitlException.class, () -> HttpProxy.of(given, null), given);
            assertEquals(HitlException.Kind.INVALID, error.kind());
            String message = error.getMessage();
            assertTrue(message.startsWith("proxy") && message.contains("%40"), message);
            assertFalse(message.contains("secret") || message.contains("3128"), message);
        }
    }

    @Test
    void noPasswordIsPrinted() {
        Config config = new Config().endpoint("http://h:1").proxy("http://ada:secret@proxy:3128");
        String printed = config + " " + config.resolve(name -> null);
        assertFalse(printed.contains("secret"), printed);
        assertTrue(printed.contains("http://proxy:3128"), printed);
    }

    @Test
    void thatOfTheEnvironmentIsNotForServersOfThisMachine() {
        HttpProxy code = HttpProxy.of("http://proxy:1", "http://other:1");
        HttpProxy environment = HttpProxy.of(null, "http://proxy:1");
        Endpoint here = Endpoint.parse("http://localhost:2");
        Endpoint away = Endpoint.parse("https://hitl.example.org");
        assertTrue(code.isFor(here) && code.isFor(away));
        assertFalse(environment.isFor(here));
        assertTrue(environment.isFor(away));
        assertNull(HttpProxy.of(null, null));
    }

    @Test
    void whatHasNothingToDoWithTheProxyIsLeftAsItIs() {
        ThroughProxy through = new ThroughProxy(HttpProxy.of("http://proxy:1", null), Endpoint.parse("http://h:1"));
        assertNull(through.explain(null));
        assertNull(through.explain(new java.io.IOException("reset")));
        assertNull(through.explain(HitlException.internal("ours", null)));
    }
}
