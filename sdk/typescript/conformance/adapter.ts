/** Drives the package by commands on stdin, one JSON object a line, for the scenarios that all languages share. */

import { createInterface } from "node:readline";
import { inspect } from "node:util";
import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import {
  ask, bool, choice, choices, Client, decision, float, HitlError, int, KeySet, object, Receipt, Review, review, str, v1,
} from "hitl-sdk";
import type { Answer, DataType, Decision, Event, Json, ReviewInit, Risk, Run, StrOptions } from "hitl-sdk";

/** A whole number, exact, or one with a fraction. */
type Limit = bigint | number;

/** Members that some operation always has are not marked as optional. */
interface Command {
  id: number; op: string; client: string; event: string; event_id: string; name: string; prompt: string; type: string;
  endpoint?: string; namespace?: string; run_id?: string; retry_for_ms?: number; limit_ms?: number;
  min?: Limit; max?: Limit; min_length?: number; max_length?: number; pattern?: string; multiline?: boolean;
  format?: string; yes?: string; no?: string; options?: [value: string, label: string][]; schema: object;
  min_selected?: number; max_selected?: number; scope?: string; timeout_ms?: number; default_on_timeout?: unknown;
  labels?: Record<string, string>; markdown?: boolean; idempotency_key?: string; reason?: string; responder?: string;
  /** Bytes of a message of the API. */
  message: number[];
  messages: number[][];
  event_ids: string[];
  last: string;
  receipt: object; keys: object; call_timeout_ms?: number; headers?: Record<string, string>;
  ttl_ms?: number; title?: string; risk?: Risk; require_confirmation?: boolean; facts?: [string, string][]; evidence?: number[][];
  comment?: string; text?: string; needs_info?: boolean; action?: string; arguments?: Json; allow?: Decision[];
  assignees?: string[]; groups?: string[]; required?: number; outvotes_declines?: boolean;
  token?: string; insecure?: boolean; proxy?: string; run?: string; number?: number; limit?: number; count: number;
  attempts?: number;
}

const clients = new Map<string, Client>();
const runs = new Map<string, Run>();
const events = new Map<string, Event<unknown>>();

const comments = (said: v1.Comment[]) => ({
  comments: said.map(({ author, text, needsInfo }) => ({ author: author?.name ?? "", text, needs_info: needsInfo })),
});

