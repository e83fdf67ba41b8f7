import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Risk } from "../src/event.js";
import * as evidence from "../src/evidence.js";
import * as v1 from "../src/v1.js";
import { bool, int } from "../src/value.js";
import { answered, intValue, scripted } from "./scripted.js";

const item = (init: MessageInitShape<typeof v1.EvidenceSchema>) => create(v1.EvidenceSchema, init);

test("what is shown is sent in order, and facts one after the other are one item", async () => {
  const { client, seen } = scripted([]);
  await client
    .event("ship", "Ship it?", bool())
    .title("Ship 2.4?")
    .risk("high")
    .requireConfirmation()
    .fact("Version", "2.4")
    .fact("Tests", "passed")
    .evidence(
      evidence.text("Log", "all\nwell", { note: "ci.log" }),
      evidence.code("Query", "select 1", { language: "sql" }),
      evidence.json("Plan", { steps: ["ü", 1] }),
      evidence.diff("app.toml", "a\n", "b\n"),
      evidence.unifiedDiff("Patch", "--- a\n+++ b\n"),
      evidence.table("Costs", ["item", "price"], [["disk", 1.5], ["cpu", "2"]]),
      evidence.link("Build", "https://ci.example.org/7", { label: "build 7" }),
      evidence.facts("More", { Owner: "Ann" }),
    )
    .fact("Last", "one")
    .create();
  const [request] = seen.created;
  assert.deepEqual([request?.title, request?.risk, request?.requireConfirmation], ["Ship 2.4?", v1.Risk.HIGH, true]);
  const facts = (...facts: { label: string; value: string }[]) => ({ case: "facts", value: { facts } }) as const;
  assert.deepEqual(request?.evidence, [
    item({ content: facts({ label: "Version", value: "2.4" }, { label: "Tests", value: "passed" }) }),
    item({ title: "Log", note: "ci.log", content: { case: "text", value: { text: "all\nwell" } } }),
    item({ title: "Query", content: { case: "code", value: { code: "select 1", language: "sql" } } }),
    item({ title: "Plan", content: { case: "json", value: { json: '{"steps":["ü",1]}' } } }),
    item({
      title: "app.toml",
      content: { case: "diff", value: { diff: { case: "texts", value: { before: "a\n", after: "b\n" } } } },
    }),
    item({ title: "Patch", content: { case: "diff", value: { diff: { case: "unified", value: "--- a\n+++ b\n" } } } }),
    item({
      title: "Costs",
      content: {
        case: "table",
        value: { columns: ["item", "price"], rows: [{ cells: ["disk", "1.5"] }, { cells: ["cpu", "2"] }] },
      },
    }),
    item({
      title: "Build",
      content: { case: "link", value: { url: "https://ci.example.org/7", label: "build 7" } },
    }),
    item({ title: "More", content: facts({ label: "Owner", value: "Ann" }) }),
    item({ content: facts({ label: "Last", value: "one" }) }),
  ]);
});

test("what cannot be shown is refused", () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  for (const value of [undefined, cycle, 1n]) {
    assert.throws(() => evidence.json("Plan", value), { kind: "Invalid", message: /cannot be shown as JSON/ });
  }
  const { client } = scripted([]);
  const event = client.event("ship", "Ship it?", bool());
  assert.throws(() => event.risk("grave" as Risk), { kind: "Invalid", message: /give low, medium or high/ });
});

test("a comment goes with an answer", async () => {
  const { client, seen } = scripted([]);
  await client.answer("e", { value: intValue(7n) }, { responder: "Ann", comment: "gladly" });
  const [answer] = seen.called as v1.AnswerEventRequest[];
  assert.deepEqual([answer?.responder, answer?.comment], ["Ann", "gladly"]);
});

test("a comment comes with the value, for whoever asks for it", async () => {
  const ended = answered(7n);
  assert.ok(ended.update?.case === "event" && ended.update.value.response);
  Object.assign(ended.update.value.response, { comment: "gladly" });
  const { client } = scripted([{ messages: [ended] }], { announce: false });
  const event = await client.event("n", "How many?", int()).idempotencyKey("e").create();
  const { value, response } = await event.waitDetails();
  assert.deepEqual([value, response.comment], [7n, "gladly"]);
});
