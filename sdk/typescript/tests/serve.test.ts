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
async function launcher(t: TestContext, script: string, startLimitMs = 1_000): Promise<Launcher & { dataDir: string }> {
  const dir = fs.mkdtempSync(path.join(tmpdir(), "hitl-"));
  t.after(() => { fs.rmSync(dir, { recursive: true }); });
  const binary = path.join(dir, "hitl");
  fs.writeFileSync(binary, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const launcher = new Launcher(await freePort(), binary, path.join(dir, "data"), startLimitMs);
  return launcher as Launcher & { dataDir: string };
}

const ALIVE = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nalive\n";
const NOT_ALIVE = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK";

/** A program that replies the same to whoever connects, or nothing. */
async function listening(t: TestContext, port: number, reply?: string): Promise<void> {
  const sockets: net.Socket[] = [];
  const listener = net.createServer((socket) => {
    sockets.push(socket.on("error", () => undefined));
    if (reply !== undefined) socket.write(reply);
  });
  t.after(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(listener.listen(port, "127.0.0.1"), "listening");
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
  const failing = await launcher(t, "echo started; exit 1", 4_000);
  await assert.rejects(failing.ready(), ({ message }: Error) => message.includes("ends:\nstarted\nstarted"));
});

test("a server that takes its time is not started twice", async (t) => {
  const slow = await launcher(t, "echo started; exec sleep 2", 1_500);
  await assert.rejects(slow.ready(), ({ message }: Error) => message.endsWith("ends:\nstarted"));
});

test("where a server serves nothing is started", async (t) => {
  const needless = await launcher(t, "exit 1");
  await listening(t, needless.port, ALIVE);
  await needless.ready();
  assert.equal(fs.existsSync(needless.dataDir), false);
});

test("another program on the port is named at once, through the whole client", async (t) => {
  for (const reply of ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", NOT_ALIVE]) {
    const { port, dataDir } = await launcher(t, "exit 1");
    await listening(t, port, reply);
    const settings = { ...resolve({}, {}), launcher: new Launcher(port, "/no/such/hitl", dataDir) };
    const begun = performance.now();
    const message = new RegExp(`something that is not hitl listens on 127.0.0.1:${port}: set HITL_PORT`);
    const told = { kind: "Unavailable", retryable: false, message };
    await assert.rejects(new Client({}, new Connection(settings)).get("id"), told);
    assert.ok(performance.now() - begun < 2_000);
  }
});

test("a server that says nothing is given up", async (t) => {
  const waiting = await launcher(t, "exit 1");
  await listening(t, waiting.port);
  const message = `the server at ${waiting.endpoint} sent nothing for 1 s`;
  await assert.rejects(waiting.ready(), { kind: "Unavailable", retryable: true, message });
});

test("a relative path of the program is that of this one's directory", async (t) => {
  const { port, binary, dataDir } = await launcher(t, "echo started; exit 1");
  const before = process.cwd();
  t.after(() => { process.chdir(before); });
  process.chdir(path.dirname(binary));
  await assert.rejects(new Launcher(port, "./hitl", dataDir, 900).ready(), { message: /ends:\nstarted$/ });
});

test("a server that loses the race is no failure", async (t) => {
  const losing = await launcher(t, "exit 1");
  const ready = Promise.all([losing.ready(), losing.ready()]);
  // It is lost once the data directory shows that it was begun.
  while (!fs.existsSync(path.join(losing.dataDir, "serve.log"))) await new Promise(setImmediate);
  await listening(t, losing.port, ALIVE);
  await ready;
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

test("a data directory that is nowhere says what to set", async () => {
  const nowhere = new Launcher(await freePort(), "hitl", undefined);
  await assert.rejects(nowhere.ready(), { kind: "Unavailable", retryable: false, message: /set HITL_DATA_DIR/ });
});

test("a data directory that cannot be is named", async (t) => {
  const { port, binary } = await launcher(t, "");
  const refused = new Launcher(port, binary, "/dev/null/hitl");
  await assert.rejects(refused.ready(), { kind: "Unavailable", message: /\/dev\/null\/hitl.*set HITL_DATA_DIR/s });
});
