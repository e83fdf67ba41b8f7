package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.hitl.v1.ChoiceValue;
import dev.hitl.v1.CreateEventRequest;
import dev.hitl.v1.ObjectValue;
import dev.hitl.v1.ReviewDecision;
import dev.hitl.v1.ReviewValue;
import dev.hitl.v1.Value;
import org.junit.jupiter.api.Test;

final class AskingTest {
    private static final CreateEventRequest QUESTION =
            CreateEventRequest.newBuilder().setName("n").build();

    private static Value text(String text) {
        return Value.newBuilder().setStr(text).build();
    }

    @Test
    void anAnswerIsShownAsPeopleReadIt() {
        var choice = ChoiceValue.newBuilder().addSelected("a").addSelected("b");
        var object = ObjectValue.newBuilder().putFields("b", text("2")).putFields("a", text("1"));
        var review = ReviewValue.newBuilder()
                .setDecision(ReviewDecision.REVIEW_DECISION_REJECT)
                .setMessage("too much");
        assertEquals("-7", Asking.text(Value.newBuilder().setInt(-7).build()));
        assertEquals("1.5", Asking.text(Value.newBuilder().setFloat(1.5).build()));
        assertEquals("seven", Asking.text(text("seven")));
        assertEquals("true", Asking.text(Value.newBuilder().setBool(true).build()));
        assertEquals("a, b", Asking.text(Value.newBuilder().setChoice(choice).build()));
        assertEquals("a: 1; b: 2", Asking.text(Value.newBuilder().setObject(object).build()));
        assertEquals("reject too much", Asking.text(Value.newBuilder().setReview(review).build()));
        assertEquals("", Asking.text(Value.getDefaultInstance()));
    }

    @Test
    void whatIsLongIsCutBetweenCharacters() {
        Asking asking = new Asking(QUESTION, 2);
        var shown = asking.again("id", text("😀".repeat(501)), "").getEvidence(0).getFacts();
        assertEquals("😀".repeat(500) + "…", shown.getFacts(0).getValue());
        assertEquals("it is not valid", shown.getFacts(1).getValue());
    }

    @Test
    void withoutAnAttemptNothingIsAskedAndAfterTheLastOneNothingMore() {
        assertThrows(HitlException.class, () -> new Asking(QUESTION, 0));
        Asking asking = new Asking(QUESTION, 1);
        HitlException error = assertThrows(HitlException.class, () -> asking.again("id", text("a"), "no"));
        assertEquals(HitlException.Kind.INVALID, error.kind());
        assertEquals("value", error.fieldViolations().get(0).field());
        assertEquals("no", error.fieldViolations().get(0).description());
    }
}
