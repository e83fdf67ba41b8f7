package dev.hitl;

import dev.hitl.v1.ReviewDecision;
import dev.hitl.v1.ReviewInput;
import dev.hitl.v1.ReviewValue;
import java.util.function.Function;

/**
 * A decision on an action. What may be done comes out of {@link #executeIfApproved} alone.
 *
 * @param decision what was decided
 * @param action the action that was decided on
 * @param arguments what was approved, as JSON; null if nothing was
 * @param message why it was rejected, or what to go on with instead; may be empty
 * @param shownDigest digest of what the person was shown; empty if nobody was, as when a default was used
 * @param approvedDigest digest of what was approved; empty if nothing was
 */
public record Review(
        Decision decision,
        String action,
        String arguments,
        String message,
        String shownDigest,
        String approvedDigest) {
    /** What a person decides about an action. */
    public enum Decision {
        /** It may be taken exactly as it was shown. */
        APPROVE(ReviewDecision.REVIEW_DECISION_APPROVE),
        /** It may be taken with other arguments. */
        EDIT(ReviewDecision.REVIEW_DECISION_EDIT),
        /** It may not be taken. */
        REJECT(ReviewDecision.REVIEW_DECISION_REJECT),
        /** It may not be taken, and there is something to go on with instead. */
        RESPOND(ReviewDecision.REVIEW_DECISION_RESPOND);

        final ReviewDecision number;

        Decision(ReviewDecision number) {
            this.number = number;
        }

        private static Decision of(ReviewDecision number) {
            for (Decision decision : values()) {
                if (decision.number == number) {
                    return decision;
                }
            }
            throw HitlException.internal("the server sent no known decision", null);
        }
    }

    /** A decision by which an action may not be taken, as the default of an event on which nobody decides. */
    public static Review reject(String reason) {
        return new Review(Decision.REJECT, "", null, reason, "", "");
    }

    /** The same with something to go on with instead. */
    public static Review respond(String message) {
        return new Review(Decision.RESPOND, "", null, message, "", "");
    }

    /** Whether the action may be taken, with the arguments that were approved. */
    public boolean isApproved() {
        return (decision == Decision.APPROVE || decision == Decision.EDIT) && !approvedDigest.isEmpty();
    }

    /** Whether exactly this action with exactly these arguments, which are JSON, was approved. */
    public boolean approves(String action, String arguments) {
        return isApproved() && approvedDigest.equals(Canonical.actionDigest(action, arguments));
    }

    /**
     * Calls {@code run} with the arguments that were approved for the action, as JSON, and returns what it returns.
     *
     * @throws HitlException of kind {@code DECLINED} if the action was not approved, and of kind {@code INVALID} if
     *     what was approved is another action, or not what its digest says. {@code run} is not called then.
     */
    public <R> R executeIfApproved(String action, Function<String, R> run) {
        if (!isApproved()) {
            String why = message.isEmpty() ? "" : ": " + message;
            String said = Shown.oneLine("the action \"%s\" was not approved%s".formatted(this.action, why));
            throw HitlException.declined(said);
        }
        if (!approves(action, arguments)) {
            String said = Shown.oneLine("what was approved is not \"%s\" with these arguments".formatted(action));
            throw HitlException.invalid("%s", said);
        }
        return run.apply(arguments);
    }

    /** The decision that a value is on what was asked. */
    static Review of(ReviewValue value, ReviewInput asked) {
        // Where a default was used nobody was shown anything.
        String shown = value.getShownDigest();
        if (!shown.isEmpty() && !shown.equals(Canonical.actionDigest(asked.getAction(), asked.getArguments()))) {
            throw HitlException.internal("the server sent a decision on something else than was shown", null);
        }
        String arguments = value.getArguments().isEmpty() ? null : value.getArguments();
        if (arguments != null && Json.value(arguments) == null) {
            throw HitlException.internal("the server sent arguments that are no JSON", null);
        }
        Decision decision = Decision.of(value.getDecision());
        return new Review(
                decision, asked.getAction(), arguments, value.getMessage(), shown, value.getApprovedDigest());
    }

    ReviewValue toProto() {
        return ReviewValue.newBuilder()
                .setDecision(decision.number)
                .setArguments(arguments == null ? "" : arguments)
                .setMessage(message)
                .setShownDigest(shownDigest)
                .build();
    }
}
