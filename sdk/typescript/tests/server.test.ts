/** What only a real server can show. */

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { inspect } from "node:util";
import { ask, bool, Client, HitlError, int, object, str, v1 } from "hitl-sdk";
import { Proxy } from "./proxy.js";
import { freePort, serve } from "./real.js";

const dir = fs.mkdtempSync(path.join(tmpdir(), "hitl-"));
const running = new Set<ChildProcess>();
let endpoint = "";
let client: Client;
let server: ChildProcess;

before(async () => {
  endpoint = `http://127.0.0.1:${await freePort()}`;
  client = new Client({ endpoint });
  running.add((server = await serve(endpoint, dir)));
});

after(() => {
  for (const child of running) child.kill("SIGKILL");
  fs.rmSync(dir, { recursive: true });
});

const post = async (url: string | undefined, value: unknown) => {
  const reply = await fetch(String(url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ value }),
  });
  assert.ok(reply.ok, await reply.text());
};

test("a wait goes on through a server that is killed, and an aborted one does not", async () => {
  const event = await client.event("deploy", "?", int({ safe: true })).timeout(60_000).label("a", "b").create();
  assert.equal(event.endpoint, endpoint);
  assert.equal(event.existed, false);
  assert.ok(event.deadline.getTime() - Date.now() > 50_000);
  const aborted = new AbortController();
  const abandoned = assert.rejects(event.wait({ signal: aborted.signal }), { name: "AbortError" });
  const answer = event.wait();
  server.kill("SIGKILL");
  await once(server, "exit");
  aborted.abort();
  await abandoned;
  running.add((server = await serve(endpoint, dir)));
  await client.answer(event.id, { json: "5" }, { responder: "Ada" });
  const five: number = await answer;
  assert.equal(five, 5);
  assert.equal((await client.get(event.id)).response?.responder?.name, "Ada");
});

test("hundreds of waits share one connection, and one signal", async (t) => {
  const proxy = await Proxy.of(endpoint, t);
  const client = new Client({ endpoint: proxy.endpoint });
  const warnings: Error[] = [];
  process.on("warning", (warning) => warnings.push(warning));
  const { signal } = new AbortController();
  const create = () => client.event("n", "?", bool()).create({ signal });
  const events = await Promise.all(Array.from({ length: 300 }, create));
  const waits = events.map((event) => event.wait({ signal }));
  await Promise.all(events.map((event) => client.answer(event.id, { value: bool().toValue(true) }, { signal })));
  assert.ok((await Promise.all(waits)).every(Boolean));
  assert.deepEqual(warnings, []);
  assert.equal(proxy.accepted, 1);
  client.close();
});

test("who asks in one line shares a client, and gets what is answered", async (t) => {
  const proxy = await Proxy.of(endpoint, t);
  process.env.HITL_ENDPOINT = proxy.endpoint;
  t.after(() => { delete process.env.HITL_ENDPOINT; });
  const answers = ["first", "second"].map((name) => ask(name, "?", int({ safe: true })));
  for (const name of ["first", "second"]) {
    let asked: v1.Event | undefined;
    while (!asked) [asked] = (await client.list({ name })).events;
    await post(asked.apiUrl, 7);
  }
  assert.deepEqual(await Promise.all(answers), [7, 7]);
  assert.equal(proxy.accepted, 1);
});

test("a client that is closed ends its waits and makes no calls", async () => {
  const closing = new Client({ endpoint });
  const event = await closing.event("n", "?", int()).create();
  const ended = assert.rejects(event.wait(), { kind: "Invalid", message: "the client is closed" });
  await closing.get(event.id);
  closing.close();
  await ended;
  await assert.rejects(closing.get(event.id), { kind: "Invalid", message: "the client is closed" });
});

test("many are created and answered in order, and what is wrong with one concerns no other", async () => {
  const input = { kind: { case: "int", value: {} } } as const;
  const asked = Array.from({ length: 2_002 }, (_, at) => ({ name: at === 1 ? "" : `n${at}`, prompt: "?", input }));
  asked.push({ name: "\ud800", prompt: "?", input });
  const created = await client.createMany(asked);
  for (const at of [1, 2_002]) assert.equal((created[at] as HitlError).kind, "Invalid");
  assert.deepEqual((created[1] as HitlError).fieldViolations.map(({ field }) => field), ["name"]);
  const events = created.flatMap((result) => (result instanceof HitlError || !result.event ? [] : [result.event]));
  const [first] = events;
  assert.ok(first);
  assert.deepEqual(events.map(({ name }) => name), asked.map(({ name }) => name).filter((name) => name.startsWith("n")));
  assert.ok(!inspect(created).includes(first.formUrl));

  const answer = (event: v1.Event, at: number) =>
    ({ eventId: event.id, answer: { case: "json", value: at === 3 ? '"three"' : event.name.slice(1) } }) as const;
  const answered = await client.answerMany(events.map(answer));
  assert.equal((answered[3] as HitlError).kind, "Invalid");
  const values = answered.flatMap((result) => (result instanceof HitlError ? [] : [Number(result.value?.kind.value)]));
  assert.deepEqual(values, Array.from({ length: 2_002 }, (_, at) => at).filter((at) => at !== 1 && at !== 4));
  const [again] = await client.answerMany([answer(first, 0)]);
  assert.ok(again instanceof HitlError && again.kind === "Conflict" && again.metadata.state === "EVENT_STATE_ANSWERED");
});

test("errors of the server have their kind and their details", async () => {
  await assert.rejects(client.get("0".repeat(32)), { kind: "NotFound", reason: "ERROR_REASON_EVENT_NOT_FOUND" });
  const refused = await client.event("", "?", str({ pattern: "(" })).create().catch((error: unknown) => error);
  assert.ok(refused instanceof HitlError && refused.kind === "Invalid");
  assert.deepEqual(refused.fieldViolations.map(({ field }) => field), ["name", "input.str.pattern"]);
  const type = object({ type: "object", properties: { n: { type: "integer" } } });
  const event = await client.event("n", "?", type).create();
  await event.cancel("never mind");
  await assert.rejects(event.wait(), { kind: "Cancelled", message: /never mind/ });
  await assert.rejects(client.decline(event.id, "no"), { kind: "Conflict" });
});

test("nobody there is told with the address and the cause", async () => {
  const nobody = new Client({ endpoint: "127.0.0.1:9", retryFor: 0 });
  const message = /127\.0\.0\.1:9: .*ECONNREFUSED/;
  await assert.rejects(nobody.get("x"), { kind: "Unavailable", retryable: true, message });
});
