package dev.hitl;

import dev.hitl.v1.Response;

/**
 * An answer, and what else was said.
 *
 * @param value the answer; the default if nobody answered in time
 * @param response how the event ended: its {@code comment} is what the person said beside the value, its {@code
 *     responder} who that was, its {@code time} when
 */
public record Details<T>(T value, Response response) {}
