/** What a server sees that is none of ours, and what it may send. */

import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import net, { type AddressInfo } from "node:net";
import { mock, test } from "node:test";
import { Client } from "../src/client.js";

test("a reply that cannot be read is an error at once", async (t) => {
  let calls = 0;
  const server = http2.createServer((request, response) => {
    calls++;
    request.resume();
    response.writeHead(200, { "content-type": "application/grpc+proto" });
    // One message of five bytes, which names a text that is longer than what follows.
    response.write(Buffer.from([0, 0, 0, 0, 5, 0x0a, 0x03, 0x0a, 0x09, 0x78]));
    response.addTrailers({ "grpc-status": "0" });
    response.end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const client = new Client({ endpoint: `127.0.0.1:${port}` });
  t.after(() => {
    client.close();
    server.close();
  });
  const told = { kind: "Internal", retryable: false, message: /cannot be read as a message of the API/ };
  await assert.rejects(client.get("e"), told);
  await assert.rejects(client.waitEvent("e"), told);
  assert.equal(calls, 2);
});

test("a server is called by the name of the endpoint, with the brackets of an address", async (t) => {
  const called: (string | undefined)[] = [];
  const server = http2.createServer((request, response) => {
    called.push(request.headers[":authority"]);
    response.writeHead(200, { "content-type": "application/grpc", "grpc-status": "5" }).end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const connect = net.connect.bind(net) as (options: net.NetConnectOpts) => net.Socket;
  mock.method(net, "connect", (options: net.NetConnectOpts) => connect({ ...options, host: "127.0.0.1", port }));
  const endpoints = ["http://[::1]:81", "[2001:db8::1]", "http://my_host:4485"];
  const clients = endpoints.map((endpoint) => new Client({ endpoint, retryFor: 0 }));
  t.after(() => {
    mock.restoreAll();
    for (const client of clients) client.close();
    server.close();
  });
  for (const client of clients) await assert.rejects(client.get("e"), { kind: "NotFound" });
  assert.deepEqual(called, ["[::1]:81", "[2001:db8::1]", "my_host:4485"]);
});
