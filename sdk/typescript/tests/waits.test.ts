import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { HitlError } from "../src/error.js";
import { outcome } from "../src/event.js";
import * as v1 from "../src/v1.js";
import { bool, int, str } from "../src/value.js";
import { answered, event, failed, heartbeat, lost, onPausedTime, refusal, scripted, type Step } from "./scripted.js";

const UNKNOWN = JSON.parse("99") as v1.EventState;
const { DECLINED, CANCELLED, TIMED_OUT } = v1.EventState;

async function waited(steps: Iterable<Step>) {
  const { client, seen } = scripted(steps);
  const { result, tookMs } = await onPausedTime(() => client.waitEvent("e"));
  if (result.status === "fulfilled") return { seen, tookMs, event: result.value };
  assert.ok(result.reason instanceof HitlError, String(result.reason));
  return { seen, tookMs, error: result.reason };
}

test("a cut or refused stream is opened again until the event ends", async () => {
  const { event, seen } = await waited([
    { messages: [heartbeat()] },
    { then: refusal(Code.Unavailable, "ERROR_REASON_SHUTTING_DOWN") },
    { then: new ConnectError("transport error", Code.Unknown) },
    { messages: [heartbeat()], then: new ConnectError("connection reset", Code.Internal) },
    { then: refusal(Code.ResourceExhausted, "ERROR_REASON_TOO_MANY_WAITERS") },
    {},
    { messages: [heartbeat(), answered(42n)] },
  ]);
  assert.ok(event);
  assert.equal(outcome(event, int()), 42n);
  assert.equal(seen.waits, 7);
});

test("a server fallen silent is left after three heartbeats", async () => {
  const { event, seen, tookMs } = await waited([
    { messages: [heartbeat(), heartbeat()], then: "hang" },
    { messages: [answered(1n)] },
  ]);
  assert.ok(event);
  assert.ok(tookMs >= 45_000 && tookMs < 46_000, `${tookMs} ms`);
  assert.equal(seen.waits, 2);
});

test("heartbeats keep a wait alive", async () => {
  const messages = [heartbeat(), heartbeat(), heartbeat(), heartbeat(), answered(1n)];
  const { event, seen, tookMs } = await waited([{ messages, pauseMs: 15_000 }]);
  assert.ok(event);
  assert.ok(tookMs >= 75_000, `${tookMs} ms`);
  assert.equal(seen.waits, 1);
});

test("progress makes the next delay short again", async () => {
  const cut = Array.from({ length: 20 }, () => ({ messages: [heartbeat()] }));
  const { event, tookMs } = await waited([...cut, { messages: [answered(1n)] }]);
  assert.ok(event);
  assert.ok(tookMs < 5_000, `${tookMs} ms`);
});

test("a stream is closed once it has brought the final event", async () => {
  const { event, seen, tookMs } = await waited([{ messages: [answered(1n)], then: "hang" }]);
  assert.ok(event);
  assert.ok(tookMs < 1_000, `${tookMs} ms`);
  assert.equal(seen.closed, 1);
});

test("an outage longer than any retry does not end a wait that had begun", async () => {
  const outage = Array.from({ length: 60 }, lost);
  const { event, tookMs } = await waited([{ messages: [heartbeat()] }, ...outage, { messages: [answered(7n)] }]);
  assert.ok(event);
  assert.ok(tookMs > 120_000, `${tookMs} ms`);
});

test("a server never reached is an error in time", async () => {
  const { error, tookMs } = await waited(Array.from({ length: 60 }, lost));
  assert.equal(error?.kind, "Unavailable");
  assert.ok(tookMs > 15_000 && tookMs <= 30_000, `${tookMs} ms`);
});

test("what cannot be read is an error at once, since the next attempt would bring it again", async () => {
  for (const told of ["parse binary: premature EOF", "message size 9 is larger than configured readMaxBytes 1"]) {
    for (const code of [Code.Internal, Code.ResourceExhausted]) {
      const { error, seen } = await waited([{ messages: [heartbeat()], then: new ConnectError(told, code) }]);
      assert.deepEqual([error?.kind, error?.retryable, seen.waits], ["Internal", false, 1]);
      assert.match(String(error?.message), /cannot be read as a message of the API: /);
    }
  }
});

test("an answer that its type cannot hold is an error once", async () => {
  const { client, seen } = scripted([{ messages: [answered(2n ** 53n)] }]);
  const event = await client.event("n", "?", int({ safe: true })).idempotencyKey("e").create();
  const message = /the answer 9007199254740992 is not a safe number/;
  await assert.rejects(event.wait(), { kind: "Internal", retryable: false, message });
  assert.equal(seen.waits, 1);
});

test("an unknown event is an error at once", async () => {
  const unknown = failed(Code.NotFound, v1.ErrorReason.EVENT_NOT_FOUND);
  const { error, seen } = await waited([{ messages: [unknown], then: "hang" }]);
  assert.deepEqual([error?.kind, error?.reason, seen.waits], ["NotFound", "ERROR_REASON_EVENT_NOT_FOUND", 1]);
});

test("what cannot be an id is an error before it is sent", async () => {
  const { client, seen } = scripted([]);
  for (const eventId of ["\udfff", "0".repeat(129)]) await assert.rejects(client.waitEvent(eventId), { kind: "Invalid" });
  assert.equal(seen.waits, 0);
});

