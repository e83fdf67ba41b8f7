import assert from "node:assert/strict";
import { test } from "node:test";
import { resolve } from "../src/config.js";

test("code wins over environment over default", () => {
  const env = { HITL_ENDPOINT: "http://env:1", HITL_NAMESPACE: "env", HITL_RUN_ID: "env-run" };
  const settings = resolve({ endpoint: "code:2/", runId: "code-run" }, env);
  assert.equal(settings.endpoint, "http://code:2");
  assert.equal(settings.runId, "code-run");
  assert.equal(settings.namespace, "env");
  assert.equal(settings.launcher, undefined);

  const empty = { endpoint: "", runId: "", namespace: "", binary: "" };
  assert.equal(resolve(empty, env).endpoint, "http://env:1");
  const unset = resolve(empty, { HITL_ENDPOINT: "", HITL_RUN_ID: "", HITL_NAMESPACE: "", HITL_PORT: "", HITL_BIN: "" });
  assert.equal(unset.endpoint, "http://127.0.0.1:4485");
  assert.equal(unset.namespace, "default");
  assert.equal(unset.runId, undefined);
  assert.equal(unset.retryForMs, 30_000);
  assert.equal(unset.launcher?.binary, "hitl");
});

test("the local server follows its variables", () => {
  const local = (env: NodeJS.ProcessEnv) => resolve({}, { HOME: "/users/ada", ...env }).launcher;
  const launcher = local({ HITL_PORT: "7001", HITL_BIN: "/opt/hitl" });
  assert.equal(launcher?.endpoint, "http://127.0.0.1:7001");
  assert.equal(launcher.binary, "/opt/hitl");
  assert.equal(launcher.dataDir, "/users/ada/.local/share/hitl");
  assert.equal(local({})?.binary, "hitl");
  assert.equal(local({ XDG_DATA_HOME: "/data" })?.dataDir, "/data/hitl");
  assert.equal(local({ XDG_DATA_HOME: "data" })?.dataDir, "/users/ada/.local/share/hitl");
  assert.equal(local({ XDG_DATA_HOME: "/data", HITL_DATA_DIR: "here" })?.dataDir, "here");
});

test("unusable settings say what to do", () => {
  for (const endpoint of ["https://host", "http://", "a b"]) {
    assert.throws(() => resolve({ endpoint }, {}), { kind: "Invalid", message: /http:\/\/HOST:PORT/ });
  }
  for (const port of ["x", "0", "65536", "1.5"]) {
    assert.throws(() => resolve({}, { HITL_PORT: port }), { kind: "Invalid", message: /HITL_PORT/ });
  }
});
