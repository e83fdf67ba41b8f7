/** Tells people where to answer, on stderr. */

import { isFinal } from "./messages.js";
import { oneLine, quoted } from "./shown.js";
import type { Event } from "./v1.js";

/** Whoever asks for thousands of answers tells people in a way of their own. */
const LINES_MAX = 20;

/** What a client has told of its events. */
export class Telling {
  #left: number;

  constructor(isWanted: boolean) {
    this.#left = isWanted ? LINES_MAX : 0;
  }

  /** Says where to answer, unless the event has ended. */
  tell(event: Event): void {
    if (isFinal(event) || this.#left === 0) return;
    this.#left -= 1;
    const where = event.formUrl ? ` at ${oneLine(event.formUrl)}` : ` (event ${oneLine(event.id)})`;
    print(`${quoted(event.name)} waits for an answer${where}`);
    if (this.#left === 0) print("if more events wait for answers, they are not told of here");
  }
}

const print = (text: string) => process.stderr.write(`hitl: ${text}\n`);
