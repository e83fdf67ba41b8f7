import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import { Client } from "../src/client.js";
import { resolve } from "../src/config.js";
import * as v1 from "../src/v1.js";
import { served } from "./served.js";

const { headers: listed } = JSON.parse(fs.readFileSync(new URL("../../../endpoints.json", import.meta.url), "utf8")) as {
  headers: { name: string; value: string; refused?: string }[];
};

test("a header can be set as in every other language", () => {
  assert.ok(listed.length > 0);
  for (const { name, value, refused } of listed) {
    const make = () => new Client({ endpoint: "h", headers: { [name]: value } });
    if (refused) assert.throws(make, { kind: "Invalid", message: new RegExp(refused) }, name);
    else make();
  }
  const many = Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`x-${n}`, "a"]));
  assert.throws(() => new Client({ endpoint: "h", headers: many }), { kind: "Invalid", message: /at most 32/ });
});

test("headers go with every call and stream, beside the token", async (t) => {
  const { endpoint, headers } = await served(t, { wait: () => ({ id: "e", state: v1.EventState.CANCELLED }) });
  const client = new Client({ endpoint, headers: { "X-Team": "payments" }, token: "hitl_a" });
  t.after(() => { client.close(); });
  await client.get("e");
  await client.waitEvent("e");
  const sent = headers.map((header) => [header.get("x-team"), header.get("authorization")]);
  assert.deepEqual(sent, Array(2).fill(["payments", "Bearer hitl_a"]));
});

test("headers are not printed", () => {
  const config = { endpoint: "h", headers: { "x-key": "secret" } };
  assert.ok(!inspect(new Client(config), { depth: 9 }).includes("secret"));
  assert.ok(!JSON.stringify(resolve(config, {})).includes("secret"));
});
