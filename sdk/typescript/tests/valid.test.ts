import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { HitlError } from "../src/error.js";
import * as v1 from "../src/v1.js";
import { Asking } from "../src/valid.js";

const ID = "0".repeat(32);

/** What another attempt shows, by label. */
function shown(answer: v1.Value | undefined, why: string): Record<string, string> {
  const { evidence } = new Asking("n").again(ID, answer, why);
  assert.equal(evidence.content.case, "facts");
  return Object.fromEntries(evidence.content.value.facts.map(({ label, value }) => [label, value]));
}

test("an answer is shown as people read it", () => {
  const value = (kind: v1.Value["kind"]) => create(v1.ValueSchema, { kind });
  const str = (text: string) => value({ case: "str", value: text });
  const object = create(v1.ObjectValueSchema, { fields: { b: str("2"), a: str("1") } });
  const cases: [v1.Value | undefined, string][] = [
    [value({ case: "int", value: -7n }), "-7"],
    [value({ case: "float", value: 1.5 }), "1.5"],
    [str("seven"), "seven"],
    [value({ case: "bool", value: true }), "true"],
    [value({ case: "choice", value: create(v1.ChoiceValueSchema, { selected: ["a", "b"] }) }), "a, b"],
    [value({ case: "object", value: object }), "a: 1; b: 2"],
    [undefined, ""],
  ];
  for (const [answer, text] of cases) assert.deepEqual(shown(answer, ""), { Answer: text, "Why not": "it is not valid" });
  assert.equal(shown(str("😀".repeat(501)), "").Answer, `${"😀".repeat(500)}…`);
});

test("without an attempt nothing is asked, and after the last one nothing more", () => {
  assert.throws(() => new Asking("n", 0), /give a number from 1/);
  assert.throws(() => new Asking("n", 1).again(ID, undefined, "no"), (error) => {
    assert.ok(error instanceof HitlError && error.kind === "Invalid");
    assert.deepEqual(error.fieldViolations, [{ field: "value", description: "no" }]);
    return true;
  });
});