const operations: Record<string, (command: Command) => object | Promise<object>> = {
  client({ client, run_id: runId, retry_for_ms: retryFor, call_timeout_ms: callTimeout, ...command }) {
    const { endpoint, namespace, token, insecure, headers, proxy } = command;
    clients.set(client, new Client({ endpoint, namespace, runId, retryFor, callTimeout, token, insecure, headers, proxy }));
    return {};
  },
  run(command) {
    runs.set(command.run ?? "", clientOf(command).run(command.run_id ?? ""));
    return {};
  },
  async create(command) {
    const asked = command.run === undefined ? clientOf(command) : runOf(command.run);
    const builder = asked.event(command.name, command.prompt, typeOf(command));
    if (command.scope !== undefined) builder.scope(command.scope);
    if (command.timeout_ms !== undefined) builder.timeout(command.timeout_ms);
    if (command.type === "review" && command.default_on_timeout !== undefined) {
      const given = command.default_on_timeout as ReviewInit & { decision: Decision };
      builder.defaultOnTimeout(new Review(given.decision, given));
    } else if (command.default_on_timeout !== undefined) builder.defaultOnTimeout(command.default_on_timeout);
    for (const [key, value] of Object.entries(command.labels ?? {})) builder.label(key, value);
    if (command.markdown) builder.markdown();
    if (command.idempotency_key !== undefined) builder.idempotencyKey(command.idempotency_key);
    if (command.title !== undefined) builder.title(command.title);
    if (command.risk !== undefined) builder.risk(command.risk);
    if (command.require_confirmation) builder.requireConfirmation();
    for (const person of command.assignees ?? []) builder.assignee(person);
    for (const group of command.groups ?? []) builder.group(group);
    if (command.required !== undefined) builder.required(command.required);
    if (command.outvotes_declines) builder.outvotesDeclines();
    for (const [label, value] of command.facts ?? []) builder.fact(label, value);
    builder.evidence(...(command.evidence ?? []).map((bytes) => fromBinary(v1.EvidenceSchema, Uint8Array.from(bytes))));
    return keep(command, await builder.create());
  },
  async attach(command) {
    const { event_id: eventId, run, name, number } = command;
    if (run === undefined) return keep(command, await clientOf(command).attach(eventId, typeOf(command)));
    return keep(command, await runOf(run).attach(name, typeOf(command), number));
  },
  async within(command) {
    const ask = async () => {
      const ids: string[] = [];
      for (let i = 0; i < command.count; i += 1) {
        ids.push((await clientOf(command).event(command.name, "How many?", int()).create()).id);
      }
      return { event_ids: ids };
    };
    return clientOf(command).run(command.run_id ?? "").within(ask);
  },
  async wait({ event, limit_ms: limit }) {
    if (limit === undefined) return { value: await eventOf(event).wait() };
    const value = await eventOf(event).waitFor(limit);
    return value === undefined ? { gave_up: true } : { value };
  },
  async wait_details({ event }) {
    const { value, response } = await eventOf(event).waitDetails();
    return { value, comment: response.comment };
  },
  async execute({ event, action = "", arguments: given }) {
    const decided = await eventOf(event).wait() as Review;
    const approves = decided.approves(action, given ?? decided.arguments);
    return { executed: decided.executeIfApproved(action, (args) => args), approves };
  },
  async poll({ event }) {
    const value = await eventOf(event).poll();
    return value === undefined ? { pending: true } : { value };
  },
  json: ({ event }) => ({ json: JSON.parse(JSON.stringify(eventOf(event))) as object }),
  async events(command) {
    const request = fromBinary(v1.ListEventsRequestSchema, Uint8Array.from(command.message));
    const listed: number[][] = [];
    for await (const event of clientOf(command).events(request, { limit: command.limit })) {
      listed.push([...toBinary(v1.EventSchema, event)]);
    }
    return { listed };
  },
  cancel_event: ({ event, reason }) => eventOf(event).cancel(reason).then(() => ({})),
  async ask_valid(command) {
    const asked = command.run === undefined ? clientOf(command) : runOf(command.run);
    const even = (number: bigint) => (number % 2n === 0n ? undefined : `${number} is odd`);
    const { attempts } = command;
    return { value: await asked.event(command.name, command.prompt, int()).askValid(even, { attempts }) };
  },
  ask: async ({ name, prompt }) => ({ value: await ask(name, prompt, int()) }),
  wait_event: async (command) => report(await clientOf(command).waitEvent(command.event_id)),
  get: async (command) => report(await clientOf(command).get(command.event_id)),
  async answer(command) {
    const { answer } = fromBinary(v1.AnswerEventRequestSchema, Uint8Array.from(command.message));
    const { event_id: eventId, responder, comment } = command;
    const given = { [answer.case ?? ""]: answer.value } as Answer;
    return report(await clientOf(command).answer(eventId, given, { responder, comment }));
  },
  async decline(command) {
    const { event_id: eventId, reason, responder } = command;
    return report(await clientOf(command).decline(eventId, reason, { responder }));
  },
  cancel: async (command) => report(await clientOf(command).cancel(command.event_id, command.reason)),
  async comment(command) {
    const { event_id: eventId, text = "", needs_info: needsInfo, responder: author } = command;
    return comments([await clientOf(command).comment(eventId, text, { needsInfo, author })]);
  },
  comments: async (command) => comments(await clientOf(command).comments(command.event_id)),
  async create_many(command) {
    const requests = command.messages.map((bytes) => fromBinary(v1.CreateEventRequestSchema, Uint8Array.from(bytes)));
    return outcomes("created", v1.CreateEventResponseSchema, await clientOf(command).createMany(requests));
  },
  async answer_many(command) {
    const requests = command.messages.map((bytes) => fromBinary(v1.AnswerEventRequestSchema, Uint8Array.from(bytes)));
    return outcomes("response", v1.ResponseSchema, await clientOf(command).answerMany(requests));
  },
  async receipt(command) {
    const client = clientOf(command);
    return { receipt: await client.receipt(command.event_id), keys: await client.receiptKeys() };
  },
  async verify({ receipt, keys }) {
    const { eventId, namespace, state, time } = await Receipt.fromJson(receipt).verify(await KeySet.fromJson(keys));
    return { event_id: eventId, namespace, state, time };
  },
  async create_link(command) {
    const { event_id: eventId, responder = "", ttl_ms: ttl } = command;
    const link = await clientOf(command).createLink(eventId, responder, { ttl });
    return { url: link.url, api_url: link.apiUrl, expires_ms: link.expires.getTime(), printed: inspect(link) };
  },
  async revoke_links(command) {
    await clientOf(command).revokeLinks(command.event_id, { responder: command.responder });
    return {};
  },
  async wait_many(command) {
    const events = await Promise.all(command.event_ids.map((id) => clientOf(command).waitEvent(id)));
    return { events: events.map((event) => [...toBinary(v1.EventSchema, event)]) };
  },
  async watch(command) {
    const request = fromBinary(v1.WatchEventsRequestSchema, Uint8Array.from(command.message));
    const changes: object[] = [];
    for await (const { kind, event, resumeToken: resume_token } of clientOf(command).watch(request)) {
      changes.push({ kind, resume_token, ...report(event) });
      if (kind === v1.ChangeKind.ENDED && event.name === command.last) break;
    }
    return { changes };
  },
  async list(command) {
    const request = fromBinary(v1.ListEventsRequestSchema, Uint8Array.from(command.message));
    const page = await clientOf(command).list(request);
    return { page: [...toBinary(v1.ListEventsResponseSchema, page)] };
  },
};

