import assert from "node:assert/strict";
import { test } from "node:test";
import { once, Ticket } from "../src/key.js";

test("the derivation never changes", () => {
  // printf 'r\nn\n1' | sha256sum
  const expected = "run-b1782565ffd03f55c14560a1cd6def44fa03e5808e228626e97a8192ac01eff7";
  assert.equal(new Ticket("default", "r", "n").key, expected);
});

test("each event of a run has its own key", () => {
  const series = [["k1", "a"], ["k1", "a"], ["k1", "b"], ["k2", "a"]] as const;
  const keys = series.map(([runId, name]) => new Ticket("default", runId, name).key);
  assert.equal(new Set(keys).size, 4);
});

test("numbers that made no event go to the next ones, smallest first", () => {
  const [first, second, third] = [1, 2, 3].map(() => new Ticket("n", "k3", "a"));
  assert.ok(first && second && third);
  for (const ticket of [first, third, second]) ticket.giveBack();
  for (const { key } of [first, second, third]) assert.equal(new Ticket("n", "k3", "a").key, key);
});

test("without a run no two keys are alike", () => {
  assert.match(once(), /^[0-9a-f]{32}$/);
  assert.notEqual(once(), once());
});
