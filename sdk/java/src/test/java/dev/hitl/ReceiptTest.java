package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ReceiptTest {
    private static final class Listed {
        Map<String, JsonObject> keys;
        List<Case> cases;
        List<Refused> refusedKeys;
    }

    private static final class Case {
        String name;
        JsonObject receipt;
        String keys;
        Says says;
        String refused;
    }

    private static final class Says {
        String eventId;
        String namespace;
        String state;
        String time;
    }

    private static final class Refused {
        String name;
        JsonObject set;
        String refused;
    }

    private static Listed listed() throws IOException {
        Listed listed = new Gson().fromJson(Files.readString(Path.of("../receipts.json")), Listed.class);
        assertFalse(listed.cases.isEmpty() || listed.refusedKeys.isEmpty());
        return listed;
    }

    private static void refuses(String name, String part, Executable act) {
        var refused = assertThrows(HitlException.class, act, name);
        assertEquals(HitlException.Kind.INVALID, refused.kind(), name);
        assertTrue(refused.getMessage().contains(part), refused.getMessage());
    }

    @Test
    void everyReceiptIsJudgedAsInEveryOtherLanguage() throws IOException {
        Listed listed = listed();
        for (Case expected : listed.cases) {
            Receipt receipt = Receipt.fromJson(expected.receipt.toString());
            KeySet keys = KeySet.fromJson(listed.keys.get(expected.keys).toString());
            if (expected.says == null) {
                refuses(expected.name, expected.refused, () -> receipt.verify(keys));
                continue;
            }
            Says says = expected.says;
            var said = new Statement(says.eventId, says.namespace, says.state, says.time, receipt.text());
            assertEquals(said, receipt.verify(keys), expected.name);
        }
    }

    @Test
    void keysThatAreNotWhatTheySayAreRefused() throws IOException {
        for (Refused expected : listed().refusedKeys) {
            refuses(expected.name, expected.refused, () -> KeySet.fromJson(expected.set.toString()));
        }
        refuses("many", "500", () -> new KeySet(Collections.nCopies(501, new byte[32])));
        refuses("short", "damaged", () -> new KeySet(List.of(new byte[31])));
    }

    @Test
    void aReceiptAndItsKeysSurviveTheirJson() throws IOException {
        String written = listed().cases.get(0).receipt.toString();
        Receipt receipt = Receipt.fromJson("{\"receipt\":" + written + "}");
        assertEquals(receipt, Receipt.fromJson(receipt.toJson()));
        assertEquals(written, receipt.toJson());
        KeySet keys = KeySet.fromJson(listed().keys.get("both").toString());
        assertEquals(2, keys.size());
        assertEquals(keys, KeySet.fromJson(keys.toJson()));
    }

    @Test
    void whatIsNoReceiptIsRefused() {
        for (String junk : List.of("", "[]", "null", "{}", "7", "{\"receipt\":{}}", "[".repeat(100_000))) {
            refuses(junk, "no receipt", () -> Receipt.fromJson(junk));
            refuses(junk, "JWK set", () -> KeySet.fromJson(junk));
        }
    }

    @Test
    void halfOfASurrogatePairIsNotTakenForAnotherCharacter() throws GeneralSecurityException {
        var pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        byte[] encoded = pair.getPublic().getEncoded();
        KeySet keys = new KeySet(List.of(Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length)));
        String name = new Gson()
                .fromJson(keys.toJson(), JsonObject.class)
                .getAsJsonArray("keys")
                .get(0)
                .getAsJsonObject()
                .get("kid")
                .getAsString();
        String text = "{\"format\":\"hitl.receipt.v1\",\"question\":{\"id\":\"?\"}}";
        Signature signing = Signature.getInstance("Ed25519");
        signing.initSign(pair.getPrivate());
        signing.update("hitl receipt v1\0".getBytes(StandardCharsets.US_ASCII));
        signing.update(KeySet.sha256(text.getBytes(StandardCharsets.UTF_8)));
        byte[] signature = signing.sign();
        assertEquals("?", new Receipt(text, "Ed25519", name, signature).verify(keys).eventId());
        Receipt forged = new Receipt(text.replace('?', '\ud800'), "Ed25519", name, signature);
        refuses("half", "does not fit", () -> forged.verify(keys));
    }
}
