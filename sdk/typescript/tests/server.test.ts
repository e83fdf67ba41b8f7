/** What only a real server can show; the program is that of `HITL_BIN`. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { bool, Client, HitlError, int, object, str, v1 } from "hitl";

const binary = process.env.HITL_BIN;
const dir = fs.mkdtempSync(path.join(tmpdir(), "hitl-"));
const running = new Set<ChildProcess>();
let endpoint = "";
let client: Client;
let server: ChildProcess;

before(async () => {
  assert.ok(binary, "set HITL_BIN to the hitl program");
  const listener = net.createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as net.AddressInfo;
  listener.close();
  endpoint = `http://127.0.0.1:${port}`;
  client = new Client({ endpoint });
  server = await serve();
});

after(() => {
  for (const child of running) child.kill("SIGKILL");
  fs.rmSync(dir, { recursive: true });
});

async function serve(): Promise<ChildProcess> {
  const args = ["serve", "--listen", new URL(endpoint).host];
  const child = spawn(String(binary), args, { env: { ...process.env, HITL_DATA_DIR: dir }, stdio: "ignore" });
  running.add(child);
  const up = () => fetch(`${endpoint}/healthz`).then(({ ok }) => ok, () => false);
  while (!(await up())) assert.equal(child.exitCode, null, "the server has ended");
  return child;
}

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
  server = await serve();
  await client.answer(event.id, { json: "5" }, { responder: "Ada" });
  const five: number = await answer;
  assert.equal(five, 5);
  assert.equal((await client.get(event.id)).response?.responder?.name, "Ada");
});

test("hundreds of waits share one connection, and one signal", async () => {
  const warnings: Error[] = [];
  process.on("warning", (warning) => warnings.push(warning));
  const { signal } = new AbortController();
  const create = () => client.event("n", "?", bool()).create({ signal });
  const events = await Promise.all(Array.from({ length: 300 }, create));
  const waits = events.map((event) => event.wait({ signal }));
  await Promise.all(events.map((event) => client.answer(event.id, { value: bool().toValue(true) }, { signal })));
  assert.ok((await Promise.all(waits)).every(Boolean));
  assert.deepEqual(warnings, []);
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
