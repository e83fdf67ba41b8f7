import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { actionDigest, canonical, type Json } from "../src/canonical.js";
import { HitlError } from "../src/error.js";
import { decision, Review, review } from "../src/review.js";
import { ReviewDecision, ValueSchema } from "../src/v1.js";

const DIGEST = "6e754bf35ee93590a88fc501983653a2da86e76841c678157cd4aec356b9ffd5";
const ARGUMENTS = { to: "Ada", amount: 120, notify: true };

/** What comes of a decision that the server sends. */
function decided(value: object = {}): Review {
  const given = {
    decision: ReviewDecision.APPROVE,
    arguments: '{"notify": true, "amount": 1.2e2, "to": "Ada"}',
    shownDigest: DIGEST,
    approvedDigest: DIGEST,
    ...value,
  };
  const asked = review("refund", ARGUMENTS).input;
  return decision().fromValue(create(ValueSchema, { kind: { case: "review", value: given } }), asked);
}

const isA = (kind: string) => (error: unknown) => error instanceof HitlError && error.kind === kind;
const never = () => assert.fail("it is done");

test("the digest is that of the canonical form", () => {
  assert.equal(actionDigest("refund", ARGUMENTS), DIGEST);
  assert.notEqual(actionDigest("refund", { ...ARGUMENTS, amount: 121 }), DIGEST);
  assert.equal(canonical({ "\ufb33": 1e21 / 10 ** 30, "\u{1f600}": [], b: null }), '{"b":null,"\u{1f600}":[],"\ufb33":1e-9}');
  for (const unclear of [2 ** 53, NaN, 1n, undefined, "\ud800"]) {
    assert.throws(() => actionDigest("refund", unclear as unknown as Json), TypeError);
  }
});

test("only what was approved is done", async () => {
  const approval = decided();
  assert.equal(approval.executeIfApproved("refund", ({ to }: typeof ARGUMENTS) => to), "Ada");
  assert.deepEqual(await approval.executeIfApproved("refund", (args) => Promise.resolve(args)), ARGUMENTS);
  assert.ok(approval.approves("refund", ARGUMENTS));
  assert.ok(!approval.approves("refund", { ...ARGUMENTS, amount: 121 }));
  assert.throws(() => approval.executeIfApproved("pay", never), isA("Invalid"));
  assert.throws(() => decided({ arguments: '{"amount": 121}' }).executeIfApproved("refund", never), isA("Invalid"));
  (approval.arguments as { amount: number }).amount = 121;
  assert.throws(() => approval.executeIfApproved("refund", never), isA("Invalid"));
});

test("what was not approved is not done", () => {
  for (const value of [{ decision: ReviewDecision.REJECT }, { decision: ReviewDecision.RESPOND }, { approvedDigest: "" }]) {
    const refused = decided({ message: "not now", ...value });
    assert.throws(() => refused.executeIfApproved("refund", never), isA("Declined"));
    assert.throws(() => refused.executeIfApproved("refund", never), /not now/);
  }
});

test("a decision on something else is an error", () => {
  assert.throws(() => decided({ shownDigest: "00" }), isA("Internal"));
  assert.throws(() => decided({ decision: 9 }), isA("Internal"));
});

test("what is set is what is asked", () => {
  const type = review("refund", ARGUMENTS, { schema: { type: "object" }, allow: ["edit"] });
  const { input } = type;
  assert.ok(input.kind.case === "review");
  assert.deepEqual(JSON.parse(input.kind.value.arguments), ARGUMENTS);
  assert.equal(input.kind.value.jsonSchema, '{"type":"object"}');
  assert.deepEqual(input.kind.value.allow, [ReviewDecision.EDIT]);
  const value = type.toValue(new Review("reject", { message: "nobody was there" }));
  assert.ok(value.kind.case === "review" && value.kind.value.message === "nobody was there");
  assert.throws(() => review("refund", undefined as unknown as Json), isA("Invalid"));
  assert.throws(() => review("refund", null, { allow: ["maybe" as "edit"] }), isA("Invalid"));
});
