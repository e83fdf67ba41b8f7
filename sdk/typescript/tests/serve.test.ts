import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { Client } from "../src/client.js";
import { resolve } from "../src/config.js";
import { Connection } from "../src/connection.js";
import { Launcher } from "../src/serve.js";
import { freePort } from "./real.js";

/** A launcher of a script in place of the server, on a port that was free a moment ago. */
async function launcher(t: TestContext, script: string, startLimitMs = 1_000): Promise<Launcher> {
  const dir = fs.mkdtempSync(path.join(tmpdir(), "hitl-"));
  t.after(() => { fs.rmSync(dir, { recursive: true }); });
  const binary = path.join(dir, "hitl");
  fs.writeFileSync(binary, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return new Launcher(await freePort(), binary, path.join(dir, "data"), startLimitMs);
}

test("a missing program says what to install or set, through the whole client", async (t) => {
  const { port, dataDir } = await launcher(t, "");
  const settings = { ...resolve({}, {}), launcher: new Launcher(port, "/no/such/hitl", dataDir) };
  const client = new Client({}, new Connection(settings));
  const message = /install hitl, or set HITL_BIN/;
  await assert.rejects(client.get("id"), { kind: "Unavailable", retryable: false, message });
});

test("a server that cannot start shows the end of its log", async (t) => {
  const failing = await launcher(t, 'echo told "$@"; pwd; echo "$HITL_DATA_DIR"; echo disk full >&2; exit 1');
  const { port, dataDir } = failing;
  const started = `told serve --idle-exit 10m --listen 127.0.0.1:${port}\n${dataDir}\n${dataDir}\ndisk full`;
  await assert.rejects(failing.ready(), ({ message }: Error) => message.includes(started));
});

test("a server that ends is started again, a second later", async (t) => {
  const failing = await launcher(t, "echo started; exit 1", 1_500);
  await assert.rejects(failing.ready(), ({ message }: Error) => message.endsWith("ends:\nstarted\nstarted"));
});

test("a server that takes its time is not started twice", async (t) => {
  const slow = await launcher(t, "echo started; exec sleep 2", 1_500);
  await assert.rejects(slow.ready(), ({ message }: Error) => message.endsWith("ends:\nstarted"));
});

test("where something listens nothing is started", async (t) => {
  const needless = await launcher(t, "exit 1");
  const listener = net.createServer().listen(needless.port, "127.0.0.1");
  await once(listener, "listening");
  await needless.ready();
  listener.close();
  assert.equal(fs.existsSync(needless.dataDir), false);
});

test("a server that loses the race is no failure", async (t) => {
  const losing = await launcher(t, "exit 1");
  const ready = Promise.all([losing.ready(), losing.ready()]);
  // It is lost once the data directory shows that it was begun.
  while (!fs.existsSync(path.join(losing.dataDir, "serve.log"))) await new Promise(setImmediate);
  const winner = net.createServer((probe) => {
    probe.on("error", () => undefined);
    probe.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  });
  winner.listen(losing.port, "127.0.0.1");
  await ready;
  winner.close();
});

test("a log grown too large is put aside", async (t) => {
  const failing = await launcher(t, "exit 1", 100);
  const log = path.join(failing.dataDir, "serve.log");
  fs.mkdirSync(failing.dataDir);
  fs.writeFileSync(log, "x".repeat((8 << 20) + 1));
  await assert.rejects(failing.ready());
  assert.equal(fs.statSync(`${log}.1`).size, (8 << 20) + 1);
  assert.equal(fs.statSync(log).size, 0);
});

test("a data directory that cannot be is named", async (t) => {
  const { port, binary } = await launcher(t, "");
  const refused = new Launcher(port, binary, "/dev/null/hitl");
  await assert.rejects(refused.ready(), { kind: "Unavailable", message: /\/dev\/null\/hitl.*set HITL_DATA_DIR/s });
});
