/**
 * How text of people and servers is shown in messages: hidden characters become visible escapes, so that nobody can
 * forge a line or the order of one. What a program gets is never changed.
 */

// Controls, what has no width, what turns the direction of the text around it, and halves of surrogate pairs.
const HIDDEN = new RegExp(
  String.raw`[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff` +
    String.raw`\u{e0000}-\u{e007f}\p{Surrogate}]`,
  "gu",
);
const NAMED = new Map([["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"]]);

/** Text as a line of a message has it. */
export const oneLine = (text: string): string => text.replace(HIDDEN, escape);

/** Text that may have several lines. */
export const lines = (text: string): string =>
  text.replace(HIDDEN, (hidden) => (hidden === "\n" || hidden === "\t" ? hidden : escape(hidden)));

/** The text in quotes, on one line. */
export const quoted = (text: string): string => `"${oneLine(text)}"`;

function escape(hidden: string): string {
  return NAMED.get(hidden) ?? `\\u{${(hidden.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
}
