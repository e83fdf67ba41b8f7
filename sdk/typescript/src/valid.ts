/**
 * Asks again until an answer is valid by a check that only the program can make.
 *
 * An answer is final for the server, so that another one is asked for by another event, which shows what was wrong.
 */

import { createHash } from "node:crypto";
import { HitlError, invalid } from "./error.js";
import { facts } from "./evidence.js";
import { oneLine } from "./shown.js";
import * as v1 from "./v1.js";

/** Says what is wrong with an answer, and nothing if it is valid. */
export type Check<T> = (answer: T) => string | undefined | Promise<string | undefined>;

/** How often is asked unless it is set. */
const ATTEMPTS = 3;
/** More of an answer, or of what is wrong with it, nobody reads. */
const CHARS_MAX = 500;
/** What the evidence of another attempt is called. */
const TITLE = "The answer before was not valid";

/** What tells another attempt from the first. */
export interface Again {
  readonly idempotencyKey: string;
  readonly evidence: v1.Evidence;
}

/** The attempts that there were. */
export class Asking {
  readonly #name: string;
  readonly #attempts: number;
  #number = 1;
  /** The event of the first one, by which those of the others are known. */
  #firstId = "";

  constructor(name: string, attempts = ATTEMPTS) {
    if (!(attempts >= 1)) throw invalid(`attempts is ${attempts}: give a number from 1`);
    this.#name = name;
    this.#attempts = attempts;
  }

  /** The next attempt, after one whose answer was not valid. Throws if there is none. */
  again(eventId: string, answer: v1.Value | undefined, said: string): Again {
    this.#firstId ||= eventId;
    const why = shortened(said || "it is not valid");
    if (this.#number >= this.#attempts) {
      const message = `no answer to "${this.#name}" was valid in ${this.#attempts} attempts: ${why}`;
      throw new HitlError("Invalid", oneLine(message), { fieldViolations: [{ field: "value", description: why }] });
    }
    this.#number += 1;
    const key = createHash("sha256").update(`${this.#firstId}\n${this.#number}`).digest("hex");
    const shown: [string, string][] = [["Answer", shortened(text(answer))], ["Why not", why]];
    return { idempotencyKey: `again-${key}`, evidence: facts(TITLE, shown) };
  }
}

/** An answer as people read it. */
function text(value: v1.Value | undefined): string {
  if (!value) return "";
  const { kind } = value;
  switch (kind.case) {
    case undefined: return "";
    case "choice": return kind.value.selected.join(", ");
    case "object": {
      const names = Object.keys(kind.value.fields).sort();
      return names.map((name) => `${name}: ${text(kind.value.fields[name])}`).join("; ");
    }
    case "review": {
      const decision = v1.ReviewDecision[kind.value.decision].toLowerCase();
      return `${decision} ${kind.value.message}`.trimEnd();
    }
    default: return String(kind.value);
  }
}

function shortened(text: string): string {
  const characters = Array.from(text);
  return characters.length <= CHARS_MAX ? text : `${characters.slice(0, CHARS_MAX).join("")}…`;
}
