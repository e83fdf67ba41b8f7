import assert from "node:assert/strict";
import { test } from "node:test";
import { HitlError, invalid, unavailable } from "../src/error.js";
import { Backoff, retry, within } from "../src/retry.js";
import { onPausedTime, scripted } from "./scripted.js";

const lost = () => unavailable("lost");

test("delays double within bounds, and start again after progress", () => {
  const backoff = new Backoff();
  for (let step = 0; step < 12; step++) {
    const full = Math.min(100 * 2 ** step, 5_000);
    const delay = backoff.delayMs(lost());
    assert.ok(delay >= full / 2 && delay <= full, `step ${step}: ${delay}`);
  }
  backoff.reset();
  assert.ok(backoff.delayMs(lost()) <= 100);
  assert.equal(backoff.delayMs(new HitlError("Unavailable", "", { retryDelayMs: 3_000 })), 3_000);
});

test("what can pass is repeated, and given up in time", async () => {
  let attempts = 0;
  const { result, tookMs } = await onPausedTime(() =>
    retry(30_000, undefined, () => {
      attempts++;
      return Promise.reject(lost());
    }),
  );
  assert.ok(result.status === "rejected" && (result.reason as HitlError).kind === "Unavailable");
  assert.ok(attempts > 6 && tookMs > 15_000 && tookMs <= 30_000, `${attempts} attempts in ${tookMs} ms`);
});

test("what cannot pass is not repeated", async () => {
  let attempts = 0;
  const outcome = retry(30_000, undefined, () => {
    attempts++;
    return Promise.reject(invalid("no"));
  });
  await assert.rejects(outcome, { kind: "Invalid" });
  assert.equal(attempts, 1);
});

test("an attempt without reply is given up, and told so", async () => {
  let told: AbortSignal | undefined;
  const { result, tookMs } = await onPausedTime(() =>
    within(15_000, lost, undefined, (signal) => {
      told = signal;
      return new Promise(() => undefined);
    }),
  );
  assert.ok(result.status === "rejected" && (result.reason as HitlError).retryable);
  assert.ok(tookMs >= 15_000 && tookMs < 16_000);
  assert.equal(told?.aborted, true);
});

test("an aborted signal ends an attempt and a delay with its reason", async () => {
  const reason = new Error("enough");
  const attempt = new AbortController();
  const outcome = within(30_000, lost, attempt.signal, () => new Promise(() => undefined));
  attempt.abort(reason);
  await assert.rejects(outcome, reason);
  await assert.rejects(retry(30_000, attempt.signal, () => Promise.reject(lost())), reason);

  const delay = new AbortController();
  const { result } = await onPausedTime(() => {
    setTimeout(() => { delay.abort(reason); }, 10_000);
    return retry(30_000, delay.signal, () => Promise.reject(lost()));
  });
  assert.ok(result.status === "rejected" && result.reason === reason);
});

test("what is repeated takes effect once, when only the reply of the first attempt was lost", async () => {
  for (const runId of ["", "retried"]) {
    const { client, seen } = scripted([], { runId }, 3);
    const { result } = await onPausedTime(async () => {
      await client.create({ name: "n" });
      await client.answer("e", { text: "a" });
      await client.decline("e");
    });
    assert.equal(result.status, "fulfilled");
    assert.equal(seen.called.length, 6);
    for (let call = 0; call < 6; call += 2) assert.deepEqual(seen.called[call], seen.called[call + 1]);
    assert.ok(seen.called.every((request) => "idempotencyKey" in request ? request.idempotencyKey : request.answerId));
  }
});
