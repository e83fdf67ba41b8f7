package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hitl.v1.ReviewDecision;
import dev.hitl.v1.ReviewValue;
import dev.hitl.v1.Value;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class ReviewTest {
    private static final String DIGEST = "6e754bf35ee93590a88fc501983653a2da86e76841c678157cd4aec356b9ffd5";
    private static final String ARGUMENTS = "{\"to\": \"Ada\", \"amount\": 120, \"notify\": true}";

    private static Review decided(Consumer<ReviewValue.Builder> change) {
        ReviewValue.Builder value =
                ReviewValue.newBuilder()
                        .setDecision(ReviewDecision.REVIEW_DECISION_APPROVE)
                        .setArguments("{\"notify\": true, \"amount\": 1.2e2, \"to\": \"Ada\"}")
                        .setShownDigest(DIGEST)
                        .setApprovedDigest(DIGEST);
        change.accept(value);
        return Input.review("refund", ARGUMENTS).read(Value.newBuilder().setReview(value).build());
    }

    private static HitlException.Kind refused(Review review, String action) {
        return assertThrows(
                        HitlException.class,
                        () -> review.executeIfApproved(action, arguments -> {
                            throw new AssertionError("it is done");
                        }))
                .kind();
    }

    @Test
    void canonicalFormsAreThoseOfTheRfc() {
        Map<Long, String> written =
                Map.ofEntries(
                        Map.entry(0x0000000000000001L, "5e-324"),
                        Map.entry(0x7fefffffffffffffL, "1.7976931348623157e+308"),
                        Map.entry(0x4430000000000000L, "295147905179352830000"),
                        Map.entry(0x44b52d02c7e14af5L, "9.999999999999997e+22"),
                        Map.entry(0x44b52d02c7e14af6L, "1e+23"),
                        Map.entry(0x44b52d02c7e14af7L, "1.0000000000000001e+23"),
                        Map.entry(0x444b1ae4d6e2ef4eL, "999999999999999700000"),
                        Map.entry(0x444b1ae4d6e2ef50L, "1e+21"),
                        Map.entry(0x3eb0c6f7a0b5ed8cL, "9.999999999999997e-7"),
                        Map.entry(0x3eb0c6f7a0b5ed8dL, "0.000001"),
                        Map.entry(0x41b3de4355555556L, "333333333.3333334"),
                        Map.entry(0xbecbf647612f3696L, "-0.0000033333333333333333"),
                        Map.entry(0x43143ff3c1cb0959L, "1424953923781206.2"));
        written.forEach((bits, text) -> {
            String literal = new BigDecimal(Double.longBitsToDouble(bits)).toString();
            assertEquals(text, Canonical.number(literal.contains(".") || literal.contains("E") ? literal : literal + ".0"));
        });
        String value = "{\"\\ufb33\": null, \"\\ud83d\\ude00\": [], \"b\\n<\": \"\\u0001\"}";
        assertEquals(
                "{\"b\\n<\":\"\\u0001\",\"\ud83d\ude00\":[],\"\ufb33\":null}", Canonical.text(Json.value(value)));
        for (String unclear : List.of("9007199254740992", "1e400", "{", "")) {
            assertNull(Canonical.actionDigest("a", unclear), unclear);
        }
    }

    @Test
    void onlyWhatWasApprovedIsDone() {
        Review review = decided(value -> {});
        assertEquals(review.arguments(), review.executeIfApproved("refund", arguments -> arguments));
        assertTrue(review.approves("refund", ARGUMENTS));
        assertFalse(review.approves("refund", ARGUMENTS.replace("120", "121")));
        assertEquals(HitlException.Kind.INVALID, refused(review, "pay"));
        Review changed = decided(value -> value.setArguments("{\"amount\": 121}"));
        assertEquals(HitlException.Kind.INVALID, refused(changed, "refund"));
    }

    @Test
    void whatWasNotApprovedIsNotDone() {
        for (int decision : new int[] {3, 4}) {
            Review review = decided(value -> value.setDecisionValue(decision).setMessage("not now"));
            assertEquals(HitlException.Kind.DECLINED, refused(review, "refund"));
        }
        Review unproved = decided(value -> value.setApprovedDigest(""));
        assertEquals(HitlException.Kind.DECLINED, refused(unproved, "refund"));
        assertEquals(HitlException.Kind.DECLINED, refused(Review.reject("nobody"), "refund"));
    }

    @Test
    void aDecisionOnSomethingElseIsAnError() {
        List<Consumer<ReviewValue.Builder>> changes =
                List.of(
                        value -> value.setShownDigest("00"),
                        value -> value.setDecisionValue(9),
                        value -> value.setArguments("{"));
        for (Consumer<ReviewValue.Builder> change : changes) {
            HitlException error = assertThrows(HitlException.class, () -> decided(change));
            assertEquals(HitlException.Kind.INTERNAL, error.kind());
        }
    }

    @Test
    void whatIsSetIsWhatIsAsked() {
        Input.Action input =
                Input.review("refund", ARGUMENTS)
                        .schema("{}")
                        .allow(Review.Decision.APPROVE, Review.Decision.REJECT);
        var asked = input.proto.getReview();
        assertEquals(List.of("refund", ARGUMENTS, "{}"), List.of(asked.getAction(), asked.getArguments(), asked.getJsonSchema()));
        assertEquals(
                List.of(ReviewDecision.REVIEW_DECISION_APPROVE, ReviewDecision.REVIEW_DECISION_REJECT),
                asked.getAllowList());
        assertEquals("later", input.write(Review.respond("later")).getReview().getMessage());
    }
}
