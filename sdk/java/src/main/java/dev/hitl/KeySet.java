package dev.hitl;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The public keys that verify receipts, by their names. */
public final class KeySet {
    /** More than any deployment has: a new one each day for a year and more. */
    private static final int KEYS_MAX = 500;

    private static final int KEY_BYTES = 32;

    private final Map<String, byte[]> keys = new TreeMap<>();

    /** The keys of these bytes, which must be as many as a key has. */
    KeySet(List<byte[]> all) {
        if (all.size() > KEYS_MAX) {
            throw HitlException.invalid("there are more than %d keys", KEYS_MAX);
        }
        for (byte[] key : all) {
            if (key.length != KEY_BYTES) {
                throw HitlException.invalid("the key %s is damaged: a key has %d bytes", name(key), KEY_BYTES);
            }
            keys.put(name(key), key);
        }
    }

    /**
     * The keys in a JWK set, as {@link #toJson} writes it and {@code hitl receipt-key list} prints it. Keys of other kinds
     * are passed over.
     *
     * @throws HitlException of kind {@code INVALID} if it is none, or a key is not what its name says
     */
    public static KeySet fromJson(String json) {
        JsonObject set = Json.object(json);
        if (set == null || !(set.get("keys") instanceof JsonArray jwks)) {
            throw HitlException.invalid(
                    "these are no public keys of receipts: a JWK set is wanted, as `hitl receipt-key list` prints it");
        }
        List<byte[]> keys = new ArrayList<>();
        for (JsonElement element : jwks) {
            JsonObject jwk = element instanceof JsonObject object ? object : new JsonObject();
            if ("OKP".equals(Json.textOf(jwk.get("kty"))) && Receipt.ALGORITHM.equals(Json.textOf(jwk.get("crv")))) {
                keys.add(key(jwk));
            }
        }
        return new KeySet(keys);
    }

    /** The keys as a JWK set (RFC 7517), to be kept. */
    public String toJson() {
        JsonArray jwks = new JsonArray();
        keys.forEach((name, key) -> {
            JsonObject jwk = required(key);
            jwk.addProperty("kid", name);
            jwk.addProperty("alg", "EdDSA");
            jwk.addProperty("use", "sig");
            jwks.add(jwk);
        });
        JsonObject set = new JsonObject();
        set.add("keys", jwks);
        return set.toString();
    }

    /** How many keys there are. */
    public int size() {
        return keys.size();
    }

    /** Whether both are sets of the same keys. */
    @Override
    public boolean equals(Object other) {
        return other instanceof KeySet set && keys.keySet().equals(set.keys.keySet());
    }

    @Override
    public int hashCode() {
        return keys.keySet().hashCode();
    }

    @Override
    public String toString() {
        return "%d public keys of receipts".formatted(size());
    }

    /** The key of this name, null if there is none. */
    byte[] get(String name) {
        return keys.get(name);
    }

    private static byte[] key(JsonObject jwk) {
        String named = Json.textOf(jwk.get("kid"));
        String shown = Shown.oneLine(named == null ? "" : named);
        byte[] key = decoded(Json.textOf(jwk.get("x")));
        if (key.length != KEY_BYTES) {
            throw HitlException.invalid("the key %s is damaged: it must be %d bytes in base64url", shown, KEY_BYTES);
        }
        // A name is made of its key, so that nobody can put another key under it.
        if (named != null && !named.isEmpty() && !named.equals(name(key))) {
            throw HitlException.invalid(
                    "the key that is called %s is another one, %s: somebody has changed it", shown, name(key));
        }
        return key;
    }

    private static byte[] decoded(String base64) {
        try {
            return base64 == null ? new byte[0] : Base64.getUrlDecoder().decode(base64);
        } catch (IllegalArgumentException damaged) {
            return new byte[0];
        }
    }

    /** The members of a JWK that its thumbprint (RFC 7638) is made of, in their order. */
    private static JsonObject required(byte[] key) {
        JsonObject jwk = new JsonObject();
        jwk.addProperty("crv", Receipt.ALGORITHM);
        jwk.addProperty("kty", "OKP");
        jwk.addProperty("x", base64url(key));
        return jwk;
    }

    private static String name(byte[] key) {
        return base64url(sha256(required(key).toString().getBytes(StandardCharsets.UTF_8)));
    }

    private static String base64url(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("every Java has it", impossible);
        }
    }
}
