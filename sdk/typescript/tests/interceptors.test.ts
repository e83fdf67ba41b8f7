/** What calls pass through. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bool, Client } from "hitl-sdk";
import { TestServer } from "hitl-sdk/testing";

test("calls and waits pass through what the program gives", async (t) => {
  const server = await TestServer.start();
  t.after(() => server.close());
  const methods: string[] = [];
  const client = new Client({
    endpoint: server.endpoint,
    announce: false,
    interceptors: [(next) => (request) => {
      methods.push(request.method.name);
      return next(request);
    }],
  });
  t.after(() => { client.close(); });
  server.human.answer("ship", true);
  const event = await client.event("ship", "Ship it?", bool()).create();
  assert.equal(await event.wait(), true);
  assert.deepEqual(methods, ["CreateEvent", "WaitEvents"]);
});
