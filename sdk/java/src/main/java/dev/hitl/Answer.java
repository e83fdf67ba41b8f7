package dev.hitl;

import dev.hitl.v1.AnswerEventRequest;

/** An answer in one of the forms that {@link Client#answer} takes: a value, JSON, or text. */
public final class Answer {
    final AnswerEventRequest request;

    private Answer(AnswerEventRequest.Builder request) {
        this.request = request.build();
    }

    /**
     * A typed value, in any of the types that {@link Input} has, or as the API has it ({@link
     * dev.hitl.v1.Value}).
     *
     * @throws HitlException of kind {@code INVALID} if it is of no such type
     */
    public static Answer value(Object value) {
        return new Answer(AnswerEventRequest.newBuilder().setValue(Values.of(value)));
    }

    /** The value as plain JSON: {@code 42}, {@code "text"}, {@code ["option"]}. */
    public static Answer json(String json) {
        return new Answer(AnswerEventRequest.newBuilder().setJson(json));
    }

    /** The value as a person would type it. */
    public static Answer text(String text) {
        return new Answer(AnswerEventRequest.newBuilder().setText(text));
    }

    /** The same answer with what the person says beside the value, which the program gets with it. */
    public Answer comment(String comment) {
        return new Answer(request.toBuilder().setComment(comment));
    }
}
