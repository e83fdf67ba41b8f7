/** Describes an event and creates it; and the event that was created, with its typed outcome. */

import { create } from "@bufbuild/protobuf";
import { DurationSchema, timestampDate } from "@bufbuild/protobuf/wkt";
import type { CallOptions, Client } from "./client.js";
import { endedWithoutValue, internal, invalid } from "./error.js";
import { discreet, INSPECT, type Inspect, isFinal, printed } from "./messages.js";
import { oneLine, quoted } from "./shown.js";
import * as v1 from "./v1.js";
import type { DataType } from "./value.js";

/** An event that is about to be created: nothing is asked before `create`. The server checks every rule. */
export class EventBuilder<T> {
  readonly #client: Client;
  readonly #type: DataType<T>;
  readonly #request: v1.CreateEventRequest;

  /** @internal */
  constructor(client: Client, name: string, prompt: string, type: DataType<T>) {
    this.#client = client;
    this.#type = type;
    this.#request = create(v1.CreateEventRequestSchema, { name, prompt, input: type.input });
  }

  /** The run the event belongs to: `run` unless set. */
  scope(scope: string): this {
    this.#request.scope = scope;
    return this;
  }

  /** The time until the event times out, in milliseconds up to 366 days: one hour unless set. */
  timeout(ms: number): this {
    if (!Number.isFinite(ms)) throw invalid(`the timeout is ${ms}: give a number of milliseconds`);
    const whole = Math.ceil(ms);
    const ttl = { seconds: BigInt(Math.trunc(whole / 1000)), nanos: (whole % 1000) * 1_000_000 };
    this.#request.expiration = { case: "ttl", value: create(DurationSchema, ttl) };
    return this;
  }

  /** The value to go on with when nobody answers in time. Without it that is an error. */
  defaultOnTimeout(value: T): this {
    const action = { case: "defaultValue", value: this.#type.toValue(value) } as const;
    this.#request.onTimeout = create(v1.OnTimeoutSchema, { action });
    return this;
  }

  /** Adds a label to list by. */
  label(key: string, value: string): this {
    this.#request.labels[key] = value;
    return this;
  }

  /** Shows the prompt as Markdown instead of plain text. */
  markdown(): this {
    this.#request.promptFormat = v1.PromptFormat.MARKDOWN;
    return this;
  }

  /**
   * Makes creating it again safe whatever run it is: the same key and the same request give the same event. Derived
   * from the run unless set.
   */
  idempotencyKey(key: string): this {
    this.#request.idempotencyKey = key;
    return this;
  }

  /** Creates the event. It and its timer are durable when this returns. Rejects like `Client.create`. */
  async create(options: CallOptions = {}): Promise<Event<T>> {
    return new Event(this.#client, this.#type, await this.#client.create(this.#request, options));
  }
}

/** An event whose answer is a `T`. */
export class Event<T> {
  /** The event as the API has it, as it stood when it was created. */
  readonly record: v1.Event;
  /**
   * Whether it had been created before, by an earlier start of this run or with the same idempotency key. It may have
   * ended since: then `wait` returns at once.
   */
  readonly existed: boolean;
  readonly #client: Client;
  readonly #type: DataType<T>;

  /** @internal */
  constructor(client: Client, type: DataType<T>, reply: v1.CreateEventResponse) {
    this.record = present(reply);
    this.existed = reply.existed;
    this.#client = client;
    this.#type = type;
  }

  /** The event's id: 32 lower-case hexadecimal digits. */
  get id(): string {
    return this.record.id;
  }

  /** The same as `id`. */
  get requestId(): string {
    return this.id;
  }

  /** What lists and logs call it. */
  get name(): string {
    return this.record.name;
  }

  /** The page where a person answers. A secret: whoever has it can answer this one event. */
  get formUrl(): string {
    return this.record.formUrl;
  }

  /** Where a program answers with plain JSON. A secret like `formUrl`. */
  get apiUrl(): string {
    return this.record.apiUrl;
  }

  /** The server's address. */
  get endpoint(): string {
    return this.#client.endpoint;
  }

  /** The instant at which it times out, by the server's clock. */
  get deadline(): Date {
    return this.record.deadline ? timestampDate(this.record.deadline) : new Date(0);
  }

  /**
   * Waits until the event ends, through lost connections and server restarts, and returns the answer; or, if it timed
   * out, the default it was created with. Abort the signal to stop waiting; the event stays.
   *
   * Rejects with a `HitlError` of kind `Declined`, `Cancelled` or `TimedOut` if the event ended without a value; its
   * `response` tells when, why and by whom.
   */
  async wait(options: CallOptions = {}): Promise<T> {
    return outcome(await this.#client.waitEvent(this.id, options), this.#type);
  }

  /** Withdraws the question. Rejects with kind `Conflict` if the event ended otherwise. */
  async cancel(reason = "", options: CallOptions = {}): Promise<void> {
    await this.#client.cancel(this.id, reason, options);
  }

  /** The event without its links, which are secrets, as `JSON.stringify` shows it. */
  toJSON(): { id: string; name: string; deadline: string | null; existed: boolean } {
    const { id, name, deadline, existed } = this;
    return { id, name, deadline: Number.isNaN(deadline.getTime()) ? null : deadline.toISOString(), existed };
  }

  /** The same, as node prints it. @internal */
  [INSPECT](_depth: number, options: object, inspect: Inspect): string {
    return `Event ${printed(this.toJSON(), options, inspect)}`;
  }

  /** Prints where to answer, unless it has ended. @internal */
  announce(): void {
    if (isFinal(this.record)) return;
    process.stderr.write(`hitl: ${quoted(this.name)} waits for an answer at ${oneLine(this.formUrl)}\n`);
  }
}

/** What an ended event means to whoever waited for it. @internal */
export function outcome<T>(event: v1.Event, type: DataType<T>): T {
  const { ANSWERED, TIMED_OUT, DECLINED, CANCELLED } = v1.EventState;
  const value = event.response?.value;
  if (value && (event.state === ANSWERED || event.state === TIMED_OUT)) return type.fromValue(value);
  if (event.state === DECLINED) throw endedWithoutValue("Declined", event);
  if (event.state === CANCELLED) throw endedWithoutValue("Cancelled", event);
  if (event.state === TIMED_OUT) throw endedWithoutValue("TimedOut", event);
  throw internal(`the server sent no value with state ${event.state}`);
}

/** The event of a reply. @internal */
export function present({ event }: { event?: v1.Event }): v1.Event {
  if (event) return discreet(event);
  throw internal("the server's reply has no event");
}
