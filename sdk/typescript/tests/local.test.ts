import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { Client } from "../src/client.js";
import { Local } from "../src/local.js";

/** A script in place of the program. */
function program(t: TestContext, script: string): string {
  const dir = fs.mkdtempSync(path.join(tmpdir(), "hitl-"));
  t.after(() => { fs.rmSync(dir, { recursive: true }); });
  const binary = path.join(dir, "hitl");
  fs.writeFileSync(binary, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return binary;
}

/** A client of the local server, and of nothing else that the environment names. */
function client(binary: string): Client {
  delete process.env.HITL_ENDPOINT;
  return new Client({ binary });
}

test("a missing program says what to install or set, through the whole client", async () => {
  const message = /install hitl, or set HITL_BIN/;
  await assert.rejects(client("/no/such/hitl").get("id"), { kind: "Unavailable", retryable: false, message });
});

test("what up says when it fails is the error, through the whole client", async (t) => {
  for (const end of ["exit 1", "echo '{}'", "echo no JSON"]) {
    const binary = program(t, `echo "hitl: told $@" >&2; echo disk full >&2; ${end}`);
    const told = { kind: "Unavailable", retryable: false, message: "`hitl up` failed:\ntold up\ndisk full" };
    await assert.rejects(client(binary).get("id"), told);
  }
});

test("each connect goes where up says, and calls at a time ask it once", async (t) => {
  const binary = program(t, 'echo ran >>"$0.ran"; cat "$0.said"');
  const local = client(binary);
  assert.equal(local.endpoint, "");
  for (let times = 1; times <= 2; times++) {
    const listener = net.createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(listener, "listening");
    const endpoint = `http://127.0.0.1:${(listener.address() as net.AddressInfo).port}`;
    fs.writeFileSync(`${binary}.said`, JSON.stringify({ endpoint, token: "hitl_later" }));
    const met = once(listener, "connection");
    const given = new AbortController();
    const calls = [1, 2, 3].map(() => local.get("id", { signal: given.signal }).catch(() => undefined));
    await met;
    assert.equal(local.endpoint, endpoint);
    given.abort();
    await Promise.all(calls);
    listener.close();
  }
  const found = new Local(binary);
  await Promise.all([found.ready(), found.ready()]);
  assert.equal(found.endpoint, local.endpoint);
});
