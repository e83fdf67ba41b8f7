/**
 * Idempotency keys: from the run where there is one, else random.
 *
 * The n-th event of a name in a run always gets the same key. That is what makes a program that crashed and starts
 * again from its beginning meet the events it had created.
 */

import { createHash, randomBytes } from "node:crypto";

interface Numbers {
  issued: number;
  /** Issued, but given back because nothing was created. */
  returned: number[];
}

// One count for the whole process, even if it has loaded this package twice, since several clients may serve one run.
const shared = globalThis as Record<symbol, Map<string, Numbers> | undefined>;
const series = (shared[Symbol.for("hitl.numbers")] ??= new Map<string, Numbers>());

/**
 * Says how-many-th event of its name this is. Give it back when nothing was created, and its number goes to the next
 * one: a create that failed and is repeated by the program must not change what later events are.
 */
export class Ticket {
  readonly #numbers: Numbers;
  readonly #number: number;
  /** `run-` and the SHA-256 of run id, name and number, one a line: the same in every language. */
  readonly key: string;

  constructor(namespace: string, runId: string, name: string) {
    const id = JSON.stringify([namespace, runId, name]);
    this.#numbers = series.get(id) ?? { issued: 0, returned: [] };
    series.set(id, this.#numbers);
    this.#number = this.#numbers.returned.shift() ?? ++this.#numbers.issued;
    this.key = `run-${createHash("sha256").update(`${runId}\n${name}\n${this.#number}`).digest("hex")}`;
  }

  giveBack(): void {
    this.#numbers.returned.push(this.#number);
    this.#numbers.returned.sort((a, b) => a - b);
  }
}

/** A key that no other call has. */
export const once = (): string => randomBytes(16).toString("hex");
