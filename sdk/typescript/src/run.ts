/** Runs: who asks the same again, in another process or in this one, meets the same events. */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Json } from "./canonical.js";
import type { CallOptions, Client, CreateInit } from "./client.js";
import { sendable } from "./config.js";
import { invalid } from "./error.js";
import { type Event, EventBuilder } from "./event.js";
import { Counts, eventId, keyOfRun, type Ticket } from "./key.js";
import { type Asked, asReview, type Review, type ReviewOptions } from "./review.js";
import type * as v1 from "./v1.js";
import type { DataType } from "./value.js";

// One for the whole process, even if it has loaded this package twice.
const shared = globalThis as Record<symbol, AsyncLocalStorage<Run> | undefined>;
const current = (shared[Symbol.for("hitl.run")] ??= new AsyncLocalStorage<Run>());

/** The run of the innermost `within` that this code runs in. @internal */
export const currentRun = (): Run | undefined => current.getStore();

/**
 * A run with a count of its own: its n-th event of a name is the same for all runs of its id. So an attempt of a task
 * that failed, and is repeated in the same process, meets the events that it had asked for.
 */
export class Run {
  /** The name of the run. */
  readonly id: string;
  readonly #client: Client;
  readonly #counts = new Counts();

  /** @internal */
  constructor(client: Client, id: string) {
    if (!id) throw invalid("a run needs an id that tells it from other runs");
    this.id = sendable("run id", id);
    this.#client = client;
  }

  /** Starts to describe an event of this run, like `Client.event`. */
  event<T>(name: string, prompt: string, type: DataType<T>): EventBuilder<T> {
    return new EventBuilder(this, this.#client, name, prompt, type);
  }

  /** Starts to describe a review of this run, like `Client.review`. */
  review(action: string, args: Json, options: ReviewOptions & Asked = {}): EventBuilder<Review> {
    return this.event(...asReview(action, args, options));
  }

  /** Creates an event of this run from a request of the API, as `Client.create` does. */
  create(init: CreateInit, options: CallOptions = {}): Promise<v1.CreateEventResponse> {
    return this.#client.createIn(this, init, options);
  }

  /**
   * Attaches to the n-th event of a name in this run, counted from 1, whichever process asked for it. It counts nothing.
   * Rejects like `Client.attach`.
   */
  async attach<T>(name: string, type: DataType<T>, n = 1, options: CallOptions = {}): Promise<Event<T>> {
    if (!(Number.isSafeInteger(n) && n >= 1)) throw invalid(`n is ${n}: the events of a name are counted from 1`);
    return this.#client.attach(eventId(this.#client.namespace, keyOfRun(this.id, name, n)), type, options);
  }

  /**
   * Runs `act`, in which every event that is created without a key of its own is one of this run, by whichever client.
   * Each time is an attempt, and counts from the beginning.
   */
  within<R>(act: () => R): R {
    return current.run(new Run(this.#client, this.id), act);
  }

  /** The place of the next event of this name. @internal */
  ticket(namespace: string, name: string): Ticket {
    return this.#counts.ticket(namespace, this.id, name);
  }
}
