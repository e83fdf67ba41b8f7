/** Clients of Connect, by its own protocol and not by gRPC, against the real server. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { v1 } from "hitl-sdk";
import { TestServer } from "hitl-sdk/testing";
import { ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";

const run = promisify(execFile);
const SDK = path.resolve(import.meta.dirname, "../..");

const question = { name: "ship", prompt: "Ship it?", input: { kind: { case: "int", value: {} } } } as const;

async function start(t: TestContext): Promise<TestServer> {
  const server = await TestServer.start();
  t.after(() => server.close());
  return server;
}

for (const httpVersion of ["1.1", "2"] as const) {
  for (const useBinaryFormat of [false, true]) {
    test(`calls and streams over HTTP/${httpVersion}, ${useBinaryFormat ? "binary" : "JSON"}`, async (t) => {
      const server = await start(t);
      server.human.answer("ship", 7);
      const transport = createConnectTransport({ baseUrl: server.endpoint, httpVersion, useBinaryFormat });
      const client = createClient(v1.EventService, transport);
      const { event } = await client.createEvent(question, { timeoutMs: 10_000 });
      let last: v1.Event | undefined;
      for await (const { update } of client.waitEvent({ eventId: event?.id ?? "" })) {
        if (update.case === "event") last = update.value;
      }
      assert.equal(last?.response?.value?.kind.value, 7n);
      const failed = await client.getEvent({ eventId: "0".repeat(32) }).catch((error: unknown) => error);
      assert.ok(failed instanceof ConnectError);
      assert.equal(failed.code, Code.NotFound);
      assert.deepEqual(failed.findDetails(ErrorInfoSchema).map(({ reason }) => reason), ["ERROR_REASON_EVENT_NOT_FOUND"]);
      const stream = client.waitEvent({ eventId: "0".repeat(32) })[Symbol.asyncIterator]();
      await assert.rejects(stream.next(), (error: unknown) => error instanceof ConnectError && error.code === Code.NotFound);
    });
  }
}

/** What `buf curl` prints. */
async function buf(...args: string[]): Promise<unknown> {
  const { stdout } = await run(path.join(SDK, "node_modules/.bin/buf"), ["curl", ...args], { cwd: SDK });
  return JSON.parse(stdout);
}

test("buf curl calls by its default protocol", async (t) => {
  const { endpoint } = await start(t);
  const body = JSON.stringify({ name: "ship", prompt: "Ship it?", input: { bool: {} } });
  const create = `${endpoint}/hitl.v1.EventService/CreateEvent`;
  const bySchema = await buf("--schema", path.resolve(SDK, "../../proto"), "-d", body, create);
  assert.equal((bySchema as { event: { name: string } }).event.name, "ship");
  const byReflection = await buf("--http2-prior-knowledge", "-d", body, create);
  assert.equal((byReflection as { event: { state: string } }).event.state, "EVENT_STATE_PENDING");
});
