import assert from "node:assert/strict";
import { test } from "node:test";
import * as v1 from "../src/v1.js";
import { int, str } from "../src/value.js";
import { scripted } from "./scripted.js";

test("what is set is what is asked", async () => {
  const { client, seen } = scripted([], { namespace: "shop" });
  await client
    .event("proceed", "Add to x?", int({ min: 0n, max: 9n }))
    .scope("run-7")
    .timeout(1_500)
    .defaultOnTimeout(5n)
    .label("team", "a")
    .markdown()
    .idempotencyKey("k")
    .create();
  const [request] = seen.created;
  assert.ok(request?.expiration.case === "ttl" && request.input?.kind.case === "int");
  assert.deepEqual([request.expiration.value.seconds, request.expiration.value.nanos], [1n, 500_000_000]);
  assert.deepEqual([request.input.kind.value.min, request.input.kind.value.max], [0n, 9n]);
  assert.deepEqual(request.onTimeout?.action.value, int().toValue(5n));
  const { namespace, name, prompt, scope, labels, promptFormat, idempotencyKey } = request;
  assert.deepEqual([namespace, name, prompt, scope], ["shop", "proceed", "Add to x?", "run-7"]);
  assert.deepEqual([labels.team, promptFormat, idempotencyKey], ["a", v1.PromptFormat.MARKDOWN, "k"]);
});

test("what is not set is left to the server, but for the key", async () => {
  const { client, seen } = scripted([]);
  await client.event("n", "?", str()).create();
  await client.create({ namespace: "other", name: "n", prompt: "?", input: { kind: { case: "str", value: {} } } });
  const [first, second] = seen.created;
  assert.deepEqual([first?.scope, first?.expiration.case, first?.onTimeout], ["", undefined, undefined]);
  assert.deepEqual([first?.namespace, second?.namespace], ["default", "other"]);
  assert.deepEqual(first?.input, second?.input);
  assert.match(String(first?.idempotencyKey), /^[0-9a-f]{32}$/);
});

test("one builder asks as often as it is told to", async () => {
  const { client, seen } = scripted([], { runId: "twice" });
  const builder = client.event("n", "?", str());
  await builder.create();
  await builder.create();
  assert.notEqual(seen.created[0]?.idempotencyKey, seen.created[1]?.idempotencyKey);
});

test("a timeout that is no time is refused", () => {
  const { client } = scripted([]);
  for (const ms of [NaN, Infinity]) {
    assert.throws(() => client.event("n", "?", str()).timeout(ms), { kind: "Invalid" });
  }
});
