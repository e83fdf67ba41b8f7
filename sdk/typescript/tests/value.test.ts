import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "../src/v1.js";
import { bool, choice, choices, type DataType, type Field, float, int, object, str } from "../src/value.js";
import { intValue } from "./scripted.js";

/** What a value is after it has travelled. */
function travelled<T>(type: DataType<T>, value: T): T {
  return type.fromValue(fromBinary(ValueSchema, toBinary(ValueSchema, type.toValue(value))));
}

test("every type returns as it was", () => {
  for (const number of [-(2n ** 63n), -1n, 0n, 9_007_199_254_740_993n, 2n ** 63n - 1n]) {
    assert.equal(travelled(int(), number), number);
  }
  for (const number of [Number.MIN_VALUE, -0, 1e308]) assert.equal(travelled(float(), number), number);
  assert.equal(travelled(str(), "\u202etext\n"), "\u202etext\n");
  assert.equal(travelled(bool(), true), true);
  assert.equal(travelled(choice(["a", "b"]), "a"), "a");
  assert.deepEqual(travelled(choices(["a", "b"]), ["a", "b"]), ["a", "b"]);
});

test("answers have the types of their questions", () => {
  const target: "staging" | "production" = choice(["staging", { value: "production", label: "Live" }]).fromValue({
    $typeName: "hitl.v1.Value",
    kind: { case: "choice", value: { $typeName: "hitl.v1.ChoiceValue", selected: ["staging"] } },
  });
  const several: ("a" | "b")[] = travelled(choices(["a", "b"]), ["b"]);
  const exact: bigint = travelled(int({ min: 0 }), 1n);
  const safe: number = travelled(int({ safe: true }), 1);
  // @ts-expect-error -- not an option
  choice(["a", "b"]).toValue("c");
  assert.deepEqual([target, several, exact, safe], ["staging", ["b"], 1n, 1]);
});

test("a safe int is a number, and nothing else is accepted", () => {
  const kind = int({ safe: true, max: 9 }).input.kind;
  assert.ok(kind.case === "int");
  assert.deepEqual([kind.value.min, kind.value.max], [BigInt(Number.MIN_SAFE_INTEGER), 9n]);
  assert.throws(() => int({ safe: true }).fromValue(intValue(2n ** 53n)), { kind: "Internal" });
  assert.throws(() => int({ safe: true }).toValue(2 ** 53), { kind: "Invalid" });
  assert.throws(() => int({ min: 0.5 }), { kind: "Invalid" });
  assert.throws(() => int({ max: 2n ** 63n }), { kind: "Invalid" });
});

test("what is asked for is never more than the type holds", () => {
  const [lowest, highest] = [BigInt(Number.MIN_SAFE_INTEGER), BigInt(Number.MAX_SAFE_INTEGER)];
  for (const [min, max] of [[undefined, undefined], [lowest - 1n, highest + 1n], [-(2n ** 63n), 2n ** 63n - 1n]] as const) {
    const { kind } = int({ safe: true, min, max }).input;
    assert.ok(kind.case === "int");
    assert.deepEqual([kind.value.min, kind.value.max], [lowest, highest]);
  }
  const bounds = '"minimum":-9223372036854775808,"maximum":9223372036854775807';
  const schema = `{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer","minimum":0},
    "c":{"type":"integer",${bounds}},"d":{"type":"number","minimum":-1e300},"e":{"type":"integer","minimum":"x"}}}`;
  const asked = (safe: boolean, given: object | string) => {
    const { kind } = object(given, { safe }).input;
    assert.ok(kind.case === "object");
    return kind.value.jsonSchema;
  };
  const [minimum, maximum] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  for (const given of [schema, JSON.parse(schema) as object]) {
    assert.deepEqual((JSON.parse(asked(true, given)) as { properties: object }).properties, {
      a: { type: "integer", minimum, maximum },
      b: { type: "integer", minimum: 0, maximum },
      c: { type: "integer", minimum, maximum },
      d: { type: "number", minimum: -1e300 },
      e: { type: "integer", minimum: "x", maximum },
    });
  }
  // Whoever takes a bigint is asked for 64 bits, in the words given.
  assert.equal(asked(false, schema), schema);
  for (const broken of ["{", "[]", "null", '{"properties":{"a":null}}', '{"properties":null}']) asked(true, broken);
});

