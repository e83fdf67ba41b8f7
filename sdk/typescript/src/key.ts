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

/** How many events of each name were asked for. */
export class Counts {
  readonly #series: Map<string, Numbers>;

  constructor(series = new Map<string, Numbers>()) {
    this.#series = series;
  }

  /** The place of the next event of this name. */
  ticket(namespace: string, runId: string, name: string): Ticket {
    const id = JSON.stringify([namespace, runId, name]);
    const numbers = this.#series.get(id) ?? { issued: 0, returned: [] };
    this.#series.set(id, numbers);
    return new Ticket(numbers, (number) => keyOfRun(runId, name, number));
  }
}

const shared = globalThis as Record<symbol, Map<string, Numbers> | undefined>;

/** One count for the whole process, even if it has loaded this package twice, since several clients may serve one run. */
export const processCounts = new Counts((shared[Symbol.for("hitl.numbers")] ??= new Map<string, Numbers>()));

/**
 * Says how-many-th event of its name this is. Give it back when nothing was created, and its number goes to the next
 * one: a create that failed and is repeated by the program must not change what later events are.
 */
export class Ticket {
  readonly #numbers: Numbers;
  readonly #number: number;
  readonly key: string;

  constructor(numbers: Numbers, keyOf: (number: number) => string) {
    this.#numbers = numbers;
    this.#number = numbers.returned.shift() ?? ++numbers.issued;
    this.key = keyOf(this.#number);
  }

  giveBack(): void {
    this.#numbers.returned.push(this.#number);
    this.#numbers.returned.sort((a, b) => a - b);
  }
}

/** `run-` and the SHA-256 of run id, name and number, one a line: the same in every language. */
export const keyOfRun = (runId: string, name: string, number: number): string =>
  `run-${createHash("sha256").update(`${runId}\n${name}\n${number}`).digest("hex")}`;

/** The id that the server gives to the event of a key: a UUID of the version that is for ids of one's own. */
export function eventId(namespace: string, key: string): string {
  const id = createHash("sha256").update(`${namespace}\0${key}`).digest().subarray(0, 16);
  id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x80, 6);
  id.writeUInt8((id.readUInt8(8) & 0x3f) | 0x80, 8);
  return id.toString("hex");
}

/** A key that no other call has. */
export const once = (): string => randomBytes(16).toString("hex");
