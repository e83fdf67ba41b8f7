package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConfigTest {
    private static Config.Settings resolve(Config config, Map<String, String> variables) {
        return config.resolve(variables::get);
    }

    @Test
    void codeWinsOverEnvironmentOverDefault() {
        var variables =
                Map.of(
                        "HITL_ENDPOINT", "http://env:1",
                        "HITL_NAMESPACE", "env",
                        "HITL_RUN_ID", "env-run");
        var settings = resolve(new Config().endpoint("code:2/").runId("code-run"), variables);
        assertEquals("http://code:2", settings.endpoints().get(0).url());
        assertEquals("code-run", settings.runId());
        assertEquals("env", settings.namespace());
        assertNull(settings.local());

        Config empty = new Config().endpoint("").namespace("").runId("");
        settings = resolve(empty, variables);
        assertEquals("http://env:1", settings.endpoints().get(0).url());
        assertEquals("env", settings.namespace());
        assertEquals("env-run", settings.runId());

        settings = resolve(empty, Map.of("HITL_ENDPOINT", "", "HITL_NAMESPACE", "", "HITL_RUN_ID", ""));
        assertTrue(settings.endpoints().isEmpty());
        assertEquals("default", settings.namespace());
        assertNull(settings.runId());
        assertNotNull(settings.local());
    }

    @Test
    void theProgramIsThatOfTheCodeOrOfTheEnvironment() {
        var variables = Map.of("HITL_BIN", "/opt/hitl");
        assertEquals(Path.of("/opt/hitl"), resolve(new Config(), variables).local().binary());
        Config config = new Config().binary(Path.of("mine"));
        assertEquals(Path.of("mine"), resolve(config, variables).local().binary());
    }

    @Test
    void unusableSettingsSayWhatToDo() {
        for (String endpoint : List.of("ftp://host", "http://", "a b")) {
            Config config = new Config().endpoint(endpoint);
            var error = assertThrows(HitlException.class, () -> resolve(config, Map.of()));
            assertTrue(error.getMessage().contains("http://HOST:PORT"), error.getMessage());
        }
    }
}