test("a schema that can never be answered is refused at once", () => {
  assert.throws(() => object({ properties: { n: { type: "integer", minimum: 0n } } }), { kind: "Invalid", message: /BigInt/ });
  const text = '{"type":"object","properties":{"__proto__":{"type":"string"}}}';
  for (const schema of [text, JSON.parse(text) as object]) {
    assert.throws(() => object(schema), { kind: "Invalid", message: /__proto__/ });
  }
});

test("restrictions are what is asked", () => {
  const asked = (type: DataType<never>) => type.input.kind.value as unknown as Record<string, unknown>;
  const text = asked(str({ minLength: 1, maxLength: 2, pattern: "^a", multiline: true, format: "date-time" }) as never);
  assert.deepEqual(
    [text.minLength, text.maxLength, text.pattern, text.multiline, text.format],
    [1, 2, "^a", true, 4],
  );
  const yes = asked(bool({ labels: ["Ship", "Hold"] }) as never);
  assert.deepEqual([yes.trueLabel, yes.falseLabel], ["Ship", "Hold"]);
  const range = asked(float({ min: 0, max: 0.5 }) as never);
  assert.deepEqual([range.min, range.max], [0, 0.5]);
  const several = asked(choices(["a", { value: "b", label: "B" }], { minSelected: 0, maxSelected: 2 }) as never);
  assert.deepEqual([several.minSelected, several.maxSelected], [0, 2]);
  assert.deepEqual((several.options as { label: string }[]).map(({ label }) => label), ["", "B"]);
});

const SCHEMA = {
  type: "object",
  properties: {
    replicas: { type: "integer" },
    share: { type: "number" },
    region: { type: "string", enum: ["eu", "us"] },
    checks: { type: "array", items: { enum: ["lint", "test"] } },
    note: { type: "string" },
  },
};

interface Deploy {
  replicas: bigint;
  share: number;
  region: string;
  checks: string[];
  note?: string;
}

test("an object returns as its interface", () => {
  const deploy: Deploy = { replicas: 2n ** 63n - 1n, share: 1, region: "eu", checks: ["lint"], note: undefined };
  const type = object<Deploy>(SCHEMA);
  const fields = fieldsOf(type.toValue(deploy));
  assert.deepEqual(Object.keys(fields), ["replicas", "share", "region", "checks"]);
  assert.equal(fields.region?.kind.case, "choice");
  assert.equal(fields.share?.kind.case, "float");
  assert.deepEqual(travelled(type, deploy), { replicas: 2n ** 63n - 1n, share: 1, region: "eu", checks: ["lint"] });
  const { note, ...numbers } = travelled(object(JSON.stringify(SCHEMA), { safe: true }), { replicas: 3, note: "n" });
  assert.deepEqual([numbers, note], [{ replicas: 3 }, "n"]);
});

test("what does not fit is an error", () => {
  assert.throws(() => int().fromValue(bool().toValue(true)), { kind: "Internal" });
  assert.throws(() => choice(["a"]).fromValue(choices(["a"]).toValue([])), { kind: "Internal" });
  assert.throws(() => object({}, { safe: true }).fromValue(object({}).toValue({ n: 2n ** 60n })), { kind: "Internal" });
  const one = { properties: { a: { type: "string", enum: ["x", "y"] } } };
  const two = object({}).toValue({ a: ["x", "y"] });
  assert.throws(() => object(one).fromValue(two), { kind: "Internal", message: /not exactly one option/ });
  assert.throws(() => object({}).toValue({ a: { b: 1 } as unknown as Field }), { kind: "Invalid" });
});

function fieldsOf(value: Value): Record<string, Value | undefined> {
  assert.ok(value.kind.case === "object");
  return value.kind.value.fields;
}
