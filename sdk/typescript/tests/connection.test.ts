/** What becomes of a connection that falls silent. */

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, afterEach, before as first, test } from "node:test";
import { Client } from "../src/client.js";
import { LIMITS } from "../src/connection.js";
import { HitlError } from "../src/error.js";
import { int } from "../src/value.js";
import { Proxy } from "./proxy.js";
import { freePort, serve } from "./real.js";

const dir = fs.mkdtempSync(path.join(tmpdir(), "hitl-"));
const before = { ...LIMITS };
const names = Object.keys(before) as (keyof typeof LIMITS)[];
let endpoint = "";
let server: ChildProcess;

first(async () => {
  endpoint = `http://127.0.0.1:${await freePort()}`;
  server = await serve(endpoint, dir);
});

after(() => {
  server.kill("SIGKILL");
  fs.rmSync(dir, { recursive: true });
});

afterEach(() => { Object.assign(LIMITS, before); });

for (const waits of [0, 1]) {
  test(`a call just after the connection fell silent is made over another, with ${waits} waits open`, async (t) => {
    const proxy = await Proxy.of(endpoint, t);
    // What takes seconds takes a fifth of that here, and there is no time for two silent attempts.
    for (const name of names) LIMITS[name] = before[name] / 5;
    const client = new Client({ endpoint: proxy.endpoint, retryFor: 4_000 });
    const event = await client.event("n", "?", int()).create();
    const waiting = Array.from({ length: waits }, () => event.wait());
    await new Promise((passed) => setTimeout(passed, 100));
    proxy.freeze();
    assert.equal((await client.get(event.id)).id, event.id);
    await client.answer(event.id, { json: "1" });
    assert.deepEqual(await Promise.all(waiting), waiting.map(() => 1n));
    assert.equal(proxy.accepted, 2);
  });
}

test("a ping that is never answered holds up no call", async (t) => {
  const proxy = await Proxy.of(endpoint, t);
  Object.assign(LIMITS, { attemptMs: 1_000, pingIntervalMs: 200, pingTimeoutMs: 5_000 });
  const client = new Client({ endpoint: proxy.endpoint, retryFor: 0 });
  const get = async () => {
    const error: unknown = await client.get("0".repeat(32)).catch((error: unknown) => error);
    return error instanceof HitlError ? error.kind : error;
  };
  assert.equal(await get(), "NotFound");
  proxy.freeze();
  assert.deepEqual([await get(), await get()], ["Unavailable", "NotFound"]);
});
