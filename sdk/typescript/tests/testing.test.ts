/** The test kit against the real server. */

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { bool, Client, HitlError, int, str } from "hitl-sdk";
import { Human, TestServer } from "hitl-sdk/testing";
import { freePort, serve } from "./real.js";

const HOUR_MS = 3_600_000;

test("a person does as a test says, and no time is lost", async () => {
  await using server = await TestServer.start();
  const { client, human } = server;
  human.answer("count", 3, { nonsense: ["many", -1] });
  human.decline("ship", "not on a Friday");
  human.answer("ship", true);
  human.answerText("slow", "yes", { after: 2 * HOUR_MS });

  assert.equal(await (await client.event("count", "How many?", int({ min: 0 })).create()).wait(), 3n);
  const ask = () => client.event("ship", "Ship it?", bool()).create();
  await assert.rejects((await ask()).wait(), { kind: "Declined" });
  assert.equal(await (await ask()).wait(), true);
  const slow = await client.event("slow", "Sure?", bool()).timeout(HOUR_MS).create();
  await assert.rejects(slow.wait(), { kind: "TimedOut" });
  const later = await client.event("later", "Sure?", bool()).timeout(HOUR_MS).defaultOnTimeout(false).create();
  await server.advance(HOUR_MS);
  assert.equal(await later.wait(), false);
  await human.check();
});

test("a test that says what does not happen fails", async (t) => {
  const server = await TestServer.start();
  t.after(() => server.close());
  server.human.answer("never", 1);
  server.human.answer("text", "x", { nonsense: ["fits"] });
  assert.equal(await (await server.client.event("text", "What?", str()).create()).wait(), "fits");
  await assert.rejects(server.human.check(), (error: Error) => {
    assert.match(error.message, /nobody has asked "never", 1 more times/);
    assert.match(error.message, /"fits" was to be refused, and was taken/);
    return true;
  });
});

test("nobody answers for people on a server that is none for tests", async (t) => {
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "hitl-"));
  const process = await serve(endpoint, dir);
  t.after(() => { process.kill("SIGKILL"); fs.rmSync(dir, { recursive: true }); });
  const client = new Client({ endpoint });
  t.after(() => { client.close(); });
  await assert.rejects(Human.of(client), (error: unknown) => {
    assert.ok(error instanceof HitlError && error.kind === "Invalid");
    assert.match(error.message, /no server for tests/);
    return true;
  });
});
