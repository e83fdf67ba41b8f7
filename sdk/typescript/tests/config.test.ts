import assert from "node:assert/strict";
import { test } from "node:test";
import { type Config, resolve } from "../src/config.js";

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

test("no data is kept in the working directory by accident", (t) => {
  const { HOME } = process.env;
  t.after(() => { process.env.HOME = HOME; });
  for (const home of [".", "users/ada"]) {
    process.env.HOME = home;
    assert.equal(resolve({}, { HOME: home, XDG_DATA_HOME: home }).launcher?.dataDir, undefined);
  }
});

test("unusable settings say what to do", () => {
  for (const retryFor of [-1, NaN]) {
    assert.throws(() => resolve({ retryFor }, {}), { kind: "Invalid", message: /^retryFor is (-1|NaN): / });
  }
  const half = { kind: "Invalid", message: /^the (namespace|run id) is "\\u\{D800\}"/ };
  for (const config of [{ namespace: "\ud800" }, { runId: "\ud800" }]) assert.throws(() => resolve(config, {}), half);
  const number = { endpoint: 80 } as unknown as Config;
  assert.throws(() => resolve(number, {}), { kind: "Invalid", message: /^the endpoint is "80"/ });
  for (const port of ["x", "0", "65536", "1.5", "+80", " 80", "8e1", "\uff18\uff10"]) {
    assert.throws(() => resolve({}, { HITL_PORT: port }), { kind: "Invalid", message: /HITL_PORT/ });
  }
});
