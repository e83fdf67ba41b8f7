import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import { Client } from "../src/client.js";
import { HitlError } from "../src/error.js";
import { readProxy } from "../src/proxy.js";

interface Case { given: string; used?: string; says?: string }

test("every proxy is taken as in every other language", () => {
  const { proxies } = JSON.parse(readFileSync(new URL("../../../endpoints.json", import.meta.url), "utf8")) as { proxies: Case[] };
  assert.notEqual(proxies.length, 0);
  for (const { given, used, says } of proxies) {
    if (used !== undefined) {
      const proxy = readProxy(given, undefined);
      assert.deepEqual([proxy?.endpoint, proxy?.authorization], [used, says], given);
      continue;
    }
    assert.throws(() => readProxy(given, undefined), (error) => {
      assert.ok(error instanceof HitlError && error.kind === "Invalid", given);
      assert.match(error.message, /^proxy .*%40/);
      assert.doesNotMatch(error.message, /secret|3128/);
      return true;
    }, given);
  }
});

test("no password of a proxy is printed", () => {
  const client = new Client({ endpoint: "http://h:1", proxy: "http://ada:secret@proxy:3128" });
  const proxy = readProxy("http://ada:secret@proxy:3128", undefined);
  assert.doesNotMatch(inspect([client, proxy], { depth: 9, showHidden: true }) + JSON.stringify(proxy), /secret|YWRh/);
  client.close();
});

test("a proxy of the environment is not for servers of this machine", () => {
  const code = readProxy("http://proxy:1", "http://other:1");
  const environment = readProxy("", "http://proxy:1");
  assert.deepEqual(["http://localhost:2", "https://hitl.example.org:443"].map((at) => code?.isFor(at)), [true, true]);
  assert.deepEqual(["http://localhost:2", "https://hitl.example.org:443"].map((at) => environment?.isFor(at)), [false, true]);
  assert.equal(readProxy(undefined, ""), undefined);
});
