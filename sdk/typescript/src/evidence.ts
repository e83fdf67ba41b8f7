/**
 * What is shown beside a question so that a person can decide: each function makes an item for `EventBuilder.evidence`, such
 * as `evidence.diff("app.toml", before, after)`. Its `title` is what the item is called.
 *
 * @module
 */

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { invalid } from "./error.js";
import * as v1 from "./v1.js";

/** What every item may have. */
export interface EvidenceOptions {
  /** What is worth knowing about it, such as a file name. */
  readonly note?: string | undefined;
}

/** What code may have. */
export interface CodeOptions extends EvidenceOptions {
  /** The language that it is in, such as `sql`. */
  readonly language?: string | undefined;
}

/** What a link may have. */
export interface LinkOptions extends EvidenceOptions {
  /** What is there. */
  readonly label?: string | undefined;
}

/** Names and what they stand for. */
export type Facts = Readonly<Record<string, string>> | Iterable<readonly [label: string, value: string]>;

type Content = NonNullable<MessageInitShape<typeof v1.EvidenceSchema>["content"]>;

/** Names and what they stand for, in order. */
export function facts(title: string, facts: Facts, options?: EvidenceOptions): v1.Evidence {
  const pairs = Symbol.iterator in facts ? [...facts] : Object.entries(facts);
  return item(title, options, { case: "facts", value: { facts: pairs.map(([label, value]) => ({ label, value })) } });
}

/** Text as it is, whose long lines are wrapped. */
export const text = (title: string, text: string, options?: EvidenceOptions): v1.Evidence =>
  item(title, options, { case: "text", value: { text } });

/** Source code. */
export const code = (title: string, code: string, options?: CodeOptions): v1.Evidence =>
  item(title, options, { case: "code", value: { code, language: options?.language ?? "" } });

/** A value that JSON can express. Throws kind `Invalid` if it cannot. */
export function json(title: string, value: unknown, options?: EvidenceOptions): v1.Evidence {
  return item(title, options, { case: "json", value: { json: written(value) } });
}

/** What changes from one text to another. */
export const diff = (title: string, before: string, after: string, options?: EvidenceOptions): v1.Evidence =>
  item(title, options, { case: "diff", value: { diff: { case: "texts", value: { before, after } } } });

/** What changes, as `git diff` writes it. */
export const unifiedDiff = (title: string, unified: string, options?: EvidenceOptions): v1.Evidence =>
  item(title, options, { case: "diff", value: { diff: { case: "unified", value: unified } } });

/** Rows, each with a cell for each of the columns. */
export function table(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly (string | number | bigint)[])[],
  options?: EvidenceOptions,
): v1.Evidence {
  const written = rows.map((row) => ({ cells: row.map(String) }));
  return item(title, options, { case: "table", value: { columns: [...columns], rows: written } });
}

/** A place on the web: an absolute http or https URL. */
export const link = (title: string, url: string, options?: LinkOptions): v1.Evidence =>
  item(title, options, { case: "link", value: { url, label: options?.label ?? "" } });

function item(title: string, options: EvidenceOptions | undefined, content: Content): v1.Evidence {
  return create(v1.EvidenceSchema, { title, note: options?.note ?? "", content });
}

function written(value: unknown): string {
  try {
    // What JSON has nothing for, such as a function, is left out.
    const json = JSON.stringify(value) as string | undefined;
    if (json !== undefined) return json;
  } catch (error) {
    throw invalid(`this cannot be shown as JSON: ${String(error)}`, error);
  }
  throw invalid("this cannot be shown as JSON: it is left out of JSON");
}
