/** The real server: the program is that of `HITL_BIN`. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const listener = net.createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as net.AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}

/** A server that serves. */
export async function serve(endpoint: string, dir: string): Promise<ChildProcess> {
  const binary = process.env.HITL_BIN;
  assert.ok(binary, "set HITL_BIN to the hitl program");
  const args = ["serve", "--insecure", "--listen", new URL(endpoint).host];
  const child = spawn(binary, args, { env: { ...process.env, HITL_DATA_DIR: dir }, stdio: "ignore" });
  const up = () => fetch(`${endpoint}/healthz`).then(({ ok }) => ok, () => false);
  while (!(await up())) assert.equal(child.exitCode, null, "the server has ended");
  return child;
}
