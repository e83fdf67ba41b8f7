/** Several servers, of which one serves; and calls that may not take long. */

import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import { test, type TestContext } from "node:test";
import { Code } from "@connectrpc/connect";
import { Client } from "../src/client.js";
import { resolve } from "../src/config.js";
import { HitlError } from "../src/error.js";
import { int } from "../src/value.js";
import * as v1 from "../src/v1.js";
import { freePort } from "./real.js";
import { refusal } from "./scripted.js";
import { served } from "./served.js";

const { several } = JSON.parse(fs.readFileSync(new URL("../../../endpoints.json", import.meta.url), "utf8")) as {
  several: { given: string; used?: string[]; refused?: string }[];
};
const invalid = (part: string) => ({ kind: "Invalid", message: new RegExp(part) });
const dead = async () => `http://127.0.0.1:${await freePort()}`;

function clientOf(t: TestContext, endpoints: string[], retryFor?: number): Client {
  const client = new Client({ endpoint: endpoints.join(","), retryFor });
  t.after(() => { client.close(); });
  return client;
}

/** A server that takes connections and never says anything. */
async function silent(t: TestContext): Promise<string> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => sockets.add(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

test("several are taken as in every other language", () => {
  assert.ok(several.length > 0);
  for (const { given, used, refused = "" } of several) {
    if (used) assert.deepEqual(resolve({ endpoint: given }, {}).endpoints, used);
    else assert.throws(() => new Client({ endpoint: given }), invalid(refused), given);
  }
  assert.throws(() => new Client({ endpoint: "127.0.0.1:1,hitl.example.org", token: "hitl_a" }), invalid("hitl.example.org"));
});

test("where the first is dead the second serves, and goes on to", async (t) => {
  const { endpoint } = await served(t, {});
  const client = clientOf(t, [await dead(), endpoint], 0);
  assert.equal((await client.get("e")).id, "e");
  assert.equal(client.endpoint, endpoint);
  assert.equal((await client.get("f")).id, "f");
});

test("one that ends is left and come back to", async (t) => {
  const asked: number[] = [];
  const ending = (server: number) => served(t, {
    get: (id) => {
      asked.push(server);
      if (id === `end ${server}`) throw refusal(Code.Unavailable, "ERROR_REASON_SHUTTING_DOWN");
      return { id };
    },
  });
  const [one, two] = [await ending(1), await ending(2)];
  const client = clientOf(t, [one.endpoint, two.endpoint], 0);
  for (const id of ["e", "end 1", "end 2"]) assert.equal((await client.get(id)).id, id);
  assert.deepEqual(asked, [1, 1, 2, 2, 1]);
  assert.equal(client.endpoint, one.endpoint);
});

test("what another would refuse too is asked of one", async (t) => {
  const refuse = () => { throw refusal(Code.NotFound, "ERROR_REASON_EVENT_NOT_FOUND"); };
  const one = await served(t, { get: refuse });
  const two = await served(t, {});
  await assert.rejects(clientOf(t, [one.endpoint, two.endpoint]).get("e"), { kind: "NotFound" });
});

test("where all are dead it is told at once", { timeout: 10_000 }, async (t) => {
  await assert.rejects(clientOf(t, [await dead(), await dead()]).get("e"), { kind: "Unavailable", message: /cannot reach/ });
});

test("a wait finds the one that serves", async (t) => {
  const wait = () => ({ id: "e", state: v1.EventState.CANCELLED });
  const { endpoint } = await served(t, { wait });
  const client = clientOf(t, [await dead(), endpoint]);
  assert.equal((await client.waitEvent("e")).id, "e");
});

test("a call that its caller ends leaves no server", async (t) => {
  const one = await silent(t);
  const client = clientOf(t, [one, (await served(t, {})).endpoint]);
  const ending = new AbortController();
  const called = client.get("e", { signal: ending.signal });
  ending.abort(new Error("changed my mind"));
  await assert.rejects(called, /changed my mind/);
  assert.equal(client.endpoint, one);
});

test("a call is given up after its timeout", { timeout: 10_000 }, async (t) => {
  const endpoint = await silent(t);
  const told = new RegExp(`${endpoint} sent nothing within the call's timeout of 0.2 s`);
  const configured = new Client({ endpoint, callTimeout: 200 });
  t.after(() => { configured.close(); });
  for (const client of [configured, clientOf(t, [endpoint]).withCallTimeout(200)]) {
    await assert.rejects(client.get("e"), { kind: "Unavailable", retryable: true, message: told });
    await assert.rejects(client.event("n", "How many?", int()).create(), { kind: "Unavailable", message: told });
    await assert.rejects(client.events()[Symbol.asyncIterator]().next(), { kind: "Unavailable", message: told });
    const [first] = await client.createMany([{ name: "n" }]);
    assert.ok(first instanceof HitlError && told.test(first.message));
  }
});

test("a timeout ends the repeating too", { timeout: 5_000 }, async (t) => {
  await assert.rejects(clientOf(t, [await dead()], 30_000).withCallTimeout(300).get("e"), { kind: "Unavailable" });
});

test("how long a call is repeated can be its own", async (t) => {
  let calls = 0;
  const get = (id: string) => {
    calls += 1;
    if (calls < 3) throw refusal(Code.Unavailable, "ERROR_REASON_SHUTTING_DOWN");
    return { id };
  };
  const client = clientOf(t, [(await served(t, { get })).endpoint]);
  await assert.rejects(client.withRetryFor(0).get("e"), { kind: "Unavailable" });
  assert.equal(calls, 1);
  assert.equal((await client.withRetryFor(9_000).withCallTimeout(9_000).get("e")).id, "e");
  assert.equal(calls, 3);
});

test("a timeout in which no call can be made is refused", () => {
  for (const callTimeout of [0, -1, NaN]) {
    assert.throws(() => new Client({ endpoint: "h", callTimeout }), invalid("callTimeout"));
    assert.throws(() => new Client({ endpoint: "h" }).withCallTimeout(callTimeout), invalid("callTimeout"));
  }
});
