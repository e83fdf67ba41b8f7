/**
 * Messages of the API as they are printed and logged: without links, since whoever has a link can answer, and as JSON
 * although `JSON.stringify` knows no `bigint`.
 */

import { clone, type DescMessage, type JsonValue, type MessageShape, toBinary, toJson } from "@bufbuild/protobuf";
import { invalid } from "./error.js";
import { lines, quoted } from "./shown.js";
import * as v1 from "./v1.js";

/** A state that this version does not know counts as pending. */
export function isFinal(event: v1.Event): boolean {
  const { ANSWERED, DECLINED, CANCELLED, TIMED_OUT } = v1.EventState;
  return [ANSWERED, DECLINED, CANCELLED, TIMED_OUT].includes(event.state);
}

/** What node calls to print an object. */
export const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** What node hands to it. */
export type Inspect = (value: unknown, options: object) => string;

/** Has the event be printed and logged without its links. Its fields stay as they are. */
export function discreet(event: v1.Event): v1.Event {
  const hidden = (value: (...handed: never[]) => unknown) => ({ value, enumerable: false, configurable: true, writable: true });
  return Object.defineProperties(event, {
    toJSON: hidden(() => json(v1.EventSchema, withoutLinks(event))),
    [INSPECT]: hidden((_depth: number, options: object, inspect: Inspect) => {
      return printed({ ...withoutLinks(event) }, options, inspect);
    }),
  });
}

function withoutLinks(event: v1.Event): v1.Event {
  return Object.assign(clone(v1.EventSchema, event), { formUrl: "", apiUrl: "" });
}

/** An object as node prints it, with hidden characters as escapes. They would be colours too. */
export function printed(object: object, options: object, inspect: Inspect): string {
  return lines(inspect(object, { ...options, colors: false }));
}

/** A message as JSON; null if it is not one that JSON can express. */
export function json<D extends DescMessage>(schema: D, message: MessageShape<D>): JsonValue {
  try {
    return toJson(schema, message);
  } catch {
    return null;
  }
}

/** Refuses what cannot be sent, which would otherwise look like a fault of the connection or be replaced silently. */
export function ensureSendable<D extends DescMessage>(schema: D, message: MessageShape<D>): void {
  ensureWhole(message, "");
  toBinary(schema, message);
}

/** Text with half of a surrogate pair has no form in UTF-8. */
function ensureWhole(value: unknown, path: string): void {
  if (typeof value === "string" && /\p{Surrogate}/u.test(value)) {
    throw invalid(`${path.slice(1)} is ${quoted(value)}: give text without halves of surrogate pairs`);
  }
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  for (const [name, member] of Object.entries(value)) {
    ensureWhole(name, `${path}.${name}`);
    ensureWhole(member, `${path}.${name}`);
  }
}