function clientOf({ client, call_timeout_ms: limit }: Command): Client {
  const made = clients.get(client) ?? fail(`there is no client ${client}`);
  return limit === undefined ? made : made.withCallTimeout(limit);
}
const runOf = (name: string) => runs.get(name) ?? fail(`there is no run ${name}`);
const eventOf = (name: string) => events.get(name) ?? fail(`there is no event ${name}`);
const fail = (message: string): never => { throw new Error(message); };

function keep(command: Command, event: Event<unknown>): object {
  events.set(command.event, event);
  return {
    event_id: event.id, request_id: event.requestId, name: event.name, form_url: event.formUrl, api_url: event.apiUrl,
    endpoint: event.endpoint, existed: event.existed, deadline_ms: event.deadline.getTime(),
  };
}

function typeOf(command: Command): DataType<unknown> {
  const { min, max, min_length, max_length, pattern, multiline, yes = "", no = "", options: pairs = [] } = command;
  const format = command.format?.replace("STR_FORMAT_", "").toLowerCase().replace("_", "-") as StrOptions["format"];
  const options = pairs.map(([value, label]) => ({ value, label }));
  const types: Record<string, () => unknown> = {
    int: () => int({ min, max }),
    float: () => float({ min: min as number, max: max as number }),
    str: () => str({ minLength: min_length, maxLength: max_length, pattern, multiline, format }),
    bool: () => bool({ labels: [yes, no] }),
    choice: () => choice(options),
    choices: () => choices(options, { minSelected: command.min_selected, maxSelected: command.max_selected }),
    object: () => object(command.schema),
    review: () => command.action === undefined
      ? decision() : review(command.action, command.arguments ?? null, { schema: command.schema, allow: command.allow }),
  };
  return types[command.type]?.() as DataType<unknown>;
}

const report = (event: v1.Event) => ({ event: [...toBinary(v1.EventSchema, event)] });

function outcomes<D extends DescMessage>(name: string, schema: D, results: (MessageShape<D> | HitlError)[]): object {
  const outcome = (result: MessageShape<D> | HitlError) =>
    result instanceof HitlError ? { error: failure(result) } : { [name]: [...toBinary(schema, result)] };
  return { results: results.map(outcome) };
}

function failure(error: unknown): object {
  if (!(error instanceof HitlError)) return { kind: "adapter", message: String(error) };
  const { kind, message, reason, fieldViolations: fields, retryable, response } = error;
  return { kind, message, reason, fields, retryable, response: response && [...toBinary(v1.ResponseSchema, response)] };
}

const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** Reads JSON with whole numbers as a `bigint` where a `number` would not be exact. */
function read(line: string): Command {
  const marked = line.replace(TOKENS, (token) => (/^-?\d{16,}$/.test(token) ? `{"$int":"${token}"}` : token));
  return JSON.parse(marked, (_, value: { $int?: string } | null) => value?.$int ? BigInt(value.$int) : value) as Command;
}

/** The reverse of `read`. */
function write(reply: object): string {
  const mark = (_: string, value: unknown) => (typeof value === "bigint" ? { $int: value.toString() } : value);
  return JSON.stringify(reply, mark).replace(/\{"\$int":"(-?\d+)"\}/g, "$1");
}

async function handle(line: string): Promise<void> {
  const command = read(line);
  const reply: Record<string, unknown> = { id: command.id };
  try {
    reply.ok = await operations[command.op]?.(command);
  } catch (error) {
    reply.error = failure(error);
  }
  process.stdout.write(`${write(reply)}\n`);
}

for await (const line of createInterface({ input: process.stdin })) void handle(line);
process.exit();
