import assert from "node:assert/strict";
import { test } from "node:test";
import { type Config, resolve } from "../src/config.js";

test("code wins over environment over default", () => {
  const env = { HITL_ENDPOINT: "http://env:1", HITL_NAMESPACE: "env", HITL_RUN_ID: "env-run" };
  const settings = resolve({ endpoint: "code:2/", runId: "code-run" }, env);
  assert.equal(settings.endpoints[0], "http://code:2");
  assert.equal(settings.runId, "code-run");
  assert.equal(settings.namespace, "env");
  assert.equal(settings.local, undefined);

  const empty = { endpoint: "", runId: "", namespace: "", binary: "" };
  assert.equal(resolve(empty, env).endpoints[0], "http://env:1");
  const unset = resolve(empty, { HITL_ENDPOINT: "", HITL_RUN_ID: "", HITL_NAMESPACE: "", HITL_PORT: "", HITL_BIN: "" });
  assert.equal(unset.endpoints[0], "http://127.0.0.1");
  assert.equal(unset.namespace, "default");
  assert.equal(unset.runId, undefined);
  assert.equal(unset.retryForMs, 30_000);
  assert.equal(unset.local?.binary, "hitl");
});

test("the program is that of the code or of the environment", () => {
  const env = { HITL_BIN: "/opt/hitl" };
  assert.equal(resolve({}, env).local?.binary, "/opt/hitl");
  assert.equal(resolve({ binary: "mine" }, env).local?.binary, "mine");
});

test("unusable settings say what to do", () => {
  for (const retryFor of [-1, NaN]) {
    assert.throws(() => resolve({ retryFor }, {}), { kind: "Invalid", message: /^retryFor is (-1|NaN): / });
  }
  const half = { kind: "Invalid", message: /^the (namespace|run id) is "\\u\{D800\}"/ };
  for (const config of [{ namespace: "\ud800" }, { runId: "\ud800" }]) assert.throws(() => resolve(config, {}), half);
  const number = { endpoint: 80 } as unknown as Config;
  assert.throws(() => resolve(number, {}), { kind: "Invalid", message: /^the endpoint is "80"/ });
});
