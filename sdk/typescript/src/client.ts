/** The client: one connection, shared by everything that is asked over it. */

import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import type { Json } from "./canonical.js";
import { callLimit, type Config, type Limits, resolve, retryLimit } from "./config.js";
import { Connection, patienceMs } from "./connection.js";
import { HitlError, internal, invalid } from "./error.js";
import { Event, EventBuilder, present } from "./event.js";
import { once, processCounts, type Ticket } from "./key.js";
import { duration, Link } from "./link.js";
import { failed, sendMany } from "./many.js";
import { discreet } from "./messages.js";
import { events, type ListInit } from "./pages.js";
import { KeySet, Receipt } from "./receipt.js";
import { type Asked, asReview, type Review, type ReviewOptions } from "./review.js";
import { currentRun, Run } from "./run.js";
import * as v1 from "./v1.js";
import type { DataType } from "./value.js";
import { type Change, watch, type WatchInit } from "./watch.js";

/** A request of the API for an event. */
export type CreateInit = MessageInitShape<typeof v1.CreateEventRequestSchema>;
type AnswerInit = MessageInitShape<typeof v1.AnswerEventRequestSchema>;

const {
  createEvent, batchCreateEvents, getEvent, listEvents, answerEvent, batchAnswerEvents, declineEvent, cancelEvent,
  getReceipt, listReceiptKeys, createLink, revokeLinks, addComment, listComments,
} = v1.EventService.method;

/** What every call takes. */
export interface CallOptions {
  /** Ends the call when aborted: it rejects with the signal's reason. Whether it took effect is then unknown. */
  readonly signal?: AbortSignal | undefined;
}

/** What a comment takes. */
export interface CommentOptions extends CallOptions {
  /** Whether whoever asked is to say more before the event can be answered. */
  readonly needsInfo?: boolean | undefined;
  /** The name of the person who says it. */
  readonly author?: string | undefined;
}

/** What the iteration over events takes. */
export interface EventsOptions extends CallOptions {
  /** The most events to go through; zero or unset is all. */
  readonly limit?: number | undefined;
}

/** What a call on behalf of a person takes. */
export interface RespondOptions extends CallOptions {
  /** The name of that person. */
  readonly responder?: string | undefined;
}

/** What an answer on behalf of a person takes. */
export interface AnswerOptions extends RespondOptions {
  /** What that person says beside the value, which the program gets with it. */
  readonly comment?: string | undefined;
}

/** What making a link takes. */
export interface LinkOptions extends CallOptions {
  /** For how many milliseconds it is good: unless set for as long as the event waits, and never longer. */
  readonly ttl?: number | undefined;
}

/** An answer: the typed value, JSON text such as `42` or `["a"]`, or text as a person would type it. */
export type Answer =
  | { readonly value: MessageInitShape<typeof v1.ValueSchema> }
  | { readonly json: string }
  | { readonly text: string };

/**
 * Creates events, waits for them, and answers them.
 *
 * Its one connection is made when first needed and made again when lost. Calls are repeated for a while when the
 * server cannot be reached (`Config.retryFor`), and reject with a `HitlError`. The methods that take an event id are
 * for untyped use: they return the event as the API has it.
 */
export class Client {
  readonly #connection: Connection;
  readonly #limits: Limits;

  /** A client as configured, the rest from the environment. Does not connect yet. Throws if a setting is not usable. */
  constructor(config?: Config);
  /** @internal */
  // eslint-disable-next-line @typescript-eslint/unified-signatures -- only the other one is published
  constructor(config: Config, connection: Connection, limits?: Limits);
  constructor(
    config: Config = {},
    connection = new Connection(resolve(config, process.env)),
    limits: Limits = connection.settings,
  ) {
    this.#connection = connection;
    this.#limits = limits;
  }

  /**
   * The server's address, such as `http://127.0.0.1:4485`: of several the one that served last, or is tried now. That of a
   * local server is known from the first call on, before which this is empty, and changes if it has to be started again on
   * another port.
   */
  get endpoint(): string {
    return this.#connection.endpoint;
  }

  /** The namespace of every call that names no other. */
  get namespace(): string {
    return this.#connection.settings.namespace;
  }

