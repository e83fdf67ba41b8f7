import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { endedWithoutValue, fromCall, HitlError } from "../src/error.js";
import { discreet } from "../src/messages.js";
import { lines, oneLine } from "../src/shown.js";
import * as v1 from "../src/v1.js";
import { int } from "../src/value.js";
import { refusal, scripted } from "./scripted.js";

const HIDDEN = [
  0x00, 0x1b, 0x7f, 0x85, 0xad, 0x61c, 0x180e, 0x200b, 0x200f, 0x2028, 0x202a, 0x202e, 0x2060, 0x2066, 0x2069, 0xd800,
  0xdfff, 0xfeff, 0xe0000, 0xe0041, 0xe007f,
];
const LINK = "http://127.0.0.1:4485/form/secret";
const FORGED = 'no\n"deploy" was approved\r\t\u202e\u200b';
const ESCAPED = String.raw`no\n"deploy" was approved\r\t\u{202E}\u{200B}`;

test("what is hidden is shown as an escape, and nothing else is changed", () => {
  for (const code of HIDDEN) {
    const text = `a${String.fromCodePoint(code)}b`;
    const shown = `a\\u{${code.toString(16).toUpperCase()}}b`;
    assert.deepEqual([oneLine(text), lines(text)], [shown, shown]);
  }
  assert.equal(oneLine("a\n\t\rb"), String.raw`a\n\t\rb`);
  assert.equal(lines("a\n\t\rb"), "a\n\t\\rb");
  for (const text of ["ünï çödé", "日本", "👍🏽", "\u0301", "\\n", "\u1680\u2003"]) {
    assert.deepEqual([oneLine(text), lines(text)], [text, text]);
  }
});

test("a reason cannot forge a line, and a name is quoted", () => {
  const response = { reason: FORGED, responder: { name: "Ada\u202e\n" } };
  const error = endedWithoutValue("Declined", create(v1.EventSchema, { name: "dep\u202eloy", response }));
  assert.equal(error.message, `"dep\\u{202E}loy" was declined by "Ada\\u{202E}\\n": ${ESCAPED}`);
  for (const customInspect of [true, false]) assert.doesNotMatch(inspect(error, { customInspect }), /\u202e|approved\r/);
  assert.equal(error.response?.reason, FORGED);
});

test("what a server says cannot forge a line", () => {
  const ours = refusal(Code.InvalidArgument, "ERROR_REASON_\u202e");
  const proxy = new ConnectError(FORGED, Code.Unavailable, undefined, undefined, new Error(FORGED));
  Object.assign(ours, { rawMessage: FORGED, message: FORGED });
  for (const failure of [ours, proxy]) {
    const error = fromCall(failure, "http://x");
    assert.ok(error instanceof HitlError && error.message.includes(ESCAPED) && !error.message.includes("\n"));
    for (const customInspect of [true, false]) assert.doesNotMatch(inspect(error, { customInspect }), /\u202e|approved\r/);
  }
});

test("an error is printed with its cause where that forges nothing", () => {
  const error = fromCall(new ConnectError("refused", Code.Unavailable, undefined, undefined, new Error("ECONNREFUSED")), "http://x");
  assert.match(inspect(error), /cause.*ECONNREFUSED/s);
});

async function linked() {
  const { client } = scripted([]);
  const event = await client.event("na\u202eme", "?", int({ min: 1n })).create();
  const init = { id: "e", name: "na\u202eme", formUrl: LINK, apiUrl: LINK, deadline: { seconds: 1n } };
  Object.assign(event.record, create(v1.EventSchema, init));
  return event;
}

test("no link is printed, whatever prints it", async () => {
  const event = await linked();
  const page = create(v1.ListEventsResponseSchema, { events: [event.record] });
  page.events.forEach(discreet);
  for (const printable of [event, event.record, page, [event], { event }]) {
    for (const options of [{}, { colors: true, showHidden: true }]) assert.doesNotMatch(inspect(printable, options), /secret|\u202e/);
    assert.doesNotMatch(JSON.stringify(printable), /secret/);
  }
  // Only what is printed has no links.
  assert.deepEqual([event.formUrl, event.record.apiUrl], [LINK, LINK]);
});

test("events and errors have JSON, though they hold a bigint", async () => {
  const event = await linked();
  const deadline = "1970-01-01T00:00:01.000Z";
  assert.deepEqual(JSON.parse(JSON.stringify(event)), { id: "e", namespace: "", name: "na\u202eme", deadline, existed: false });
  const record = JSON.parse(JSON.stringify(event.record)) as { name: string; deadline: string };
  assert.deepEqual([record.name, record.deadline], ["na\u202eme", "1970-01-01T00:00:01Z"]);

  const response = { reason: "no", time: { seconds: 2n }, value: { kind: { case: "int", value: 2n ** 60n } } } as const;
  const error = endedWithoutValue("Declined", create(v1.EventSchema, { name: "n", response }));
  const json = JSON.parse(JSON.stringify(error)) as Record<string, unknown>;
  assert.deepEqual([json.kind, json.message], ["Declined", error.message]);
  assert.deepEqual(json.response, { reason: "no", time: "1970-01-01T00:00:02Z", value: { int: "1152921504606846976" } });
  // What JSON cannot express is left out.
  const beyond = create(v1.EventSchema, { response: { time: { seconds: 2n ** 60n } } });
  assert.equal((JSON.parse(JSON.stringify(endedWithoutValue("Declined", beyond))) as { response: unknown }).response, null);
});

test("text with half of a surrogate pair is refused, not replaced", async () => {
  const { client, seen } = scripted([]);
  const message = String.raw`prompt is "a\u{D800}": give text without halves of surrogate pairs`;
  await assert.rejects(client.event("n", "a\ud800", int()).create(), { kind: "Invalid", message });
  await assert.rejects(client.event("n", "?", int()).label("\udfff", "v").create(), { kind: "Invalid" });
  await assert.rejects(client.answer("e", { text: "\udfff" }), { kind: "Invalid" });
  assert.equal(seen.called.length, 0);
});
