/** Drives the package by commands on stdin, one JSON object a line, for the scenarios that all languages share. */

import { createInterface } from "node:readline";
import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ask, bool, choice, choices, Client, float, HitlError, int, object, str, v1 } from "hitl";
import type { Answer, DataType, Event, StrOptions } from "hitl";

/** A whole number, exact, or one with a fraction. */
type Limit = string | number;

/** Members that some operation always has are not marked as optional. */
interface Command {
  id: number; op: string; client?: string; event: string; event_id: string; name: string; prompt?: string; type: string;
  endpoint?: string; namespace?: string; run_id?: string; retry_for_ms?: number; limit_ms?: number;
  min?: Limit; max?: Limit; min_length?: number; max_length?: number; pattern?: string;
  multiline?: boolean; format?: string; yes?: string; no?: string; options?: { value: string; label?: string }[];
  min_selected?: number; max_selected?: number; scope?: string; timeout_ms?: number; default?: JsonValue;
  labels?: Record<string, string>; markdown?: boolean; idempotency_key?: string; reason?: string; responder?: string;
  value?: JsonValue; text?: string; state?: keyof typeof v1.EventState; page_size?: number; page_token?: string;
}

const clients = new Map<string, Client>();
const events = new Map<string, { event: Event<unknown>; type: DataType<unknown> }>();
const asked = (name: string) => events.get(name) ?? fail(`there is no event ${name}`);
const fail = (message: string): never => { throw new Error(message); };

const operations: Record<string, (command: Command, line: string) => object | Promise<object>> = {
  client({ client = "default", endpoint, namespace, run_id: runId, retry_for_ms: retryFor }) {
    clients.set(client, new Client({ endpoint, namespace, runId, retryFor }));
    return {};
  },
  async create(command, line) {
    const type = typeOf(command, line);
    const builder = clientOf(command).event(command.name, command.prompt ?? "What is it?", type);
    if (command.scope !== undefined) builder.scope(command.scope);
    if (command.timeout_ms !== undefined) builder.timeout(command.timeout_ms);
    if (command.default !== undefined) builder.defaultOnTimeout(type.fromValue(valueOf(command.default)));
    for (const [key, value] of Object.entries(command.labels ?? {})) builder.label(key, value);
    if (command.markdown) builder.markdown();
    if (command.idempotency_key !== undefined) builder.idempotencyKey(command.idempotency_key);
    const event = await builder.create();
    events.set(command.event, { event, type });
    return {
      event_id: event.id, request_id: event.requestId, name: event.name, form_url: event.formUrl, api_url: event.apiUrl,
      endpoint: event.endpoint, existed: event.existed, deadline_ms: event.deadline.getTime(),
    };
  },
  async wait(command) {
    const { event, type } = asked(command.event);
    const signal = command.limit_ms === undefined ? undefined : AbortSignal.timeout(command.limit_ms);
    try {
      return { value: jsonOf(type.toValue(await event.wait({ signal }))) };
    } catch (error) {
      if (error === signal?.reason) return { gave_up: true };
      throw error;
    }
  },
  wait_event: async (command) => report(await clientOf(command).waitEvent(command.event_id)),
  get: async (command) => report(await clientOf(command).get(command.event_id)),
  cancel_event: (command) => asked(command.event).event.cancel(command.reason).then(() => ({})),
  async answer(command, line) {
    const { event_id: eventId, value, text, responder } = command;
    let answer: Answer = { text: text ?? "" };
    if (value !== undefined) answer = { value: valueOf(value) };
    else if (text === undefined) answer = { json: rawJson(line, "json") };
    return report(await clientOf(command).answer(eventId, answer, { responder }));
  },
  async decline(command) {
    const { event_id: eventId, reason, responder } = command;
    return report(await clientOf(command).decline(eventId, reason, { responder }));
  },
  cancel: async (command) => report(await clientOf(command).cancel(command.event_id, command.reason)),
  async list(command) {
    const { name, scope, labels, page_size: pageSize, page_token: pageToken } = command;
    const state = command.state && v1.EventState[command.state];
    const page = await clientOf(command).list({ state, name, scope, labels, pageSize, pageToken });
    return { events: page.events.map(report), next_page_token: page.nextPageToken };
  },
  async ask(command, line) {
    const type = typeOf(command, line);
    return { value: jsonOf(type.toValue(await ask(command.name, command.prompt ?? "What is it?", type))) };
  },
};

function clientOf({ client: name = "default" }: Command): Client {
  const client = clients.get(name) ?? new Client();
  clients.set(name, client);
  return client;
}

function typeOf(command: Command, line: string): DataType<unknown> {
  const { min, max, min_length, max_length, pattern, multiline, yes = "", no = "", options = [] } = command;
  const limit = <N>(read: (limit: Limit) => N, limit?: Limit) => (limit === undefined ? undefined : read(limit));
  const format = command.format?.toLowerCase().replace("_", "-") as StrOptions["format"];
  const types: Record<string, () => unknown> = {
    int: () => int({ min: limit(BigInt, min), max: limit(BigInt, max) }),
    float: () => float({ min: limit(Number, min), max: limit(Number, max) }),
    str: () => str({ minLength: min_length, maxLength: max_length, pattern, multiline, format }),
    bool: () => bool({ labels: [yes, no] }),
    choice: () => choice(options),
    choices: () => choices(options, { minSelected: command.min_selected, maxSelected: command.max_selected }),
    object: () => object(rawJson(line, "schema")),
  };
  return types[command.type]?.() as DataType<unknown>;
}

const valueOf = (json: JsonValue) => fromJson(v1.ValueSchema, json);
const jsonOf = (value: v1.Value) => toJson(v1.ValueSchema, value);

function report({ id, name, state, response }: v1.Event): object {
  const value = response?.value ? jsonOf(response.value) : null;
  const [reason, responder] = [response?.reason ?? "", response?.responder?.name ?? ""];
  return { event_id: id, name, state: v1.EventState[state], value, reason, responder };
}

const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** A member of a line as it was written there, since numbers of JavaScript are not exact. */
function rawJson(line: string, member: string): string {
  const quoted = line.replace(TOKENS, (token) => (token.startsWith('"') ? token : `"\\u0000${token}"`));
  return raw(JSON.stringify((JSON.parse(quoted) as Record<string, unknown>)[member]));
}

const raw = (json: string) => json.replace(/"\\u0000([^"]*)"/g, "$1");

function failure(error: unknown): object {
  if (!(error instanceof HitlError)) return { kind: "adapter", message: String(error) };
  const { message, reason, fieldViolations, retryable, response } = error;
  const kind = error.kind.replace(/(?!^)[A-Z]/g, "_$&").toLowerCase();
  const fields = fieldViolations.map(({ field }) => field);
  const ended = response && { reason: response.reason, responder: response.responder?.name ?? "" };
  const how = ended ? { state: v1.EventState[response.state], ...ended } : null;
  return { kind, reason, message, fields, retryable, response: how };
}

async function handle(line: string): Promise<void> {
  const command = JSON.parse(line) as Command;
  const reply: Record<string, unknown> = { id: command.id };
  try {
    reply.ok = await operations[command.op]?.(command, line);
  } catch (error) {
    reply.error = failure(error);
  }
  // JSON.stringify forgets the sign of zero.
  const exact = (_: string, value: unknown) => (Object.is(value, -0) ? "\0-0.0" : value);
  process.stdout.write(`${raw(JSON.stringify(reply, exact))}\n`);
}

for await (const line of createInterface({ input: process.stdin })) void handle(line);
process.exit();
