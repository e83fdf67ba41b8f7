import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Client } from "../src/client.js";
import type { Config } from "../src/config.js";
import { Telling } from "../src/told.js";
import { EventSchema, EventState } from "../src/v1.js";
import { int, str } from "../src/value.js";
import { freePort } from "./real.js";
import { served } from "./served.js";

const input = { kind: { case: "str", value: {} } } as const;
const links = { formUrl: "http://h/f/secret", apiUrl: "http://h/a/secret" };
const pending = { id: "e", namespace: "default", name: "n", state: EventState.PENDING, input, ...links };
const response = { state: EventState.ANSWERED, value: { kind: { case: "str", value: "" } } } as const;
const answered = { id: "e", name: "n", input, state: EventState.ANSWERED, response };
const declined = { id: "e", name: "n", input, state: EventState.DECLINED };

async function attached(t: TestContext, ...states: (typeof pending | typeof answered | typeof declined)[]) {
  const got = [pending, ...states];
  const { endpoint } = await served(t, { get: () => got.shift() ?? pending });
  const client = new Client({ endpoint });
  t.after(() => { client.close(); });
  return client.attach("e", str());
}

/** What is printed to stderr meanwhile. */
async function told(act: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = (text: string | Uint8Array) => lines.push(String(text)) > 0;
  try {
    await act();
  } finally {
    process.stderr.write = write;
  }
  return lines;
}

test("an event that was asked before has its type again", async (t) => {
  const event = await attached(t, answered);
  assert.deepEqual([event.id, event.name, event.existed], ["e", "n", true]);
  assert.equal(await event.poll(), "");
});

test("another kind of answer than the event asks for is refused", async (t) => {
  const { endpoint } = await served(t, { get: () => pending });
  const client = new Client({ endpoint });
  await assert.rejects(client.attach("e", int()), { kind: "Invalid", message: /asks for str, not int/ });
  client.close();
});

test("a poll looks once, and tells every end", async (t) => {
  const event = await attached(t, pending, answered, declined);
  assert.equal(await event.poll(), undefined);
  assert.equal(await event.poll(), "");
  await assert.rejects(event.poll(), { kind: "Declined" });
});

test("a wait with no time looks once, and one with a limit ends at it", async (t) => {
  const event = await attached(t, pending, answered);
  assert.equal(await event.waitFor(0), undefined);
  assert.equal(await event.waitFor(-1), "");
  assert.deepEqual(await told(async () => { assert.equal(await event.waitFor(50), undefined); }), [
    'hitl: "n" waits for an answer at http://h/f/secret\n',
  ]);
  await assert.rejects(event.waitFor(NaN), { kind: "Invalid" });
  const stopped = event.waitFor(10_000, { signal: AbortSignal.timeout(20) });
  await assert.rejects(stopped, { name: "TimeoutError" });
});

test("a wait tells once where to answer, unless the program has looked itself", async (t) => {
  const event = await attached(t);
  const waits = async () => { for (let i = 0; i < 2; i += 1) await event.waitFor(30); };
  assert.equal((await told(waits)).length, 1);
  const looked = await attached(t);
  assert.ok(looked.formUrl);
  assert.deepEqual(await told(() => looked.waitFor(30)), []);
});

test("a client is quiet that is told to be", async (t) => {
  const { endpoint } = await served(t, { get: () => pending });
  const quiet = async (config: Config) => {
    const client = new Client({ endpoint, ...config });
    const event = await client.attach("e", str());
    assert.deepEqual(await told(() => event.waitFor(30)), []);
    client.close();
  };
  await quiet({ announce: false });
  process.env.HITL_ANNOUNCE = "0";
  await quiet({});
  delete process.env.HITL_ANNOUNCE;
});

test("a client does not tell of thousands, and names an event whose link it does not know", async () => {
  const telling = new Telling(true);
  const event = create(EventSchema, { id: "e", name: "n" });
  const lines = await told(() => {
    for (let i = 0; i < 30; i += 1) telling.tell(event);
    return Promise.resolve();
  });
  assert.equal(lines.length, 21);
  assert.equal(lines[0], 'hitl: "n" waits for an answer (event e)\n');
});

test("as JSON an event says which it is, and no secret", async (t) => {
  const written = JSON.stringify(await attached(t));
  assert.deepEqual(JSON.parse(written), {
    id: "e", namespace: "default", name: "n", deadline: "1970-01-01T00:00:00.000Z", existed: true,
  });
});

test("pages are fetched when the iteration comes to them", async (t) => {
  const pages: string[] = [];
  const list = (pageToken: string) => {
    pages.push(pageToken);
    const page = Number(pageToken);
    return { events: page === 1 ? [] : [{ id: `e${page}` }], nextPageToken: page < 2 ? `${page + 1}` : "" };
  };
  const { endpoint } = await served(t, { list });
  const client = new Client({ endpoint });
  const ids: string[] = [];
  for await (const { id } of client.events()) {
    if (ids.push(id) === 1) assert.deepEqual(pages, [""]);
  }
  assert.deepEqual(ids, ["e0", "e2"]);
  assert.deepEqual(pages, ["", "1", "2"]);
  pages.length = 0;
  for await (const { id } of client.events({}, { limit: 1 })) assert.equal(id, "e0");
  assert.deepEqual(pages, [""]);
  client.close();
});

test("a server that sends the same page for ever is found out", async (t) => {
  const { endpoint } = await served(t, { list: () => ({ nextPageToken: "1" }) });
  const client = new Client({ endpoint });
  const all = async () => { for await (const event of client.events()) assert.fail(event.id); };
  await assert.rejects(all(), { kind: "Internal", message: /same page/ });
  client.close();
});

test("nobody at the endpoint is told of at once, unless the program has said how long to try", async () => {
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const begun = performance.now();
  for (const call of [(c: Client) => c.get("e"), (c: Client) => c.waitEvent("e")]) {
    const message = /Check that it runs there/;
    await assert.rejects(call(new Client({ endpoint })), { kind: "Unavailable", retryable: true, message });
  }
  assert.ok(performance.now() - begun < 5_000);
  const logged: string[] = [];
  const add = (message: string) => { logged.push(message); };
  const log = { debug: add, info: add, warn: add, error: add };
  await assert.rejects(new Client({ endpoint, retryFor: 200, log }).get("e"), { kind: "Unavailable" });
  assert.match(logged[0] ?? "", /^calls again in 0\.1 s \(attempt 2\): cannot reach the hitl server at/);
});

test("the log tells of waits, and of no link or token", async (t) => {
  const { endpoint } = await served(t, { get: () => pending, wait: () => answered });
  const logged: string[] = [];
  const add = (message: string) => { logged.push(message); };
  const client = new Client({ endpoint, token: "hitl_secret", log: { debug: add, info: add, warn: add, error: add } });
  const event = await client.attach("e", str());
  await told(() => event.wait());
  assert.deepEqual(logged, [`waits for 1 events at ${endpoint}`]);
  client.close();
});
