/**
 * Lets a program stop and ask a person, however long that takes and whatever crashes in between. The README says what
 * happens when.
 *
 * @module
 */

import { type CallOptions, defaultClient } from "./client.js";
import type { Event } from "./event.js";
import { Run } from "./run.js";
import type { DataType } from "./value.js";

export { type Answer, type AnswerOptions, type CallOptions, Client, type EventsOptions, type LinkOptions, type RespondOptions } from "./client.js";
export type { Config } from "./config.js";
export type { Pem, Token } from "./credential.js";
export { type ErrorKind, type FieldViolation, HitlError } from "./error.js";
export { type AttemptsOptions, type Details, type Event, type EventBuilder, type Risk } from "./event.js";
export * as evidence from "./evidence.js";
export { Link } from "./link.js";
export type { Logger } from "./log.js";
export { KeySet, Receipt, Statement } from "./receipt.js";
export type { Json } from "./canonical.js";
export { type Asked, type Decision, decision, Review, review, type ReviewInit, type ReviewOptions } from "./review.js";
export { Run } from "./run.js";
export * as v1 from "./v1.js";
export {
  bool, choice, choices, type DataType, type Field, float, int, object, type Option, str, type StrOptions,
} from "./value.js";
export type { Check } from "./valid.js";
export type { Change } from "./watch.js";

/**
 * Asks one question and waits for its answer, with everything else left at its default.
 *
 * Prints where to answer to stderr, as `Event.wait` does. Rejects like `EventBuilder.create` and
 * `Event.wait`.
 */
export async function ask<T>(name: string, prompt: string, type: DataType<T>, options: CallOptions = {}): Promise<T> {
  const event = await defaultClient().event(name, prompt, type).create(options);
  return event.wait(options);
}

/** A run of this id, for the client of the environment: `run("job-9").within(() => ...)`. */
export const run = (id: string): Run => new Run(defaultClient(), id);

/** Attaches to an event that was asked before, like `Client.attach`, with the client of the environment. */
export async function attach<T>(eventId: string, type: DataType<T>, options: CallOptions = {}): Promise<Event<T>> {
  return defaultClient().attach(eventId, type, options);
}
