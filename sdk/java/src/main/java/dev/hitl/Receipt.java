package dev.hitl;

import com.google.gson.JsonObject;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Objects;

/** How an event ended, signed by the server that recorded it. */
public final class Receipt {
    /** The one algorithm there is (RFC 8032). */
    static final String ALGORITHM = "Ed25519";

    /** Before the hash of what is signed: says what it is, and ends where no other use of the key does. */
    private static final byte[] DOMAIN = "hitl receipt v1\0".getBytes(StandardCharsets.US_ASCII);
    /** What makes the 32 bytes of a key one that Java reads (RFC 8410). */
    private static final byte[] KEY_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");

    private final String text;
    private final String algorithm;
    private final String keyId;
    private final byte[] signature;

    Receipt(String text, String algorithm, String keyId, byte[] signature) {
        this.text = text;
        this.algorithm = algorithm;
        this.keyId = keyId;
        this.signature = signature.clone();
    }

    static Receipt of(dev.hitl.v1.Receipt receipt) {
        return new Receipt(
                receipt.getText(), receipt.getAlgorithm(), receipt.getKeyId(), receipt.getSignature().toByteArray());
    }

    /**
     * The receipt in JSON: as {@link #toJson} writes it, or as {@code GET /v1/events/{id}/receipt} answers.
     *
     * @throws HitlException of kind {@code INVALID} if it is none
     */
    public static Receipt fromJson(String json) {
        JsonObject outer = Json.object(json);
        JsonObject written = outer != null && outer.get("receipt") instanceof JsonObject inner ? inner : outer;
        try {
            return new Receipt(
                    Objects.requireNonNull(Json.textOf(written.get("text"))),
                    Objects.requireNonNull(Json.textOf(written.get("algorithm"))),
                    Objects.requireNonNull(Json.textOf(written.get("keyId"))),
                    Base64.getDecoder().decode(Json.textOf(written.get("signature"))));
        } catch (IllegalArgumentException | NullPointerException missing) {
            throw HitlException.invalid("this is no receipt, or not a whole one: it has text, algorithm, keyId and a "
                    + "signature in base64");
        }
    }

    /** The receipt as JSON, on one line, to be kept. */
    public String toJson() {
        JsonObject written = new JsonObject();
        written.addProperty("text", text);
        written.addProperty("algorithm", algorithm);
        written.addProperty("keyId", keyId);
        written.addProperty("signature", Base64.getEncoder().encodeToString(signature));
        return written.toString();
    }

    /** What is signed, in canonical JSON (RFC 8785). */
    public String text() {
        return text;
    }

    /** How it is signed: {@code Ed25519}. */
    public String algorithm() {
        return algorithm;
    }

    /** The name of the key that verifies it. */
    public String keyId() {
        return keyId;
    }

    /** The signature, 64 bytes. */
    public byte[] signature() {
        return signature.clone();
    }

    /**
     * What the receipt says, if one of the keys has signed it. Calls no server. {@code docs/receipts.md} says what a
     * receipt does not prove.
     *
     * @throws HitlException of kind {@code INVALID} if none has; then it proves nothing
     */
    public Statement verify(KeySet keys) {
        if (!algorithm.equals(ALGORITHM)) {
            throw HitlException.invalid(
                    "it is signed with \"%s\", and this program knows only %s", Shown.oneLine(algorithm), ALGORITHM);
        }
        byte[] key = keys.get(keyId);
        if (key == null) {
            throw HitlException.invalid(
                    "it is signed with the key \"%s\", which is not among the %d keys that were given: fetch the keys of "
                            + "the deployment that it is from, or it is forged",
                    Shown.oneLine(keyId), keys.size());
        }
        if (!isSignedWith(key)) {
            throw HitlException.invalid(
                    "the signature does not fit: the text, the signature or the name of the key was changed");
        }
        return Statement.read(text);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Receipt that
                && text.equals(that.text)
                && algorithm.equals(that.algorithm)
                && keyId.equals(that.keyId)
                && Arrays.equals(signature, that.signature);
    }

    @Override
    public int hashCode() {
        return Objects.hash(text, algorithm, keyId, Arrays.hashCode(signature));
    }

    private boolean isSignedWith(byte[] key) {
        try {
            ByteBuffer encoded = ByteBuffer.allocate(KEY_PREFIX.length + key.length).put(KEY_PREFIX).put(key);
            PublicKey known = KeyFactory.getInstance(ALGORITHM).generatePublic(new X509EncodedKeySpec(encoded.array()));
            Signature check = Signature.getInstance(ALGORITHM);
            check.initVerify(known);
            check.update(DOMAIN);
            check.update(KeySet.sha256(utf8(text)));
            return check.verify(signature);
        } catch (GeneralSecurityException | CharacterCodingException misfit) {
            return false;
        }
    }

    /** Half of a surrogate pair has no bytes, lest it be taken for the character in its place. */
    private static byte[] utf8(String text) throws CharacterCodingException {
        ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
        return Arrays.copyOf(bytes.array(), bytes.limit());
    }
}
