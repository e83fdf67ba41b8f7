/** The types an answer can have, and how each travels as an input and a value of the API. */

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { internal, invalid } from "./error.js";
import { quoted } from "./shown.js";
import { type Input, InputSchema, StrFormat, type Value, ValueSchema } from "./v1.js";

/** A type that an answer can have, with its restrictions. Made by `int`, `str` and so on. */
export interface DataType<T> {
  /** The input that asks for it. */
  readonly input: Input;
  /**
   * Reads an answer to `asked`, which is this input unless it is given. Throws a `HitlError` of kind `Internal` if the value
   * is of another kind.
   */
  fromValue(value: Value, asked?: Input): T;
  /** The value as an answer. Throws a `HitlError` of kind `Invalid` if it cannot be one. */
  toValue(value: T): Value;
}

/** The whole numbers that a `number` holds exactly. */
const [LOWEST, HIGHEST] = [BigInt(Number.MIN_SAFE_INTEGER), BigInt(Number.MAX_SAFE_INTEGER)];

interface IntOptions {
  min?: bigint | number;
  max?: bigint | number;
}

/** A whole number of 64 bits: a `bigint`, or with `safe` a `number`, of which the server accepts only exact ones. */
export function int(options?: IntOptions & { safe?: false }): DataType<bigint>;
export function int(options: IntOptions & { safe: true }): DataType<number>;
export function int(options: IntOptions & { safe?: boolean } = {}): DataType<bigint> | DataType<number> {
  const { safe } = options;
  const [min, max] = [options.min, options.max].map((limit) => (limit === undefined ? undefined : int64(limit)));
  const value = safe ? { min: higher(min, LOWEST), max: lower(max, HIGHEST) } : { min, max };
  const input = { case: "int", value } as const;
  const toKind = (value: bigint | number) => ({ case: "int", value: int64(value) }) as const;
  if (!safe) return dataType("int", input, (value): bigint => value, toKind);
  return dataType("int", input, (value) => safeNumber(value), toKind);
}

/** A finite number. */
export function float(limits: { min?: number; max?: number } = {}): DataType<number> {
  return dataType("float", { case: "float", value: limits }, (value) => value, (value) => ({ case: "float", value }));
}

/** Restrictions of `str`. */
export interface StrOptions {
  /** The fewest characters accepted. */
  minLength?: number;
  /** The most characters accepted. */
  maxLength?: number;
  /** A regular expression (RE2) to be found in the text; anchor it to match the whole. */
  pattern?: string;
  /** Offers several lines to write on. */
  multiline?: boolean;
  /** A well-known format that the text must have. */
  format?: keyof typeof FORMATS;
}

const FORMATS = {
  email: StrFormat.EMAIL,
  uri: StrFormat.URI,
  date: StrFormat.DATE,
  "date-time": StrFormat.DATE_TIME,
} as const;

/** Text. */
export function str({ format, ...rest }: StrOptions = {}): DataType<string> {
  const input = { case: "str", value: { ...rest, format: format && FORMATS[format] } } as const;
  return dataType("str", input, (value) => value, (value) => ({ case: "str", value }));
}

/** Yes or no. `labels` is what the form calls them: `Yes` and `No` unless set. */
export function bool({ labels = ["", ""] }: { labels?: readonly [yes: string, no: string] } = {}): DataType<boolean> {
  const input = { case: "bool", value: { trueLabel: labels[0], falseLabel: labels[1] } } as const;
  return dataType("bool", input, (value) => value, (value) => ({ case: "bool", value }));
}

/** An option of a choice: its value, or what the form shows besides. */
export type Option<V extends string> =
  | V
  | { readonly value: V; readonly label?: string; readonly description?: string };

/** One of several options. */
export function choice<const V extends string>(options: readonly Option<V>[]): DataType<V> {
  const read = ({ selected }: { selected: string[] }) => onlyOne(selected) as V;
  return dataType("choice", { case: "choice", value: { options: offered(options) } }, read, (value) => picked([value]));
}

/** Several of several options, in the order in which they are offered: exactly one unless more are allowed. */
export function choices<const V extends string>(
  options: readonly Option<V>[],
  limits: { minSelected?: number; maxSelected?: number } = {},
): DataType<V[]> {
  const input = { case: "choice", value: { options: offered(options), ...limits } } as const;
  return dataType("choice", input, ({ selected }) => selected as V[], picked);
}

/** What a field of an object can be: an integer is a `bigint`, or a `number` if `safe`. */
export type Field = bigint | number | string | boolean | string[];

/**
 * Several fields answered together. `schema` is a flat JSON Schema, as an object or as text; `v1.ObjectInput` says what
 * it may hold. With `safe` its integers are asked for within what a `number` holds exactly.
 */
export function object<T extends object = Record<string, Field>>(
  schema: object | string,
  { safe = false }: { safe?: boolean } = {},
): DataType<T> {
  const text = schemaText(schema, safe);
  const properties = propertiesOf(text);
  const read = ({ fields }: { fields: Record<string, Value> }) =>
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, fromField(name, value, properties[name] ?? {}, safe)]),
    ) as T;
  return dataType("object", { case: "object", value: { jsonSchema: text } }, read, (value) => {
    const present = Object.entries(value).filter(([, field]) => field !== undefined && field !== null);
    const fields = present.map(([name, field]) => [name, { kind: toField(name, field, properties[name] ?? {}) }]);
    return { case: "object", value: { fields: Object.fromEntries(fields) as Record<string, ValueInit> } };
  });
}

