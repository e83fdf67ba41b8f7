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
        assertEquals("http://code:2", settings.endpoint().url());
        assertEquals("code-run", settings.runId());
        assertEquals("env", settings.namespace());
        assertNull(settings.launcher());

        Config empty = new Config().endpoint("").namespace("").runId("");
        settings = resolve(empty, variables);
        assertEquals("http://env:1", settings.endpoint().url());
        assertEquals("env", settings.namespace());
        assertEquals("env-run", settings.runId());

        settings = resolve(empty, Map.of("HITL_ENDPOINT", "", "HITL_NAMESPACE", "", "HITL_RUN_ID", ""));
        assertEquals("http://127.0.0.1:4485", settings.endpoint().url());
        assertEquals("default", settings.namespace());
        assertNull(settings.runId());
        assertNotNull(settings.launcher());
    }

    @Test
    void theLocalServerFollowsItsVariables() {
        var variables = Map.of("HITL_PORT", "7001", "HITL_BIN", "/opt/hitl", "HOME", "/users/ada");
        Serve launcher = resolve(new Config(), variables).launcher();
        assertEquals(7001, launcher.address().getPort());
        assertEquals(Path.of("/opt/hitl"), launcher.binary());
        assertEquals(Path.of("/users/ada/.local/share/hitl"), launcher.dataDir());

        var shared = Map.of("XDG_DATA_HOME", "/data", "HOME", "/users/ada");
        assertEquals(Path.of("/data/hitl"), resolve(new Config(), shared).launcher().dataDir());
        var relative = Map.of("XDG_DATA_HOME", "data", "HOME", "/users/ada");
        assertEquals(launcher.dataDir(), resolve(new Config(), relative).launcher().dataDir());
        var own = Map.of("HITL_DATA_DIR", "here", "XDG_DATA_HOME", "/data");
        assertEquals(Path.of("here"), resolve(new Config(), own).launcher().dataDir());
    }

    @Test
    void unusableSettingsSayWhatToDo() {
        for (String endpoint : List.of("https://host", "http://", "a b")) {
            Config config = new Config().endpoint(endpoint);
            var error = assertThrows(HitlException.class, () -> resolve(config, Map.of()));
            assertTrue(error.getMessage().contains("http://HOST:PORT"), error.getMessage());
        }
        for (String port : List.of("x", "0", "65536", "+80", "٨٠")) {
            var variables = Map.of("HITL_PORT", port);
            assertThrows(HitlException.class, () -> resolve(new Config(), variables));
        }
    }
}