test("an unknown state is pending", async () => {
  const { event: ended, seen } = await waited([
    { messages: [event(UNKNOWN)] },
    { messages: [answered(1n)] },
  ]);
  assert.equal(ended?.state, v1.EventState.ANSWERED);
  assert.equal(seen.waits, 2);
});

test("a burst of four thousand waits shares one stream, and each is told of its own event", async () => {
  const { client, seen } = scripted([{ reply: (eventId) => answered(BigInt(eventId), eventId) }]);
  const numbers = Array.from({ length: 4_000 }, (_, number) => number);
  const ended = await Promise.all([...numbers, 7].map((number) => client.waitEvent(String(number))));
  assert.deepEqual(ended.map((event) => Number(outcome(event, int()))), [...numbers, 7]);
  assert.notEqual(ended[7], ended[4_000]);
  assert.deepEqual([seen.waits, seen.asked], [1, numbers.map((number) => `+${number}`)]);
});

test("everything that is still waited for is asked for again after a loss", async () => {
  const { client, seen } = scripted([
    { messages: [answered(1n), heartbeat()], pauseMs: 1_000, then: new ConnectError("connection reset", Code.Internal) },
    { reply: (eventId) => answered(2n, eventId) },
  ]);
  const controller = new AbortController();
  const { result } = await onPausedTime(async () => {
    const [e, f, g] = ["e", "f", "g"].map((id) => client.waitEvent(id, id === "g" ? controller : {}));
    await e;
    controller.abort();
    await assert.rejects(g ?? Promise.resolve(), { name: "AbortError" });
    await f;
  });
  assert.equal(result.status, "fulfilled");
  assert.deepEqual([seen.waits, seen.asked], [2, ["+e", "+f", "+g", "-g", "+f"]]);
});

test("who stops waiting gets the reason of the signal, is removed, and the last one closes the stream", async () => {
  const { client, seen } = scripted([{ messages: [heartbeat()], then: "hang" }, { reply: () => answered(1n) }]);
  const reason = new Error("enough");
  const { result } = await onPausedTime(async () => {
    const stops = ["e", "f"].map((eventId) => {
      const controller = new AbortController();
      const waiting = client.waitEvent(eventId, controller);
      return async () => {
        await new Promise((passed) => setTimeout(passed, 1_000));
        controller.abort(reason);
        await assert.rejects(waiting, reason);
      };
    });
    for (const stop of stops) await stop();
    await client.waitEvent("e");
  });
  assert.equal(result.status, "fulfilled");
  assert.deepEqual([seen.waits, seen.closed, seen.asked], [2, 1, ["+e", "+f", "-e", "+e"]]);
});

test("a wait that the server has no room for is added again later", async () => {
  const full = failed(Code.ResourceExhausted, v1.ErrorReason.TOO_MANY_WAITERS);
  const replies = [full, full, answered(3n)];
  const { event, seen } = await waited([{ reply: () => replies.shift() ?? heartbeat() }]);
  assert.ok(event);
  assert.deepEqual([seen.waits, seen.asked], [1, ["+e", "+e", "+e"]]);
});

test("an end that nobody waits for is passed over", async () => {
  const { event, seen } = await waited([{ messages: [answered(1n, "other"), answered(2n)], then: "hang" }]);
  assert.ok(event);
  assert.equal(outcome(event, int()), 2n);
  assert.equal(seen.waits, 1);
});

test("an event that ended without a value is an error of its kind", () => {
  for (const [state, kind] of [[DECLINED, "Declined"], [CANCELLED, "Cancelled"], [TIMED_OUT, "TimedOut"]] as const) {
    const ended = create(v1.EventSchema, { state, response: { state, reason: "not today" } });
    assert.throws(
      () => outcome(ended, int()),
      (error) => error instanceof HitlError && error.kind === kind && error.response?.reason === "not today",
    );
  }
  const value = { kind: { case: "int", value: 5n } } as const;
  const defaulted = create(v1.EventSchema, { state: TIMED_OUT, response: { state: TIMED_OUT, value } });
  assert.equal(outcome(defaulted, int()), 5n);
  assert.throws(() => outcome(create(v1.EventSchema, {}), int()), { kind: "Internal" });
});

test("clients of one run share its count, and runs do not share keys", async () => {
  const [first, second] = [scripted([], { runId: "w1" }).client, scripted([], { runId: "w1" }).client];
  const other = scripted([], { runId: "w2" }).client;
  const ids = new Set<string>();
  for (const client of [first, second, other]) ids.add((await client.event("n", "?", bool()).create()).id);
  assert.equal(ids.size, 3);
  const given = await first.event("n", "?", bool()).idempotencyKey("mine").create();
  assert.equal(given.id, "mine");
});

test("a create that failed does not count", async () => {
  const { client } = scripted([], { runId: "w3" });
  await assert.rejects(client.event("n", "refuse", bool()).create(), { kind: "Invalid" });
  await assert.rejects(client.event("n", "?", str({ minLength: -1 })).create(), { kind: "Invalid" });
  const made = await client.event("n", "?", bool()).create();
  assert.equal(made.id, `run-${createHash("sha256").update("w3\nn\n1").digest("hex")}`);
});