  /**
   * The same client, of which a call may take so many milliseconds, as `Config.callTimeout` says. Both share the connection.
   * For one call: `client.withCallTimeout(2_000).get(eventId)`.
   */
  withCallTimeout(limit: number): Client {
    return new Client({}, this.#connection, { ...this.#limits, callTimeoutMs: callLimit(limit) });
  }

  /**
   * The same client, of which a call is repeated for so many milliseconds, as `Config.retryFor` says; waits and watches go on
   * as before. Both share the connection.
   */
  withRetryFor(limit: number): Client {
    return new Client({}, this.#connection, { ...this.#limits, retryForMs: retryLimit(limit), isPatient: true });
  }

  /**
   * Starts to describe an event whose answer is a `T`. Nothing is asked before `EventBuilder.create`.
   *
   * `name` is what lists and logs call it, `prompt` is the question.
   */
  event<T>(name: string, prompt: string, type: DataType<T>): EventBuilder<T> {
    return new EventBuilder(this, this, name, prompt, type);
  }

  /**
   * Starts to describe an event that has a person decide on an action, which would be taken with these arguments. Lists call
   * it as the action is called unless `name` says otherwise.
   */
  review(action: string, args: Json, options: ReviewOptions & Asked = {}): EventBuilder<Review> {
    return this.event(...asReview(action, args, options));
  }

  /**
   * Creates an event from a request of the API. An empty namespace is the client's; an empty idempotency key is derived
   * from the run if there is one, else random, so that repeating the call on a lost connection creates nothing twice.
   *
   * Rejects with kind `Invalid`, which names the fields to correct, and with `Conflict` if the idempotency key belongs
   * to a different request.
   */
  create(init: CreateInit, options: CallOptions = {}): Promise<v1.CreateEventResponse> {
    return this.createIn(undefined, init, options);
  }

  /** Creates an event of `run`, else of the current one, else of the client's. @internal */
  async createIn(
    run: Run | undefined,
    init: CreateInit,
    { signal }: CallOptions,
  ): Promise<v1.CreateEventResponse> {
    const { request, ticket } = this.#named(init, run);
    try {
      const reply = await this.#connection.call(createEvent, request, signal, this.#limits);
      if (reply.event) discreet(reply.event);
      return reply;
    } catch (error) {
      ticket?.giveBack();
      throw error;
    }
  }

  /**
   * Creates many events in few calls, each as `create` does, and resolves to what became of each, in their order: the
   * response, or the `HitlError` why there is none.
   */
  async createMany(
    inits: Iterable<CreateInit>,
    { signal }: CallOptions = {},
  ): Promise<(v1.CreateEventResponse | HitlError)[]> {
    const named = [...inits].map((init) => this.#named(init));
    const requests = named.map(({ request }) => request);
    let results: (v1.CreateEventResponse | HitlError)[] = [];
    try {
      results = await this.#many(v1.CreateEventRequestSchema, requests, signal, async (requests) => {
        const reply = await this.#connection.callOnce(batchCreateEvents, { requests }, signal, this.#limits);
        return reply.results.map(({ result }) => (result.case === "created" ? result.value : failed(result.value)));
      });
      for (const result of results) if (!(result instanceof HitlError) && result.event) discreet(result.event);
      return results;
    } finally {
      named.forEach(({ ticket }, at) => {
        const result = results[at];
        if (!result || result instanceof HitlError) ticket?.giveBack();
      });
    }
  }

  /** A run of this id, which counts its events by itself. */
  run(id: string): Run {
    return new Run(this, id);
  }

  /**
   * Attaches to an event that was asked before, by its id. `type` is that of its answer, as when it was created.
   *
   * Rejects with kind `NotFound`, and with `Invalid` if the event asks for another kind of answer.
   */
  async attach<T>(eventId: string, type: DataType<T>, options: CallOptions = {}): Promise<Event<T>> {
    const event = await this.get(eventId, options);
    ensureKind(event, type);
    return new Event(this, type, { event, existed: true });
  }

  /** Returns an event as it stands. Rejects with kind `NotFound`. */
  async get(eventId: string, { signal }: CallOptions = {}): Promise<v1.Event> {
    return present(await this.#connection.call(getEvent, { eventId }, signal, this.#limits));
  }

  /**
   * Lists one page of events: first the pending ones, nearest deadline first, then the ended ones, latest first. Call
   * again with `pageToken` from `nextPageToken` until that is empty. An empty namespace is the client's.
   */
  async list(init: ListInit = {}, { signal }: CallOptions = {}): Promise<v1.ListEventsResponse> {
    const page = await this.#connection.call(listEvents, init, signal, this.#limits);
    page.events.forEach(discreet);
    return page;
  }

  /**
   * Goes through all events that match, in the order of `list`, over as many pages as it takes: each is fetched when the
   * iteration comes to it. An empty namespace is the client's.
   */
  events(init: ListInit = {}, { limit = 0, signal }: EventsOptions = {}): AsyncIterable<v1.Event> {
    return { [Symbol.asyncIterator]: () => events(this.#connection, init, limit, signal, this.#limits) };
  }

  /**
   * Waits until an event ends, through lost connections and server restarts, and returns it with its response, however
   * it ended. Rejects with kind `NotFound`, and if the server cannot be reached for the first time.
   */
  async waitEvent(eventId: string, { signal }: CallOptions = {}): Promise<v1.Event> {
    return this.#connection.waits.wait(eventId, signal);
  }

  /**
   * Watches events that match, through lost connections and server restarts: each change is an event that was created or
   * has ended, from now on; or from `resumeToken` on, that of the last change that was handled, or of a list. A change may
   * come twice, and none is missed. An empty namespace is the client's.
   *
   * Each iteration has a stream of its own, which is closed when it ends. A token that is too old is an error of kind
   * `Invalid` with the reason `ERROR_REASON_RESUME_TOKEN_EXPIRED`: list, and watch anew with the list's.
   */
  watch(init: WatchInit = {}, { signal }: CallOptions = {}): AsyncIterable<Change> {
    return { [Symbol.asyncIterator]: () => watch(this.#connection, init, signal) };
  }

  /**
   * Answers an event. Rejects with kind `Invalid` if the answer does not fit (the event stays as it was), `Conflict` if
   * the event has ended, and `NotFound`.
   */
  async answer(
    eventId: string,
    answer: Answer,
    { responder = "", comment = "", signal }: AnswerOptions = {},
  ): Promise<v1.Event> {
    const request = { eventId, answerId: once(), responder, comment, answer: oneof(answer) };
    return present(await this.#connection.call(answerEvent, request, signal, this.#limits));
  }

  /**
   * Answers many events in few calls, by requests of the API, and resolves to how each ended, or the `HitlError` why it
   * did not, in their order. An empty namespace is the client's; an empty answer id is a random one, so that repeating
   * the call on a lost connection answers nothing twice.
   */
  async answerMany(inits: Iterable<AnswerInit>, { signal }: CallOptions = {}): Promise<(v1.Response | HitlError)[]> {
    const filled = [...inits].map((init) => ({
      ...init, namespace: init.namespace || this.namespace, answerId: init.answerId || once(),
    }));
    return this.#many(v1.AnswerEventRequestSchema, filled, signal, async (requests) => {
      const reply = await this.#connection.callOnce(batchAnswerEvents, { requests }, signal, this.#limits);
      return reply.results.map(({ result }) => (result.case === "response" ? result.value : failed(result.value)));
    });
  }

  /**
   * Declines an event: a person refuses to give a value. Rejects with kind `Conflict` if the event has ended, and
   * `NotFound`.
   */
  async decline(eventId: string, reason = "", { responder = "", signal }: RespondOptions = {}): Promise<v1.Event> {
    const request = { eventId, answerId: once(), responder, reason };
    return present(await this.#connection.call(declineEvent, request, signal, this.#limits));
  }

  /**
   * Returns the signed receipt of how an event ended, which verifies without the server. Rejects with kind `Conflict` if the
   * event is pending, or ended before its server signed receipts, and `NotFound`.
   */
  async receipt(eventId: string, { signal }: CallOptions = {}): Promise<Receipt> {
    const { receipt } = await this.#connection.call(getReceipt, { eventId }, signal, this.#limits);
    if (!receipt) throw internal("the server's reply has no receipt");
    return Receipt.of(receipt);
  }

  /** Returns the public keys of the server's receipts. Whoever does not trust the server later saves them now. */
  async receiptKeys({ signal }: CallOptions = {}): Promise<KeySet> {
    const { keys } = await this.#connection.call(listReceiptKeys, {}, signal, this.#limits);
    return KeySet.of(keys.map(({ publicKey }) => publicKey));
  }

  /**
   * Makes a link by which the person called `responder` answers an event. Each call makes another. Rejects with kind
   * `Conflict` if the event has ended, and `NotFound`.
   */
  async createLink(eventId: string, responder: string, { ttl, signal }: LinkOptions = {}): Promise<Link> {
    const request = { eventId, responder, ...(ttl === undefined ? {} : { ttl: duration(ttl) }) };
    return Link.of(await this.#connection.call(createLink, request, signal, this.#limits));
  }

  /**
   * Ends the links of an event that were made for `responder`; or all, with the one that the event has of itself, if none is
   * named. Links that are made afterwards are good. Rejects with kind `NotFound`.
   */
  async revokeLinks(eventId: string, { responder = "", signal }: RespondOptions = {}): Promise<void> {
    await this.#connection.call(revokeLinks, { eventId, responder }, signal, this.#limits);
  }

  /** Ends the connection and with it every call and wait under way. The events stay. */
  close(): void {
    this.#connection.close();
  }

  /**
   * Cancels an event: whoever asked withdraws it. One that is cancelled already is returned as it is. Rejects with kind
   * `Conflict` if the event ended otherwise, and `NotFound`.
   */
  async cancel(eventId: string, reason = "", { signal }: CallOptions = {}): Promise<v1.Event> {
    return present(await this.#connection.call(cancelEvent, { eventId, reason }, signal, this.#limits));
  }

  /**
   * Says something in the thread of a pending event. With `needsInfo` it is said that whoever asked is to say more before
   * it can be answered. Rejects with kind `Conflict` if the event has ended, and `NotFound`.
   */
  async comment(eventId: string, text: string, options: CommentOptions = {}): Promise<v1.Comment> {
    const { needsInfo = false, author = "", signal } = options;
    const request = { eventId, text, needsInfo, author };
    const { comment } = await this.#connection.call(addComment, request, signal, this.#limits);
    if (!comment) throw internal("the server's reply has no comment");
    return comment;
  }

  /** Returns what was said in the thread of an event, the first first. Rejects with kind `NotFound`. */
  async comments(eventId: string, { signal }: CallOptions = {}): Promise<v1.Comment[]> {
    return (await this.#connection.call(listComments, { eventId }, signal, this.#limits)).comments;
  }

  /** Tells people where to answer. @internal */
  tell(event: v1.Event): void {
    this.#connection.telling.tell(event);
  }

  /** The request with a namespace and a key, and the ticket that the key is of, if any. */
  #named(init: CreateInit, asked?: Run): { request: CreateInit; ticket: Ticket | undefined } {
    const { runId } = this.#connection.settings;
    const namespace = init.namespace || this.namespace;
    const run = asked ?? currentRun();
    const name = init.name ?? "";
    let ticket: Ticket | undefined;
    if (run && !init.idempotencyKey) ticket = run.ticket(namespace, name);
    else if (runId && !init.idempotencyKey) ticket = processCounts.ticket(namespace, runId, name);
    const request = { ...init, namespace, idempotencyKey: init.idempotencyKey || (ticket?.key ?? once()) };
    return { request, ticket };
  }

  #many<D extends DescMessage, R>(
    schema: D,
    inits: MessageInitShape<D>[],
    signal: AbortSignal | undefined,
    send: (requests: MessageShape<D>[]) => Promise<(R | HitlError)[]>,
  ): Promise<(R | HitlError)[]> {
    return sendMany(schema, inits, patienceMs(this.#limits), signal, send);
  }
}

/** Refuses a type that is not what the event asks for. */
function ensureKind({ input }: v1.Event, type: DataType<unknown>): void {
  const [asked, given] = [input?.kind.case, type.input.kind.case];
  if (asked !== given) {
    throw invalid(`the event asks for ${asked ?? "nothing"}, not ${given ?? "nothing"}: give the type it was created with`);
  }
}

function oneof(answer: Answer): MessageInitShape<typeof v1.AnswerEventRequestSchema>["answer"] {
  if ("json" in answer) return { case: "json", value: answer.json };
  if ("text" in answer) return { case: "text", value: answer.text };
  return { case: "value", value: create(v1.ValueSchema, answer.value) };
}

const defaults = new Map<string, Client>();

/** The client that is used where none is named: one for each environment. @internal */
export function defaultClient(): Client {
  const settings = resolve({}, process.env);
  const key = JSON.stringify(Object.entries(process.env).filter(([name]) => name.startsWith("HITL_")).sort());
  const client = defaults.get(key) ?? new Client({}, new Connection(settings));
  defaults.set(key, client);
  return client;
}
