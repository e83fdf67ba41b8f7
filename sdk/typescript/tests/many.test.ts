import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { HitlError } from "../src/error.js";
import * as v1 from "../src/v1.js";
import { lost, onPausedTime, scripted } from "./scripted.js";

type Result = MessageInitShape<typeof v1.CreateEventResultSchema>;
const { INVALID_REQUEST, OVERLOADED } = v1.ErrorReason;

const created = (id: string): Result => ({ result: { case: "created", value: { event: { id } } } });
const failed = (value: MessageInitShape<typeof v1.FailureSchema>): Result => ({ result: { case: "failure", value } });
const full = (seconds: bigint) =>
  failed({ code: Code.ResourceExhausted, reason: OVERLOADED, retryAfter: { seconds } });
const questions = (count: number) => Array.from({ length: count }, (_, at) => ({ name: `n${at}`, prompt: "?" }));
const results = (...results: Result[]) => ({ results });

/** The ids of what was created, and the kinds of the errors. */
const brief = (results: (v1.CreateEventResponse | HitlError)[]) =>
  results.map((result) => (result instanceof HitlError ? result.kind : result.event?.id));

test("a failure is the error that a call of its own would have had", async () => {
  const fieldViolations = [{ field: "name", description: "is empty" }];
  const { client } = scripted([
    results(
      failed({
        code: Code.InvalidArgument, reason: INVALID_REQUEST, message: "what\nhappened", metadata: { a: "b" }, fieldViolations,
      }),
      failed({ code: 99, reason: JSON.parse("999") as v1.ErrorReason }),
      {},
    ),
  ]);
  const [error, unknown, missing] = (await client.createMany(questions(3))) as HitlError[];
  assert.ok(error && unknown && missing);
  assert.deepEqual([error.kind, error.reason, error.retryable], ["Invalid", "ERROR_REASON_INVALID_REQUEST", false]);
  assert.equal(error.message, String.raw`what\nhappened`);
  assert.deepEqual([error.metadata, error.fieldViolations], [{ a: "b" }, fieldViolations]);
  assert.deepEqual([unknown.kind, unknown.reason], ["Internal", ""]);
  assert.match(missing.message, /no result/);
});

test("what a full reply left out is sent again at once", async () => {
  const steps = [
    results(created("0"), full(0n), created("2"), full(0n)), results(created("1"), full(0n)), results(created("3")),
  ];
  const { client, seen } = scripted(steps, { retryFor: 0 });
  assert.deepEqual(brief(await client.createMany(questions(4))), ["0", "1", "2", "3"]);
  assert.deepEqual(seen.batches.map((batch) => batch.map(({ name }) => name)), [
    ["n0", "n1", "n2", "n3"], ["n1", "n3"], ["n3"],
  ]);
  assert.deepEqual(seen.batches[1]?.[0], seen.batches[0]?.[1]);
});

test("what makes no progress waits as long as the server asks, and is given up in time", async () => {
  const { client, seen } = scripted([results(created("0"), full(9n)), ...Array<object>(9).fill(results(full(9n)))]);
  const { result, tookMs } = await onPausedTime(() => client.createMany(questions(2)));
  assert.ok(result.status === "fulfilled");
  assert.deepEqual(brief(result.value), ["0", "Exhausted"]);
  assert.equal(seen.batches.length, 4);
  assert.ok(tookMs >= 27_000 && tookMs <= 30_000, `${tookMs} ms`);
});

test("a lost call is repeated and creates nothing twice", async () => {
  const { client, seen } = scripted([lost(), results(created("0"), created("1"))]);
  assert.deepEqual(brief(await client.createMany(questions(2))), ["0", "1"]);
  assert.deepEqual(seen.batches[0], seen.batches[1]);
  assert.equal(new Set(seen.batches[0]?.map(({ idempotencyKey }) => idempotencyKey).filter(Boolean)).size, 2);
});

test("a server that is not there fails all that is left", async () => {
  const first = results(...Array.from({ length: 1_000 }, (_, at) => created(`${at}`)));
  const { client, seen } = scripted([first, lost()], { retryFor: 0 });
  const kinds = brief(await client.createMany(questions(3_000)));
  assert.deepEqual(kinds.slice(998, 1_001), ["998", "999", "Unavailable"]);
  assert.ok(kinds.length === 3_000 && kinds.slice(1_000).every((kind) => kind === "Unavailable"));
  assert.equal(seen.batches.length, 2);
});

test("a batch has no more bytes than it may", async () => {
  const large = "x".repeat(1 << 19);
  const prompts = [large, large, large.repeat(3), "?"];
  const { client, seen } = scripted(["a", "b", "c", "d"].map((id) => results(created(id))));
  const asked = prompts.map((prompt) => ({ name: "n", prompt }));
  assert.deepEqual(brief(await client.createMany(asked)), ["a", "b", "c", "d"]);
  assert.deepEqual(seen.batches.map(({ length }) => length), [1, 1, 1, 1]);
});

test("what was not created gives its number back", async () => {
  const refused = failed({ code: Code.InvalidArgument, reason: INVALID_REQUEST });
  const { client, seen } = scripted([results(refused, created("2")), results(created("1"))], { runId: "many" });
  const asked = [{ name: "n" }, { name: "n" }];
  await client.createMany(asked);
  await client.createMany(asked.slice(1));
  const [first, second, again] = seen.batches.flat().map(({ idempotencyKey }) => idempotencyKey);
  assert.equal(first, again);
  assert.notEqual(first, second);
});

test("who stops it gets the reason of the signal, and no entries need no call", async () => {
  const { client, seen } = scripted([results(created("0"), full(9n))]);
  const controller = new AbortController();
  const reason = new Error("enough");
  const { result } = await onPausedTime(() => {
    setTimeout(() => { controller.abort(reason); }, 1_000);
    return client.createMany(questions(2), { signal: controller.signal });
  });
  assert.ok(result.status === "rejected" && result.reason === reason);
  assert.deepEqual([await client.createMany([]), await client.answerMany([])], [[], []]);
  assert.equal(seen.batches.length, 1);
});
