/** Canonical JSON (RFC 8785), and the digest of an action that a person reviews. */

import { createHash } from "node:crypto";

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/**
 * The SHA-256 of an action and its arguments, in 64 hexadecimal digits. Throws a `TypeError` if the arguments are no JSON
 * that every program reads alike.
 *
 * @internal
 */
export function actionDigest(action: string, args: Json): string {
  return createHash("sha256").update(canonical({ action, arguments: args })).digest("hex");
}

/** The value in its canonical form. @internal */
export function canonical(value: unknown): string {
  if (typeof value === "string" && /\p{Surrogate}/u.test(value)) throw new TypeError("text has half a character");
  if (typeof value === "number" && (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))) {
    throw new TypeError(`not every program reads ${value} alike: write it as text`);
  }
  if (value === null || ["boolean", "number", "string"].includes(typeof value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object") {
    const members = value as Record<string, unknown>;
    // By UTF-16 code units, as the RFC has it.
    const names = Object.keys(members).sort();
    return `{${names.map((name) => `${canonical(name)}:${canonical(members[name])}`).join(",")}}`;
  }
  throw new TypeError(`a ${typeof value} is no JSON`);
}
