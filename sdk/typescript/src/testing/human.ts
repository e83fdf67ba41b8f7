/** A person who does as a test says. */

import type { Answer, Client } from "../client.js";
import { HitlError } from "../error.js";
import { quoted } from "../shown.js";
import { ChangeKind, EventState } from "../v1.js";
import { ServerTime } from "./time.js";

/** How something is done. */
export interface HumanOptions {
  /** How many milliseconds pass on the server before that, at once: none unless set. */
  readonly after?: number | undefined;
  /** What is given first, as JSON, each of which has to be refused. */
  readonly nonsense?: readonly unknown[] | undefined;
  /** What is said beside the value. */
  readonly comment?: string | undefined;
}

interface Act {
  readonly what: (eventId: string) => Promise<unknown>;
  readonly options: HumanOptions;
}

/** How long it takes at most until an event that was created is known. */
const NEWS_LIMIT_MS = 2_000;

/**
 * A person who answers the events of a client's namespace, on a server for tests only.
 *
 * What is to be done is said by the name of the event, before the event is created or later: the first act is for the first
 * event of that name, the second for the second. An event for which nothing is said stays as it is. What goes wrong meanwhile
 * is what `check` rejects with.
 */
export class Human {
  readonly #client: Client;
  readonly #name: string;
  readonly #stopping = new AbortController();
  readonly #acts = new Map<string, Act[]>();
  readonly #asked = new Map<string, string[]>();
  readonly #busy = new Set<Promise<void>>();
  #problems: string[] = [];
  /** Called when an event has come. */
  #news: () => void = () => undefined;

  private constructor(client: Client, name: string, readonly time: ServerTime) {
    this.#client = client;
    this.#name = name;
  }

  /** A person of this name. Rejects with kind `Invalid` if the client's server is no server for tests. */
  static async of(client: Client, name = "a test"): Promise<Human> {
    const human = new Human(client, name, await ServerTime.of(client.endpoint));
    const { events, resumeToken } = await client.list({ state: EventState.PENDING });
    for (const event of events) human.#hear(event);
    void human.#follow(resumeToken);
    return human;
  }

  /**
   * Answers the next event of that name with a value, as JSON has it, once `nonsense` was refused and `after` has passed on
   * the server. If the event has ended by then, the answer comes too late, as answers do.
   */
  answer(name: string, value: unknown, options: HumanOptions = {}): void {
    this.#answer(name, { json: JSON.stringify(value) }, options);
  }

  /** The same, with text as a person would type it. */
  answerText(name: string, text: string, options: HumanOptions = {}): void {
    this.#answer(name, { text }, options);
  }

  /** Declines the next event of that name. */
  decline(name: string, reason = "", options: HumanOptions = {}): void {
    this.#plan(name, (id) => this.#client.decline(id, reason, { responder: this.#name }), options);
  }

  /** Leaves the next event of that name alone. */
  ignore(name: string, options: HumanOptions = {}): void {
    this.#plan(name, () => Promise.resolve(), options);
  }

  /**
   * Waits for what is under way, and rejects if not all went as said: if nonsense was taken, an answer was refused, or nobody
   * has asked for one.
   */
  async check(): Promise<void> {
    const isLeft = () => [...this.#acts.values()].some((acts) => acts.length > 0);
    // What was just asked may not have come here yet.
    for (const until = Date.now() + NEWS_LIMIT_MS; isLeft() && Date.now() < until;) await this.#nextEvent(until);
    while (this.#busy.size > 0) await Promise.all(this.#busy);
    for (const [name, { length }] of this.#acts) {
      if (length > 0) this.#problems.push(`nobody has asked ${quoted(name)}, ${length} more times`);
    }
    const problems = this.#problems;
    this.#problems = [];
    this.#acts.clear();
    if (problems.length > 0) throw new Error(problems.join("; "));
  }

  /** Goes away. What is asked from now on is left as it is. */
  close(): void {
    this.#stopping.abort();
  }

  #answer(name: string, answer: Answer, options: HumanOptions): void {
    const { comment } = options;
    this.#plan(name, (id) => this.#client.answer(id, answer, { responder: this.#name, comment }), options);
  }

  #plan(name: string, what: Act["what"], options: HumanOptions): void {
    listOf(this.#acts, name).push({ what, options });
    this.#match(name);
  }

  #hear({ id, name }: { id: string; name: string }): void {
    listOf(this.#asked, name).push(id);
    this.#match(name);
    this.#news();
  }

  async #follow(resumeToken: string): Promise<void> {
    const { signal } = this.#stopping;
    try {
      for await (const { kind, event } of this.#client.watch({ resumeToken }, { signal })) {
        if (kind === ChangeKind.CREATED) this.#hear(event);
      }
    } catch (error) {
      if (!signal.aborted) this.#problems.push(`the events could not be followed: ${String(error)}`);
    }
  }

  #match(name: string): void {
    const [acts, asked] = [listOf(this.#acts, name), listOf(this.#asked, name)];
    while (acts.length > 0 && asked.length > 0) {
      const [act, id] = [acts.shift(), asked.shift()];
      if (!act || id === undefined) return;
      const done = this.#perform(id, act)
        .catch((error: unknown) => {
          if (!this.#stopping.signal.aborted) this.#problems.push(`${quoted(name)}: ${messageOf(error)}`);
        })
        .finally(() => this.#busy.delete(done));
      this.#busy.add(done);
    }
  }

  async #perform(id: string, { what, options: { after = 0, nonsense = [] } }: Act): Promise<void> {
    for (const wrong of nonsense) {
      const json = JSON.stringify(wrong);
      const refused = await this.#client.answer(id, { json }, { responder: this.#name }).then(() => false, isOf("Invalid"));
      if (!refused) throw new Error(`${json} was to be refused, and was taken`);
    }
    if (after) await this.time.advance(after);
    try {
      await what(id);
    } catch (error) {
      if (!after || !isConflict(error)) throw error;
    }
  }

  /** Waits until an event has come, or that time. */
  #nextEvent(until: number): Promise<void> {
    return new Promise((come) => {
      const timer = setTimeout(come, Math.max(0, until - Date.now()));
      this.#news = () => { clearTimeout(timer); come(); };
    });
  }
}

const isConflict = (error: unknown) => error instanceof HitlError && error.kind === "Conflict";
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** What is of that kind; anything else goes on. */
const isOf = (kind: string) => (error: unknown) => {
  if (error instanceof HitlError && error.kind === kind) return true;
  throw error;
};

function listOf<T>(map: Map<string, T[]>, name: string): T[] {
  const list = map.get(name) ?? [];
  map.set(name, list);
  return list;
}
