import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { eventId, once, processCounts } from "../src/key.js";

test("the derivation never changes", () => {
  // printf 'r\nn\n1' | sha256sum
  const expected = "run-b1782565ffd03f55c14560a1cd6def44fa03e5808e228626e97a8192ac01eff7";
  assert.equal(processCounts.ticket("default", "r", "n").key, expected);
});

test("each event of a run has its own key", () => {
  const series = [["k1", "a"], ["k1", "a"], ["k1", "b"], ["k2", "a"]] as const;
  const keys = series.map(([runId, name]) => processCounts.ticket("default", runId, name).key);
  assert.equal(new Set(keys).size, 4);
});

test("numbers that made no event go to the next ones, smallest first", () => {
  const [first, second, third] = [1, 2, 3].map(() => processCounts.ticket("n", "k3", "a"));
  assert.ok(first && second && third);
  for (const ticket of [first, third, second]) ticket.giveBack();
  for (const { key } of [first, second, third]) assert.equal(processCounts.ticket("n", "k3", "a").key, key);
});

test("the id of a key is a UUID made of its hash", () => {
  const hash = createHash("sha256").update("default\0key").digest("hex").slice(0, 32);
  const id = eventId("default", "key");
  assert.match(id, /^[0-9a-f]{12}8[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  assert.equal(id.slice(0, 12) + id.slice(13, 16) + id.slice(17), hash.slice(0, 12) + hash.slice(13, 16) + hash.slice(17));
});

test("without a run no two keys are alike", () => {
  assert.match(once(), /^[0-9a-f]{32}$/);
  assert.notEqual(once(), once());
});
