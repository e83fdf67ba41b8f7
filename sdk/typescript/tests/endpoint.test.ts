import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { Client } from "../src/client.js";

const { cases, tokens } = JSON.parse(fs.readFileSync(new URL("../../../endpoints.json", import.meta.url), "utf8")) as {
  cases: { given: string; used?: string; refused?: string }[];
  tokens: { given: string; sent: boolean }[];
};

test("every endpoint is taken as in every other language", () => {
  assert.ok(cases.length > 0);
  for (const { given, used, refused = "" } of cases) {
    if (used !== undefined) {
      assert.equal(new Client({ endpoint: given }).endpoint, used);
      continue;
    }
    const told = ({ kind, message }: { kind?: string; message?: string }) => kind === "Invalid" && message?.includes(refused);
    assert.throws(() => new Client({ endpoint: given }), (error: object) => told(error) ?? false, JSON.stringify(given));
  }
});

test("a token is sent where it is in every other language", () => {
  assert.ok(tokens.length > 0);
  for (const { given, sent } of tokens) {
    const make = () => new Client({ endpoint: given, token: "hitl_a" });
    if (sent) make();
    else assert.throws(make, { kind: "Invalid", message: /https/ }, given);
  }
});

test("a refusal says what to leave out, and no password", () => {
  const help = "is not usable: give it as http://HOST:PORT or https://HOST:PORT";
  const path = '. It has the path "/a", and hitl serves nothing below a path: leave it out';
  for (const [endpoint, message] of [
    ["https://u:secret@h", `the endpoint "https://…@h" ${help}`],
    ["http://h/a/", `the endpoint "http://h/a/" ${help}${path}`],
    ["http://u:secret@h", `the endpoint "http://…@h" ${help}`],
    ["u:secret@h\u202e", `the endpoint "…@h\\u{202E}" ${help}`],
    ["http://\u212aelvin", `the endpoint "http://\u212aelvin" ${help}`],
    ["http://h.0x1", `the endpoint "http://h.0x1" ${help}`],
  ] as const) {
    assert.throws(() => new Client({ endpoint }), { kind: "Invalid", message });
  }
});
