package dev.hitl;

import dev.hitl.v1.CreateEventRequest;
import dev.hitl.v1.Evidence;
import dev.hitl.v1.FactsEvidence;
import dev.hitl.v1.Value;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The attempts that there were to get an answer that is valid by a check of the program. */
final class Asking {
    /** How often is asked unless it is set. */
    static final int ATTEMPTS = 3;

    /** More of an answer, or of what is wrong with it, nobody reads. */
    private static final int CHARACTERS_MAX = 500;

    /** What the evidence of another attempt is called. */
    private static final String TITLE = "The answer before was not valid";

    private final CreateEventRequest question;
    private final int attempts;
    private int number = 1;
    /** The event of the first one, by which those of the others are known. Null before it was asked. */
    private String firstId;

    Asking(CreateEventRequest question, int attempts) {
        if (attempts < 1) {
            throw HitlException.invalid("attempts is %d: give a number from 1", attempts);
        }
        this.question = question;
        this.attempts = attempts;
    }

    /** The question once more, after an answer that was not valid. */
    CreateEventRequest again(String eventId, Value answer, String said) {
        firstId = firstId == null ? eventId : firstId;
        String why = shortened(said.isEmpty() ? "it is not valid" : said);
        if (number >= attempts) {
            throw HitlException.notValid(
                    "no answer to \"%s\" was valid in %d attempts: %s".formatted(question.getName(), attempts, why), why);
        }
        number++;
        var facts = FactsEvidence.newBuilder();
        facts.addFactsBuilder().setLabel("Answer").setValue(shortened(text(answer)));
        facts.addFactsBuilder().setLabel("Why not").setValue(why);
        return question.toBuilder()
                .setIdempotencyKey("again-" + Key.hash(firstId + "\n" + number))
                .addEvidence(0, Evidence.newBuilder().setTitle(TITLE).setFacts(facts))
                .build();
    }

    /** An answer as people read it. */
    static String text(Value answer) {
        return switch (answer.getKindCase()) {
            case INT -> Long.toString(answer.getInt());
            case FLOAT -> Double.toString(answer.getFloat());
            case STR -> answer.getStr();
            case BOOL -> Boolean.toString(answer.getBool());
            case CHOICE -> String.join(", ", answer.getChoice().getSelectedList());
            case OBJECT -> new TreeMap<>(answer.getObject().getFieldsMap())
                    .entrySet().stream()
                            .map(field -> field.getKey() + ": " + text(field.getValue()))
                            .collect(Collectors.joining("; "));
            case REVIEW -> {
                String decision = answer.getReview().getDecision().name().replace("REVIEW_DECISION_", "");
                String message = answer.getReview().getMessage();
                yield (decision.toLowerCase(java.util.Locale.ROOT) + " " + message).stripTrailing();
            }
            case KIND_NOT_SET -> "";
        };
    }

    private static String shortened(String text) {
        if (text.codePointCount(0, text.length()) <= CHARACTERS_MAX) {
            return text;
        }
        return text.substring(0, text.offsetByCodePoints(0, CHARACTERS_MAX)) + "…";
    }
}
