import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import type { Client } from "../src/client.js";
import * as v1 from "../src/v1.js";
import type { Change } from "../src/watch.js";
import { lost, onPausedTime, refusal, scripted, type Step, type Update } from "./scripted.js";

const { CREATED } = v1.ChangeKind;
const bookmark = (resumeToken: string): Update => ({ update: { case: "bookmark", value: { resumeToken } } });
const change = (id: string): Update => ({ update: { case: "change", value: { kind: CREATED, event: { id } } } });

/** The first changes of a watch: ids and tokens. */
async function first(count: number, changes: AsyncIterable<Change>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { kind, event, resumeToken } of changes) {
    assert.equal(kind, CREATED);
    seen.push(`${event.id} ${resumeToken}`);
    if (seen.length === count) break;
  }
  return seen;
}

const watched = async (count: number, client: Client) => {
  const { result, tookMs } = await onPausedTime(() => first(count, client.watch()));
  assert.ok(result.status === "fulfilled", String((result as PromiseRejectedResult).reason));
  return { seen: result.value, tookMs };
};

test("a lost stream is resumed from its last bookmark", async () => {
  const { client, seen } = scripted([
    lost(),
    { messages: [bookmark("1"), change("a"), bookmark("2"), change("b")] },
    { then: refusal(Code.Unavailable, "ERROR_REASON_SHUTTING_DOWN") },
    { messages: [change("b"), { update: { case: undefined } }, bookmark("3"), change("c")], then: "hang" },
  ]);
  const filters = { name: "n", scope: "s", labels: { a: "b" }, state: v1.EventState.PENDING };
  const { result } = await onPausedTime(() => first(4, client.watch({ ...filters, resumeToken: "0" })));
  assert.ok(result.status === "fulfilled");
  assert.deepEqual(result.value, ["a 1", "b 2", "b 2", "c 3"]);
  assert.deepEqual(seen.watches.map(({ resumeToken }) => resumeToken), ["0", "0", "2", "2"]);
  const [request] = seen.watches.slice(3);
  assert.ok(request);
  const { namespace, name, scope, labels, state } = request;
  assert.deepEqual({ namespace, name, scope, labels, state }, { namespace: "default", ...filters });
});

test("the stream is closed when the iteration ends, and each has one of its own", async () => {
  const step: Step = { messages: [bookmark("1"), change("a"), change("b")], then: "hang" };
  const { client, seen } = scripted([step, step]);
  const changes = client.watch();
  assert.deepEqual(await first(1, changes), ["a 1"]);
  await new Promise(setImmediate);
  assert.equal(seen.closed, 1);
  assert.deepEqual(await first(1, changes), ["a 1"]);
  await new Promise(setImmediate);
  assert.equal(seen.closed, 2);
});

test("an outage longer than any retry does not end a watch that had begun", async () => {
  const { client, seen } = scripted([{ messages: [bookmark("1")] }, ...Array.from({ length: 50 }, lost), { messages: [change("a")] }]);
  const { seen: changes, tookMs } = await watched(1, client);
  assert.deepEqual(changes, ["a 1"]);
  assert.equal(seen.watches.length, 52);
  assert.ok(tookMs > 60_000, `${tookMs} ms`);
});

test("a server fallen silent is left after three bookmarks, and bookmarks keep a watch alive", async () => {
  const messages = [bookmark("1"), bookmark("2"), bookmark("3"), bookmark("4")];
  const { client, seen } = scripted([{ messages, pauseMs: 15_000, then: "hang" }, { messages: [change("a")] }]);
  const { seen: changes, tookMs } = await watched(1, client);
  assert.deepEqual(changes, ["a 4"]);
  assert.ok(tookMs >= 105_000 && tookMs < 106_000, `${tookMs} ms`);
  assert.equal(seen.closed, 1);
});

test("who stops watching gets the reason of the signal, and the stream is closed", async () => {
  const { client, seen } = scripted([{ messages: [bookmark("1")], then: "hang" }]);
  const controller = new AbortController();
  const reason = new Error("enough");
  const { result } = await onPausedTime(() => {
    setTimeout(() => { controller.abort(reason); }, 1_000);
    return first(1, client.watch({}, { signal: controller.signal }));
  });
  assert.ok(result.status === "rejected" && result.reason === reason);
  assert.deepEqual([seen.watches.length, seen.closed], [1, 1]);
});

test("what would be the same again ends a watch", async () => {
  const expired = { then: refusal(Code.OutOfRange, "ERROR_REASON_RESUME_TOKEN_EXPIRED") };
  const { client } = scripted([expired, { messages: [{ update: { case: "change", value: { kind: CREATED } } }] }]);
  await assert.rejects(first(1, client.watch()), { kind: "Invalid", reason: "ERROR_REASON_RESUME_TOKEN_EXPIRED" });
  await assert.rejects(first(1, client.watch()), { kind: "Internal", message: /without its event/ });
  await assert.rejects(first(1, client.watch({ name: "\ud800" })), { kind: "Invalid" });
});
