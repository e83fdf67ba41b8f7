/**
 * Lets a program stop and ask a person, however long that takes and whatever crashes in between. The README says what
 * happens when.
 *
 * @module
 */

import { type CallOptions, defaultClient } from "./client.js";
import type { DataType } from "./value.js";

export { type Answer, type CallOptions, Client, type RespondOptions } from "./client.js";
export type { Config } from "./config.js";
export { type ErrorKind, type FieldViolation, HitlError } from "./error.js";
export { type Event, type EventBuilder } from "./event.js";
export * as v1 from "./v1.js";
export {
  bool, choice, choices, type DataType, type Field, float, int, object, type Option, str, type StrOptions,
} from "./value.js";
export type { Change } from "./watch.js";

/**
 * Asks one question and waits for its answer, with everything else left at its default.
 *
 * Prints where to answer to stderr, since nobody could know otherwise. Rejects like `EventBuilder.create` and
 * `Event.wait`.
 */
export async function ask<T>(name: string, prompt: string, type: DataType<T>, options: CallOptions = {}): Promise<T> {
  const event = await defaultClient().event(name, prompt, type).create(options);
  event.announce();
  return event.wait(options);
}
