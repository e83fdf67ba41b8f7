import assert from "node:assert/strict";
import type { webcrypto } from "node:crypto";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { Client, int } from "hitl-sdk";
import { KeySet, Receipt } from "../src/receipt.js";
import { freePort, serve } from "./real.js";

interface Case { name: string; receipt: object; keys: string; says?: Record<string, string>; refused?: string }
const read = fs.readFileSync(new URL("../../../receipts.json", import.meta.url), "utf8");
const { cases, keys, refusedKeys } = JSON.parse(read) as {
  cases: Case[]; keys: Record<string, object>; refusedKeys: { name: string; set: object; refused: string }[];
};
const refusal = (part = "") => ({ kind: "Invalid", message: new RegExp(escaped(part)) });
const escaped = (part: string) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

test("every receipt is judged as in every other language", async () => {
  assert.ok(cases.length > 0);
  for (const { name, receipt, keys: set, says, refused } of cases) {
    const verified = Receipt.fromJson(receipt).verify(await KeySet.fromJson(keys[set]));
    if (says) {
      const { eventId, namespace, state, time, json } = await verified;
      assert.deepEqual({ eventId, namespace, state, time }, says, name);
      assert.deepEqual((json.response as { value: object }).value, { int: "7" });
    } else {
      await assert.rejects(verified, refusal(refused), name);
    }
  }
});

test("keys that are not what they say are refused", async () => {
  assert.ok(refusedKeys.length > 0);
  for (const { set, refused } of refusedKeys) await assert.rejects(KeySet.fromJson(set), refusal(refused));
  const many = Array.from({ length: 501 }, (_, number) => Uint8Array.from({ length: 32 }, () => number));
  await assert.rejects(KeySet.of(many.map((key, number) => key.with(0, number >> 8))), refusal("500"));
});

test("a receipt and its keys survive their JSON, as text and parsed", async () => {
  const receipt = Receipt.fromJson(JSON.stringify({ receipt: cases[0]?.receipt }));
  assert.deepEqual(receipt.toJSON(), cases[0]?.receipt);
  assert.deepEqual(Receipt.fromJson(JSON.stringify(receipt)), receipt);
  const set = await KeySet.fromJson(JSON.stringify(keys.both));
  assert.equal(set.size, 2);
  assert.deepEqual(JSON.parse(JSON.stringify(set)), keys.both);
});

test("what is no receipt is refused", async () => {
  for (const junk of ["", "[]", "null", "{}", '{"receipt":{}}', "[".repeat(100_000), 7, undefined]) {
    assert.throws(() => Receipt.fromJson(junk), refusal("no receipt"));
    await assert.rejects(KeySet.fromJson(junk), refusal("JWK set"));
  }
});

test("half of a surrogate pair is not taken for the character that it would be hashed as", async () => {
  const text = "{\"format\":\"hitl.receipt.v1\",\"question\":{\"id\":\"\u{fffd}\"}}";
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as webcrypto.CryptoKeyPair;
  const set = await KeySet.of([new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey))]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const message = Buffer.concat([Buffer.from("hitl receipt v1\0"), new Uint8Array(digest)]);
  const signature = Buffer.from(await crypto.subtle.sign("Ed25519", pair.privateKey, message)).toString("base64");
  const [{ kid }] = set.toJSON().keys as [{ kid: string }];
  const written = { text, algorithm: "Ed25519", keyId: kid, signature };
  assert.equal((await Receipt.fromJson(written).verify(set)).eventId, "\u{fffd}");
  const forged = Receipt.fromJson({ ...written, text: text.replace("\u{fffd}", "\ud800") });
  await assert.rejects(forged.verify(set), refusal("does not fit"));
});

test("what verifies receipts imports nothing of node, so that pages can", () => {
  const seen = new Set<string>();
  const follow = (file: URL) => {
    if (seen.has(file.href)) return;
    seen.add(file.href);
    for (const [, name = ""] of fs.readFileSync(file, "utf8").matchAll(/^(?:import|export) .*from "(.*)";$/gm)) {
      assert.ok(!name.startsWith("node:") && !name.includes("connect-node"), `${file.href} imports ${name}`);
      if (name.startsWith(".")) follow(new URL(name, file));
    }
  };
  follow(new URL("../src/receipt.js", import.meta.url));
  assert.ok(seen.size > 3);
});

test("a server signs what ended and nothing else", async (context) => {
  const dir = fs.mkdtempSync(path.join(tmpdir(), "hitl-"));
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const server = await serve(endpoint, dir);
  context.after(() => {
    server.kill("SIGKILL");
    fs.rmSync(dir, { recursive: true });
  });
  const client = new Client({ endpoint });
  context.after(() => { client.close(); });
  const event = await client.event("ship", "How many?", int()).create();
  await assert.rejects(client.receipt(event.id), { kind: "Conflict", reason: "ERROR_REASON_NO_RECEIPT" });
  await client.cancel(event.id, "not today");
  const said = await (await client.receipt(event.id)).verify(await client.receiptKeys());
  assert.deepEqual([said.eventId, said.state], [event.id, "EVENT_STATE_CANCELLED"]);
});