type ValueInit = MessageInitShape<typeof ValueSchema>;
type KindInit = NonNullable<ValueInit["kind"]>;
type Case = NonNullable<Value["kind"]["case"]>;
type Payload<C extends Case> = Extract<Value["kind"], { case: C }>["value"];

function dataType<C extends Case, T>(
  kind: C,
  input: MessageInitShape<typeof InputSchema>["kind"],
  read: (payload: Payload<C>) => T,
  toKind: (value: T) => KindInit,
): DataType<T> {
  return {
    input: create(InputSchema, { kind: input }),
    fromValue(value) {
      if (value.kind.case === kind) return read(value.kind.value as Payload<C>);
      throw internal(`the server sent ${value.kind.case ?? "nothing"} where the event asks for ${kind}`);
    },
    toValue: (value) => create(ValueSchema, { kind: toKind(value) }),
  };
}

const offered = (options: readonly Option<string>[]) =>
  options.map((option) => (typeof option === "string" ? { value: option } : option));

const picked = (selected: string[]) => ({ case: "choice", value: { selected } }) as const;

function int64(number: bigint | number): bigint {
  if (typeof number === "number" && !Number.isSafeInteger(number)) {
    throw invalid(`${number} is not a whole number that \`number\` holds exactly: give a bigint`);
  }
  const exact = BigInt(number);
  if (BigInt.asIntN(64, exact) !== exact) throw invalid(`${exact.toString()} has more than 64 bits`);
  return exact;
}

function safeNumber(exact: bigint, where = ""): number {
  const number = Number(exact);
  if (Number.isSafeInteger(number)) return number;
  throw internal(`the answer ${exact.toString()}${where} is not a safe number: take it as bigint, without \`safe\``);
}

const higher = (given: bigint | undefined, own: bigint) => (given !== undefined && given > own ? given : own);
const lower = (given: bigint | undefined, own: bigint) => (given !== undefined && given < own ? given : own);

interface Property {
  type?: unknown;
  minimum?: unknown;
  maximum?: unknown;
  enum?: unknown;
  oneOf?: unknown;
}

interface Schema {
  properties?: Record<string, Property | null>;
}

/** The schema as it is asked with. */
function schemaText(schema: object | string, safe: boolean): string {
  const text = typeof schema === "string" ? schema : jsonOf(schema);
  const copy = safe ? parsed(text) : undefined;
  if (!copy?.properties) return text;
  for (const property of Object.values(copy.properties)) {
    if (property?.type !== "integer") continue;
    const { minimum = -Infinity, maximum = Infinity } = property;
    // What is no number is the server's to refuse.
    if (typeof minimum === "number") property.minimum = Math.max(minimum, Number.MIN_SAFE_INTEGER);
    if (typeof maximum === "number") property.maximum = Math.min(maximum, Number.MAX_SAFE_INTEGER);
  }
  return JSON.stringify(copy);
}

function jsonOf(schema: object): string {
  try {
    return JSON.stringify(schema);
  } catch (error) {
    throw invalid(`the schema cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

/** The properties of a schema. */
function propertiesOf(text: string): Record<string, Property | undefined> {
  const properties = parsed(text)?.properties ?? {};
  if (Object.hasOwn(properties, "__proto__")) {
    throw invalid("the schema has a property __proto__, which no message in JavaScript can have: give it another name");
  }
  return { ...(properties as Record<string, Property>) };
}

/** Undefined if it is not the JSON of an object, which is the server's to refuse. */
function parsed(text: string): Schema | undefined {
  try {
    const schema = JSON.parse(text) as Schema | null;
    return typeof schema === "object" ? (schema ?? undefined) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A field as its own type. An enum travels as a choice even when one alone can be picked: whether it is a string or an
 * array is for its property to say.
 */
function fromField(name: string, { kind }: Value, property: Property, safe: boolean): Field {
  switch (kind.case) {
    case "int": return safe ? safeNumber(kind.value, ` in ${quoted(name)}`) : kind.value;
    case "choice": return property.type === "string" ? onlyOne(kind.value.selected) : kind.value.selected;
    case "float":
    case "str":
    case "bool": return kind.value;
    default: throw internal(`the server sent ${kind.case ?? "nothing"} in the field ${quoted(name)}`);
  }
}

function onlyOne(selected: string[]): string {
  const [option] = selected;
  if (option !== undefined && selected.length === 1) return option;
  throw internal("the answer is not exactly one option");
}

/** The reverse of `fromField`. */
function toField(name: string, field: unknown, property: Property): KindInit {
  const whole = typeof field === "number" && Number.isInteger(field) && property.type !== "number";
  if (typeof field === "bigint" || whole) return { case: "int", value: int64(field) };
  if (typeof field === "number") return { case: "float", value: field };
  if (typeof field === "boolean") return { case: "bool", value: field };
  const isEnum = Array.isArray(property.enum) || Array.isArray(property.oneOf);
  if (typeof field === "string") return isEnum ? picked([field]) : { case: "str", value: field };
  if (Array.isArray(field) && field.every((item) => typeof item === "string")) return picked(field);
  throw invalid(`${quoted(name)}: an object's fields must be flat`);
}
