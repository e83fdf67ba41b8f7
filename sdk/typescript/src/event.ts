/** Describes an event and creates it; and the event that was created, with its typed outcome. */

import { create } from "@bufbuild/protobuf";
import { DurationSchema, timestampDate } from "@bufbuild/protobuf/wkt";
import type { CallOptions, Client } from "./client.js";
import { endedWithoutValue, internal, invalid } from "./error.js";
import { facts } from "./evidence.js";
import type { Link } from "./link.js";
import { discreet, INSPECT, type Inspect, isFinal, printed } from "./messages.js";
import { quoted } from "./shown.js";
import * as v1 from "./v1.js";
import { Asking, type Check } from "./valid.js";
import type { DataType } from "./value.js";

/** Who creates an event: a client, or a run of it. */
interface Creator {
  create(init: v1.CreateEventRequest, options: CallOptions): Promise<v1.CreateEventResponse>;
}

/** How much is at stake. */
export type Risk = "low" | "medium" | "high";

const RISKS: Readonly<Record<Risk, v1.Risk>> = { low: v1.Risk.LOW, medium: v1.Risk.MEDIUM, high: v1.Risk.HIGH };

/** An answer, and what else was said. */
export interface Details<T> {
  /** The answer; the default if nobody answered in time. */
  readonly value: T;
  /** How the event ended: `comment` is what the person said beside the value, `responder` who it was, `time` when. */
  readonly response: v1.Response;
}

/** What asking for a valid answer takes. */
export interface AttemptsOptions extends CallOptions {
  /** How often is asked: 3 times unless set. */
  readonly attempts?: number | undefined;
}

/** An event that is about to be created: nothing is asked before `create`. The server checks every rule. */
export class EventBuilder<T> {
  readonly #creator: Creator;
  readonly #client: Client;
  readonly #type: DataType<T>;
  readonly #request: v1.CreateEventRequest;

  /** @internal */
  constructor(creator: Creator, client: Client, name: string, prompt: string, type: DataType<T>) {
    this.#creator = creator;
    this.#client = client;
    this.#type = type;
    this.#request = create(v1.CreateEventRequestSchema, { name, prompt, input: type.input });
  }

  /** The question in a few words: the headline of the page, above the prompt. */
  title(title: string): this {
    this.#request.title = title;
    return this;
  }

  /**
   * How much is at stake: low unless set. Pages take no answer at high risk without the person's word that this is known.
   */
  risk(risk: Risk): this {
    if (!Object.hasOwn(RISKS, risk)) throw invalid(`the risk is ${quoted(risk)}: give low, medium or high`);
    this.#request.risk = RISKS[risk];
    return this;
  }

  /** Lets nobody answer on a page without confirming it in a second step, or with a typed word if the risk is high. */
  requireConfirmation(): this {
    this.#request.requireConfirmation = true;
    return this;
  }

  /**
   * Lets this person answer, and nobody else but those who are named too: by the name or the id of who signs in, of a
   * token, or whom a link is made for.
   */
  assignee(person: string): this {
    this.#request.assignees.push(create(v1.AssigneeSchema, { kind: { case: "person", value: person } }));
    return this;
  }

  /** Lets everybody in this group answer, and nobody else but those who are named too. */
  group(group: string): this {
    this.#request.assignees.push(create(v1.AssigneeSchema, { kind: { case: "group", value: group } }));
    return this;
  }

