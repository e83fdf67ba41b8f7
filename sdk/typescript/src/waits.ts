/**
 * All waits of a client, which share one stream.
 *
 * The stream is opened for the first wait, carries however many there are, and is opened again after any loss with
 * everything that is still waited for; it ends with the last wait. To resume is to ask again, so there is nothing to
 * remember but which events.
 */

import { setMaxListeners } from "node:events";
import { clone, create } from "@bufbuild/protobuf";
import { type Connection, message } from "./connection.js";
import { type HitlError, invalid } from "./error.js";
import { discreet } from "./messages.js";
import { Backoff } from "./retry.js";
import { type Event, EventKeySchema, EventSchema, type WaitEventsRequest, WaitEventsRequestSchema } from "./v1.js";
import { serve } from "./waitStream.js";

/** Most events that one message adds, or removes. */
const KEYS_MAX = 1_000;
/** No id is as long, and too long a message would end the waits of others. */
const ID_LENGTH_MAX = 128;

/** One who waits. */
interface Listener {
  readonly resolve: (event: Event) => void;
  readonly reject: (reason: Error) => void;
}

/** What is waited for, and by whom. */
interface Wait {
  listeners: Listener[];
  readonly begunMs: number;
  /** Set while the server is to be asked again at another time. */
  later?: NodeJS.Timeout;
  /** After the server could not take it. */
  backoff?: Backoff;
}

/** The waits of a client. */
export class Waits {
  readonly #connection: Connection;
  readonly #waits = new Map<string, Wait>();
  /** What the server is to be asked for, in order. */
  #toAdd = new Set<string>();
  /** What it was asked for and is not waited for any more. */
  readonly #toRemove = new Set<string>();
  #isServed = false;
  /** Aborted when nothing is waited for any more. */
  #some = new AbortController();
  /** Has whoever has a message to send look again. */
  #wake: (() => void) | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Waits until the event has ended, and resolves to it.
   *
   * Once the client has reached its server, no loss of it ends the wait: the program waits for a person, who may take
   * longer than any outage. Before that, a wrong address is the likelier cause.
   */
  async wait(eventId: string, signal: AbortSignal | undefined): Promise<Event> {
    message(EventKeySchema, { eventId });
    if (eventId.length > ID_LENGTH_MAX) throw invalid("eventId: must be 32 lower-case hexadecimal digits");
    signal?.throwIfAborted();
    // Node would warn of a leak at the eleventh of the waits that share a signal.
    if (signal) setMaxListeners(0, signal);
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#leave(eventId, listener);
        reject(signal?.reason as Error);
      };
      const listener = {
        resolve: (event: Event) => {
          signal?.removeEventListener("abort", stop);
          resolve(event);
        },
        reject: (reason: Error) => {
          signal?.removeEventListener("abort", stop);
          reject(reason);
        },
      };
      signal?.addEventListener("abort", stop, { once: true });
      this.#join(eventId, listener);
    });
  }

  /** Aborted when nothing is waited for any more. */
  get signal(): AbortSignal {
    return this.#some.signal;
  }

  /** How many events are waited for. */
  get count(): number {
    return this.#waits.size;
  }

  /** Notes that nobody serves the stream any more, if nothing is waited for. */
  stop(): boolean {
    this.#isServed = this.#waits.size > 0;
    return !this.#isServed;
  }

  /** Has everything asked for anew, of a new stream. */
  begin(): void {
    this.#toRemove.clear();
    this.#toAdd = new Set([...this.#waits].filter(([, { later }]) => !later).map(([eventId]) => eventId));
  }

  /** What is to be said to the server, until the stream is closed. That nothing is waited for its end says. */
  async *messages(closing: AbortSignal): AsyncGenerator<WaitEventsRequest, void, undefined> {
    closing.addEventListener("abort", () => this.#wake?.());
    while (!closing.aborted) {
      const changed = new Promise<void>((resolve) => { this.#wake = resolve; });
      const next = this.#message();
      if (next) yield next;
      else await changed;
    }
  }

  /** Tells whoever waits for the event that it has ended. */
  end(event: Event): void {
    for (const { resolve } of this.#take(event.id)?.listeners ?? []) resolve(discreet(clone(EventSchema, event)));
  }

  /** What the server could not do for the event: another time, or never. */
  failed(eventId: string, error: HitlError): void {
    const wait = this.#waits.get(eventId);
    if (!wait) return;
    if (!error.retryable) {
      this.#fail(eventId, error);
      return;
    }
    this.#toAdd.delete(eventId);
    clearTimeout(wait.later);
    wait.backoff ??= new Backoff();
    wait.later = setTimeout(() => {
      delete wait.later;
      this.#toAdd.add(eventId);
      this.#wake?.();
    }, wait.backoff.delayMs(error));
  }

  /** Ends every wait by `error` that has lasted too long for `goesOn`. */
  giveUp(error: Error, goesOn: (elapsedMs: number) => boolean): void {
    const nowMs = performance.now();
    for (const [eventId, { begunMs }] of [...this.#waits]) {
      if (!goesOn(nowMs - begunMs)) this.#fail(eventId, error);
    }
  }

  #message(): WaitEventsRequest | undefined {
    if (this.#waits.size === 0 || this.#toAdd.size + this.#toRemove.size === 0) return undefined;
    const { namespace } = this.#connection.settings;
    const keys = (queue: Set<string>) => take(queue).map((eventId) => ({ namespace, eventId }));
    return create(WaitEventsRequestSchema, { add: keys(this.#toAdd), remove: keys(this.#toRemove) });
  }

  #fail(eventId: string, error: Error): void {
    for (const { reject } of this.#take(eventId)?.listeners ?? []) reject(error);
  }

  #join(eventId: string, listener: Listener): void {
    if (this.#waits.size === 0) this.#some = new AbortController();
    let wait = this.#waits.get(eventId);
    if (!wait) {
      wait = { listeners: [], begunMs: performance.now() };
      this.#waits.set(eventId, wait);
      // What the server still waits for, since it has not been told otherwise, needs no asking.
      if (!this.#toRemove.delete(eventId)) this.#toAdd.add(eventId);
    }
    wait.listeners.push(listener);
    this.#wake?.();
    if (this.#isServed) return;
    this.#isServed = true;
    void serve(this.#connection, this);
  }

  #leave(eventId: string, listener: Listener): void {
    const wait = this.#waits.get(eventId);
    if (!wait) return;
    wait.listeners = wait.listeners.filter((other) => other !== listener);
    if (wait.listeners.length > 0) return;
    if (!wait.later && !this.#toAdd.has(eventId)) this.#toRemove.add(eventId);
    this.#take(eventId);
    this.#wake?.();
  }

  #take(eventId: string): Wait | undefined {
    const wait = this.#waits.get(eventId);
    if (!wait) return undefined;
    this.#waits.delete(eventId);
    this.#toAdd.delete(eventId);
    clearTimeout(wait.later);
    if (this.#waits.size === 0) this.#some.abort();
    return wait;
  }
}

/** Takes out of the queue as many as go into one message. */
function take(queue: Set<string>): string[] {
  const taken: string[] = [];
  for (const eventId of queue) {
    if (taken.length === KEYS_MAX) break;
    queue.delete(eventId);
    taken.push(eventId);
  }
  return taken;
}