  /** Lets the event end only once so many distinct people have given the same value, 1 to 20, or one has declined. */
  required(people: number): this {
    (this.#request.quorum ??= create(v1.QuorumSchema)).required = people;
    return this;
  }

  /** Lets no single decline end an event for which several have to agree. */
  outvotesDeclines(): this {
    (this.#request.quorum ??= create(v1.QuorumSchema)).declineEnds = false;
    return this;
  }

  /** Shows a fact beside the prompt. Facts that are added one after the other are one item. */
  fact(label: string, value: string): this {
    const { evidence } = this.#request;
    const last = evidence.at(-1);
    if (last?.content.case === "facts" && !last.title && !last.note) {
      last.content.value.facts.push(create(v1.FactSchema, { label, value }));
    } else {
      evidence.push(facts("", [[label, value]]));
    }
    return this;
  }

  /** Shows items beside the prompt: `evidence` has a function for each kind. */
  evidence(...items: v1.Evidence[]): this {
    this.#request.evidence.push(...items);
    return this;
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
    return this.#created(this.#request, options);
  }

  /**
   * Asks, waits, and asks again while `check` says what is wrong with the answer: the next event shows that, with the answer.
   * Each attempt has all of the timeout. A default is not checked. In a run, who asks the same again meets the same events.
   *
   * Rejects with kind `Invalid` and what was wrong last if there was no valid answer in so many attempts, and like `create`
   * and `Event.wait`.
   */
  async askValid(check: Check<T>, { attempts, ...options }: AttemptsOptions = {}): Promise<T> {
    const asking = new Asking(this.#request.name, attempts);
    for (let request = this.#request; ;) {
      const event = await this.#created(request, options);
      const { value, response } = await event.waitDetails(options);
      const why = response.state === v1.EventState.TIMED_OUT ? undefined : await check(value);
      if (why === undefined) return value;
      const { idempotencyKey, evidence } = asking.again(event.id, response.value, why);
      request = { ...this.#request, idempotencyKey, evidence: [evidence, ...this.#request.evidence] };
    }
  }

  async #created(request: v1.CreateEventRequest, options: CallOptions): Promise<Event<T>> {
    return new Event(this.#client, this.#type, await this.#creator.create(request, options));
  }
}

const TIMER_MAX_MS = 2 ** 31 - 1;

/** An event whose answer is a `T`. */
export class Event<T> {
  /** The event as the API has it, as it stood when it was created. */
  readonly record: v1.Event;
  /**
   * Whether it had been created before, by an earlier start of this run or with the same idempotency key. It may have
   * ended since: then `wait` returns at once.
   */
  readonly existed: boolean;
  /** Whether people are told where to answer, as far as is known. */
  #isTold = false;
  readonly #client: Client;
  readonly #type: DataType<T>;

  /** @internal */
  constructor(client: Client, type: DataType<T>, reply: { event?: v1.Event; existed: boolean }) {
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

  /**
   * The page where a person answers. A secret: whoever has it can answer this one event. Who looks at it tells people of
   * it, so `wait` does not.
   */
  get formUrl(): string {
    this.#isTold = true;
    return this.record.formUrl;
  }

  /** Where a program answers with plain JSON. A secret like `formUrl`. */
  get apiUrl(): string {
    this.#isTold = true;
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
   *
   * Prints to stderr where to answer, once, unless the program has looked at `formUrl` or `apiUrl`, or `Config.announce`
   * is off.
   */
  async wait(options: CallOptions = {}): Promise<T> {
    return outcome(await this.#ended(options), this.#type);
  }

  /** Like `wait`, with what else was said: the comment, by whom and when. */
  async waitDetails(options: CallOptions = {}): Promise<Details<T>> {
    const event = await this.#ended(options);
    return { value: outcome(event, this.#type), response: event.response ?? create(v1.ResponseSchema) };
  }

  /**
   * Like `wait`, but at most for so many milliseconds: undefined if the event has not ended by then. It stays, and can be
   * waited for again. With a limit of 0 it looks once, as `poll` does.
   */
  async waitFor(limit: number, options: CallOptions = {}): Promise<T | undefined> {
    if (Number.isNaN(limit)) throw invalid("the limit is no number: give milliseconds");
    if (limit <= 0) return this.poll(options);
    const { signal } = options;
    const stopping = new AbortController();
    const stop = () => { stopping.abort(signal?.reason); };
    signal?.addEventListener("abort", stop);
    const passed = new Error("the limit has passed");
    // Node has no longer timers, and would take them for none.
    const timer = setTimeout(() => { stopping.abort(passed); }, Math.min(limit, TIMER_MAX_MS));
    try {
      signal?.throwIfAborted();
      return await this.wait({ signal: stopping.signal });
    } catch (error) {
      if (error !== passed) throw error;
      return limit > TIMER_MAX_MS ? await this.waitFor(limit - TIMER_MAX_MS, options) : undefined;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Looks whether the event has ended: resolves, or rejects, as `wait` would, and to undefined if it has not. */
  async poll(options: CallOptions = {}): Promise<T | undefined> {
    const event = await this.#client.get(this.id, options);
    return isFinal(event) ? outcome(event, this.#type) : undefined;
  }

  /**
   * Makes a link by which the person called `responder` answers, while the event waits. Whoever asks for one tells that
   * person, so `wait` does not.
   */
  async linkFor(responder: string, options: CallOptions = {}): Promise<Link> {
    const link = await this.#client.createLink(this.id, responder, options);
    this.#isTold = true;
    return link;
  }

  /** Withdraws the question. Rejects with kind `Conflict` if the event ended otherwise. */
  async cancel(reason = "", options: CallOptions = {}): Promise<void> {
    await this.#client.cancel(this.id, reason, options);
  }

  /** Which event it is, without secrets, as `JSON.stringify` shows it. Another process attaches to it by the `id`. */
  toJSON(): { id: string; namespace: string; name: string; deadline: string | null; existed: boolean } {
    const { id, name, deadline, existed, record: { namespace } } = this;
    return { id, namespace, name, deadline: Number.isNaN(deadline.getTime()) ? null : deadline.toISOString(), existed };
  }

  /** The same, as node prints it. @internal */
  [INSPECT](_depth: number, options: object, inspect: Inspect): string {
    return `Event ${printed(this.toJSON(), options, inspect)}`;
  }

  async #ended(options: CallOptions): Promise<v1.Event> {
    if (!this.#isTold) this.#client.tell(this.record);
    this.#isTold = true;
    return this.#client.waitEvent(this.id, options);
  }
}

/** What an ended event means to whoever waited for it. @internal */
export function outcome<T>(event: v1.Event, type: DataType<T>): T {
  const { ANSWERED, TIMED_OUT, DECLINED, CANCELLED } = v1.EventState;
  const value = event.response?.value;
  if (value && (event.state === ANSWERED || event.state === TIMED_OUT)) return type.fromValue(value, event.input);
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
